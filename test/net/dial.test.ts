import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { flags } from '../../src/dist/flags.js'
import { dial } from '../../src/net/dial.js'
import { atom } from '../../src/term/index.js'
import { attached, ends, host, message, name, offered, pair } from './loopback.js'

t.test('two ends talk', async t => {
  const { a, b, attempt } = await pair(t)
  t.match(
    [a.peer.name, a.peer.creation, a.incoming, b.peer.name, b.peer.creation, b.incoming],
    [ends.b.name, 5, false, ends.a.name, 4, true],
  )
  t.match(attempt, { peer: 'a@127.0.0.1', flags: offered, remoteAddress: b.remoteAddress })
  a.send(message('a', atom('before_anybody_listens')))
  const [atA, atB] = [attached(a), attached(b)]
  const large = Buffer.alloc(3_000_000, 'x')
  b.send(message('b', large))
  t.equal(await atB.next(), atom('before_anybody_listens'))
  t.strictSame(await atA.next(), large)
  a.send(message('a', atom('last')))
  a.close()
  t.equal(await atA.next(), 'disconnect')
  t.equal(await atB.next(), atom('last'), 'what was accepted before close arrives')
  t.equal(await atB.next(), 'connection_closed')
})

t.test('ticks keep two idle ends together, and a frozen one is noticed', async t => {
  const { a, b } = await pair(t, { netTickTime: 0.2 })
  const atA = attached(a)
  t.equal(await atA.next(), 'net_tick_timeout', 'for b ticks every 15 s only')
  const atB = attached(b)
  t.match(await atB.next(), /connection_closed|NET_SOCKET/)
})

t.test('a wrong cookie is told on both sides', async t => {
  const { options, failed } = await host(t)
  await t.rejects(dial({ ...options, cookie: 'wrong' }), { code: 'DIST_BAD_COOKIE' })
  t.strictSame(await failed.next(), ['DIST_BAD_COOKIE', 'a@127.0.0.1'])
})

t.test('a peer that is not allowed, or has another name, or too few flags', async t => {
  const refusing = await host(t, { status: () => 'not_allowed' })
  await t.rejects(dial(refusing.options), { code: 'DIST_NOT_ALLOWED' })
  t.strictSame(await refusing.failed.next(), ['DIST_NOT_ALLOWED', 'a@127.0.0.1'])
  const { options, failed } = await host(t)
  await t.rejects(dial({ ...options, peer: name('c@127.0.0.1') }), { code: 'DIST_NAME_MISMATCH' })
  t.strictSame(await failed.next(), ['DIST_CLOSED', 'a@127.0.0.1'])
  const poor = { ...ends.a, flags: offered & ~flags.V4_NC }
  await t.rejects(dial({ ...options, self: poor }), { code: 'DIST_NOT_ALLOWED' })
  t.strictSame(await failed.next(), ['DIST_FLAGS', null], 'before anybody was asked about it')
})

t.test('ways in which no connection comes about', async t => {
  const { options, listener } = await host(t)
  await listener.close()
  await t.rejects(dial(options), { code: 'NET_REFUSED', message: /Nothing listens at 127\.0\.0\.1:\d+/ })
  await t.rejects(dial({ ...options, host: 'no-such-host.invalid' }), { code: 'NET_UNKNOWN_HOST' })
  await t.rejects(dial({ ...options, signal: AbortSignal.abort() }), { code: 'NET_ABORTED' })
})

t.test('a peer that accepts and says nothing', async t => {
  const server = await silent(t)
  const { port } = server.address() as { port: number }
  const options = { host: '127.0.0.1', port, self: { ...ends.a, flags: offered }, peer: ends.b.name, cookie: 'c' }
  await t.rejects(dial({ ...options, timeout: 1000 }), { code: 'NET_TIMEOUT', message: /but the status did not come/ })
  const controller = new AbortController()
  const dialled = dial({ ...options, signal: controller.signal })
  await once(server, 'connection')
  controller.abort()
  await t.rejects(dialled, { code: 'NET_ABORTED' })
})

async function silent(t: Test): Promise<Server> {
  const sockets: Socket[] = []
  const server = createServer(socket => sockets.push(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return server
}
