import t from 'tap'
import { missing, programOf } from '../../src/interop/release.js'

/** The environment is the process's own; each test puts back what it found. */
function withEnv(t: { teardown(end: () => void): void }, values: Record<string, string>): void {
  for (const [name, value] of Object.entries(values)) {
    const before = process.env[name]
    process.env[name] = value
    t.teardown(() => {
      if (before === undefined) delete process.env[name]
      else process.env[name] = before
    })
  }
}

t.test('where a program of a release is', t => {
  const dir = t.testdir({ 27: { release: '27\n', bin: { erl: '' } }, 29: { bin: { erl: '' } } })
  withEnv(t, { BEAMLET_OTP: dir, BEAMLET_OTP_25: '/opt/otp25' })
  t.equal(programOf('erl', undefined), 'erl')
  t.equal(programOf('erl', 25), '/opt/otp25/bin/erl', 'the folder that was named')
  t.equal(programOf('epmd', 27), `${dir}/27/bin/epmd`)
  t.equal(programOf('erl', 29), 'erl', 'a half-made folder is none')
  t.equal(programOf('erl', 26), 'erl')
  t.end()
})

t.match(missing(29, 'nothing found'), { code: 'ERR_INTEROP_NO_OTP', message: /OTP 29.*nothing found.*make setup.*BEAMLET_OTP_29/ })
