import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { TracePort } from '../../src/net/trace-port.js'

async function open(t: Test, queue: number, welcome = true): Promise<TracePort> {
  const port = await TracePort.open({ port: 0, queue, welcome: () => welcome })
  t.teardown(() => port.close())
  return port
}

async function client(t: Test, { port }: TracePort): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** So many bytes of what comes */
async function read(socket: Socket, size: number): Promise<Buffer> {
  let bytes = Buffer.alloc(0)
  while (bytes.length < size) bytes = Buffer.concat([bytes, ...((await once(socket, 'data')) as [Buffer])])
  return bytes
}

t.test('events go out as they come, with their size', async t => {
  const port = await open(t, 10)
  const socket = await client(t, port)
  port.send(Buffer.from('one'))
  port.send(Buffer.from('two!'))
  t.equal((await read(socket, 17)).toString('latin1'), '\0\0\0\0\x03one\0\0\0\0\x04two!')
})

t.test('a slow reader is told how many events it missed', async t => {
  const port = await open(t, 2)
  // Nobody reads yet, and two may wait.
  for (const event of ['a', 'b', 'c', 'd', 'e']) port.send(Buffer.from(event))
  const socket = await client(t, port)
  t.equal((await read(socket, 12)).toString('latin1'), '\0\0\0\0\x01a\0\0\0\0\x01b')
  port.send(Buffer.from('f'))
  t.equal((await read(socket, 11)).toString('latin1'), '\x01\0\0\0\x03\0\0\0\0\x01f')
})

t.test('one reads at a time, and nobody who is not welcome', async t => {
  const port = await open(t, 10)
  const first = await client(t, port)
  const second = await client(t, port)
  await once(second.resume(), 'close')
  const stranger = await client(t, await open(t, 10, false))
  await once(stranger.resume(), 'close')
  port.send(Buffer.from('x'))
  t.equal((await read(first, 6)).toString('latin1'), '\0\0\0\0\x01x')
  port.close()
  await once(first.resume(), 'close')
})

t.test('a port that another has', async t => {
  const { port } = await open(t, 1)
  await t.rejects(TracePort.open({ port, queue: 1, welcome: () => true }), { code: 'NET_LISTEN' })
})
