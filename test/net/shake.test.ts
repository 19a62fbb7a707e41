import t from 'tap'
import { offeredFlags } from '../../src/dist/flags.js'
import { frame, tickFrame } from '../../src/dist/frames.js'
import { accept, type Handshake, initiate } from '../../src/dist/handshake.js'
import * as message from '../../src/dist/handshake-messages.js'
import { NetError } from '../../src/net/errors.js'
import { machineSecrets } from '../../src/net/secrets.js'
import { shake, type Shaken } from '../../src/net/shake.js'
import { type Atom, atom } from '../../src/term/index.js'
import { ManualClock } from '../process/support.js'
import { FakeCarrier } from './fake-carrier.js'

const flags = offeredFlags({ visible: true })
const self = { name: atom('us@host') as Atom, creation: 1, flags }
const dialling = (): Handshake => initiate({ self, peer: atom('them@host') as Atom, cookie: 'c', ...machineSecrets })
const accepting = (): Handshake => accept({ self, cookieFor: () => 'c', status: () => 'ok', ...machineSecrets })

interface Bench {
  readonly carrier: FakeCarrier
  readonly clock: ManualClock
  readonly shaken: Promise<Shaken>
}

function bench(handshake: Handshake, signal?: AbortSignal): Bench {
  const carrier = new FakeCarrier()
  const clock = new ManualClock()
  return { carrier, clock, shaken: shake(carrier, handshake, { clock, timeout: 7000, signal }) }
}

const say = ({ carrier }: Bench, bytes: Buffer): void => carrier.receive(frame(bytes, 2))
const challenge = message.encodeChallenge({ flags, challenge: 5, creation: 2, name: 'them@host' })

t.test('each step has its time limit', async t => {
  const slow = bench(dialling())
  slow.clock.advance(6999)
  say(slow, message.encodeStatus('ok'))
  slow.clock.advance(6999)
  say(slow, challenge)
  slow.clock.advance(6999)
  t.equal(slow.carrier.state, 'open')
  slow.clock.advance(1)
  await t.rejects(slow.shaken, { code: 'NET_TIMEOUT', message: /but the acknowledgement did not come within 7000 ms/ })
  t.equal(slow.carrier.state, 'ended')
  t.equal(slow.clock.pending, 0)
})

t.test('the bytes of a frame do not prolong it', async t => {
  const drip = bench(accepting())
  const bytes = frame(message.encodeName({ flags, creation: 2, name: 'them@host' }), 2)
  for (const byte of bytes.subarray(0, 7)) {
    drip.clock.advance(1000)
    drip.carrier.receive(Buffer.from([byte]))
  }
  await t.rejects(drip.shaken, { code: 'NET_TIMEOUT' })
})

t.test('a close means what the handshake says it means', async t => {
  const early = bench(dialling())
  early.carrier.peerEnds()
  await t.rejects(early.shaken, { code: 'DIST_CLOSED' })

  const late = bench(dialling())
  say(late, message.encodeStatus('ok'))
  say(late, challenge)
  const cause = new NetError('NET_SOCKET', 'read ECONNRESET')
  late.carrier.peerEnds(cause)
  await t.rejects(late.shaken, { code: 'DIST_BAD_COOKIE', cause })
})

t.test('an abort ends it, before and during', async t => {
  const controller = new AbortController()
  const during = bench(dialling(), controller.signal)
  controller.abort()
  await t.rejects(during.shaken, { code: 'NET_ABORTED' })
  t.equal(during.carrier.state, 'ended')
  const before = bench(dialling(), controller.signal)
  await t.rejects(before.shaken, { code: 'NET_ABORTED' })
  t.equal(before.carrier.writes.length, 0)
})

t.test('garbage ends it at once', async t => {
  const http = bench(accepting())
  http.carrier.receive(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
  await t.rejects(http.shaken, { code: 'NET_OTHER_PROTOCOL', message: /speaks HTTP: it is no Erlang node/ })
  t.equal(http.carrier.state, 'ended')
  const noise = bench(accepting())
  noise.carrier.receive(frame(Buffer.from('noise'), 2))
  await t.rejects(noise.shaken, { code: 'DIST_HANDSHAKE_FORMAT' })
})

t.test('a refusal is sent before the end', async t => {
  const refusing = bench(accept({ self, cookieFor: () => 'c', status: () => 'not_allowed', ...machineSecrets }))
  say(refusing, message.encodeName({ flags, creation: 2, name: 'them@host' }))
  await t.rejects(refusing.shaken, { code: 'DIST_NOT_ALLOWED' })
  t.equal(refusing.carrier.sent.toString(), '\0\x0csnot_allowed')
  t.equal(refusing.carrier.state, 'ended')
})

t.test('two ends agree, and what follows at once is kept for the channel', async t => {
  const [a, b] = [
    bench(dialling()),
    bench(accept({ self: { ...self, name: atom('them@host') as Atom }, cookieFor: () => 'c', status: () => 'ok', ...machineSecrets })),
  ]
  /** Carries what one has written to the other. */
  const carry = (from: FakeCarrier, to: FakeCarrier, more: Buffer = Buffer.alloc(0)): void => {
    const bytes = Buffer.concat([from.sent, more])
    from.writes.length = 0
    to.receive(bytes)
  }
  carry(a.carrier, b.carrier)
  carry(b.carrier, a.carrier)
  carry(a.carrier, b.carrier)
  const { agreement } = await b.shaken
  carry(b.carrier, a.carrier, tickFrame)
  const { agreement: ours, reader } = await a.shaken
  t.match([ours.peer.name.name, agreement.peer.name.name], ['them@host', 'us@host'])
  t.strictSame([a.carrier.isReading, b.carrier.isReading], [false, false], 'both are paused')
  reader.become(4, 1000)
  t.equal(reader.next()?.length, 0, 'the tick')
  t.strictSame([a.clock.pending, b.clock.pending], [0, 0])
})
