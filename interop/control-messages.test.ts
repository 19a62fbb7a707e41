/**
 * Every control message of spec/control-messages.json, said to real nodes and heard from them. A connection of its own for each set of flags
 * makes both sides use the newer or the older form of what has several.
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { abilitiesOf } from '../src/dist/abilities.js'
import { ChannelDecoder, PASS_THROUGH } from '../src/dist/channel-decoder.js'
import { encodeControl } from '../src/dist/control-encode.js'
import { flags, offeredFlags } from '../src/dist/flags.js'
import { whole } from '../src/dist/frames.js'
import type { LocalEnd } from '../src/dist/peer.js'
import { type Signal, TermPayload } from '../src/dist/signal.js'
import { atom, type Atom, format, Pid, Reference, type Sendable, type Term, Tuple, tuple } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import type { Connection } from '../src/net/connection.js'
import { dial } from '../src/net/dial.js'
import { lookup } from '../src/net/epmd-client.js'
import { register } from '../src/net/epmd-registration.js'
import { listen } from '../src/net/listener.js'
import { eachOtp } from './support/each-otp.js'
import { patience } from './support/pair.js'

const { messages } = JSON.parse(readFileSync('spec/control-messages.json', 'utf8')) as { messages: { code: number; name: string }[] }
const nameOf = new Map(messages.map(({ code, name }) => [code, name]))

/** Sends and traps, and keeps what it receives with the trace token that came with it. */
const code = String.raw`
-module(speaker).
-export([start/0, tell/2, heard/1, target/2]).

start() -> spawn(fun() -> process_flag(trap_exit, true), loop([]) end).

loop(Heard) ->
    receive
        {do, From, Fun} -> seq_trace:set_token([]), From ! {done, Fun()}, loop(Heard);
        {heard, From} when Heard =/= [] -> From ! {heard, lists:reverse(Heard)}, loop([]);
        Message when not is_tuple(Message); element(1, Message) =/= heard -> loop([{Message, seq_trace:get_token()} | Heard])
    end.

tell(Pid, Fun) -> Pid ! {do, self(), Fun}, receive {done, Value} -> Value end.

heard(Pid) -> Pid ! {heard, self()}, receive {heard, List} -> List end.

%% A process that links itself and exits when it is told.
target(Ts, Token) -> spawn(fun() -> seq_trace:set_token(Token), link(Ts), receive go -> exit(bye) end end).
`

/** No headers: the code of a control message then stands at one place. */
const newer = offeredFlags({ visible: false }) & ~(flags.DIST_HDR_ATOM_CACHE | flags.FRAGMENTS)
/** As before OTP 21: reasons in the control message, and no senders; and as before OTP 28. */
const older = newer & ~(flags.EXIT_PAYLOAD | flags.SEND_SENDER | flags.ALTACT_SIG)

t.test('control messages', async t => {
  await eachOtp(t, async (t, { otp, start }) => {
    const beam = await start({ code })
    const said = new Set<string>()
    const heard = new Set<string>()
    for (const [title, offered, open] of [
      ['the newer forms, over a connection that TypeScript dialled', newer, Line.dial],
      ['the newer forms, over one that the BEAM dialled', newer, Line.accept],
      ['the older forms, over a connection that TypeScript dialled', older, Line.dial],
      ['the older forms, over one that the BEAM dialled', older, Line.accept],
    ] as const) {
      await t.test(title, async t => {
        const frames = t.capture(ChannelDecoder.prototype, 'decode', ChannelDecoder.prototype.decode)
        await using line = await open(beam, offered)
        await weSay(t, line)
        await theySay(t, line)
        t.equal(line.reason, null, 'nobody closed the connection')
        for (const name of line.said) said.add(name)
        for (const { args } of frames()) heard.add(nameIn(whole(args[0])))
      })
    }
    // UNLINK is gone: OTP 25 would say it to a node without UNLINK_ID, which no node is any more.
    const all = messages.map(({ name }) => name).filter(name => name !== 'UNLINK' && (name !== 'ALTACT_SIG_SEND' || otp >= 28))
    t.strictSame([...said].sort(), [...all].sort(), 'every row was said')
    const silent = new Set(['EXIT2_TT', 'PAYLOAD_EXIT2_TT'])
    t.strictSame([...heard].sort(), all.filter(name => !silent.has(name)).sort(), 'every row was heard, but for what no BEAM says')
  })
})

