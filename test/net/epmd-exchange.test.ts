import { once } from 'node:events'
import type { Socket } from 'node:net'
import t from 'tap'
import { readPortReply } from '../../src/dist/epmd.js'
import { exchange, type Answer } from '../../src/net/epmd-exchange.js'
import { ManualClock } from './epmd-clock.js'
import { freePort, listener } from './epmd-fake.js'

const request = Buffer.from('00037a7473', 'hex')
const reply = Buffer.from('77000fa1480000060006000274730000', 'hex')
const answer: Answer<unknown> = { limit: 3060, read: readPortReply }
const whole: Answer<string> = { limit: 8, untilClose: true, read: bytes => bytes.toString() }

void t.test('the request is sent, and the answer read however it is cut', async t => {
  const heard: Buffer[] = []
  const port = await listener(t, socket => {
    socket.setNoDelay()
    socket.on('data', piece => heard.push(piece))
    // Each byte when the one before has left.
    const say = (index: number): void =>
      void socket.write(reply.subarray(index, index + 1), () => index < reply.length - 1 && say(index + 1))
    say(0)
  })
  const { value, socket } = await exchange('127.0.0.1', request, answer, { epmdPort: port })
  t.match(value, { name: 'ts', port: 4001, hidden: true })
  t.notOk(socket.destroyed, 'the socket is still there, for a registration')
  socket.end()
  await once(socket, 'close')
  t.equal(Buffer.concat(heard).toString('hex'), request.toString('hex'))
})

void t.test('an answer may be what comes until the connection closes', async t => {
  const port = await listener(t, socket => socket.end('names'))
  t.equal((await exchange('127.0.0.1', request, whole, { epmdPort: port })).value, 'names')
})

void t.test('each way to fail has its code, and a sentence that says where', async t => {
  const programs: [string, Answer<unknown>, string, (socket: Socket) => void][] = [
    ['closes at once', answer, 'EPMD_CLOSED', socket => socket.end()],
    ['closes in the middle', answer, 'EPMD_CLOSED', socket => socket.end(reply.subarray(0, 9))],
    ['resets', answer, 'EPMD_CLOSED', socket => socket.on('data', () => socket.resetAndDestroy())],
    ['says something else', answer, 'EPMD_FORMAT', socket => socket.end('SSH-2.0-OpenSSH_9.2\r\n')],
    ['claims a longer name than it sends', answer, 'EPMD_CLOSED', socket => socket.end(Buffer.from('77000fa14800000600061fff7473', 'hex'))],
    [
      'never stops',
      answer,
      'EPMD_FORMAT',
      socket => socket.write(Buffer.concat([Buffer.from('77000fa1480000060006ffff', 'hex'), Buffer.alloc(9000)])),
    ],
    ['never stops listing', whole, 'EPMD_FORMAT', socket => socket.write('123456789')],
  ]
  for (const [what, expected, code, accept] of programs) {
    await t.test(`it ${what}`, async t => {
      const port = await listener(t, accept)
      await t.rejects(exchange('127.0.0.1', request, expected, { epmdPort: port }), { code })
    })
  }
})

void t.test('nobody listens', async t => {
  const port = await freePort()
  await t.rejects(exchange('127.0.0.1', request, answer, { epmdPort: port }), { code: 'EPMD_UNREACHABLE', message: `127.0.0.1:${port}` })
})

void t.test('a host that has no address', async t => {
  await t.rejects(exchange('no-such-host.invalid', request, answer, {}), { code: 'EPMD_UNKNOWN_HOST', message: /no-such-host.invalid/ })
})

void t.test('a port that is none', async t => {
  await t.rejects(exchange('127.0.0.1', request, answer, { epmdPort: 0 }), { code: 'EPMD_PORT' })
})

void t.test('one that accepts and says nothing has its time', async t => {
  const clock = new ManualClock()
  const port = await listener(t, socket => void socket.once('data', () => clock.advance(200)))
  await t.rejects(exchange('127.0.0.1', request, answer, { epmdPort: port, clock, timeout: 200 }), {
    code: 'EPMD_TIMEOUT',
    message: /200 ms/,
  })
  t.same(clock.waits, [], 'no timer is left')
})

void t.test('an answer leaves no timer', async t => {
  const clock = new ManualClock()
  const port = await listener(t, socket => socket.end(reply))
  const { socket } = await exchange('127.0.0.1', request, answer, { epmdPort: port, clock })
  socket.destroy()
  t.same(clock.waits, [])
})

void t.test('an AbortSignal ends it, before or meanwhile', async t => {
  const reason = new Error('enough')
  await t.rejects(exchange('127.0.0.1', request, answer, { signal: AbortSignal.abort(reason) }), { code: 'EPMD_ABORTED', cause: reason })
  const abort = new AbortController()
  const port = await listener(t, socket => void socket.once('data', () => abort.abort(reason)))
  await t.rejects(exchange('127.0.0.1', request, answer, { epmdPort: port, signal: abort.signal }), { code: 'EPMD_ABORTED', cause: reason })
})
