import type { Node, NodeProcess, Pid } from '../src/index.js'
import { type Figure, onBeam, onNode } from './figure.js'
import { idle } from './rest.js'

const others = 1000

const erlang = String.raw`
-module(ties).
-export([start/0, links/2, monitors/2]).

start() -> [spawn(fun idle/0) || _ <- lists:seq(1, ${others})].

links(Pids, N) -> timed(fun() -> each(fun(Pid) -> link(Pid), unlink(Pid) end, Pids, Pids, N) end, Pids).
monitors(Pids, N) -> timed(fun() -> each(fun(Pid) -> demonitor(monitor(process, Pid)) end, Pids, Pids, N) end, Pids).

each(_, _, _, 0) -> ok;
each(Work, [], Pids, N) -> each(Work, Pids, Pids, N);
each(Work, [Pid | Rest], Pids, N) -> Work(Pid), each(Work, Rest, Pids, N - 1).

%% Until the others have had it all: a process is asked whether it lives after what was sent to it before.
timed(Work, Pids) ->
    Start = erlang:monotonic_time(nanosecond),
    Work(),
    lists:foreach(fun is_process_alive/1, Pids),
    erlang:monotonic_time(nanosecond) - Start.

idle() -> receive stop -> ok end.
`

export const ties: Figure = {
  name: 'ties',
  about: `a process links and unlinks, monitors and demonitors ${others.toLocaleString('en')} others in turn`,

  async rows(stage) {
    const [beam, node] = [await stage.beam(erlang), await stage.node()]
    const there = (await beam.eval('ties:start().')) as Pid[]
    const here = idle(node, others)
    const row = (name: string, unit: string, fun: string, work: (self: NodeProcess, pid: Pid) => unknown) => ({
      name,
      unit,
      better: 'more' as const,
      ours: each(node, here, work),
      peers: [onBeam(beam, `ties:${fun}(Pids, N).`, { Pids: there })],
    })
    return [
      row('link and unlink', 'links/s', 'links', (self, pid) => {
        self.link(pid)
        self.unlink(pid)
      }),
      row('monitor and demonitor', 'monitors/s', 'monitors', (self, pid) => self.demonitor(self.monitor(pid))),
    ]
  },
}

const each = (node: Node, pids: readonly Pid[], work: (self: NodeProcess, pid: Pid) => unknown) =>
  onNode(node, async (self, n) => {
    for (let i = 0; i < n; i++) work(self, pids[i % pids.length] as Pid)
  })
