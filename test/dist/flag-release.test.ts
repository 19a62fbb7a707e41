import t from 'tap'
import { releaseOf } from '../../src/dist/flag-release.js'
import { flags, mandatoryFlags, offeredFlags } from '../../src/dist/flags.js'

t.test('which release offers such flags', async t => {
  // As real nodes of 25, 27 and 29 send them (spec/transcripts/handshakes.json), with what the digest stands for.
  t.equal(releaseOf(0xd07df7fbdn), 'OTP 25 to 27')
  t.equal(releaseOf(0x6d07df7fbdn), 'OTP 29 or later')
  t.equal(releaseOf(0x6d07df7fbdn & ~flags.NATIVE_RECORDS), 'OTP 28')
  t.equal(releaseOf(mandatoryFlags[26]), 'OTP 24 or before')
  t.equal(releaseOf(offeredFlags({ visible: false })), 'OTP 29 or later', 'Beamlet too')
})
