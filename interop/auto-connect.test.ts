/**
 * kernel's dist_auto_connect, asked of real nodes and of Beamlet with the same questions: what does a node with that option do, and tell, when
 * its process sends, links, monitors … to a node that is not connected? Once the BEAM has the option and TypeScript is its peer, once the
 * other way round.
 */
import t, { type Test } from 'tap'
import {
  atom,
  equals,
  format,
  type Node,
  type NodeProcess,
  type Pid,
  type Reference,
  type Sendable,
  type Term,
  tuple,
} from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { eachOtp } from './support/each-otp.js'
import { evaluator, next, startNode } from './support/pair.js'

type Option = 'never' | 'once'

/** What a process may do to another node, and whether it is told that there is no connection */
const kinds = {
  send: false,
  send_to_name: false,
  exit: false,
  link: true,
  monitor: true,
  monitor_name: true,
  monitor_node: true,
  spawn_request: true,
} as const
type Kind = keyof typeof kinds

/** What came of it, in Erlang's words: was `noconnection` told, and is there a connection afterwards? */
const connected = 'nothing told, connected'
const refused = (kind: Kind): string => `${kinds[kind] ? 'noconnection' : 'nothing'} told, not connected`

/** One of two nodes, as the other's peer */
interface Side {
  /** Does it, and waits until a connection is up, or will not be. */
  attempt(kind: Kind): Promise<string>
  connect(): Promise<boolean>
  /** Resolves when neither has the connection any more. */
  disconnect(): Promise<void>
  /** The cookie for the other: what the other has, or not. */
  cookie(right: boolean): Promise<void>
}

const attempts = String.raw`
-module(attempts).
-export([idle/0, attempt/3, settled/1]).

idle() -> spawn(fun() -> process_flag(trap_exit, true), loop() end).
loop() -> receive _ -> loop() end.

attempt(Kind, Node, Pid) ->
    process_flag(trap_exit, true),
    ok = net_kernel:monitor_nodes(true, [{node_type, all}]),
    Told = act(Kind, Node, Pid),
    outcome(Told, Node, under_way(Node)).

%% Gives the function that knows the message by which it would be told, where there is such a message.
act(send, _, Pid) -> Pid ! hello, silent;
act(send_to_name, Node, _) -> {nobody, Node} ! hello, silent;
act(exit, _, Pid) -> exit(Pid, ended), silent;
act(link, _, Pid) -> link(Pid), fun({'EXIT', P, Why}) when P =:= Pid -> Why; (_) -> no end;
act(monitor, _, Pid) -> Ref = monitor(process, Pid), fun({'DOWN', R, process, P, Why}) when R =:= Ref, P =:= Pid -> Why; (_) -> no end;
act(monitor_name, Node, _) ->
    Ref = monitor(process, {nobody, Node}),
    fun({'DOWN', R, process, {nobody, N}, Why}) when R =:= Ref, N =:= Node -> Why; (_) -> no end;
act(monitor_node, Node, _) -> monitor_node(Node, true), fun({nodedown, N}) when N =:= Node -> noconnection; (_) -> no end;
act(spawn_request, Node, _) ->
    Ref = spawn_request(Node, erlang, self, [], []),
    fun({spawn_reply, R, error, Why}) when R =:= Ref -> Why; (_) -> no end.

%% net_kernel has seen to what the emulator asked of it before.
under_way(Node) ->
    _ = sys:get_state(net_kernel),
    case ets:lookup(sys_dist, Node) of [Entry] -> element(1, Entry) =:= connection; [] -> false end.

outcome(silent, Node, false) ->
    receive Message -> {told, Message} after 0 -> {nothing, lists:member(Node, nodes(connected))} end;
outcome(Told, Node, _) ->
    receive
        {nodeup, Node, _} -> {nothing, lists:member(Node, nodes(connected))};
        Message -> {case is_function(Told) of true -> Told(Message); false -> no end, lists:member(Node, nodes(connected))}
    end.

%% The loss of a connection is told before net_kernel has done with it.
settled(Node) -> case under_way(Node) of true -> erlang:yield(), settled(Node); false -> ok end.
`

t.test('dist_auto_connect', async t => {
  await eachOtp(t, async (t, { otp, start }) => {
    for (const option of ['never', 'once'] as const) {
      const args = ['-kernel', 'dist_auto_connect', option]
      const holder = await start({ code: attempts, args })
      const peer = await start({ cookie: holder.cookie, code: attempts })
      for (const beam of [holder, peer]) beam.expectLog(/Connection attempt (from|to) node/)

      await t.test(`dist_auto_connect ${option}, as OTP ${otp} has it`, t =>
        eachKind(async kind => {
          const node = await startNode(holder)
          const [ts, erlang] = await sides(node, holder)
          await asks(t, option, kind, erlang, ts)
          await node.close()
          await holder.waitForNode(node.name, 'down')
        }),
      )
      await t.test(`distAutoConnect '${option}', beside OTP ${otp}`, t =>
        eachKind(async kind => {
          const node = await startNode(peer, { distAutoConnect: option })
          const [ts, erlang] = await sides(node, peer)
          await asks(t, option, kind, ts, erlang)
          await node.close()
          await peer.waitForNode(node.name, 'down')
        }),
      )
    }
  })
})

async function eachKind(suite: (kind: Kind) => Promise<void>): Promise<void> {
  for (const kind of Object.keys(kinds) as Kind[]) await suite(kind)
}

