/**
 * Records handshakes with real BEAM nodes: every status, both sides, OTP 25, 27 and 29.
 *
 *     make vectors        writes spec/transcripts/handshakes.json, among others
 *
 * test/dist/handshake.test.ts replays them without a BEAM.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { type Handshake } from '../../src/dist/handshake.js'
import { flags, offeredFlags } from '../../src/dist/flags.js'
import { frame, FrameReader, maxHandshakeFrame } from '../../src/dist/frames.js'
import { type Beam, type Epmd, releases, startBeam, startEpmd } from '../../src/interop/index.js'
import { lookup } from '../../src/net/epmd-client.js'
import { register } from '../../src/net/epmd-registration.js'
import { atom, NodeError } from '../../src/term/index.js'
import { type Ours, recorded, startOurs, type Transcript } from '../../test/dist/handshake-transcript.js'

const host = '127.0.0.1'
const cookie = 'transcript'
const hidden = offeredFlags({ visible: false }).toString(16)
const visible = offeredFlags({ visible: true }).toString(16)

/** Where the other side's frames come from, null when it closes. */
interface Other {
  send(bytes: Buffer): void
  next(): Promise<Buffer | null>
}

/** Plays our half and writes down both. */
async function play(name: string, peer: Transcript['peer'], ours: Ours, other: Other): Promise<Transcript> {
  const says: ['we' | 'peer', string][] = []
  const handshake: Handshake = startOurs(ours)
  const converse = async (): Promise<Transcript['result']> => {
    let step = handshake.next(nothing)
    while (!step.done) {
      if (step.value.do === 'send') {
        says.push(['we', step.value.bytes.toString('hex')])
        other.send(step.value.bytes)
        step = handshake.next(nothing)
        continue
      }
      const bytes = await other.next()
      says.push(['peer', bytes?.toString('hex') ?? 'closes'])
      if (bytes === null) return step.value.closed().code
      step = handshake.next(bytes)
    }
    return recorded(step.value)
  }
  const result = await converse().catch((error: unknown) => {
    if (error instanceof NodeError) return error.code
    throw error
  })
  console.error(`  ${name}: ${JSON.stringify(result)}`)
  return { name, peer, ours, says, result }
}

const nothing = Buffer.alloc(0)

function node(socket: Socket): Other {
  const reader = new FrameReader(2, maxHandshakeFrame)
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  socket.on('error', () => {}) // What the node does after the end of the record is of no interest.
  return {
    send: bytes => void socket.write(frame(bytes, 2)),
    async next() {
      for (;;) {
        const bytes = reader.next()
        if (bytes !== null) return bytes
        const { value, done } = await chunks.next()
        if (done) return null
        reader.push(value)
      }
    },
  }
}

/** What no release that we have says: the form of OTP 22, and an acceptor's dead end. */
async function byHand(): Promise<Transcript[]> {
  const ours: Ours = { side: 'accept', status: 'ok', name: `ts@${host}`, creation: 77, flags: hidden, cookie, challenge: 3_456_789_012 }
  const all = offeredFlags({ visible: true }) & ~flags.MANDATORY_25_DIGEST
  const name = Buffer.from('old@127.0.0.1')
  const oldName = Buffer.concat([Buffer.from('n'), be16(5), be32(Number(all & 0xffffffffn)), name])
  const complement = Buffer.concat([Buffer.from('c'), be32(Number(all >> 32n)), be32(3)])
  const digest = createHash('md5').update(`${cookie}${ours.challenge}`).digest()
  const reply = Buffer.concat([Buffer.from('r'), be32(4_000_000_000), digest])
  const script = (...frames: (Buffer | null)[]): Other => ({ send() {}, next: () => Promise.resolve(frames.shift() ?? null) })
  return [
    await play('an old name, completed later', 'by hand', ours, script(oldName, complement, reply)),
    await play('an old name, and nothing more', 'by hand', ours, script(oldName, null)),
    await play(
      'a peer that gives up for its older connection',
      'by hand',
      { ...ours, status: 'alive' },
      script(oldName, Buffer.from('sfalse')),
    ),
  ]
}

const be16 = (value: number): Buffer => Buffer.from([value >> 8, value])
const be32 = (value: number): Buffer => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value])

class Recorder {
  readonly transcripts: Transcript[] = []
  readonly #epmd: Epmd
  readonly #otp: (typeof releases)[number]
  #sockets: Socket[] = []

  constructor(epmd: Epmd, otp: (typeof releases)[number]) {
    this.#epmd = epmd
    this.#otp = otp
  }