/** 112 131, then the tuple: 104 Arity 97 Code */
function nameIn(frame: Uint8Array): string {
  const [form, , tuple, , small, code] = frame
  if (form !== PASS_THROUGH || tuple !== 104 || small !== 97) throw new Error(`a frame of another form: ${frame.join(' ')}`)
  return nameOf.get(code as number) ?? `unknown ${code}`
}

const message = atom('hello')
const payload = (term: Term): TermPayload => new TermPayload(term)
const none: Term = []

/** Each form goes to a process of the BEAM that keeps what it gets, with the token; or has an effect that the BEAM tells. */
async function weSay(t: Test, line: Line): Promise<void> {
  const { pid } = line
  const token = tuple(0, atom('label'), 5, pid, 4) as Term
  const to = (await line.evaluate('speaker:start().')) as Pid
  const exit = (reason: Term): Term => tuple(atom('EXIT'), pid, reason) as Term
  const arrived = async (what: string, ...expected: [message: Term, token: Term][]): Promise<void> => {
    const got = await line.evaluate('speaker:heard(To).', { To: to })
    t.equal(format(got), format(expected.map(([message, token]) => tuple(message, token)) as unknown as Term), what)
  }
  const alias = (await line.evaluate('speaker:tell(To, fun() -> alias() end).', { To: to })) as Reference
  await line.evaluate('speaker:tell(To, fun() -> catch unregister(speaker), register(speaker, self()) end).', { To: to })

  for (const traced of [undefined, token]) {
    const kind = traced ? 'with a token' : 'without a token'
    const extra = traced && { token: traced }
    await t.test(kind, async t => {
      const targets = [to, alias, { name: atom('speaker') as Atom, node: line.connection.peer.name }]
      for (const [n, target] of targets.entries()) {
        line.say({ op: 'send', from: pid, to: target, message: payload(n), ...extra })
        await arrived(`a message to ${['a pid', 'an alias', 'a name'][n]}`, [n, traced ?? none])
      }
      line.say({ op: 'send', from: null, to, message: payload(message), ...extra })
      await arrived('a message without a sender', [message, traced ?? none])
      line.say({ op: 'exit', from: pid, to, reason: payload(atom('bye')), ...extra })
      await arrived('an exit signal', [exit(atom('bye')), traced ?? none])
      line.say({ op: 'link', from: pid, to })
      line.say({ op: 'linkExit', from: pid, to, reason: payload(atom('end')), ...extra })
      await arrived('the exit of a link', [exit(atom('end')), traced ?? none])

      const ref = line.ref()
      const spawn = { op: 'spawnRequest', ref, from: pid, to: line.connection.peer.name, groupLeader: pid, module: atom('erlang') } as const
      line.say({ ...spawn, fun: atom('node') as Atom, arity: 0, options: [], args: payload([]), ...extra })
      const reply = await line.hear('spawnReply')
      t.ok(reply.result instanceof Pid && reply.ref.words[0] === ref.words[0], 'a spawn request')
      t.equal(format((reply.token as Term) ?? none), format(traced ? tuple(0, atom('label'), 5, reply.result, 4) : none))

      const asked = line.evaluate('speaker:tell(To, fun() -> spawn_request(Node, m, f, []) end).', { To: to, Node: line.connection.self })
      const request = await line.hear('spawnRequest')
      await asked
      line.say({ op: 'spawnReply', ref: request.ref, to: request.from, link: false, monitor: false, result: pid, ...extra })
      await arrived('a spawn reply', [tuple(atom('spawn_reply'), request.ref, atom('ok'), pid) as Term, traced ?? none])
    })
  }

  await t.test('monitors, unlinks and a group leader', async t => {
    const ref = line.ref()
    const watchers = (): Promise<Term> => line.evaluate('element(2, process_info(To, monitored_by)).', { To: to })
    line.say({ op: 'monitor', from: pid, to, ref })
    await line.settled()
    t.equal(format(await watchers()), format([pid]))
    line.say({ op: 'demonitor', from: pid, to, ref })
    await line.settled()
    t.equal(format(await watchers()), '[]')

    const monitored = line.evaluate('speaker:tell(To, fun() -> monitor(process, Pid) end).', { To: to, Pid: pid })
    const monitor = await line.hear('monitor')
    await monitored
    line.say({ op: 'down', from: pid, to, ref: monitor.ref, reason: payload(atom('gone')) })
    await arrived('DOWN', [tuple(atom('DOWN'), monitor.ref, atom('process'), pid, atom('gone')) as Term, none])

    line.say({ op: 'groupLeader', from: pid, to })
    await line.settled()
    t.equal(format(await line.evaluate('element(2, process_info(To, group_leader)).', { To: to })), format(pid))

    line.say({ op: 'link', from: pid, to })
    line.say({ op: 'unlink', id: 2n ** 63n, from: pid, to })
    t.match(await line.hear('unlinkAck'), { id: 2n ** 63n, from: to, to: pid })
    t.equal(format(await line.evaluate('element(2, process_info(To, links)).', { To: to })), '[]')
    await line.evaluate('speaker:tell(To, fun() -> link(Pid), unlink(Pid) end).', { To: to, Pid: pid })
    const { id } = await line.hear('unlink')
    line.say({ op: 'unlinkAck', id, from: pid, to })
  })

  if (line.has(flags.ALTACT_SIG)) {
    await t.test('with priority', async () => {
      const urgent = (await line.evaluate('speaker:tell(To, fun() -> alias([priority]) end).', { To: to })) as Reference
      for (const traced of [undefined, token]) {
        const extra = traced && { token: traced }
        line.say({ op: 'send', from: pid, to: urgent, message: payload(1), priority: true, ...extra })
        line.say({ op: 'exit', from: pid, to: urgent, reason: payload(atom('bye')), priority: true, ...extra })
        line.say({ op: 'send', from: pid, to, message: payload(2), priority: true, ...extra })
        await line.settled()
        await arrived('a message and an exit signal', [1, traced ?? none], [exit(atom('bye')), traced ?? none], [2, traced ?? none])
      }
    })
  }
}

