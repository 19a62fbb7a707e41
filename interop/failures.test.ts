/** What a node gets when things are wrong: a coded error or an event, and the rest of the node is untouched. */
import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { flags, mandatoryFlags } from '../src/dist/flags.js'
import { encodeAck, encodeChallenge, encodeName, encodeReply, encodeStatus, parseChallenge } from '../src/dist/handshake-messages.js'
import { atom, match, type NodeDown, type Pid, type Sendable, type Term, tuple } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { eachOtp } from './support/each-otp.js'
import { dialPort, fakeNode, type Line } from './support/fake-node.js'
import { actor, down, eachWay, evaluator, next, type Pair, startNode, tell } from './support/pair.js'

const offered = mandatoryFlags[26] | flags.MANDATORY_25_DIGEST
const ok = encodeStatus('ok')
const http = Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')
const wrongDigest = Buffer.alloc(16)
const challengeOf = (name: string, flags = offered): Buffer => encodeChallenge({ flags, challenge: 7, creation: 9, name })

type Talk = (line: Line, name: string) => unknown

/** A peer that is dialled, and what `connect` says of it. `name` is its own. */
const acceptors: readonly [title: string, code: string, talk: Talk][] = [
  ['closes at once', 'DIST_CLOSED', line => line.end()],
  ['closes when it has heard the name', 'DIST_CLOSED', async line => (await line.hear(), line.end())],
  ['closes after its status', 'DIST_CLOSED', async line => (await line.hear(), line.say(ok), line.end())],
  ['closes when it has heard our digest', 'DIST_BAD_COOKIE', async (line, name) => (await challenge(line, name), line.end())],
  ['sends a wrong digest', 'DIST_BAD_COOKIE', async (line, name) => (await challenge(line, name), line.say(encodeAck(wrongDigest)))],
  ['does not allow us', 'DIST_NOT_ALLOWED', async line => (await line.hear(), line.say(encodeStatus('not_allowed')))],
  ['says nok and never dials', 'DIST_NOK', async line => (await line.hear(), line.say(encodeStatus('nok')))],
  ['says what is no status', 'DIST_HANDSHAKE_FORMAT', async line => (await line.hear(), line.say(Buffer.from('shello')))],
  ['says what is no challenge', 'DIST_HANDSHAKE_FORMAT', async line => (await line.hear(), line.say(ok), line.say(Buffer.from('N?')))],
  ['has another name', 'DIST_NAME_MISMATCH', async line => (await line.hear(), line.say(ok), line.say(challengeOf('other@127.0.0.1')))],
  ['lacks flags', 'DIST_FLAGS', async (line, name) => (await line.hear(), line.say(ok), line.say(challengeOf(name, flags.PUBLISHED)))],
  ['speaks HTTP', 'NET_OTHER_PROTOCOL', async line => (await line.hear(), line.raw(http))],
  ['never answers', 'NET_TIMEOUT', () => {}],
  ['falls silent after its status', 'NET_TIMEOUT', async line => (await line.hear(), line.say(ok))],
  ['falls silent in the middle of a frame', 'NET_TIMEOUT', async line => (await line.hear(), line.raw(Buffer.of(0, 3, 115)))],
  ['falls silent after its challenge', 'NET_TIMEOUT', challenge],
]

/** Goes on until our digest has come. */
async function challenge(line: Line, name: string): Promise<void> {
  await line.hear()
  line.say(ok)
  line.say(challengeOf(name))
  await line.hear()
}

const nameOf = (name: string, flags = offered): Buffer => encodeName({ flags, creation: 9, name })
const stranger = 'stranger@127.0.0.1'

