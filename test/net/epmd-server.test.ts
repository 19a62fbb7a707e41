import { createServer } from 'node:net'
import t from 'tap'
import type { EpmdEntry } from '../../src/dist/epmd.js'
import { kill, names, stop } from '../../src/net/epmd-client.js'
import { register } from '../../src/net/epmd-registration.js'
import { EpmdServer, type EpmdServerEvents } from '../../src/net/epmd-server.js'
import type { NodeError } from '../../src/term/index.js'
import { ManualClock } from './epmd-clock.js'
import { conversations, Line, play } from './epmd-transcript.js'

const alive = (name: string): Buffer => {
  const text = Buffer.from(name)
  return Buffer.concat([Buffer.from([0, 13 + text.length, 120, 0x0f, 0xa0, 77, 0, 0, 6, 0, 5, 0, text.length]), text, Buffer.from([0, 0])])
}

/** What a server told. */
class Told implements EpmdServerEvents {
  readonly all: string[] = []

  registered(entry: EpmdEntry, creation: number): void {
    this.all.push(`registered ${entry.name} ${creation > 3}`)
  }

  unregistered(entry: EpmdEntry): void {
    this.all.push(`unregistered ${entry.name}`)
  }

  fault(error: NodeError, remoteAddress: string | undefined): void {
    this.all.push(`${error.code} ${remoteAddress}`)
  }

  closed(): void {
    this.all.push('closed')
  }
}

void t.test('the embedded server says what epmd says', async t => {
  for (const { name, steps } of conversations) {
    await t.test(name, async t => {
      await using server = await EpmdServer.start({ port: 0 })
      await play(steps, server.port, (heard, expected, { means }) => t.match(heard, expected, means))
    })
  }
})

void t.test('a request may come in any pieces', async t => {
  await using server = await EpmdServer.start({ port: 0 })
  const line = new Line(server.port)
  line.socket.setNoDelay()
  for (const byte of alive('ts')) await new Promise<void>(resolve => line.socket.write(Buffer.from([byte]), () => resolve()))
  t.match(await line.hear(12), /^7600/)
  t.match(server.nodes(), [{ name: 'ts', port: 4000 }])
  await line.close()
})

void t.test('it serves 127.0.0.1 and ::1', async t => {
  await using server = await EpmdServer.start({ port: 0 })
  await using _ts = await register({ name: 'ts', port: 4001, epmdPort: server.port })
  const hosts = ['127.0.0.1', '::1'].map(host => names(host, { epmdPort: server.port }))
  t.same(await Promise.all(hosts), [[{ name: 'ts', port: 4001 }], [{ name: 'ts', port: 4001 }]])
})

void t.test('a node that registers again gets another creation', async t => {
  await using server = await EpmdServer.start({ port: 0 })
  const creations: number[] = []
  for (let i = 0; i < 3; i++) {
    const registration = await register({ name: 'ts', port: 4001, epmdPort: server.port })
    creations.push(registration.creation)
    await registration.close()
  }
  const [first = 0] = creations
  t.ok(first > 3)
  t.same(creations, [first, first + 1, first + 2])
})

void t.test('what happens is told', async t => {
  const events = new Told()
  const server = await EpmdServer.start({ port: 0, events })
  const registration = await register({ name: 'ts', port: 4001, epmdPort: server.port })
  await registration.close()
  const garbage = new Line(server.port)
  garbage.socket.write(Buffer.from([0, 1, 9]))
  await garbage.untilEnded()
  await Promise.all([server.close(), server.close()])
  t.same(events.all, ['registered ts true', 'unregistered ts', 'EPMD_FORMAT 127.0.0.1', 'closed'])
})

void t.test('a client that does not ask has its time, and a node all the time it wants', async t => {
  const clock = new ManualClock()
  const events = new Told()
  await using server = await EpmdServer.start({ port: 0, clock, events, requestTimeout: 5000 })
  const node = new Line(server.port)
  node.socket.write(alive('ts'))
  await node.hear(12)
  t.same(clock.waits, [], 'a registered node is not timed')

  const slow = new Line(server.port)
  slow.socket.write(Buffer.from([0]))
  // Whoever is answered later was accepted later.
  await names('127.0.0.1', { epmdPort: server.port })
  clock.advance(4999)
  t.notOk(slow.ended)
  slow.socket.write(Buffer.from([1]))
  await names('127.0.0.1', { epmdPort: server.port })
  clock.advance(1)
  await slow.untilEnded()
  t.same(events.all, ['registered ts true', 'EPMD_TIMEOUT 127.0.0.1'], 'a byte now and then wins no time')
  t.match(server.nodes(), [{ name: 'ts' }])
  await node.close()
})