/** The BEAM says each of them: what comes is what it said. */
async function theySay(t: Test, line: Line): Promise<void> {
  const { pid } = line
  const alias = line.ref()
  const bindings = { Pid: pid, Alias: alias, Ts: line.connection.self }
  const say = (source: string): Promise<Term> => line.evaluate(`seq_trace:set_token([]), ${source}`, bindings)
  for (const trace of ['', 'seq_trace:set_token(label, label),']) {
    const tokenOf = ({ token }: { token?: Term }): string => (token instanceof Tuple ? format(token.elements[1] as Term) : 'none')
    const label = trace ? 'label' : 'none'
    await t.test(trace ? 'they say it with a token' : 'they say it without a token', async t => {
      for (const target of ['Pid', 'Alias', '{name, Ts}']) {
        await say(`${trace} ${target} ! hello.`)
        const signal = await line.hear('send')
        t.strictSame([signal.message.read(), tokenOf(signal)], [message, label], `a message to ${target}`)
      }
      await say(`${trace} exit(Pid, bye).`)
      const exit = await line.hear('exit')
      t.strictSame([exit.reason.read(), exit.token, exit.to], [atom('bye'), undefined, pid], 'exit/2 carries no token')

      await say(`Target = speaker:target(Pid, begin ${trace} seq_trace:get_token() end), Target ! go.`)
      const link = await line.hear('link')
      const broken = await line.hear('linkExit')
      t.strictSame([broken.reason.read(), broken.from], [atom('bye'), link.from], 'a link that breaks')
      t.equal(tokenOf(broken), label)

      await say(`${trace} spawn_request(Ts, m, f, [1], [link, {priority, high}]).`)
      const request = await line.hear('spawnRequest')
      t.match(request, { module: atom('m'), fun: atom('f'), arity: 1 }, 'a spawn request')
      t.strictSame([request.args.read(), tokenOf(request)], [[1], label])
      t.equal(format(request.options), '[link,{priority,high}]')
    })
  }
  await t.test('they monitor, exit and set a group leader', async t => {
    await say('Ref = monitor(process, Pid), demonitor(Ref).')
    const monitor = await line.hear('monitor')
    t.match(await line.hear('demonitor'), { ref: monitor.ref, from: monitor.from, to: pid })
    await say('monitor(process, {name, Ts}).')
    t.match((await line.hear('monitor')).to, { name: atom('name'), node: line.connection.self })
    await say('group_leader(self(), Pid).')
    t.strictSame((await line.hear('groupLeader')).to, pid)
    const target = (await say('spawn(fun() -> receive go -> exit(bye) end end).')) as Pid
    const ref = line.ref()
    line.say({ op: 'monitor', from: pid, to: target, ref })
    line.say({ op: 'send', from: pid, to: target, message: payload(atom('go')) })
    const down = await line.hear('down')
    t.strictSame([down.reason.read(), down.from], [atom('bye'), target])
  })
  if (line.has(flags.ALTACT_SIG)) {
    await t.test('they give priority', async t => {
      for (const target of ['Pid', 'Alias', '{name, Ts}']) {
        await say(`erlang:send(${target}, hello, [priority]).`)
        const signal = await line.hear('send')
        t.strictSame([signal.message.read(), signal.priority], [message, true], `a message to ${target}`)
      }
      for (const target of ['Pid', 'Alias']) {
        await say(`erlang:exit(${target}, bye, [priority]).`)
        const signal = await line.hear('exit')
        t.strictSame([signal.reason.read(), signal.priority], [atom('bye'), true], `an exit signal to ${target}`)
      }
    })
  }
}

