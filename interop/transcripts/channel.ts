/**
 * Records what real BEAM nodes send over a channel: each kind of signal, from OTP 25, 27 and 29.
 *
 *     make vectors        writes spec/transcripts/channel.json, among others
 *
 * test/dist/channel.test.ts replays it without a BEAM.
 */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { ChannelDecoder } from '../../src/dist/channel-decoder.js'
import { ChannelEncoder } from '../../src/dist/channel-encoder.js'
import { offeredFlags } from '../../src/dist/flags.js'
import { type FrameReader, maxChannelFrame } from '../../src/dist/frames.js'
import { initiate } from '../../src/dist/handshake.js'
import { type RegisteredName, type SendSignal, type Signal, TermPayload, type UnlinkSignal } from '../../src/dist/signal.js'
import { type Beam, type Epmd, releases, startBeam, startEpmd } from '../../src/interop/index.js'
import type { Carrier } from '../../src/net/carrier.js'
import { lookup } from '../../src/net/epmd-client.js'
import { machineSecrets } from '../../src/net/secrets.js'
import { shake } from '../../src/net/shake.js'
import { TcpCarrier } from '../../src/net/tcp-carrier.js'
import { systemClock } from '../../src/process/clock.js'
import { type Atom, atom, Pid, Reference, type Term } from '../../src/term/index.js'
import { type ChannelStep, type ChannelTranscript, described } from '../../test/dist/channel-transcript.js'

const self = atom('ts@127.0.0.1') as Atom
const cookie = 'transcript'
const ours = {
  pid: new Pid(self, 64, 1, 9),
  ref: (n: number): Reference => new Reference(self, 9, [n, 2, 3]),
  name: { name: atom('here') as Atom, node: self } satisfies RegisteredName,
}

class Recorder {
  readonly #carrier: Carrier
  readonly #reader: FrameReader
  readonly #decoder: ChannelDecoder
  readonly #encoder: ChannelEncoder
  readonly #beam: Beam
  readonly steps: ChannelStep[] = []
  #frames: Buffer[] = []
  #signals: Signal[] = []
  #arrived = (): void => {}

