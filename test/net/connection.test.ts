import t, { type Test } from 'tap'
import { ChannelEncoder } from '../../src/dist/channel-encoder.js'
import { flags, offeredFlags } from '../../src/dist/flags.js'
import { FrameReader, maxHandshakeFrame, tickFrame } from '../../src/dist/frames.js'
import { ChannelDecoder } from '../../src/dist/channel-decoder.js'
import type { SendSignal, Signal } from '../../src/dist/signal.js'
import { Connection, type ConnectionDown, type ConnectionOptions } from '../../src/net/connection.js'
import { NetError } from '../../src/net/errors.js'
import { atom, Pid, type Term } from '../../src/term/index.js'
import { otherEnds, ourPid, ourRef, payload, peer, plain, self, theirPid, thirdPid } from '../dist/signals.js'
import { ManualClock } from '../process/support.js'
import { FakeCarrier } from './fake-carrier.js'

const everything = offeredFlags({ visible: true })
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** A Connection of `self` to `peer`, and the peer's half of the channel. */
class Bench {
  readonly carrier = new FakeCarrier()
  readonly clock = new ManualClock()
  readonly reader = new FrameReader(2, maxHandshakeFrame)
  readonly told: (Signal | string)[] = []
  readonly downs: ConnectionDown[] = []
  readonly connection: Connection
  readonly #theirs: ChannelEncoder
  readonly #negotiated: bigint

  constructor(options: ConnectionOptions = {}, negotiated = everything) {
    this.#negotiated = negotiated
    this.#theirs = new ChannelEncoder({ ends: otherEnds, flags: negotiated })
    const agreement = {
      self: { name: self, creation: 50 },
      peer: { name: peer, creation: 40, flags: negotiated, theirFlags: negotiated, visible: true },
    }
    this.connection = new Connection(
      { agreement, carrier: this.carrier, reader: this.reader, incoming: false },
      { clock: this.clock, ...options },
    )
  }

  async attach(): Promise<this> {
    this.connection.attach({
      signal: signal => this.told.push(signal),
      closed: (_, down) => {
        this.told.push(`closed ${down.reason}`)
        this.downs.push(down)
      },
      busy: () => this.told.push('busy'),
      drain: () => this.told.push('drain'),
    })
    await turn()
    return this
  }

