import { any, atom, match, type Node, type NodeProcess, type Pid, type Reference, type Term, type Tuple, tuple } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { beamName, type Figure, inProcess } from './figure.js'
import { growth } from './growth.js'
import { median } from './harness.js'
import { collect, idle, settled, stop } from './rest.js'

/** What one of n costs is the median of so many: neither a hiccup of the machine nor a lucky moment is a cost. */
const tries = 5

const erlang = String.raw`
-module(slopes).
-export([run/2]).

%% The median of several: nanoseconds for each of N
run(What, N) -> lists:nth(${(tries + 1) / 2}, lists:sort([in_process(What, N) || _ <- lists:seq(1, ${tries})])) / N.

%% Each time in a process of its own, so that no run pays for what another left behind.
in_process(What, N) ->
    Self = self(),
    {Pid, Ref} = spawn_monitor(fun() -> Self ! {self(), once(What, N)} end),
    Took = receive {Pid, T} -> T end,
    receive {'DOWN', Ref, process, Pid, normal} -> Took end.

once(spawns, N) ->
    Self = self(),
    {Took, Pids} = timed(fun() ->
        Pids = [spawn(fun() -> Self ! ready, idle() end) || _ <- lists:seq(1, N)],
        [receive ready -> ok end || _ <- Pids],
        Pids
    end),
    stop(Pids),
    Took;
once(links, N) -> among(N, fun(Pids) -> lists:foreach(fun link/1, Pids), arrived(Pids) end);
once(monitors, N) -> among(N, fun(Pids) -> lists:foreach(fun(Pid) -> monitor(process, Pid) end, Pids), arrived(Pids) end);
once(downs, N) ->
    Pids = [element(1, spawn_monitor(fun idle/0)) || _ <- lists:seq(1, N)],
    element(1, timed(fun() -> [exit(Pid, boom) || Pid <- Pids], [receive {'DOWN', _, process, _, boom} -> ok end || _ <- Pids] end));
once(messages, N) ->
    element(1, timed(fun() -> fill(N), [receive _ -> ok end || _ <- lists:seq(1, N)] end));
once(size, N) ->
    List = lists:seq(1, N),
    Taker = spawn_link(fun() -> receive {From, Copy} when is_list(Copy) -> From ! here end end),
    element(1, timed(fun() -> Taker ! {self(), List}, receive here -> ok end end));
once(selective, N) ->
    %% As OTP advises for long queues. Elsewhere each collection would look at all that wait, and the whole be quadratic.
    process_flag(message_queue_data, off_heap),
    Echo = spawn_link(fun echo/0),
    fill(N),
    {Took, _} = timed(fun() -> calls(Echo, N) end),
    unlink(Echo),
    exit(Echo, kill),
    Took.

%% They have it when they say so.
arrived(Pids) -> lists:foreach(fun is_process_alive/1, Pids).

among(N, Work) ->
    Pids = [spawn(fun idle/0) || _ <- lists:seq(1, N)],
    arrived(Pids),
    {Took, _} = timed(fun() -> Work(Pids) end),
    lists:foreach(fun unlink/1, Pids),
    stop(Pids),
    Took.

calls(_, 0) -> ok;
calls(Echo, N) ->
    Ref = make_ref(),
    Echo ! {self(), Ref},
    receive {Ref, here} -> calls(Echo, N - 1) end.

echo() -> receive {From, Ref} -> From ! {Ref, here}, echo() end.

fill(0) -> ok;
fill(N) -> self() ! N, fill(N - 1).

stop(Pids) ->
    Refs = [monitor(process, Pid) || Pid <- Pids],
    [exit(Pid, kill) || Pid <- Pids],
    %% In any order, or each would be looked for among all others.
    [receive {'DOWN', _, process, _, _} -> ok end || _ <- Refs].

idle() -> receive stop -> ok end.

timed(Work) ->
    Start = erlang:monotonic_time(nanosecond),
    Result = Work(),
    {erlang:monotonic_time(nanosecond) - Start, Result}.
`