  constructor(beam: Beam, node: Atom, flags: bigint, carrier: Carrier, reader: FrameReader) {
    const ends = { self, peer: node }
    const fault = (error: Error): never => {
      throw error
    }
    this.#beam = beam
    this.#carrier = carrier
    this.#reader = reader
    this.#decoder = new ChannelDecoder({ ends, flags, decoding: { floats: 'exact' }, fault })
    this.#encoder = new ChannelEncoder({ ends, flags })
    reader.become(4, maxChannelFrame)
    carrier.read({ data: chunk => this.#read(chunk), ended: error => fault(error ?? new Error('the node closed')) })
  }

  #read(chunk: Buffer): void {
    this.#reader.push(chunk)
    for (let frame = this.#reader.next(); frame !== null; frame = this.#reader.next()) {
      this.#frames.push(frame)
      const signal = this.#decoder.decode(frame)
      if (signal) this.#signals.push(signal)
    }
    this.#arrived()
  }

  send(...signals: Signal[]): void {
    for (const signal of signals) this.#encoder.encode(signal)
    this.#carrier.write(this.#encoder.take(Infinity))
  }

  /** What the node sends when it evaluates this, or when it is sent those: so many signals. */
  async step(name: string, count: number, source: string, bindings: Record<string, Term> = {}, ...signals: Signal[]): Promise<Signal[]> {
    this.send(...signals)
    if (source !== '') await this.#beam.eval(source, { bindings: { Ts: ours.pid, ...bindings } })
    while (this.#signals.length < count) await new Promise<void>(resolve => (this.#arrived = resolve))
    const step = { name, frames: this.#frames.map(frame => frame.toString('hex')), signals: this.#signals.map(described) }
    if (step.signals.length !== count) throw new Error(`${name}: ${JSON.stringify(step.signals)}`)
    console.error(`  OTP ${this.#beam.otp}, ${name}: ${this.#signals.map(({ op }) => op).join(', ')}`)
    this.steps.push(step)
    const came = this.#signals
    this.#frames = []
    this.#signals = []
    return came
  }
}

async function record(epmd: Epmd, otp: (typeof releases)[number]): Promise<ChannelTranscript> {
  const beam = await startBeam({ otp, name: 'm@127.0.0.1', cookie, epmdPort: epmd.port })
  const node = atom(beam.name) as Atom
  const { port } = await lookup('m', '127.0.0.1', { epmdPort: epmd.port })
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const carrier = new TcpCarrier(socket, systemClock)
  const handshake = initiate({
    self: { name: self, creation: 9, flags: offeredFlags({ visible: false }) },
    peer: node,
    cookie,
    ...machineSecrets,
  })
  const { agreement, reader } = await shake(carrier, handshake, { clock: systemClock, timeout: 7000 })
  const { flags } = agreement.peer
  const recorder = new Recorder(beam, node, flags, carrier, reader)
  await everything(recorder, node, otp)
  carrier.end(1000)
  await beam.stop()
  return { peer: otp, self: self.name, node: node.name, flags: flags.toString(16), steps: recorder.steps }
}

async function everything(r: Recorder, node: Atom, otp: number): Promise<void> {
  const pid = ours.pid
  await r.step('a message to a pid', 1, 'Ts ! {hello, [1, 2, 300], <<"text">>, 1.0}')
  await r.step('the same again: its atoms are in the cache', 1, 'Ts ! {hello, [1, 2, 300], <<"text">>, 1.0}')
  await r.step('a message to a registered name', 1, "{here, 'ts@127.0.0.1'} ! to_name")
  await r.step('a message to an alias', 1, 'Alias ! to_alias', { Alias: ours.ref(1) })
  await r.step('a message of 300 atoms', 1, 'Ts ! [list_to_atom("many_" ++ integer_to_list(I)) || I <- lists:seq(1, 300)]')
  await r.step(
    'an atom of 255 two-byte characters, in one header with others',
    1,
    'Ts ! {long, list_to_atom(lists:duplicate(255, 252)), hello}',
  )
  await r.step('a message with a trace token', 1, 'seq_trace:set_token(label, {my, label}), Ts ! traced, seq_trace:set_token([])')
  await r.step(
    'a message to a name with a trace token',
    1,
    "seq_trace:set_token(label, 7), {here, 'ts@127.0.0.1'} ! traced, seq_trace:set_token([])",
  )
  await r.step('a message to an alias with a trace token', 1, 'seq_trace:set_token(label, 7), Alias ! traced, seq_trace:set_token([])', {
    Alias: ours.ref(1),
  })

  await r.step('a link, and the exit of who made it', 2, 'spawn(fun() -> link(Ts), exit({because, [1]}) end), ok')
  const [, unlink] = await r.step(
    'a link that is taken back',
    2,
    'P = spawn(fun() -> link(Ts), unlink(Ts), receive stop -> ok end end), register(unlinked, P), ok',
  )
  const { id, from } = unlink as UnlinkSignal
  r.send({ op: 'unlinkAck', id, from: pid, to: from })
  await r.step('an exit signal', 1, 'exit(Ts, {shutdown, now})')
  await r.step(
    'monitors of a pid and of a name',
    2,
    "spawn(fun() -> monitor(process, Ts), monitor(process, {here, 'ts@127.0.0.1'}), receive stop -> ok end end), ok",
  )
  await r.step('a monitor that is taken back', 2, 'demonitor(monitor(process, Ts))')
  await r.step('a group leader', 1, 'group_leader(self(), Ts)')
  await r.step(
    'a spawn request',
    1,
    "spawn_request('ts@127.0.0.1', lists, seq, [1, 3], [link, {monitor, [{alias, demonitor}]}, {priority, high}, {reply_tag, tag}]), ok",
  )
  await r.step(
    'a spawn request with a trace token',
    1,
    "seq_trace:set_token(label, 7), spawn_request('ts@127.0.0.1', lists, seq, [1, 3], []), seq_trace:set_token([])",
  )

  const monitor = (to: Pid | RegisteredName, n: number): Signal => ({ op: 'monitor', from: pid, to, ref: ours.ref(n) })
  await r.step('a monitor of a name that is not registered', 1, '', {}, monitor({ name: atom('nobody') as Atom, node }, 2))
  await r.step('a link to a pid that does not exist', 1, '', {}, { op: 'link', from: pid, to: new Pid(node, 32_000, 5, 77) })
  const [told] = await r.step('the pid of a process that has ended', 1, 'Ts ! spawn(fun() -> ok end)')
  const dead = (told as SendSignal).message.read() as Pid
  await r.step('an unlink from a process that has ended', 1, '', {}, { op: 'unlink', id: (1n << 64n) - 1n, from: pid, to: dead })
  await r.step(
    'the end of what was monitored, by name and by pid, and linked',
    3,
    'unlinked ! stop',
    {},
    ...(await dying(r, node, monitor)),
  )

  const spawn = (fun: string, n: number, args: Term[], options: Term): Signal => ({
    ...{ op: 'spawnRequest', ref: ours.ref(n), from: pid, to: node, groupLeader: pid },
    ...{ module: atom('erlang') as Atom, fun: atom(fun) as Atom, arity: args.length, options, args: new TermPayload(args) },
  })
  await r.step('a spawn with link and monitor', 3, '', {}, spawn('abs', 10, [-1], [atom('link'), atom('monitor')]))
  await r.step(
    'a spawn of what does not exist, which the node logs at our group leader',
    3,
    '',
    {},
    spawn('no_such_function', 11, [], [atom('monitor')]),
  )
  await r.step('a spawn with an option that does not exist', 1, '', {}, spawn('abs', 12, [-1], [atom('no_such_option')]))

  if (otp < 28) return
  await r.step('a priority message to a pid', 1, 'erlang:send(Ts, urgent, [priority])')
  await r.step('a priority message to a name', 1, "erlang:send({here, 'ts@127.0.0.1'}, urgent, [priority])")
  await r.step('a priority message to an alias', 1, 'erlang:send(Alias, urgent, [priority])', { Alias: ours.ref(1) })
  await r.step('a priority exit signal', 1, 'exit(Ts, urgent, [priority])')
  await r.step('an exit signal to an alias', 1, 'exit(Alias, to_alias, [])', { Alias: ours.ref(1) })
}

/** Signals that link to the process `unlinked`, and monitor it both ways. */
async function dying(r: Recorder, node: Atom, monitor: (to: Pid | RegisteredName, n: number) => Signal): Promise<Signal[]> {
  const [signal] = await r.step('the pid of a process', 1, 'Ts ! whereis(unlinked)')
  const target = (signal as SendSignal).message.read() as Pid
  return [monitor(target, 3), monitor({ name: atom('unlinked') as Atom, node }, 4), { op: 'link', from: ours.pid, to: target }]
}

const epmd = await startEpmd()
const channels: ChannelTranscript[] = []
for (const otp of releases) channels.push(await record(epmd, otp))
await epmd.close()

const about =
  'What real nodes send over a connection, frame by frame, without the lengths, and the signals that they are: terms as Erlang writes them, a name as name@@node. Each step goes on with the atom cache of those before it.'
const checked = 'test/dist/channel.test.ts replays it.'
const source = 'erl_dist_protocol, "Protocol between Connected Nodes". Recorded by interop/transcripts/channel.ts.'
const steps = (transcript: ChannelTranscript): string => transcript.steps.map(step => `        ${JSON.stringify(step)}`).join(',\n')
const text = channels.map(transcript => {
  const { steps: _, ...head } = transcript
  return `    ${JSON.stringify(head).slice(0, -1)},"steps":[\n${steps(transcript)}\n      ]}`
})
writeFileSync(
  new URL('../../spec/transcripts/channel.json', import.meta.url),
  `${JSON.stringify({ about, checked, source }, null, 2).slice(0, -2)},\n  "channels": [\n${text.join(',\n')}\n  ]\n}\n`,
)
process.exit()
