import { pid } from 'node:process'
import type { ChildProcess } from 'node:child_process'
import { setImmediate as turn } from 'node:timers/promises'
import type { Node } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { ask, startProgram } from './programs.js'
import { beamName, type Figure } from './figure.js'
import { growth } from './growth.js'
import { type Contender, median, type Row } from './harness.js'
import { residentMemory } from './os-process.js'
import { settled, used } from './rest.js'

const counts = [10, 20, 50, 100, 200] as const
const tries = 5

const erlang = String.raw`
-module(connections).
-export([connect/1, disconnect/1, used/0, timed/1]).

%% All at once
connect(Names) ->
    Refs = [spawn_monitor(fun() -> true = net_kernel:connect_node(binary_to_atom(Name)) end) || Name <- Names],
    [receive {'DOWN', Ref, process, Pid, normal} -> ok end || {Pid, Ref} <- Refs],
    ok.

timed(Names) ->
    Start = erlang:monotonic_time(nanosecond),
    connect(Names),
    erlang:monotonic_time(nanosecond) - Start.

disconnect(Names) ->
    ok = net_kernel:monitor_nodes(true, [{node_type, all}]),
    Nodes = [binary_to_atom(Name) || Name <- Names],
    [true = erlang:disconnect_node(Node) || Node <- Nodes],
    [receive {nodedown, Node, _} -> ok end || Node <- Nodes],
    net_kernel:monitor_nodes(false, [{node_type, all}]).

used() -> [erlang:garbage_collect(Pid) || Pid <- processes()], erlang:memory(total).
`

const program = new URL('./placed/peers.mjs', import.meta.url)

/** Beamlet nodes in an OS process of their own, to which both connect */
class Peers {
  readonly #child: ChildProcess

  constructor(child: ChildProcess) {
    this.#child = child
  }

  /** The names of so many */
  async names(count: number): Promise<readonly string[]> {
    return (await ask(this.#child, { count })) as string[]
  }

  /** Resolves when none of them has a connection. */
  async quiet(): Promise<void> {
    await ask(this.#child, { quiet: true })
  }
}

/** Who connects to them */
interface Side {
  readonly name: string
  /** Its OS process */
  readonly pid: number
  /** @returns milliseconds until all are up */
  connect(names: readonly string[]): Promise<number>
  disconnect(names: readonly string[]): Promise<unknown>
  /** Bytes */
  used(): Promise<number>
}

const nodeSide = (node: Node): Side => ({
  name: 'Beamlet',
  pid,
  async connect(names) {
    const start = performance.now()
    await Promise.all(names.map(name => node.connect(name)))
    return performance.now() - start
  },
  async disconnect(names) {
    for (const name of names) node.disconnect(name)
    while (node.nodes('connected').length > 0) await turn()
  },
  async used() {
    await settled(node)
    return used()
  },
})

const beamSide = (beam: Beam): Side => ({
  name: beamName,
  pid: beam.pid,
  connect: async names => ((await evaluate(beam, 'connections:timed(Names).', names)) as number) / 1e6,
  disconnect: names => evaluate(beam, 'connections:disconnect(Names).', names),
  used: async () => (await beam.eval('connections:used().')) as number,
})

const evaluate = (beam: Beam, source: string, names: readonly string[]) =>
  beam.eval(source, { bindings: { Names: names }, timeout: 60_000 })

export const connections: Figure = {
  name: 'connections',
  about: 'connections to so many Beamlet nodes of another OS process, made at once: what they weigh, how long they take, and how both grow',

  async rows(stage) {
    // What one of them still has to say to another, when the connection goes, must not make the next.
    const [beam, node] = [
      await stage.beam(erlang, ['-kernel', 'dist_auto_connect', 'never']),
      await stage.node({ distAutoConnect: 'never' }),
    ]
    const [child] = await startProgram(stage, program, [beam.cookie])
    const peers = new Peers(child)
    const sides = [nodeSide(node), beamSide(beam)] as const

    /** Whatever `work` does with so many connections, it is alone with them. */
    const among = async <T>(side: Side, n: number, work: (names: readonly string[]) => Promise<T>): Promise<T> => {
      const names = await peers.names(n)
      try {
        return await work(names)
      } finally {
        await side.disconnect(names)
        await peers.quiet()
      }
    }
    const bytes = (side: Side, n: number): Promise<number> =>
      among(side, n, async names => {
        const before = await side.used()
        await side.connect(names)
        return ((await side.used()) - before) / n
      })
    const time = async (side: Side, n: number): Promise<number> => {
      const took: number[] = []
      for (let i = 0; i < tries; i++) took.push(await among(side, n, names => side.connect(names)))
      return (median(took) * 1e6) / n
    }
    // What a first connection loads is no other one's.
    for (const side of sides) await bytes(side, 1)

    const resident = (side: Side): Contender => ({
      name: side.name,
      run: n =>
        among(side, n, async names => {
          await side.used()
          const before = residentMemory(side.pid)
          const ms = await side.connect(names)
          // Less than a byte each is nothing, which has no ratio.
          return { ms, value: Math.max((residentMemory(side.pid) - before) / n, 1) }
        }),
    })
    const [ours, theirs] = sides
    const row = (name: string, unit: 'bytes' | 'ns', cost: (side: Side, n: number) => Promise<number>): Row =>
      growth({ name, unit, counts, ours: n => cost(ours, n), peer: { name: theirs.name, cost: n => cost(theirs, n) } })
    return [
      // First, for a system gives to a program what the program has given back.
      {
        name: 'resident memory',
        unit: 'bytes each',
        better: 'less',
        size: 200,
        rounds: 1,
        ours: resident(ours),
        peers: [resident(theirs)],
      },
      row('what they weigh', 'bytes', bytes),
      row('how long they take', 'ns', time),
    ]
  },
}