/** A peer that dials, and the event that tells of it. `name` is that of the node it dials. */
const initiators: readonly [title: string, code: string, talk: Talk][] = [
  ['closes within its name', 'DIST_CLOSED', line => (line.raw(Buffer.of(0, 50, 78, 0)), line.end())],
  ['closes when it has heard the challenge', 'DIST_CLOSED', async line => (await name(line), line.end())],
  [
    'sends a wrong digest',
    'DIST_BAD_COOKIE',
    async line => (await name(line), line.say(encodeReply({ challenge: 1, digest: wrongDigest }))),
  ],
  ['sends what is no digest', 'DIST_HANDSHAKE_FORMAT', async line => (await name(line), line.say(Buffer.from('r?')))],
  ['has no host', 'DIST_NODE_NAME', line => line.say(nameOf('stranger'))],
  ['has our name', 'DIST_NOT_ALLOWED', (line, ours) => line.say(nameOf(ours))],
  ['lacks flags', 'DIST_FLAGS', line => line.say(nameOf(stranger, flags.PUBLISHED))],
  ['sends a short name', 'DIST_HANDSHAKE_FORMAT', line => line.say(Buffer.from('N?'))],
  ['sends another message', 'DIST_HANDSHAKE_FORMAT', line => line.say(Buffer.from('hello'))],
  ['speaks HTTP', 'NET_OTHER_PROTOCOL', line => line.raw(Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'))],
  ['announces a large frame', 'DIST_FRAME_SIZE', line => line.raw(Buffer.alloc(64, 255))],
  ['sends noise', 'DIST_FRAME_SIZE', line => line.raw(Buffer.concat([Buffer.of(200), randomBytes(5000)]))],
  ['sends zeros', 'DIST_HANDSHAKE_FORMAT', line => line.raw(Buffer.alloc(64))],
  ['says nothing', 'NET_TIMEOUT', () => {}],
  ['falls silent after its name', 'NET_TIMEOUT', name],
]

/** Goes on until the challenge has come. */
async function name(line: Line): Promise<void> {
  line.say(nameOf(stranger))
  await line.hear()
  parseChallenge(await line.hear())
}

t.test('failures', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start({ code: actor })
    await handshakes(t, beam)
    await killedInHandshake(t, await start({ cookie: beam.cookie }), beam)
    await t.test('a BEAM that is killed while it sends', async t => eachWay(t, () => start({ code: actor }), killedInFrame))
    await eachWay(t, beam, unsendable)
    await t.test('a BEAM that does not read', async t =>
      eachWay(t, () => start({ code: actor }), notReading, { sendBufferMax: 16 * 2 ** 20 }),
    )
  })
})

/** All through this a link to a process of the BEAM holds. */
async function handshakes(t: Test, beam: Beam): Promise<void> {
  await using node = await startNode(beam, { netSetupTime: 200 })
  const lost: string[] = []
  node.on('nodedown', name => lost.push(name))
  await node.run(async self => {
    self.trapExit = true
    const pid = (await evaluator(beam, node)('actor:start().')) as Pid
    self.link(pid)
    await tell(self, pid, 'erlang', 'self')

    for (const [title, code, talk] of acceptors) {
      await t.test(`TypeScript dials a peer that ${title}`, async t => {
        const talking: unknown[] = []
        await using fake = await fakeNode(line => talking.push(talk(line, fake.name)))
        await t.rejects(node.connect(fake.name), { code })
        t.strictSame(node.nodes('connected'), [beam.name])
        await Promise.all(talking)
      })
    }

    for (const [title, code, talk] of initiators) {
      await t.test(`a peer dials that ${title}`, async t => {
        const told = new Promise(resolve => node.once('protocol', (_, fault) => resolve(fault)))
        const line = await dialPort(node.port as number)
        await talk(line, node.name)
        t.match(await told, { code, remoteAddress: /^(::ffff:)?127\.0\.0\.1:\d+$/ })
        line.end()
        await line.closed
      })
    }

    await t.test('who comes and goes without a word has done nothing wrong', async t => {
      const told: string[] = []
      node.on('protocol', (_, { code }) => told.push(code))
      const silent = await dialPort(node.port as number)
      silent.end()
      await silent.closed
      const next = new Promise(resolve => node.once('protocol', resolve))
      const line = await dialPort(node.port as number)
      line.raw(Buffer.of(0))
      line.end()
      await next
      await line.closed
      t.strictSame(told, ['DIST_CLOSED'], 'one byte is a beginning')
    })

    t.strictSame(await tell(self, pid, 'erlang', 'process_info', pid, atom('links')), tuple(atom('links'), [self.pid]))
    t.equal(self.poll(), undefined, 'the link to the BEAM has held')
    t.strictSame(lost, [])
  })
}

/** Its net_kernel stands still, so that a dialler waits for the status; then the whole of it is gone. */
async function killedInHandshake(t: Test, doomed: Beam, beam: Beam): Promise<void> {
  await t.test('a BEAM that is killed in the middle of the handshake', async t => {
    await using node = await startNode(beam)
    await node.connect(beam.name)
    await doomed.eval(`
      sys:suspend(net_kernel),
      Watching = self(),
      spawn(fun() ->
        erlang:trace(whereis(net_kernel), true, ['receive']),
        Watching ! ready,
        receive {trace, _, 'receive', Message} when element(1, Message) =:= accept -> logger:notice("accepted") end
      end),
      receive ready -> ok end.`)
    const rejected = t.rejects(node.connect(doomed.name), { code: /^(DIST_CLOSED|NET_SOCKET)$/ })
    await doomed.waitForLog('accepted')
    await doomed.kill()
    await rejected
    t.strictSame(node.nodes('connected'), [beam.name])
  })
}