let lines = 0

const newEnd = (offered: bigint): LocalEnd => ({
  name: atom(`line-${process.pid}-${++lines}@127.0.0.1`) as Atom,
  creation: 1000 + lines,
  flags: offered,
})

/** One connection, with no node behind it. */
class Line implements AsyncDisposable {
  readonly beam: Beam
  readonly connection: Connection
  /** Stands for a process of ours */
  readonly pid: Pid
  readonly said = new Set<string>()
  reason: string | null = null
  readonly #signals: Signal[] = []
  readonly #arrived = new EventTarget()
  #refs = 0

  private constructor(beam: Beam, connection: Connection) {
    this.beam = beam
    this.connection = connection
    this.pid = new Pid(connection.self, 64, 0, connection.selfCreation)
    connection.attach({
      signal: signal => {
        this.#signals.push(signal)
        this.#arrived.dispatchEvent(new Event('signal'))
      },
      closed: (_, { reason }) => (this.reason = reason),
    })
  }

  static async dial(this: void, beam: Beam, offered: bigint): Promise<Line> {
    const [alive = '', host = ''] = beam.name.split('@')
    const { port } = await lookup(alive, host)
    const self = newEnd(offered)
    const line = new Line(beam, await dial({ host, port, self, peer: atom(beam.name) as Atom, cookie: beam.cookie }))
    await beam.waitForNode(self.name.name, 'up')
    return line
  }

  static async accept(this: void, beam: Beam, offered: bigint): Promise<Line> {
    const self = newEnd(offered)
    let accepted: (connection: Connection) => void = () => {}
    let failed: (error: Error) => void = () => {}
    const connection = new Promise<Connection>((resolve, reject) => {
      accepted = resolve
      failed = reject
    })
    const ends = { host: '127.0.0.1', self: () => self, cookieFor: () => beam.cookie, status: () => 'ok' as const }
    await using listener = await listen({ ...ends, connection: accepted, failed })
    await using registration = await register({ name: self.name.name.split('@')[0] as string, port: listener.port, hidden: true })
    const connected = beam.eval('net_kernel:connect_node(Line).', { bindings: { Line: self.name } })
    const line = new Line(beam, await connection)
    if ((await connected) !== true) throw new Error(`${beam.name} did not connect to ${registration.name}`)
    return line
  }

  has(flag: bigint): boolean {
    return (this.connection.peer.flags & flag) !== 0n
  }

  ref(): Reference {
    return new Reference(this.connection.self, this.connection.selfCreation, [++this.#refs, 0, 0])
  }

  evaluate(source: string, bindings?: Readonly<Record<string, Sendable>>): Promise<Term> {
    return this.beam.eval(source, { bindings, timeout: patience })
  }

  say(signal: Signal): void {
    const { peer, self } = this.connection
    const outgoing = encodeControl(signal, abilitiesOf(peer.flags), { self, peer: peer.name })
    if (!outgoing) throw new Error(`${signal.op} has no form for these flags`)
    this.said.add(nameOf.get(outgoing.control.elements[0] as number) as string)
    this.connection.send(signal)
  }

  /** The first signal with that op; those before it are forgotten. */
  async hear<O extends Signal['op']>(op: O): Promise<Extract<Signal, { op: O }>> {
    const signal = AbortSignal.timeout(patience)
    for (;;) {
      const next = this.#signals.shift()
      if (next?.op === op) return next as Extract<Signal, { op: O }>
      if (!next) await once(this.#arrived, 'signal', { signal })
    }
  }

  /** Resolves when the BEAM has taken all that was said so far: it answers a monitor of what is not there. */
  async settled(): Promise<void> {
    const { connection, pid } = this
    const ref = this.ref()
    connection.send({ op: 'monitor', from: pid, to: { name: atom('nobody') as Atom, node: connection.peer.name }, ref })
    await this.hear('down')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.connection.close()
    await this.beam.waitForNode(this.connection.self.name, 'down')
  }
}
