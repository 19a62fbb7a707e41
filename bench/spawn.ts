import { atom, type NodeProcess, type Pid } from '../src/index.js'
import { type Figure, onBeam, onNode } from './figure.js'

const erlang = String.raw`
-module(spawns).
-export([run/1]).

run(N) ->
    Start = erlang:monotonic_time(nanosecond),
    chain(self(), N),
    receive done -> ok end,
    erlang:monotonic_time(nanosecond) - Start.

chain(Last, 0) -> Last ! done;
chain(Last, N) -> spawn(fun() -> chain(Last, N - 1) end).
`

const done = atom('done')

function chain(self: NodeProcess, last: Pid, n: number): void {
  if (n === 0) self.send(last, done)
  else self.spawn(next => chain(next, last, n - 1))
}

export const spawnFigure: Figure = {
  name: 'spawn',
  about: 'each process starts the next and ends',

  async rows(stage) {
    const [beam, node] = [await stage.beam(erlang), await stage.node()]
    const ours = onNode(node, async (self, n) => {
      chain(self, self.pid, n)
      await self.receive()
    })
    return [{ name: 'spawn and end', unit: 'processes/s', better: 'more', ours, peers: [onBeam(beam, 'spawns:run(N).')] }]
  },
}