async function killedInFrame(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  const downs: [string, string][] = []
  node.on('nodedown', (name, { reason }) => downs.push([name, reason]))
  await node.run(async self => {
    const sender = 'spawn(fun() -> Bytes = binary:copy(<<7>>, 5000000), (fun Send() -> To ! Bytes, Send() end)() end).'
    const pid = (await evaluate(sender, { To: self.pid })) as Pid
    const ref = self.monitor(pid)
    await next(self)
    await beam.kill()
    const message = await self.receive(match([atom('DOWN'), ref, atom('process'), pid, atom('noconnection')]))
    t.strictSame(message, down(ref, pid, atom('noconnection')))
    // Whatever came whole came unharmed.
    for (let rest = self.poll(); rest !== undefined; rest = self.poll()) t.ok((rest as Buffer).equals(Buffer.alloc(5_000_000, 7)))
  })
  t.strictSame(downs, [[beam.name, 'connection_closed']])
  t.equal(node.stats().connections[beam.name], undefined)
}

async function unsendable(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  const circle: unknown[] = []
  circle.push(circle)
  const twice = new Map([
    [tuple(1), 1],
    [tuple(1), 2],
  ])
  const terms: readonly unknown[] = [
    () => {},
    undefined,
    Symbol('s'),
    Promise.resolve(),
    NaN,
    Infinity,
    'lone \ud800',
    circle,
    twice,
    new Date(),
  ]

  await t.test('a term that cannot be sent is an error to the sender, and nothing is lost', async t => {
    await node.run(async self => {
      self.trapExit = true
      const pid = (await evaluate('actor:start_trapping().')) as Pid
      self.link(pid)
      for (const [index, bad] of terms.entries()) {
        const term = bad as Sendable
        // The atom is new to the connection: what was written of the message before its fault must leave no trace.
        const fresh = atom(`fresh ${node.name} ${index}`)
        t.throws(() => self.send(pid, [fresh, Buffer.alloc(100_000), term]), { name: 'EtfError', code: /^ETF_/ })
        t.throws(() => self.send({ name: 'nobody', node: beam.name }, term), { code: /^ETF_/ })
        t.throws(() => self.exit(pid, tuple(fresh, term) as Term), { code: /^ETF_/ })
        t.throws(() => self.sendAfter(0, pid, term), { code: /^ETF_/ })
        t.throws(() => node.send({ name: 'any', node: 'nobody@127.0.0.1' }, term), { code: /^ETF_/ }, 'while connecting')
        await t.rejects(self.call(pid, term), { code: /^ETF_/ })
        await t.rejects(self.rpc.call(beam.name, 'lists', 'reverse', [term]), { code: /^ETF_/ })
        self.send(pid, tuple(fresh, index))
        t.strictSame(await tell(self, pid, 'actor', 'next'), tuple(fresh, index))
      }
      t.strictSame(await tell(self, pid, 'erlang', 'process_info', pid, atom('monitored_by')), tuple(atom('monitored_by'), []))
      t.match(node.stats(), { aliases: 0, timers: 0, spawnRequests: 0, remoteMonitors: 0 })
      t.equal(self.poll(), undefined)
    })
  })
}

async function notReading(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  const block = Buffer.alloc(2 ** 20, 7)
  const pid = (await evaluate('actor:start().')) as Pid

  await t.test('busy, then drain, and all of it arrives', async t => {
    const busy = new Promise(resolve => node.once('busy', resolve))
    await node.run(async self => {
      beam.pause()
      let sent = 0
      while (self.send(pid, tuple(++sent, block)));
      self.send(pid, tuple(++sent, block))
      t.equal(await busy, beam.name)
      const drained = node.drained(beam.name)
      beam.resume()
      await drained
      for (let number = 1; number <= sent; number++) {
        t.strictSame(((await tell(self, pid, 'actor', 'next')) as ReturnType<typeof tuple>).elements[0], number)
      }
    })
  })

  await t.test('beyond sendBufferMax the connection ends', async t => {
    const ended = new Promise<[string, NodeDown]>(resolve => node.once('nodedown', (...event) => resolve(event)))
    await node.run(async self => {
      const ref = self.monitor(pid)
      beam.pause()
      while (node.nodes('connected').length > 0) self.send(pid, block)
      t.strictSame(await next(self), down(ref, pid, atom('noconnection')))
      t.match(await ended, [beam.name, { reason: 'send_buffer_overflow' }])
      beam.resume()
      await beam.waitForNode(node.name, 'down')
    })
  })
}
