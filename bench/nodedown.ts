import { atom, type Node, type NodeProcess, type Pid } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { beamName, type Figure, inProcess } from './figure.js'
import type { Contender, Row } from './harness.js'

const erlang = String.raw`
-module(downs).
-export([targets/1, run/4]).

targets(N) -> [spawn(fun() -> receive stop -> ok end end) || _ <- lists:seq(1, N)].

%% Nanoseconds from the end of the connection until all are told, and the longest that a process which only yields had to wait meanwhile
run(Far, Targets, Owners, N) ->
    pong = net_adm:ping(Far),
    Self = self(),
    Pids = [spawn_link(fun() -> owner(Self, Targets, N div Owners) end) || _ <- lists:seq(1, Owners)],
    [receive {ready, Pid} -> ok end || Pid <- Pids],
    Watch = spawn_link(fun() -> watch(now_ns(), 0) end),
    Start = now_ns(),
    erlang:disconnect_node(Far),
    [receive {done, Pid} -> ok end || Pid <- Pids],
    Took = now_ns() - Start,
    Watch ! {self(), longest},
    receive {longest, Gap} -> {Took, Gap} end.

owner(Parent, Targets, N) ->
    monitors(Targets, Targets, N),
    Parent ! {ready, self()},
    [receive {'DOWN', _, process, _, noconnection} -> ok end || _ <- lists:seq(1, N)],
    Parent ! {done, self()}.

monitors(_, _, 0) -> ok;
monitors([], All, N) -> monitors(All, All, N);
monitors([Pid | Pids], All, N) -> monitor(process, Pid), monitors(Pids, All, N - 1).

watch(Before, Longest) ->
    receive {From, longest} -> From ! {longest, lists:max([1, Longest, now_ns() - Before])}
    after 0 ->
        erlang:yield(),
        Now = now_ns(),
        watch(Now, max(Longest, Now - Before))
    end.

now_ns() -> erlang:monotonic_time(nanosecond).
`

const [ready, done] = [atom('ready'), atom('done')]
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** The longest turn of the event loop until it is stopped, in milliseconds */
function turns(): { stop(): number } {
  let [longest, last, running] = [0, performance.now(), true]
  const next = (): void => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    if (running) setImmediate(next)
  }
  setImmediate(next)
  return {
    stop: () => {
      running = false
      return Math.max(longest, performance.now() - last)
    },
  }
}

async function owner(self: NodeProcess, parent: Pid, targets: readonly Pid[], n: number): Promise<void> {
  for (let i = 0; i < n; i++) {
    self.monitor(targets[i % targets.length]!)
    if (i % 1000 === 999) await turn()
  }
  self.send(parent, ready)
  for (let i = 0; i < n; i++) await self.receive()
  self.send(parent, done)
}

const onNode = (node: Node, far: Beam, targets: readonly Pid[], owners: number): Contender => ({
  name: 'Beamlet',
  run: async n => {
    await node.connect(far.name)
    const each = Math.ceil(n / owners)
    const measured = { ms: 0, value: 0, also: [0] }
    await inProcess(node, async self => {
      for (let i = 0; i < owners; i++) self.spawn(child => owner(child, self.pid, targets, each))
      for (let i = 0; i < owners; i++) await self.receive()
      await node.drained(far.name)
      await turn()
      const watch = turns()
      const start = performance.now()
      node.disconnect(far.name)
      for (let i = 0; i < owners; i++) await self.receive()
      measured.ms = performance.now() - start
      measured.value = (each * owners * 1000) / measured.ms
      measured.also = [watch.stop()]
    })
    return measured
  },
})

const onBeam = (beam: Beam, far: Beam, targets: readonly Pid[], owners: number): Contender => ({
  name: `${beamName} ↔ BEAM`,
  run: async n => {
    const each = Math.ceil(n / owners)
    const bindings = { Far: atom(far.name), Targets: targets, Owners: owners, N: each * owners }
    const took = await beam.eval('tuple_to_list(downs:run(Far, Targets, Owners, N)).', { bindings, timeout: 120_000 })
    const [ns, gap] = took as [number, number]
    return { ms: ns / 1e6, value: (each * owners * 1e9) / ns, also: [gap / 1e6] }
  },
})

export const nodedown: Figure = {
  name: 'nodedown',
  about: 'a connection ends over which a million monitors went: how fast all are told, and how long anybody else waits meanwhile',

  async rows(stage) {
    const [far, beam, node] = [await stage.beam(erlang), await stage.beam(erlang), await stage.node()]
    const targets = (await far.eval('downs:targets(1000).')) as Pid[]
    const row = (owners: number): Row => ({
      name: owners === 1 ? 'all monitors of one process' : `monitors of ${owners} processes`,
      unit: 'DOWNs/s',
      better: 'more',
      also: [{ name: '  the longest turn meanwhile', unit: 'ms', better: 'less' }],
      size: 1_000_000,
      rounds: 3,
      ours: onNode(node, far, targets, owners),
      peers: [onBeam(beam, far, targets, owners)],
    })
    return [row(1000), row(1)]
  },
}
