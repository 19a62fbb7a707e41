import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { atom, type Node, type NodeProcess, type Pid } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { genServer } from '../src/otp/index.js'
import { beamName, type Figure, inProcess } from './figure.js'
import type { Measured, Row } from './harness.js'

const erlang = String.raw`
-module(processes).
-behaviour(gen_server).
-export([closures/1, servers/1, links/1, monitors/1, init/1, handle_call/3, handle_cast/2]).

closures(N) -> weigh(N, fun() -> spawn_many(N) end, fun stop/1).
servers(N) -> weigh(N, fun() -> [element(2, gen_server:start(?MODULE, [], [])) || _ <- lists:seq(1, N)] end, fun stop/1).
links(N) -> among(N, fun link/1, fun unlink/1).
monitors(N) -> among(N, fun(Pid) -> monitor(process, Pid) end, fun(_) -> ok end).

%% What the Erlang process itself holds, a list of pids say, is not what is asked for.
weigh(N, Work, Undo) ->
    Before = used(),
    Made = Work(),
    Bytes = (used() - Before) / N,
    Undo(Made),
    Bytes.

among(N, Tie, Untie) ->
    Pids = spawn_many(N),
    Bytes = weigh(N, fun() -> lists:foreach(Tie, Pids) end, fun(_) -> lists:foreach(Untie, Pids) end),
    stop(Pids),
    Bytes.

spawn_many(N) ->
    Pids = [spawn(fun idle/0) || _ <- lists:seq(1, N)],
    [{status, waiting} = wait(Pid) || Pid <- Pids],
    Pids.

stop(Pids) -> [exit(Pid, kill) || Pid <- Pids].

used() ->
    erlang:garbage_collect(),
    {total_heap_size, Words} = process_info(self(), total_heap_size),
    erlang:memory(processes_used) - Words * erlang:system_info(wordsize).

wait(Pid) ->
    case process_info(Pid, status) of
        {status, waiting} = Waiting -> Waiting;
        _ -> erlang:yield(), wait(Pid)
    end.

idle() -> receive stop -> ok end.

init(State) -> {ok, State}.
handle_call(_, _, State) -> {reply, ok, State}.
handle_cast(_, State) -> {noreply, State}.
`

/** So few that more does not change what each weighs */
const least = 20_000
/** Bytes: what shrinks by less is at rest. */
const steady = 100_000
const server = genServer({ init: () => null })
const kill = atom('kill')
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes of the heap, and of what it holds outside, which V8 gives back some time after the collection that found it unused. */
async function used(): Promise<number> {
  for (let before = Infinity; ;) {
    collect()
    await turn()
    const { heapUsed, external } = process.memoryUsage()
    if (heapUsed + external > before - steady) return heapUsed + external
    before = heapUsed + external
  }
}

async function settled(node: Node): Promise<void> {
  do await turn()
  while (node.stats().runQueue > 0)
}

/** What `work` leaves behind, for each of n. What it returns is kept meanwhile. */
async function weigh<T>(node: Node, n: number, work: () => T | Promise<T>): Promise<[bytes: number, made: T]> {
  await settled(node)
  const before = await used()
  const made = await work()
  await settled(node)
  return [((await used()) - before) / n, made]
}

const idle = (node: Node, n: number): Pid[] =>
  Array.from({ length: n }, () =>
    node.spawn(async self => {
      await self.receive()
    }),
  )

async function servers(node: Node, n: number): Promise<Pid[]> {
  const pids: Pid[] = []
  for (let i = 0; i < n; i++) pids.push((await node.start(server)).pid)
  return pids
}

async function closures(node: Node, n: number, spawn: (node: Node, n: number) => Pid[] | Promise<Pid[]>): Promise<number> {
  const [bytes, pids] = await weigh(node, n, () => spawn(node, n))
  for (const pid of pids) node.exit(pid, kill)
  await settled(node)
  return bytes
}

/** What it weighs that one process is tied to n others */
async function ties(node: Node, n: number, tie: (self: NodeProcess, pid: Pid) => unknown): Promise<number> {
  const pids = idle(node, n)
  const bytes = await inProcess(node, async self => {
    const [each] = await weigh(node, n, () => {
      for (const pid of pids) tie(self, pid)
    })
    for (const pid of pids) self.unlink(pid)
    return each
  })
  for (const pid of pids) node.exit(pid, kill)
  await settled(node)
  return bytes
}

/** As many each time: what is asked is no time. */
const contender = (name: string, bytes: (n: number) => Promise<number>) => ({
  name,
  run: async (n: number): Promise<Measured> => ({ ms: Infinity, value: await bytes(Math.max(n, least)) }),
})

export const processesFigure: Figure = {
  name: 'processes',
  about: 'what it weighs to be there: processes that wait for a message, a link, a monitor',

  async rows(stage) {
    const [beam, node] = [await stage.beam(erlang, ['+P', '2000000']), await stage.node()]
    const row = (name: string, size: number, fun: string, bytes: (n: number) => Promise<number>): Row => ({
      name,
      unit: 'bytes',
      better: 'less',
      size,
      rounds: 3,
      ours: contender('Beamlet', bytes),
      peers: [contender(beamName, n => onBeam(beam, fun, n))],
    })
    return [
      row('a process that is a closure', 200_000, 'closures', n => closures(node, n, idle)),
      row('a gen_server', 200_000, 'servers', n => closures(node, n, servers)),
      row('a link', 200_000, 'links', n => ties(node, n, (self, pid) => self.link(pid))),
      row('a monitor', 200_000, 'monitors', n => ties(node, n, (self, pid) => self.monitor(pid))),
    ]
  },
}

const onBeam = async (beam: Beam, fun: string, n: number): Promise<number> =>
  (await beam.eval(`processes:${fun}(N).`, { bindings: { N: n }, timeout: 60_000 })) as number
