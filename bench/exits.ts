import { atom, type NodeProcess, type Pid } from '../src/index.js'
import { type Figure, inProcess, onBeam, timed } from './figure.js'
import type { Contender, Row } from './harness.js'

const erlang = String.raw`
-module(exits).
-export([linked/1, monitored/1]).

linked(N) ->
    process_flag(trap_exit, true),
    Pids = [spawn_link(fun idle/0) || _ <- lists:seq(1, N)],
    timed(fun() -> [exit(Pid, boom) || Pid <- Pids], [receive {'EXIT', _, boom} -> ok end || _ <- Pids] end).

monitored(N) ->
    Pids = [element(1, spawn_monitor(fun idle/0)) || _ <- lists:seq(1, N)],
    timed(fun() -> [exit(Pid, boom) || Pid <- Pids], [receive {'DOWN', _, process, _, boom} -> ok end || _ <- Pids] end).

timed(Work) ->
    Start = erlang:monotonic_time(nanosecond),
    Work(),
    erlang:monotonic_time(nanosecond) - Start.

idle() -> receive stop -> ok end.
`

const boom = atom('boom')
const idle = (self: NodeProcess): Promise<unknown> => self.receive()

export const exits: Figure = {
  name: 'exits',
  about: 'a process ends others and is told of each end',

  async rows(stage) {
    const [beam, node] = [await stage.beam(erlang), await stage.node()]
    const contender = (spawn: (self: NodeProcess) => Pid): Contender => ({
      name: 'Beamlet',
      run: n =>
        inProcess(node, self => {
          self.trapExit = true
          const pids = Array.from({ length: n }, () => spawn(self))
          return timed(n, async () => {
            for (const pid of pids) self.exit(pid, boom)
            for (let i = 0; i < n; i++) await self.receive()
          })
        }),
    })
    const row = { unit: 'exits/s', better: 'more', most: 50_000 } satisfies Partial<Row>
    return [
      {
        ...row,
        name: 'exits of linked processes',
        ours: contender(self => self.spawnLink(idle)),
        peers: [onBeam(beam, 'exits:linked(N).')],
      },
      {
        ...row,
        name: 'exits of monitored processes',
        ours: contender(self => self.spawnMonitor(idle)[0]),
        peers: [onBeam(beam, 'exits:monitored(N).')],
      },
    ]
  },
}
