/** The reader of the output goes away, as `head -1` does. */
import t from 'tap'
import { register } from '../../src/net/epmd-registration.js'
import { freePort } from '../net/epmd-fake.js'
import { Beamlet } from './beamlet.js'
import { machine } from './peers.js'

t.test('a command whose result nobody reads ends in silence', async t => {
  const here = await machine(t)
  await here.node('peer')
  const env = { ERL_EPMD_PORT: String(here.epmdPort), BEAMLET_COOKIE: 'secret' }
  for (const args of [['names'], ['ping', 'peer@127.0.0.1'], ['--help']]) {
    await using command = new Beamlet(args, { env })
    command.process.stdout?.destroy()
    t.match(await command.ended, { code: 141, signal: null, stderr: '' }, args.join(' '))
  }
})

t.test('a command that would go on for ever ends too', async t => {
  const epmdPort = await freePort()
  await using command = new Beamlet(['epmd', '--epmd-port', String(epmdPort)])
  await command.said(/listens/)
  command.process.stderr?.destroy()
  // This makes it write.
  const registration = register({ name: 'ts', port: 4001, epmdPort })
  t.match(await command.ended, { code: 141, signal: null })
  await (await registration).close()
})