/** The same for both: `holder` has the option. */
async function asks(t: Test, option: Option, kind: Kind, holder: Side, peer: Side): Promise<void> {
  const first = option === 'never' ? refused(kind) : connected
  if (kinds[kind]) {
    await holder.cookie(false)
    t.equal(await holder.attempt(kind), refused(kind), `${kind}: an attempt in vain, or none`)
    await holder.cookie(true)
  }
  t.equal(await holder.attempt(kind), first, `${kind} to a node that was never connected`)

  t.equal(await holder.connect(), true, 'it is connected now')
  await holder.disconnect()
  t.equal(await holder.attempt(kind), refused(kind), `${kind} after it disconnected`)

  t.equal(await holder.connect(), true, 'an explicit connect')
  await peer.disconnect()
  t.equal(await holder.attempt(kind), refused(kind), `${kind} after the peer disconnected`)

  t.equal(await peer.connect(), true, 'the peer connects')
  await peer.disconnect()
  t.equal(await holder.attempt(kind), refused(kind), `${kind} after what the peer made was lost`)

  await holder.cookie(false)
  t.equal(await holder.connect(), false, 'an explicit connect, in vain')
  await holder.cookie(true)
  t.equal(await holder.attempt(kind), first, `${kind} after an explicit connect in vain`)
}

/** The same as `attempts:attempt/3`: see there. */
function attemptHere(node: Node, kind: Kind, pid: Pid): Promise<string> {
  const peer = pid.node
  return node.run(async self => {
    self.trapExit = true
    const up = new Promise<null>(resolve => node.once('nodeup', () => resolve(null)))
    const expected = act(self, kind, pid)
    const underWay = node.stats().connecting[peer.name] !== undefined
    if (!expected && !underWay) return self.poll() === undefined ? 'nothing' : 'something'
    const message = await Promise.race(underWay ? [up, next(self)] : [next(self)])
    if (message === null) return 'nothing'
    return expected && equals(message, expected) ? 'noconnection' : format(message)
  })
}

/** Gives the message by which it would be told, where there is one. */
function act(self: NodeProcess, kind: Kind, pid: Pid): Sendable | undefined {
  const { node } = pid
  const noconnection = atom('noconnection')
  const down = (ref: Reference, what: Sendable): Sendable => tuple(atom('DOWN'), ref, atom('process'), what, noconnection)
  switch (kind) {
    case 'send':
      self.send(pid, 'hello')
      return undefined
    case 'send_to_name':
      self.send({ name: 'nobody', node: node.name }, 'hello')
      return undefined
    case 'exit':
      self.exit(pid, atom('ended'))
      return undefined
    case 'link':
      self.link(pid)
      return tuple(atom('EXIT'), pid, noconnection)
    case 'monitor':
      return down(self.monitor(pid), pid)
    case 'monitor_name':
      return down(self.monitor({ name: 'nobody', node: node.name }), tuple(atom('nobody'), node))
    case 'monitor_node':
      self.monitorNode(node.name, true)
      return tuple(atom('nodedown'), node)
    case 'spawn_request': {
      const ref = self.spawnRequest({ node, module: 'erlang', fun: 'self' })
      return tuple(atom('spawn_reply'), ref, atom('error'), noconnection)
    }
  }
}

/** The two ends: what each does to the other. */
async function sides(node: Node, beam: Beam): Promise<[ts: Side, erlang: Side]> {
  const evaluate = evaluator(beam, node)
  const theirs = (await evaluate('attempts:idle().')) as Pid
  const ours = node.spawn(async self => {
    self.trapExit = true
    for await (const _ of self);
  })
  const bothDown = async (): Promise<void> => {
    await beam.waitForNode(node.name, 'down')
    await evaluate('attempts:settled(Ts).')
    if (node.nodes('connected').length > 0) await new Promise<void>(resolve => node.once('nodedown', () => resolve()))
  }
  const bothUp = async (): Promise<void> => {
    await beam.waitForNode(node.name, 'up')
    if (node.nodes('connected').length === 0) await new Promise<void>(resolve => node.once('nodeup', () => resolve()))
  }
  const ts: Side = {
    attempt: async kind => {
      const told = await attemptHere(node, kind, theirs)
      const [name] = node.nodes('connected')
      if (name !== undefined) await bothUp()
      return `${told} told, ${name === beam.name ? 'connected' : 'not connected'}`
    },
    connect: async () => {
      const up = await node.connect(beam.name).then(
        () => true,
        () => false,
      )
      if (up) await bothUp()
      return up
    },
    disconnect: async () => {
      node.disconnect(beam.name)
      await bothDown()
    },
    cookie: async right => node.setCookie(beam.name, right ? beam.cookie : 'another'),
  }
  const erlang: Side = {
    attempt: async kind => {
      const result = await evaluate('attempts:attempt(Kind, Ts, Pid).', { Kind: atom(kind), Pid: ours })
      const [told, up] = (result as { elements: readonly Term[] }).elements
      if (up === true) await bothUp()
      return `${format(told as Term)} told, ${up === true ? 'connected' : 'not connected'}`
    },
    connect: async () => {
      const up = (await evaluate('net_kernel:connect_node(Ts).')) as boolean
      if (up) await bothUp()
      return up
    },
    disconnect: async () => {
      await evaluate('true = erlang:disconnect_node(Ts).')
      await bothDown()
    },
    cookie: async right => void (await evaluate('erlang:set_cookie(Ts, Cookie).', { Cookie: atom(right ? beam.cookie : 'another') })),
  }
  return [ts, erlang]
}