void t.test('of too many clients the oldest that has not asked makes room', async t => {
  const events = new Told()
  await using server = await EpmdServer.start({ port: 0, maxRequests: 3, events })
  const node = new Line(server.port)
  node.socket.write(alive('ts'))
  await node.hear(12)
  const idle = [new Line(server.port), new Line(server.port), new Line(server.port)]
  t.same(await names('127.0.0.1', { epmdPort: server.port }), [{ name: 'ts', port: 4000 }])
  await idle[0]?.untilEnded()
  t.same(idle.map(line => line.ended), [true, false, false]) // prettier-ignore
  t.same(events.all, ['registered ts true', 'EPMD_TIMEOUT 127.0.0.1'])
  for (const line of [...idle, node]) await line.close()
})

void t.test('nodes are bounded', async t => {
  await using server = await EpmdServer.start({ port: 0, maxNodes: 1 })
  await using _a = await register({ name: 'a', port: 1, epmdPort: server.port })
  await t.rejects(register({ name: 'b', port: 2, epmdPort: server.port }), { code: 'EPMD_NAME_TAKEN' })
})

void t.test('a node that is killed is unregistered', async t => {
  await using server = await EpmdServer.start({ port: 0 })
  const node = new Line(server.port)
  node.socket.write(alive('ts'))
  await node.hear(12)
  const other = new Line(server.port)
  node.socket.resetAndDestroy()
  await node.untilEnded()
  other.socket.write(alive('ts'))
  t.match(await other.hear(12), /^7600/)
  await other.close()
})

void t.test('KILL ends it, and STOP ends a registration, when relaxed', async t => {
  const events = new Told()
  const server = await EpmdServer.start({ port: 0, relaxed: true, events })
  const at = { epmdPort: server.port }
  const clock = new ManualClock()
  await using _a = await register({ name: 'a', port: 1, clock, ...at })
  await using _b = await register({ name: 'b', port: 2, clock, ...at })
  t.ok(await stop('a', '127.0.0.1', at))
  t.match(server.nodes(), [{ name: 'b' }])
  t.ok(await kill('127.0.0.1', at))
  await server.close()
  t.same(events.all.slice(2), ['unregistered a', 'unregistered b', 'closed'])
})

void t.test('a port that is in use', async t => {
  await using first = await EpmdServer.start({ port: 0 })
  const events = new Told()
  await t.rejects(EpmdServer.start({ port: first.port, events }), { code: 'EPMD_PORT_IN_USE', message: `127.0.0.1:${first.port}` })
  t.same(events.all, [], 'what never began has not ended')
  t.same(await names('127.0.0.1', { epmdPort: first.port }), [], 'the other is untouched')
})

void t.test('an address that is not ours, a name instead of an address, a port that is none', async t => {
  await t.rejects(EpmdServer.start({ port: 0, host: '192.0.2.1' }), { code: 'EPMD_LISTEN', message: /192\.0\.2\.1/ })
  await t.rejects(EpmdServer.start({ port: 0, host: 'myhost' }), { code: 'EPMD_LISTEN', message: /myhost/ })
  await t.rejects(EpmdServer.start({ port: 65536 }), { code: 'EPMD_PORT' })
})

void t.test('a server that could not have all its addresses leaves none behind', async t => {
  const v6 = createServer()
  await new Promise<void>(resolve => v6.listen({ port: 0, host: '::1' }, resolve))
  const { port } = v6.address() as { port: number }
  await t.rejects(EpmdServer.start({ port }), { code: 'EPMD_PORT_IN_USE', message: /::1/ })
  await t.rejects(names('127.0.0.1', { epmdPort: port }), { code: 'EPMD_UNREACHABLE' })
  await new Promise(resolve => v6.close(resolve))
})
