import { atom, type Pid, type Term, type Tuple, tuple } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { beamName, type Figure, inProcess } from './figure.js'
import { median, type Measured } from './harness.js'

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

const hello = atom('hello')

const measured = (nanoseconds: readonly number[]): Measured => ({
  ms: nanoseconds.reduce((sum, one) => sum + one, 0) / 1e6,
  value: median(nanoseconds) / 1000,
})

export const roundTrip: Figure = {
  name: 'round-trip',
  about: 'a message to a process of another node and back, one at a time',

  async rows(stage) {
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
      measured((await asker.eval('round_trip:run(Echo, N).', { bindings: { Echo: echo, N: n }, timeout: 60_000 })) as number[])
    const peers = [{ name: `${beamName} ↔ BEAM`, run: (n: number) => fromBeam(other, echo, n) }]
    const row = { unit: 'µs, p50', better: 'less', peers } as const
    return [
      {
        ...row,
        name: 'TypeScript asks a BEAM node',
        ours: {
          name: 'Beamlet',
          run: n =>
            inProcess(node, async self => {
              const trips: number[] = []
              for (let i = 0; i < n; i++) {
                const start = performance.now()
                self.send(echo, tuple(self.pid, hello))
                await self.receive()
                trips.push((performance.now() - start) * 1e6)
              }
              return measured(trips)
            }),
        },
      },
      { ...row, name: 'a BEAM node asks TypeScript', ours: { name: 'Beamlet', run: n => fromBeam(beam, ours, n) } },
    ]
  },
}