const [ready, boom, here] = [atom('ready'), atom('boom'), atom('here')]

/** Milliseconds for all n */
type Run = (node: Node, self: NodeProcess, n: number) => Promise<number>

const timed = async (work: () => unknown): Promise<number> => {
  const start = performance.now()
  await work()
  return performance.now() - start
}

async function received(self: NodeProcess, n: number): Promise<void> {
  for (let i = 0; i < n; i++) await self.receive()
}

function fill(self: NodeProcess, n: number): void {
  for (let i = 0; i < n; i++) self.send(self.pid, i)
}

const spawns: Run = async (node, self, n) => {
  const pids: Pid[] = []
  const took = await timed(async () => {
    for (let i = 0; i < n; i++) {
      const pid = self.spawn(async child => {
        child.send(self.pid, ready)
        await child.receive()
      })
      pids.push(pid)
    }
    await received(self, n)
  })
  await stop(node, pids)
  return took
}

const among =
  (tie: (self: NodeProcess, pid: Pid) => unknown): Run =>
  async (node, self, n) => {
    const pids = idle(node, n)
    await settled(node)
    const took = await timed(() => {
      for (const pid of pids) tie(self, pid)
    })
    for (const pid of pids) self.unlink(pid)
    await stop(node, pids)
    return took
  }

const downs: Run = async (node, self, n) => {
  const pids = idle(node, n)
  await settled(node)
  for (const pid of pids) self.monitor(pid)
  return timed(async () => {
    for (const pid of pids) self.exit(pid, boom)
    await received(self, n)
  })
}

const messages: Run = async (_, self, n) =>
  timed(async () => {
    fill(self, n)
    await received(self, n)
  })

const size: Run = async (_, self, n) => {
  const list = Array.from({ length: n }, (_, i) => i)
  const taker = self.spawn(async child => {
    const [from] = ((await child.receive()) as Tuple<[Pid, Term]>).elements
    child.send(from, here)
  })
  return timed(async () => {
    self.send(taker, tuple(self.pid, list))
    await self.receive()
  })
}

const selective: Run = async (_, self, n) => {
  const echo = self.spawn(async child => {
    for await (const message of child) {
      const [from, ref] = (message as Tuple<[Pid, Reference]>).elements
      child.send(from, tuple(ref, here))
    }
  })
  fill(self, n)
  const took = await timed(async () => {
    for (let i = 0; i < n; i++) {
      const ref = self.makeRef()
      self.send(echo, tuple(self.pid, ref))
      await self.receive(match([ref, any]))
    }
  })
  self.exit(echo, boom)
  return took
}

async function cost(node: Node, run: Run, n: number): Promise<number> {
  const took: number[] = []
  for (let i = 0; i < tries; i++) {
    took.push(await inProcess(node, self => run(node, self, n)))
    await settled(node)
    collect()
  }
  return (median(took) * 1e6) / n
}

const beamCost = async (beam: Beam, what: string, n: number): Promise<number> =>
  (await beam.eval('slopes:run(What, N).', { bindings: { What: atom(what), N: n }, timeout: 300_000 })) as number

export const slopes: Figure = {
  name: 'slopes',
  about: 'how the time of all grows with their number: 1 is linear',

  async rows(stage) {
    const [beam, node] = [await stage.beam(erlang, ['+P', '2000000']), await stage.node()]
    const rows: readonly (readonly [name: string, what: string, run: Run])[] = [
      ['processes are spawned', 'spawns', spawns],
      ['links are made', 'links', among((self, pid) => self.link(pid))],
      ['monitors are made', 'monitors', among((self, pid) => self.monitor(pid))],
      ['monitors are told', 'downs', downs],
      ['messages wait, and are taken', 'messages', messages],
      ['integers in one message', 'size', size],
      ['calls beside as many messages that wait', 'selective', selective],
    ]
    return rows.map(([name, what, run]) =>
      growth({ name, unit: 'ns', ours: n => cost(node, run, n), peer: { name: beamName, cost: n => beamCost(beam, what, n) } }),
    )
  },
}
