import type { Node, NodeProcess, Pid } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { genServer } from '../src/otp/index.js'
import { beamName, type Figure, inProcess } from './figure.js'
import { type Cost, growth } from './growth.js'
import type { Row } from './harness.js'
import { idle, settled, stop, used } from './rest.js'

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

const server = genServer({ init: () => null })

/** What `work` leaves behind, for each of n. What it returns is kept meanwhile. */
async function weigh<T>(node: Node, n: number, work: () => T | Promise<T>): Promise<[bytes: number, made: T]> {
  await settled(node)
  const before = await used()
  const made = await work()
  await settled(node)
  return [((await used()) - before) / n, made]
}

const waits = (node: Node): Pid =>
  node.spawn(async self => {
    await self.receive()
  })

const loops = (node: Node): Pid =>
  node.spawn(async self => {
    for await (const _ of self);
  })

const serves = async (node: Node): Promise<Pid> => (await node.start(server)).pid

async function processes(node: Node, n: number, start: (node: Node) => Pid | Promise<Pid>): Promise<number> {
  // What holds the pids is not what is asked for.
  const pids: (Pid | null)[] = Array.from({ length: n }, () => null)
  const [bytes] = await weigh(node, n, async () => {
    for (let i = 0; i < n; i++) {
      const made = start(node)
      pids[i] = made instanceof Promise ? await made : made
    }
  })
  await stop(node, pids as Pid[])
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
  await stop(node, pids)
  return bytes
}

export const processesFigure: Figure = {
  name: 'processes',
  about: 'what it weighs to be there, and how that grows: processes that wait for a message, a link, a monitor',

  async rows(stage) {
    const [beam, node] = [await stage.beam(erlang, ['+P', '2000000']), await stage.node()]
    const row = (name: string, fun: string, ours: Cost): Row =>
      growth({ name, unit: 'bytes', ours, peer: { name: beamName, cost: n => onBeam(beam, fun, n) } })
    return [
      row('processes that are closures', 'closures', n => processes(node, n, waits)),
      row('the same in for await', 'closures', n => processes(node, n, loops)),
      row('gen_servers', 'servers', n => processes(node, n, serves)),
      row('links', 'links', n => ties(node, n, (self, pid) => self.link(pid))),
      row('monitors', 'monitors', n => ties(node, n, (self, pid) => self.monitor(pid))),
    ]
  },
}

const onBeam = async (beam: Beam, fun: string, n: number): Promise<number> =>
  (await beam.eval(`processes:${fun}(N).`, { bindings: { N: n }, timeout: 120_000 })) as number
