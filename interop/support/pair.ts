/** A TypeScript node and a BEAM node that are connected, whichever of them dialled. */
import type { Test } from 'tap'
import {
  any,
  atom,
  match,
  Node,
  type NodeOptions,
  type NodeProcess,
  type Pid,
  type Reference,
  type Sendable,
  type Term,
  type Tuple,
  tuple,
} from '../../src/index.js'
import type { Beam } from '../../src/interop/index.js'

export interface Pair {
  readonly beam: Beam
  readonly node: Node
  /** `beam.eval` with `Ts` bound to the TypeScript node's name */
  evaluate(source: string, bindings?: Readonly<Record<string, Sendable>>): Promise<Term>
}

/**
 * A process of the BEAM that does what it is told, so that a test can have it link, monitor and exit, and look at it afterwards. Every
 * other message waits until it is asked for with `actor:next()`.
 */
export const actor = String.raw`
-module(actor).
-export([start/0, start_trapping/0, loop/0, next/0]).

start() -> spawn(fun loop/0).

start_trapping() -> spawn(fun() -> process_flag(trap_exit, true), loop() end).

loop() ->
    receive {actor, From, Ref, Module, Function, Args} -> From ! {Ref, apply(Module, Function, Args)} end,
    ?MODULE:loop().

next() -> receive Message when not is_tuple(Message); tuple_size(Message) =/= 6 -> Message end.
`

let started = 0

/** A node of a name of its own. It is hidden, so that nothing goes between it and others but what a test has them say. */
export const startNode = (beam: Beam, options: Partial<NodeOptions> = {}): Promise<Node> =>
  Node.start({ name: `ts-${process.pid}-${++started}@127.0.0.1`, cookie: beam.cookie, hidden: true, ...options })

export const evaluator =
  (beam: Beam, node: Node): Pair['evaluate'] =>
  (source, bindings) =>
    beam.eval(source, { bindings: { Ts: atom(node.name), ...bindings } })

/**
 * Runs a suite twice, over a new connection: TypeScript dials, then the BEAM does. No fault may be found in what the BEAM said.
 *
 * @param of the BEAM node, or how to start one for each time
 * @param options of the TypeScript node, or how to make them each time: a name must be another then, for the BEAM may not have seen the first one go
 */
export async function eachWay(
  t: Test,
  of: Beam | (() => Promise<Beam>),
  suite: (t: Test, pair: Pair) => Promise<void>,
  options: Partial<NodeOptions> | (() => Partial<NodeOptions>) = {},
): Promise<void> {
  for (const who of ['TypeScript', 'the BEAM'] as const) {
    await t.test(`${who} dials`, async t => {
      const beam = typeof of === 'function' ? await of() : of
      await using node = await startNode(beam, typeof options === 'function' ? options() : options)
      const faults: string[] = []
      node.on('protocol', (_, { error }) => faults.push(error.message))
      node.on('error', error => faults.push(error.message))
      const evaluate = evaluator(beam, node)
      if (who === 'TypeScript') await node.connect(beam.name)
      else t.equal(await evaluate('net_kernel:connect_node(Ts).'), true)
      await beam.waitForNode(node.name, 'up')
      await suite(t, { beam, node, evaluate })
      t.strictSame(faults, [], 'nobody broke the protocol')
    })
  }
}

/** Milliseconds after which a message that never comes fails the test */
export const patience = 60_000

/** The next message, whatever it is. */
export const next = (self: NodeProcess): Promise<Term> => self.receive(undefined, { timeout: patience })

/** Has the actor call a function; its value comes as a message `{Ref, Value}`. */
export function order(self: NodeProcess, actor: Pid, module: string, fun: string, ...args: Sendable[]): Reference {
  const ref = self.makeRef()
  self.send(actor, tuple(atom('actor'), self.pid, ref, atom(module), atom(fun), args))
  return ref
}

/** Has the actor call a function; resolves to its value. All that `self` said to it before has arrived by then, and what it answered, too. */
export async function tell(self: NodeProcess, actor: Pid, module: string, fun: string, ...args: Sendable[]): Promise<Term> {
  const ref = order(self, actor, module, fun, ...args)
  const answer = await self.receive(match([ref, any]), { timeout: patience })
  return answer.elements[1]
}

/** The actor's next message. */
export const heard = (self: NodeProcess, actor: Pid): Promise<Term> => tell(self, actor, 'actor', 'next')

/** What `process_info` says of the actor: `links`, `monitors` … */
export async function info(self: NodeProcess, actor: Pid, item: string): Promise<Term> {
  const answer = (await tell(self, actor, 'erlang', 'process_info', actor, atom(item))) as Tuple
  return answer.elements[1]
}

/** A DOWN message about a process, or about a name `{Name, Node}`. */
export const down = (ref: Reference, what: Sendable, reason: Sendable): Term =>
  tuple(atom('DOWN'), ref, atom('process'), what, reason) as Term
