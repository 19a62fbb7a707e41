import { atom, type NodeProcess, type Pid } from '../src/index.js'
import { type Figure, inProcess, onBeam, onNode, timed } from './figure.js'
import type { Contender, Row } from './harness.js'
import { stop } from './rest.js'

const erlang = String.raw`
-module(spawns).
-export([chained/1, waiting/2]).

chained(N) ->
    Start = erlang:monotonic_time(nanosecond),
    chain(self(), N),
    receive done -> ok end,
    erlang:monotonic_time(nanosecond) - Start.

chain(Last, 0) -> Last ! done;
chain(Last, N) -> spawn(fun() -> chain(Last, N - 1) end).

waiting(How, N) ->
    Self = self(),
    Start = erlang:monotonic_time(nanosecond),
    Pids = [start(How, fun() -> Self ! ready, receive stop -> ok end end) || _ <- lists:seq(1, N)],
    [receive ready -> ok end || _ <- Pids],
    Took = erlang:monotonic_time(nanosecond) - Start,
    [begin unlink(Pid), exit(Pid, kill) end || Pid <- Pids],
    Took.

start(alone, Fun) -> spawn(Fun);
start(linked, Fun) -> spawn_link(Fun);
start(monitored, Fun) -> element(1, spawn_monitor(Fun)).
`

const [done, ready] = [atom('done'), atom('ready')]

function chain(self: NodeProcess, last: Pid, n: number): void {
  if (n === 0) self.send(last, done)
  else self.spawn(next => chain(next, last, n - 1))
}

type Body = (self: NodeProcess) => unknown

export const spawnFigure: Figure = {
  name: 'spawn',
  about: 'each process starts the next and ends; one process starts many, which say that they are there and wait',

  async rows(stage) {
    const [beam, node] = [await stage.beam(erlang, ['+P', '2000000']), await stage.node()]
    const ours = onNode(node, async (self, n) => {
      chain(self, self.pid, n)
      await self.receive()
    })
    const waiting = (spawn: (self: NodeProcess, body: Body) => Pid): Contender => ({
      name: 'Beamlet',
      run: n =>
        inProcess(node, async self => {
          const pids: Pid[] = []
          const measured = await timed(n, async () => {
            for (let i = 0; i < n; i++) pids.push(spawn(self, child => start(child, self.pid)))
            for (let i = 0; i < n; i++) await self.receive()
          })
          for (const pid of pids) self.unlink(pid)
          await stop(node, pids)
          return measured
        }),
    })
    const row = (name: string, how: string, spawn: (self: NodeProcess, body: Body) => Pid): Row => ({
      name,
      unit: 'processes/s',
      better: 'more',
      most: 100_000,
      ours: waiting(spawn),
      peers: [onBeam(beam, 'spawns:waiting(How, N).', { How: atom(how) })],
    })
    return [
      { name: 'spawn and end', unit: 'processes/s', better: 'more', ours, peers: [onBeam(beam, 'spawns:chained(N).')] },
      row('spawn and wait', 'alone', (self, body) => self.spawn(body)),
      row('spawn, link and wait', 'linked', (self, body) => self.spawnLink(body)),
      row('spawn, monitor and wait', 'monitored', (self, body) => self.spawnMonitor(body)[0]),
    ]
  },
}

async function start(self: NodeProcess, parent: Pid): Promise<void> {
  self.send(parent, ready)
  await self.receive()
}
