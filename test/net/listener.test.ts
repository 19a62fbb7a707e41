import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import type { Connection } from '../../src/net/connection.js'
import { dial } from '../../src/net/dial.js'
import { type Attempt, listen } from '../../src/net/listener.js'
import { atom } from '../../src/term/index.js'
import { attached, host, message, name, offered } from './loopback.js'

t.test('garbage on the port costs that socket, and nothing else', async t => {
  const { options, failed, accepted } = await host(t)
  for (const garbage of ['GET / HTTP/1.1\r\n\r\n', '\0\x05hello', Buffer.alloc(100_000, 255)]) {
    const socket = connect(options.port, '127.0.0.1')
    socket.on('error', () => {}) // A reset is one way to be refused.
    socket.write(garbage)
    await once(socket, 'close')
    t.match(await failed.next(), [/^(DIST_(FRAME_SIZE|HANDSHAKE_FORMAT)|NET_OTHER_PROTOCOL)$/, null])
  }
  const gone = connect(options.port, '127.0.0.1')
  await once(gone, 'connect')
  gone.destroy()
  t.strictSame(await failed.next(), ['DIST_CLOSED', null])
  const a = await dial(options)
  await accepted.next()
  a.close()
})

t.test('handshakes in progress are bounded', async t => {
  const { options, failed } = await host(t, { maxHandshakes: 2 })
  const sockets = [0, 1].map(() => connect(options.port, '127.0.0.1'))
  await Promise.all(sockets.map(socket => once(socket, 'connect')))
  const third = connect(options.port, '127.0.0.1')
  third.on('error', () => {}) // A reset is one way to be refused.
  await once(third, 'close')
  t.strictSame(await failed.next(), ['NET_HANDSHAKES', null])
  for (const socket of sockets) socket.destroy()
  t.strictSame(
    [await failed.next(), await failed.next()],
    [
      ['DIST_CLOSED', null],
      ['DIST_CLOSED', null],
    ],
  )
  const a = await dial(options)
  a.close()
})

t.test('a silent dialler is dropped after the time limit', async t => {
  const { options, failed } = await host(t, { timeout: 50 })
  const socket = connect(options.port, '127.0.0.1')
  await once(socket, 'close')
  t.strictSame(await failed.next(), ['NET_TIMEOUT', null])
})

t.test('an attempt can be dropped by whoever decides about it', async t => {
  let attempt: Attempt | undefined
  const { options, failed } = await host(t, {
    status: incoming => {
      attempt = incoming
      queueMicrotask(() => incoming.abort())
      return 'ok'
    },
  })
  await t.rejects(dial(options), { code: /^(DIST_CLOSED|DIST_BAD_COOKIE)$/ })
  t.strictSame(await failed.next(), ['NET_ABORTED', attempt?.peer])
})

t.test('a listener closes at once: handshakes are dropped, connections live on, the port is free', async t => {
  const { options, listener, accepted, failed } = await host(t)
  const a = await dial(options)
  const { connection: b } = (await accepted.next()) as { connection: Connection }
  const half = connect(options.port, '127.0.0.1')
  half.on('error', () => {}) // A reset is one way to be dropped.
  await once(half, 'connect')
  // The server has it, too, once it has answered another.
  const c = await dial({ ...options, self: { name: name('c@127.0.0.1'), creation: 6, flags: offered } })
  await listener.close()
  await listener.close()
  t.strictSame(await failed.next(), ['NET_ABORTED', null])
  const again = await listen({
    host: '127.0.0.1',
    port: options.port,
    self: () => options.self,
    cookieFor: () => '',
    status: () => 'nok',
    connection() {},
    failed() {},
  })
  await again[Symbol.asyncDispose]()
  const atB = attached(b)
  a.send(message('a', atom('still_here')))
  t.equal(await atB.next(), atom('still_here'))
  for (const connection of [a, b, c]) connection.close()
})

t.test('a port that is taken', async t => {
  const { options } = await host(t)
  const taken = listen({
    host: '127.0.0.1',
    port: options.port,
    self: () => options.self,
    cookieFor: () => '',
    status: () => 'nok',
    connection() {},
    failed() {},
  })
  await t.rejects(taken, { code: 'NET_LISTEN', message: /another program has it/ })
})