  async beam(name: string, args: string[] = []): Promise<Beam> {
    const beam = await startBeam({ otp: this.#otp, name: `${name}@${host}`, cookie, epmdPort: this.#epmd.port, args })
    // Half of these handshakes are refused, and the node says so.
    beam.expectLog(/./)
    return beam
  }

  ours(over: Partial<Ours>): Ours {
    return { side: 'initiate', name: `ts@${host}`, creation: 77, flags: hidden, cookie, challenge: 3_456_789_012, ...over }
  }

  /** We dial; the connection stays open until `hangUp`. */
  async dial(what: string, to: string, over: Partial<Ours> = {}): Promise<void> {
    const { port } = await lookup(to, host, { epmdPort: this.#epmd.port })
    const socket = connect(port, host)
    await once(socket, 'connect')
    this.#sockets.push(socket)
    await this.#record(what, this.ours({ dials: `${to}@${host}`, ...over }), socket)
  }

  /** The node dials us, who are registered by that name. */
  async answer(what: string, beam: Beam, over: Partial<Ours>): Promise<void> {
    const ours = this.ours({ side: 'accept', status: 'ok', ...over })
    await this.listening(ours.name, async next => {
      const done = beam.eval('net_kernel:connect_node(Name)', { bindings: { Name: atom(ours.name) }, timeout: 30_000 })
      const socket = await next()
      this.#sockets.push(socket)
      await this.#record(what, ours, socket)
      // What became of it is in the record; a node that was refused waits for its own time limit.
      socket.destroy()
      await done
    })
  }

  /** Listens under a name; `next` gives the next socket. */
  async listening(name: string, body: (next: () => Promise<Socket>) => Promise<void>): Promise<void> {
    const server = createServer().listen(0, host)
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const alive = name.split('@')[0] ?? ''
    const registration = await register({ name: alive, port, hidden: true, epmdPort: this.#epmd.port })
    try {
      await body(async () => ((await once(server, 'connection')) as [Socket])[0])
    } finally {
      await registration.close()
      server.close()
    }
  }

  async #record(what: string, ours: Ours, socket: Socket): Promise<void> {
    this.transcripts.push(await play(`${what}, OTP ${this.#otp}`, this.#otp, ours, node(socket)))
  }

  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets = []
  }
}

async function record(epmd: Epmd, otp: (typeof releases)[number]): Promise<Transcript[]> {
  const recorder = new Recorder(epmd, otp)
  const beam = await recorder.beam('m')
  const gone = (name: string): Promise<void> => beam.waitForNode(`${name}@${host}`, 'down')

  await recorder.dial('we dial, hidden', 'm')
  recorder.hangUp()
  await gone('ts')
  await recorder.dial('we dial, visible', 'm', { name: `seen@${host}`, flags: visible })
  recorder.hangUp()
  await gone('seen')
  await recorder.dial('we dial with another cookie', 'm', { cookie: 'wrong' })
  await recorder.dial('we dial without BIG_CREATION and UNLINK_ID', 'm', {
    flags: (offeredFlags({ visible: false }) & ~flags.MANDATORY_25_DIGEST & ~flags.BIG_CREATION & ~flags.UNLINK_ID).toString(16),
  })
  await recorder.dial('we dial and ask for a name', 'm', {
    name: host,
    creation: 0,
    flags: (offeredFlags({ visible: false }) | flags.NAME_ME).toString(16),
  })
  recorder.hangUp()

  await recorder.dial('we dial', 'm')
  await recorder.dial('we dial while connected, and say no to alive', 'm', { whenAlive: false })
  await recorder.dial('we dial while connected, and say yes to alive', 'm', { whenAlive: true })
  recorder.hangUp()
  await gone('ts')

  for (const [name, what] of [
    ['a', 'we dial a node that dials us, and its name is the greater'],
    ['z', 'we dial a node that dials us, and our name is the greater'],
  ] as const) {
    await recorder.listening(`${name}@${host}`, async next => {
      const theirs = beam.eval('net_kernel:connect_node(Name)', { bindings: { Name: atom(`${name}@${host}`) } })
      const socket = await next()
      await recorder.dial(what, 'm', { name: `${name}@${host}` })
      socket.destroy()
      await theirs
    })
    recorder.hangUp()
  }

  await recorder.answer('it dials us', beam, { name: `b@${host}` })
  await recorder.answer('it dials us, and we are visible', beam, { name: `c@${host}`, flags: visible })
  await recorder.answer('it dials us with another cookie', beam, { name: `d@${host}`, cookie: 'wrong' })
  await recorder.answer('it dials us, and we do not allow it', beam, { name: `e@${host}`, status: 'not_allowed' })
  await recorder.answer('it dials us, and we hold an older connection', beam, { name: `f@${host}`, status: 'alive' })
  await recorder.answer('it dials us while we dial it', beam, { name: `g@${host}`, status: 'ok_simultaneous' })
  await recorder.answer('it dials us while we dial it, and ours goes on', beam, { name: `h@${host}`, status: 'nok' })

  await beam.eval(`net_kernel:allow(['only@${host}'])`)
  await recorder.dial('we dial and are not allowed', 'm', { name: `stranger@${host}` })
  await beam.stop()

  const nameless = await recorder.beam('undefined')
  await recorder.answer('it dials us and asks for a name', nameless, { name: `n@${host}`, status: `named:given@${host}` })
  await nameless.stop()
  return recorder.transcripts
}

const epmd = await startEpmd()
const handshakes = await byHand()
for (const otp of releases) handshakes.push(...(await record(epmd, otp)))
await epmd.close()

const about =
  'Handshakes of version 6, frame by frame, without the lengths. `ours` is what our side was told, `says` what both sides said, `result` what we make of it: the agreement, or an error code.'
const checked = 'test/dist/handshake.test.ts replays them: frame by frame, byte by byte, and joined.'
const source = 'erl_dist_protocol, "Distribution Handshake". Recorded by interop/transcripts/handshakes.ts.'
const lines = handshakes.map(transcript => `    ${JSON.stringify(transcript)}`)
writeFileSync(
  new URL('../../spec/transcripts/handshakes.json', import.meta.url),
  `${JSON.stringify({ about, checked, source }, null, 2).slice(0, -2)},\n  "handshakes": [\n${lines.join(',\n')}\n  ]\n}\n`,
)
process.exit()
