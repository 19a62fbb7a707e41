import t from 'tap'
import { dump, kill, lookup, names, stop } from '../../src/net/epmd-client.js'
import { register } from '../../src/net/epmd-registration.js'
import { EpmdServer } from '../../src/net/epmd-server.js'
import { listener } from './epmd-fake.js'

void t.test('lookup and names', async t => {
  await using server = await EpmdServer.start({ port: 0 })
  const at = { epmdPort: server.port }
  t.same(await names('127.0.0.1', at), [])
  await using _ts = await register({ name: 'ts', port: 4001, hidden: true, extra: Buffer.from('x'), ...at })
  await using _erl = await register({ name: 'erl', port: 4002, highest: 6, lowest: 5, ...at })
  t.same(await lookup('ts', '127.0.0.1', at), { name: 'ts', port: 4001, hidden: true, highest: 6, lowest: 6, extra: Buffer.from('x') })
  t.match(await lookup('erl', 'localhost', at), { name: 'erl', port: 4002, hidden: false, highest: 6, lowest: 5 })
  t.same(await names('127.0.0.1', at), [
    { name: 'erl', port: 4002 },
    { name: 'ts', port: 4001 },
  ])
  await t.rejects(lookup('nobody', '127.0.0.1', at), { code: 'EPMD_NO_SUCH_NODE', message: /'nobody'/ })
})

void t.test('a name that EPMD cannot hold is not asked for', async t => {
  for (const name of ['', 'ts@host', 'n'.repeat(256), 'a\nb', '\ud800']) {
    await t.rejects(lookup(name, '127.0.0.1'), { code: 'EPMD_NAME' }, JSON.stringify(name.slice(0, 9)))
    await t.rejects(stop(name, '127.0.0.1'), { code: 'EPMD_NAME' }, JSON.stringify(name.slice(0, 9)))
  }
})

void t.test('lines that are no names are skipped, whoever says them', async t => {
  const epmdPort = await listener(t, socket => socket.end('\0\0\x11\x11name a at port 1\nname b at port x\n'))
  t.same(await names('127.0.0.1', { epmdPort }), [{ name: 'a', port: 1 }])
})

void t.test('dump shows nodes that have gone', async t => {
  await using server = await EpmdServer.start({ port: 0 })
  const at = { epmdPort: server.port }
  await using _a = await register({ name: 'a', port: 1, ...at })
  const b = await register({ name: 'b', port: 2, ...at })
  await b.close()
  t.match(await dump('127.0.0.1', at), { epmdPort: server.port, active: [{ name: 'a', port: 1 }], old: [{ name: 'b', port: 2 }] })
})

void t.test('kill and stop are for a relaxed EPMD, or one without nodes', async t => {
  await using strict = await EpmdServer.start({ port: 0 })
  const at = { epmdPort: strict.port }
  const a = await register({ name: 'a', port: 1, ...at })
  t.equal(await kill('127.0.0.1', at), false)
  await t.rejects(stop('a', '127.0.0.1', at), { code: 'EPMD_REFUSED', message: /relaxed_command_check/ })
  await a.close()
  t.equal(await kill('127.0.0.1', at), true)
  await t.rejects(names('127.0.0.1', at), { code: 'EPMD_UNREACHABLE' })

  await using relaxed = await EpmdServer.start({ port: 0, relaxed: true })
  const there = { epmdPort: relaxed.port }
  await using _b = await register({ name: 'b', port: 2, ...there })
  t.equal(await stop('nobody', '127.0.0.1', there), false)
  t.equal(await stop('b', '127.0.0.1', there), true)
  t.same(await names('127.0.0.1', there), [])
  await using _c = await register({ name: 'c', port: 3, ...there })
  t.equal(await kill('127.0.0.1', there), true)
})
