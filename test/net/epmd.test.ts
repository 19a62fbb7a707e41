import t from 'tap'
import { register } from '../../src/net/epmd-registration.js'
import { EpmdServer } from '../../src/net/epmd-server.js'
import { type Epmd, openEpmd, type RegistrationEvents } from '../../src/net/epmd.js'
import { ManualClock } from './epmd-clock.js'
import { freePort, listener } from './epmd-fake.js'

/** A promise for the next event of that name. */
function awaited(): { events: RegistrationEvents; lost: Promise<void>; restored: Promise<void>; failed: Promise<void> } {
  const events: Record<string, (...told: unknown[]) => void> = {}
  const next = (name: string): Promise<void> => new Promise(resolve => (events[name] = () => resolve()))
  return { lost: next('lost'), restored: next('restored'), failed: next('failed'), events }
}

void t.test('auto uses the one that answers, else is one', async t => {
  const port = await freePort()
  await using first = await openEpmd('auto', { port })
  t.ok(first.server, 'nobody was there')
  await using second = await openEpmd('auto', { port })
  t.equal(second.server, null, 'the first one answers')
  const ts = await first.register({ name: 'ts', port: 4001 })
  const other = await second.register({ name: 'other', port: 4002, hidden: true })
  t.ok(ts.creation > 3 && other.creation > 3)
  t.match(await second.lookup('ts', '127.0.0.1'), { port: 4001, hidden: false })
  t.match(await first.lookup('other', '127.0.0.1'), { port: 4002, hidden: true })
  t.same(await second.names('localhost'), [
    { name: 'other', port: 4002 },
    { name: 'ts', port: 4001 },
  ])
  t.same([first.mode, first.port, second.port], ['auto', port, port])
})

void t.test('whoever only looks up needs no EPMD on this machine', async t => {
  const port = await freePort()
  for (const mode of ['auto', 'system'] as const) {
    await using epmd = await openEpmd(mode, { port, lookupsOnly: true })
    t.equal(epmd.server, null, `${mode} starts none`)
    await t.rejects(epmd.lookup('ts', '127.0.0.1'), { code: 'EPMD_UNREACHABLE' })
  }
  await using server = await openEpmd('embedded', { port, lookupsOnly: true })
  t.ok(server.server, 'unless this process shall be it')
})

void t.test('of many that start at once one serves, and all are registered there', async t => {
  const port = await freePort()
  const all = await Promise.all(Array.from({ length: 8 }, () => openEpmd('auto', { port })))
  t.equal(all.filter(epmd => epmd.server).length, 1)
  await Promise.all(all.map((epmd, i) => epmd.register({ name: `n${i}`, port: i })))
  t.equal((await all[0]?.names('127.0.0.1'))?.length, 8)
  await Promise.all(all.map(epmd => epmd.close()))
})

void t.test('when the server goes away, one of those that were registered takes its place, after 2 s', async t => {
  const port = await freePort()
  const owner = await openEpmd('auto', { port })
  const clock = new ManualClock()
  const others = await Promise.all([1, 2, 3].map(() => openEpmd('auto', { port, clock })))
  const told = others.map(awaited)
  const registered = await Promise.all(others.map((epmd, i) => epmd.register({ name: `n${i}`, port: i, events: told[i]?.events })))
  const creations = registered.map(({ creation }) => creation)
  await owner.register({ name: 'owner', port: 9 })

  await owner.close()
  await Promise.all(told.map(({ lost }) => lost))
  t.same(clock.waits, [2000, 2000, 2000])
  clock.advance(2000)
  await Promise.all(told.map(({ restored }) => restored))
  t.equal(others.filter(epmd => epmd.server).length, 1, 'one of them serves')
  t.equal((await others[0]?.names('127.0.0.1'))?.length, 3)
  t.same(registered.map(({ creation }) => creation), creations) // prettier-ignore
  await Promise.all(others.map(epmd => epmd.close()))
})

void t.test('a server that is killed comes back with the registrations of its owner', async t => {
  const clock = new ManualClock()
  await using epmd = await openEpmd('embedded', { port: 0, relaxed: true, clock })
  const { lost, restored, events } = awaited()
  await epmd.register({ name: 'ts', port: 4001, events })
  await epmd.server?.close()
  await lost
  t.equal(epmd.server, null)
  clock.advance(2000)
  await restored
  t.match(epmd.server?.nodes(), [{ name: 'ts' }])
})

