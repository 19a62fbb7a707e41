import type { Socket } from 'node:net'
import t from 'tap'
import type { EpmdError } from '../../src/dist/epmd-error.js'
import { names } from '../../src/net/epmd-client.js'
import { register, type RegistrationEvents } from '../../src/net/epmd-registration.js'
import { EpmdServer } from '../../src/net/epmd-server.js'
import { ManualClock } from './epmd-clock.js'
import { freePort, listener } from './epmd-fake.js'

/** What a registration told, and promises for what it will tell. */
class Told implements RegistrationEvents {
  readonly all: string[] = []
  #changed = (): void => {}

  lost(): void {
    this.#tell('lost')
  }

  restored(): void {
    this.#tell('restored')
  }

  failed(error: EpmdError): void {
    this.#tell(error.code)
  }

  #tell(what: string): void {
    this.all.push(what)
    this.#changed()
  }

  async until(...expected: string[]): Promise<string[]> {
    while (this.all.length < expected.length) await new Promise<void>(resolve => (this.#changed = resolve))
    return this.all
  }
}

void t.test('the request carries what was asked for', async t => {
  const heard: Buffer[] = []
  const epmdPort = await listener(t, socket =>
    socket.on('data', piece => heard.push(piece) && socket.write(Buffer.from('760000000064', 'hex'))),
  )
  await using normal = await register({ name: 'å', port: 4001, epmdPort })
  await using hidden = await register({ name: 'h', port: 4002, hidden: true, highest: 6, lowest: 5, extra: Buffer.from('x'), epmdPort })
  t.same(
    heard.map(piece => piece.toString('hex')),
    ['000f780fa14d00000600060002c3a50000', '000f780fa2480000060005000168000178'],
  )
  t.same([normal.creation, hidden.creation], [100, 100])
})

void t.test('the name is free when close has resolved', async t => {
  await using server = await EpmdServer.start({ port: 0 })
  const at = { epmdPort: server.port }
  const first = await register({ name: 'ts', port: 4001, ...at })
  t.ok(first.registered)
  await t.rejects(register({ name: 'ts', port: 4002, ...at }), { code: 'EPMD_NAME_TAKEN', message: /'ts'/ })
  await Promise.all([first.close(), first.close()])
  t.notOk(first.registered)
  await using second = await register({ name: 'ts', port: 4002, ...at })
  t.equal(second.creation, first.creation + 1)
  t.same(await names('127.0.0.1', at), [{ name: 'ts', port: 4002 }])
})

void t.test('an EPMD that does not answer, or answers nonsense', async t => {
  const closing = await listener(t, socket => socket.end())
  await t.rejects(register({ name: 'ts', port: 1, epmdPort: closing }), { code: 'EPMD_CLOSED' })
  const wrong = await listener(t, socket => socket.end('w'))
  await t.rejects(register({ name: 'ts', port: 1, epmdPort: wrong }), { code: 'EPMD_FORMAT' })
  await t.rejects(register({ name: 'ts@host', port: 1 }), { code: 'EPMD_NAME' })
  await t.rejects(register({ name: 'ts', port: 1, epmdPort: await freePort() }), { code: 'EPMD_UNREACHABLE', message: /epmd -daemon/ })
})

void t.test('a registration outlives EPMD: every 2 s it is tried again, and the creation stays', async t => {
  const clock = new ManualClock()
  const events = new Told()
  const first = await EpmdServer.start({ port: 0 })
  const at = { epmdPort: first.port }
  await using registration = await register({ name: 'ts', port: 4001, events, clock, ...at })
  const { creation } = registration

  await first.close()
  t.same(await events.until('lost'), ['lost'])
  t.notOk(registration.registered)
  t.same(clock.waits, [2000])

  clock.advance(1999)
  t.same(clock.waits, [1], 'not before 2 s')
  clock.advance(1)
  t.same(await events.until('lost', 'failed'), ['lost', 'EPMD_UNREACHABLE'])
  t.same(clock.waits, [2000])

  await using second = await EpmdServer.start({ port: first.port })
  clock.advance(2000)
  t.same(await events.until('lost', 'failed', 'restored'), ['lost', 'EPMD_UNREACHABLE', 'restored'])
  t.ok(registration.registered)
  t.equal(registration.creation, creation)
  t.match(second.nodes(), [{ name: 'ts', port: 4001 }])
  t.same(clock.waits, [], 'nothing is polled while registered')
})

void t.test('a name that was taken meanwhile is told, and tried for again', async t => {
  const clock = new ManualClock()
  const events = new Told()
  const first = await EpmdServer.start({ port: 0 })
  const at = { epmdPort: first.port }
  await using registration = await register({ name: 'ts', port: 4001, events, clock, ...at })
  await first.close()
  await events.until('lost')

  await using _second = await EpmdServer.start({ port: first.port })
  const thief = await register({ name: 'ts', port: 4002, ...at })
  clock.advance(2000)
  t.same(await events.until('lost', 'failed'), ['lost', 'EPMD_NAME_TAKEN'])
  await thief.close()
  clock.advance(2000)
  t.same(await events.until('lost', 'failed', 'restored'), ['lost', 'EPMD_NAME_TAKEN', 'restored'])
  t.ok(registration.registered)
})

void t.test('closing ends the attempts', async t => {
  const clock = new ManualClock()
  const events = new Told()
  const server = await EpmdServer.start({ port: 0 })
  const registration = await register({ name: 'ts', port: 4001, events, clock, epmdPort: server.port })
  await server.close()
  await events.until('lost')
  await registration.close()
  t.same(clock.waits, [])
  t.same(events.all, ['lost'])
})

void t.test('closing ends an attempt that is under way', async t => {
  const clock = new ManualClock()
  const events = new Told()
  let first: Socket | undefined
  let gone = (): void => {}
  const over = new Promise<void>(resolve => (gone = resolve))
  const epmdPort = await listener(t, socket => {
    if (first === undefined) (first = socket).write(Buffer.from('760000000064', 'hex'))
    else socket.on('close', gone).once('data', () => void registration.close())
  })
  const registration = await register({ name: 'ts', port: 4001, events, clock, epmdPort })
  first?.destroy()
  await events.until('lost')
  clock.advance(2000)
  await over
  t.same(clock.waits, [])
  t.same(events.all, ['lost'], 'whoever closes it is told no more')
})

void t.test('closing does not wait for ever for EPMD to notice', async t => {
  const clock = new ManualClock()
  const epmdPort = await listener(t, socket => socket.pause().write(Buffer.from('760000000064', 'hex')))
  const registration = await register({ name: 'ts', port: 4001, clock, epmdPort })
  const closed = registration.close()
  t.same(clock.waits, [1000])
  clock.advance(1000)
  await closed
  t.notOk(registration.registered)
})

void t.test('an aborted signal ends the first attempt, not the registration', async t => {
  await using server = await EpmdServer.start({ port: 0 })
  const abort = new AbortController()
  await using registration = await register({ name: 'ts', port: 4001, signal: abort.signal, epmdPort: server.port })
  abort.abort()
  t.ok(registration.registered)
  await t.rejects(register({ name: 'other', port: 4001, signal: abort.signal, epmdPort: server.port }), { code: 'EPMD_ABORTED' })
})
