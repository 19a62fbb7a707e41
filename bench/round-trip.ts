import { availableParallelism } from 'node:os'
import { atom, type Pid, type Term, type Tuple, tuple } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { beamName, type Figure, inProcess, type Stage } from './figure.js'
import { startProgram } from './programs.js'
import { latency, type Measured, type Row } from './harness.js'

const erlang = String.raw`
-module(round_trip).
-export([start/0, run/2]).

start() -> spawn(fun echo/0).

echo() -> receive {From, Message} -> From ! Message, echo() end.

run(Echo, N) -> [trip(Echo) || _ <- lists:seq(1, N)].

trip(Echo) ->
    Start = erlang:monotonic_time(nanosecond),
    Echo ! {self(), hello},
    receive hello -> ok end,
    erlang:monotonic_time(nanosecond) - Start.
`

const awake = new URL('./placed/awake.mjs', import.meta.url)

const hello = atom('hello')

async function bothWays(stage: Stage): Promise<readonly Row[]> {
  const [beam, other, node] = [await stage.beam(erlang), await stage.beam(erlang), await stage.node()]
  await node.connect(beam.name)
  const echo = (await beam.eval('round_trip:start().')) as Pid
  const ours = node.spawn(async self => {
    for await (const message of self) {
      const [from, answer] = (message as Tuple<[Pid, Term]>).elements
      self.send(from, answer)
    }
  })
  const fromBeam = async (asker: Beam, echo: Pid, n: number): Promise<Measured> =>
    latency((await asker.eval('round_trip:run(Echo, N).', { bindings: { Echo: echo, N: n }, timeout: 60_000 })) as number[])
  const row = {
    unit: 'µs, p50',
    better: 'less',
    also: [{ name: '', unit: 'µs, p99', better: 'less' }],
    peers: [{ name: `${beamName} ↔ BEAM`, run: (n: number) => fromBeam(other, echo, n) }],
  } as const
  const ask = (n: number): Promise<Measured> =>
    inProcess(node, async self => {
      const trips: number[] = []
      for (let i = 0; i < n; i++) {
        const start = performance.now()
        self.send(echo, tuple(self.pid, hello))
        await self.receive()
        trips.push((performance.now() - start) * 1e6)
      }
      return latency(trips)
    })
  return [
    { ...row, name: 'TypeScript asks a BEAM node', ours: { name: 'Beamlet', run: ask } },
    { ...row, name: 'a BEAM node asks TypeScript', ours: { name: 'Beamlet', run: n => fromBeam(beam, ours, n) } },
  ]
}

export const roundTrip: Figure = {
  name: 'round-trip',
  about: 'a message to a process of another node and back, one at a time',
  rows: bothWays,
}

export const roundTripAwake: Figure = {
  name: 'round-trip-awake',
  about: 'the same while something else, of the lowest priority, keeps every core awake',

  async rows(stage) {
    for (let core = 0; core < availableParallelism(); core++) await startProgram(stage, awake)
    return bothWays(stage)
  },
}