  /** What the peer sends for these signals, in one chunk. */
  bytes(...signals: Signal[]): Buffer {
    for (const signal of signals) this.#theirs.encode(signal)
    return Buffer.concat(this.#theirs.take(Infinity))
  }

  /** What was told: messages as their terms, the rest by name */
  get story(): unknown[] {
    return this.told.map(item => (typeof item === 'string' ? item : (plain(item)['message'] ?? item.op)))
  }

  /** The signals that the peer makes of what was sent to it. */
  get heard(): Signal[] {
    const decoder = new ChannelDecoder({ ends: otherEnds, flags: this.#negotiated, fault: error => t.fail(error) })
    const reader = new FrameReader(4, 1e9)
    reader.push(this.carrier.sent)
    const signals: Signal[] = []
    for (let frame = reader.next(); frame !== null; frame = reader.next()) signals.push(...[decoder.decode(frame) ?? []].flat())
    return signals
  }
}

const incoming = (term: Term): SendSignal => ({ op: 'send', from: theirPid, to: ourPid, message: payload(term) })
const outgoing = (term: Term): SendSignal => ({ op: 'send', from: ourPid, to: theirPid, message: payload(term) })

// ── in ───────────────────────────────────────────────────────────────────────

t.test('signals are told in the turn in which they are read, in order', async t => {
  const bench = await new Bench().attach()
  bench.carrier.receive(bench.bytes(incoming(1), incoming(2), { op: 'link', from: theirPid, to: ourPid }))
  t.strictSame(bench.story, [1, 2, 'link'])
  const cut = bench.bytes(incoming(3))
  bench.carrier.receive(cut.subarray(0, 9))
  t.equal(bench.told.length, 3)
  bench.carrier.receive(cut.subarray(9))
  t.strictSame(bench.story, [1, 2, 'link', 3])
  t.match(bench.connection.stats, { signalsIn: 4, bytesIn: bench.connection.stats.bytesIn })
})

t.test('what came with the handshake comes first, and nothing is told before attach has returned', async t => {
  const bench = new Bench()
  bench.reader.push(bench.bytes(incoming(1), incoming(2)))
  t.equal(bench.carrier.isReading, false, 'it does not read while nobody listens')
  const attached = bench.attach()
  t.strictSame(bench.told, [])
  await attached
  bench.carrier.receive(bench.bytes(incoming(3)))
  t.strictSame(bench.story, [1, 2, 3])
  t.throws(() => bench.connection.attach({ signal() {}, closed() {} }), { code: 'NET_ATTACHED' })
})

t.test('a connection that ended before anybody listened says so to who comes', async t => {
  const bench = new Bench()
  bench.connection.close('disconnect')
  await bench.attach()
  t.strictSame(bench.told, ['closed disconnect'])
})

t.test('a handler may close: the rest of the chunk is not read', async t => {
  const bench = new Bench()
  const told: unknown[] = []
  bench.connection.attach({
    signal: (signal, connection) => {
      told.push(plain(signal)['message'])
      connection.close('enough')
    },
    closed: (_, { reason }) => told.push(reason),
  })
  await turn()
  bench.carrier.receive(bench.bytes(incoming(1), incoming(2)))
  t.strictSame(told, [1, 'enough'])
})

// ── out ──────────────────────────────────────────────────────────────────────

t.test('what is said in one turn leaves in one write', async t => {
  const bench = await new Bench().attach()
  for (let i = 0; i < 100; i++) t.equal(bench.connection.send(outgoing(i)), true)
  queueMicrotask(() => bench.connection.send(outgoing(100)))
  t.equal(bench.carrier.writes.length, 0)
  await turn()
  t.equal(bench.carrier.writes.length, 1)
  bench.connection.send(outgoing(101))
  await turn()
  t.equal(bench.carrier.writes.length, 2)
  t.strictSame(
    bench.heard.map(signal => plain(signal)['message']),
    Array.from({ length: 102 }, (_, i) => i),
  )
  t.match(bench.connection.stats, { signalsOut: 102, bytesOut: bench.carrier.sent.length, bufferedBytes: 0 })
})

t.test('a turn that says very much does not keep it all until its end', async t => {
  const bench = await new Bench().attach()
  for (let i = 0; i < 10; i++) bench.connection.send(outgoing(Buffer.alloc(60_000)))
  t.ok(bench.carrier.writes.length >= 2)
})

t.test('a term that cannot be sent is the sender’s error, and nothing else', async t => {
  const bench = await new Bench().attach()
  bench.connection.send(outgoing(1))
  t.throws(() => bench.connection.send(outgoing((() => {}) as unknown as Term)), { code: 'ETF_TERM' })
  t.throws(() => bench.connection.send({ op: 'link', from: thirdPid, to: theirPid }), { code: 'DIST_SIGNAL' })
  bench.connection.send(outgoing(2))
  await turn()
  t.strictSame(
    bench.heard.map(signal => plain(signal)['message']),
    [1, 2],
  )
  t.strictSame(bench.told, [])
})

t.test('a spawn request to a peer that cannot spawn is answered here, as OTP does', async t => {
  const bench = await new Bench({}, everything & ~flags.SPAWN).attach()
  const [module, fun] = [atom('m'), atom('f')]
  bench.connection.send({
    op: 'spawnRequest',
    ref: ourRef,
    from: ourPid,
    to: peer,
    groupLeader: ourPid,
    module,
    fun,
    arity: 0,
    options: [],
    args: payload([]),
  })
  t.strictSame(bench.told, [], 'not before send has returned')
  await turn()
  t.match(bench.told, [{ op: 'spawnReply', ref: ourRef, to: ourPid, link: false, monitor: false, result: atom('notsup') }])
  t.equal(bench.carrier.writes.length, 0)
})

t.test('an unlink of a pid from before the peer’s restart is answered here, for the peer would close', async t => {
  const bench = await new Bench().attach()
  const earlier = new Pid(peer, 7, 0, 39)
  t.equal(bench.connection.send({ op: 'unlink', id: 9n, from: ourPid, to: earlier }), true)
  t.equal(bench.connection.send({ op: 'linkExit', from: ourPid, to: earlier, reason: payload(1) }), true)
  await turn()
  t.strictSame(bench.told, [{ op: 'unlinkAck', id: 9n, from: earlier, to: ourPid }])
  t.equal(bench.carrier.writes.length, 0)
})

// ── backpressure ─────────────────────────────────────────────────────────────

t.test('busy above the limit, drain at half of it', async t => {
  const bench = await new Bench({ sendBufferLimit: 10_000 }).attach()
  bench.carrier.takes = false
  const send = (): boolean => bench.connection.send(outgoing(Buffer.alloc(4000)))
  t.strictSame([send(), send(), send(), send()], [true, true, false, false])
  t.strictSame(bench.told, ['busy'], 'told once')
  t.equal(bench.connection.isBusy, true)
  await turn()
  t.equal(bench.carrier.writes.length, 1)
  t.equal(send(), false, 'it is accepted all the same')
  bench.carrier.take(1)
  t.strictSame(bench.told, ['busy', 'drain'])
  t.equal(bench.connection.isBusy, false)
  await turn()
  bench.carrier.take()
  t.equal(bench.heard.length, 5)
  t.equal(bench.connection.bufferedBytes, 0)
  t.strictSame([send(), send(), send()], [true, true, false], 'and again')
  t.strictSame(bench.told, ['busy', 'drain', 'busy'])
})

t.test('above the maximum the connection closes: memory is bounded, loss is told', async t => {
  const bench = await new Bench({ sendBufferLimit: 1000, sendBufferMax: 50_000 }).attach()
  bench.carrier.takes = false
  let sent = 0
  while (!bench.connection.isClosed && sent < 100) {
    bench.connection.send(outgoing(Buffer.alloc(4000)))
    sent++
  }
  t.equal(sent, 13)
  t.strictSame(bench.told, ['busy', 'closed send_buffer_overflow'])
  t.match(bench.downs, [{ error: { code: 'NET_SEND_BUFFER' } }])
  t.equal(bench.carrier.state, 'destroyed')
  t.equal(bench.connection.send(outgoing(1)), false)
})

t.test('fragments of a large message wait here, not in the carrier', async t => {
  const bench = await new Bench().attach()
  bench.carrier.takes = false
  t.equal(bench.connection.send(outgoing(Buffer.alloc(4_000_000, 1))), false)
  await turn()
  t.ok(bench.carrier.pendingBytes < 400_000)
  t.ok(bench.connection.bufferedBytes > 3_900_000)
  bench.connection.send({ ...outgoing(atom('small')), from: new Pid(self, 99, 0, 50) })
  for (let i = 0; i < 100 && bench.connection.bufferedBytes > 0; i++) {
    bench.carrier.take()
    await turn()
  }
  t.equal(bench.connection.bufferedBytes, 0)
  const sizes = bench.heard.map(signal => (plain(signal)['message'] as Buffer).length ?? 'small')
  t.strictSame(sizes, ['small', 4_000_000], 'and what others say overtakes them')
  t.strictSame(bench.told, ['busy', 'drain'])
})

// ── the end ──────────────────────────────────────────────────────────────────

t.test('close sends what was accepted, and tells its reason before it returns, once', async t => {
  const bench = await new Bench().attach()
  bench.connection.send(outgoing(1))
  bench.connection.send(outgoing(Buffer.alloc(200_000)))
  bench.connection.close()
  t.strictSame(bench.told, ['closed disconnect'])
  t.equal(bench.carrier.state, 'ended')
  t.equal(bench.heard.length, 2)
  bench.connection.close('again')
  bench.carrier.receive(bench.bytes(incoming(1)))
  t.strictSame(bench.told, ['closed disconnect'])
  t.equal(bench.connection.isClosed, true)
  t.equal(bench.connection.send(outgoing(2)), false)
  await turn()
  t.equal(bench.heard.length, 2)
  t.equal(bench.clock.pending, 0, 'no timer is left behind')
})

t.test('the peer ends: all it said comes before', async t => {
  const bench = await new Bench().attach()
  bench.carrier.receive(bench.bytes(incoming(1)))
  bench.carrier.peerEnds()
  t.strictSame(bench.story, [1, 'closed connection_closed'])
  t.equal(bench.downs[0]?.error, undefined)
})

t.test('the socket breaks: the reason is OTP’s, the error says more', async t => {
  const bench = await new Bench().attach()
  const error = new NetError('NET_SOCKET', 'read ECONNRESET')
  bench.carrier.peerEnds(error)
  t.strictSame(bench.downs, [{ reason: 'connection_closed', error }])
})

t.test('a frame cut short by the end is dropped', async t => {
  const bench = await new Bench().attach()
  bench.carrier.receive(bench.bytes(incoming(1), incoming(2)).subarray(0, -3))
  bench.carrier.peerEnds()
  t.strictSame(bench.story, [1, 'closed connection_closed'])
})

/** Garbage in the middle of a chunk. */
async function hostile(t: Test, garbage: Buffer, code: string): Promise<void> {
  const bench = await new Bench({ decoding: { limits: { size: 1_000_000 } } }).attach()
  const [before, after] = [bench.bytes(incoming(1)), bench.bytes(incoming(2))]
  bench.carrier.receive(Buffer.concat([before, garbage, after]))
  t.strictSame(bench.story, [1, 'closed connection_closed'], 'what came before is delivered, what comes after is not')
  t.equal(bench.downs[0]?.error?.code, code)
  t.equal(bench.carrier.state, 'destroyed')
}

t.test('a broken frame closes this connection', async t => {
  await hostile(t, Buffer.from([0, 0, 0, 2, 131, 99]), 'DIST_PROTOCOL_HEADER')
  await hostile(t, Buffer.from([0, 0, 0, 5, 131, 68, 0, 97, 1]), 'DIST_PROTOCOL_CONTROL')
  await hostile(t, Buffer.from([0, 0, 0, 5, 131, 68, 0, 104, 1]), 'ETF_TRUNCATED')
})

t.test('so does a length that lies', async t => {
  await hostile(t, Buffer.from([0x7f, 0xff, 0xff, 0xff]), 'DIST_FRAME_SIZE')
})

t.test('and a payload that turns out to be no term, when its receiver reads it', async t => {
  const bench = await new Bench({}, everything & ~flags.DIST_HDR_ATOM_CACHE & ~flags.FRAGMENTS).attach()
  const bytes = bench.bytes(incoming(atom('ok')))
  bytes[bytes.length - 4] = 1 // the tag of the atom
  bench.carrier.receive(Buffer.concat([bytes, bench.bytes(incoming(2))]))
  const [first, second] = bench.told as SendSignal[]
  t.throws(() => first?.message.read(), { code: 'ETF_UNKNOWN_TAG' })
  t.match(bench.downs, [{ reason: 'connection_closed', error: { code: 'ETF_UNKNOWN_TAG' } }])
  t.equal(second?.message.read(), 2, 'what had been delivered stays good')
})

t.test('a fault that somebody else found closes it too', async t => {
  const bench = await new Bench().attach()
  const error = new NetError('NET_TEST', 'found')
  bench.connection.fault(error)
  bench.connection.fault(new NetError('NET_TEST', 'later'))
  t.strictSame(bench.downs, [{ reason: 'connection_closed', error }])
})

// ── ticks ────────────────────────────────────────────────────────────────────

t.test('ticks go out each quarter of netTickTime', async t => {
  const bench = await new Bench({ netTickTime: 60 }).attach()
  bench.clock.advance(14_999)
  t.equal(bench.carrier.writes.length, 0)
  bench.clock.advance(1)
  t.strictSame(bench.carrier.sent, tickFrame)
  bench.connection.send(outgoing(1))
  await turn()
  bench.clock.advance(15_000)
  t.equal(bench.carrier.writes.length, 2, 'not where a message did')
})

t.test('a silent peer is down, with OTP’s reason', async t => {
  const bench = await new Bench({ netTickTime: 4, netTickIntensity: 4 }).attach()
  bench.clock.advance(3999)
  bench.carrier.finishReads()
  t.strictSame(bench.told, [])
  bench.clock.advance(1)
  bench.carrier.finishReads()
  t.strictSame(bench.told, ['closed net_tick_timeout'])
  t.equal(bench.carrier.state, 'destroyed')
  t.equal(bench.clock.pending, 0)
})

t.test('a peer that ticks is not, even if the check runs before its ticks are read', async t => {
  const bench = await new Bench({ netTickTime: 4 }).attach()
  for (let i = 0; i < 20; i++) {
    bench.clock.advance(4000)
    bench.carrier.receive(tickFrame)
    bench.carrier.finishReads()
  }
  t.strictSame(bench.told, [])
})

t.test('ticks go on while the peer reads nothing', async t => {
  const bench = await new Bench({ netTickTime: 60 }).attach()
  bench.carrier.takes = false
  bench.connection.send(outgoing(Buffer.alloc(3_000_000)))
  await turn()
  const before = bench.carrier.writes.length
  for (let i = 0; i < 3; i++) {
    bench.clock.advance(15_000)
    bench.carrier.receive(tickFrame)
  }
  t.ok(bench.carrier.writes.length >= before + 2)
})