void t.test('system wants an EPMD to be there, and never becomes one', async t => {
  const port = await freePort()
  await t.rejects(openEpmd('system', { port }), { code: 'EPMD_UNREACHABLE' })
  const server = await EpmdServer.start({ port })
  const clock = new ManualClock()
  await using epmd = await openEpmd('system', { port, clock })
  const { lost, failed, events } = awaited()
  await epmd.register({ name: 'ts', port: 4001, events })
  await server.close()
  await lost
  clock.advance(2000)
  await failed
  t.equal(epmd.server, null)
  await t.rejects(epmd.names('127.0.0.1'), { code: 'EPMD_UNREACHABLE' })
})

void t.test('embedded wants the port for itself', async t => {
  await using first = await openEpmd('embedded', { port: 0 })
  t.equal(first.server?.port, first.port)
  await t.rejects(openEpmd('embedded', { port: first.port }), { code: 'EPMD_PORT_IN_USE' })
})

void t.test('a program that is no EPMD is told, not replaced', async t => {
  const port = await listener(t, socket => socket.end('hi'))
  await t.rejects(openEpmd('auto', { port }), { code: 'EPMD_FORMAT' })
})

void t.test('a name that is taken is the caller’s error', async t => {
  await using epmd = await openEpmd('embedded', { port: 0 })
  await epmd.register({ name: 'ts', port: 4001 })
  await t.rejects(epmd.register({ name: 'ts', port: 4002 }), { code: 'EPMD_NAME_TAKEN' })
})

void t.test('closing gives everything back, more than once', async t => {
  const epmd = await openEpmd('embedded', { port: 0 })
  const { port } = epmd
  const registration = await epmd.register({ name: 'ts', port: 4001 })
  await Promise.all([epmd.close(), epmd.close()])
  t.notOk(registration.registered)
  t.equal(epmd.server, null)
  await t.rejects(register({ name: 'ts', port: 4001, epmdPort: port }), { code: 'EPMD_UNREACHABLE' })
  await t.rejects(epmd.register({ name: 'ts', port: 4001 }), { code: 'EPMD_UNREACHABLE' }, 'it does not start again')
})

void t.test('what is closed while it opens leaves nothing behind', async t => {
  const port = await freePort()
  const clock = new ManualClock()
  const owner = await openEpmd('auto', { port })
  const epmd = await openEpmd('auto', { port, clock })
  const { lost, events } = awaited()
  await epmd.register({ name: 'ts', port: 4001, events })
  await owner.close()
  await lost
  clock.advance(2000)
  await epmd.close()
  t.equal(epmd.server, null)
  await t.rejects(openEpmd('system', { port }), { code: 'EPMD_UNREACHABLE' })
})

void t.test('without EPMD a node has a creation all the same, and says why it finds nobody', async t => {
  const epmd: Epmd = await openEpmd(false)
  const registration = await epmd.register({ name: 'ts', port: 4001 })
  t.ok(registration.creation > 3 && registration.creation < 2 ** 32)
  t.notOk(registration.registered)
  await t.rejects(epmd.lookup('erl', '127.0.0.1'), { code: 'EPMD_OFF', message: /'erl'.*epmd: 'auto'/ })
  await t.rejects(epmd.names('127.0.0.1'), { code: 'EPMD_OFF' })
  await registration.close()
  await epmd.close()
})

void t.test('ERL_EPMD_PORT says where', async t => {
  const port = await freePort()
  const before = process.env['ERL_EPMD_PORT']
  t.teardown(() => {
    if (before === undefined) delete process.env['ERL_EPMD_PORT']
    else process.env['ERL_EPMD_PORT'] = before
  })
  process.env['ERL_EPMD_PORT'] = String(port)
  await using epmd = await openEpmd()
  t.equal(epmd.server?.port, port)
  process.env['ERL_EPMD_PORT'] = 'x'
  await t.rejects(openEpmd(), { code: 'EPMD_PORT' })
})
