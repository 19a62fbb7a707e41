import { once } from 'node:events'
import { createConnection } from 'node:net'
import t from 'tap'
import { kill, lookup, stop } from '../../src/net/epmd-client.js'
import { register } from '../../src/net/epmd-registration.js'
import { freePort } from '../net/epmd-fake.js'
import { Beamlet, beamlet, fails } from './beamlet.js'

const host = '127.0.0.1'

t.test('serves until SIGTERM, and says who comes and goes', async t => {
  const epmdPort = await freePort()
  await using command = new Beamlet(['epmd', '--epmd-port', String(epmdPort)])
  await command.said(new RegExp(`^beamlet: EPMD listens on port ${epmdPort}\n`))
  const seen = await register({ name: 'seen', port: 4001, epmdPort })
  await command.said(new RegExp(`\nbeamlet: registered seen at port 4001, creation ${seen.creation}\n`))
  await using _hidden = await register({ name: 'unseen', port: 4002, hidden: true, epmdPort })
  await command.said(/\nbeamlet: registered unseen at port 4002, hidden, creation \d+\n/)
  t.match(await lookup('seen', host, { epmdPort }), { port: 4001 })
  await seen.close()
  await command.said(/\nbeamlet: unregistered seen\n/)
  const stranger = createConnection({ host, port: epmdPort })
  await once(stranger, 'connect')
  stranger.write(Buffer.from([0, 1, 0xee]))
  await command.said(/\nbeamlet: 127\.0\.0\.1: .*\[EPMD_FORMAT\]\n/)
  stranger.destroy()

  fails(t, await beamlet(['epmd', '--epmd-port', String(epmdPort)]), 3, 'EPMD_PORT_IN_USE', /a program listens there, most likely an EPMD/)
  command.signal('SIGTERM')
  const { code, stdout, stderr } = await command.ended
  t.strictSame([code, stdout], [0, ''])
  t.match(stderr, /\nbeamlet: EPMD ends\nbeamlet: unregistered unseen\n$/)
  await t.rejects(lookup('unseen', host, { epmdPort }), { code: 'EPMD_UNREACHABLE' })
})

t.test('commands of other programs', async t => {
  const epmdPort = await freePort()
  await using strict = new Beamlet(['epmd'], { env: { ERL_EPMD_PORT: String(epmdPort) } })
  await strict.said(/listens on port/)
  await using _ts = await register({ name: 'ts', port: 4001, epmdPort })
  t.equal(await kill(host, { epmdPort }), false, 'it lives while nodes are registered')
  await t.rejects(stop('ts', host, { epmdPort }), { code: 'EPMD_REFUSED' })
  strict.signal('SIGINT')
  t.match(await strict.ended, { code: 0 })

  await using relaxed = new Beamlet(['epmd', '--relaxed', '--epmd-port', String(epmdPort)])
  await relaxed.said(/listens on port/)
  t.equal(await kill(host, { epmdPort }), true)
  t.match(await relaxed.ended, { code: 0, signal: null, stderr: /\nbeamlet: EPMD ends\n$/ })
})

t.test('where it listens', async t => {
  fails(t, await beamlet(['epmd', '--epmd-port', String(await freePort()), '--address', 'here']), 3, 'EPMD_LISTEN', /give IP addresses/)
  const everywhere = await freePort()
  await using command = new Beamlet(['epmd', '--epmd-port', String(everywhere), '--address', '0.0.0.0'])
  await command.said(/listens on port/)
  await t.rejects(lookup('nobody', '127.1.2.3', { epmdPort: everywhere }), { code: 'EPMD_NO_SUCH_NODE' })
})
