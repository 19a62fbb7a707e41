import { atom, isNumber, isPid, match, type Node, type NodeProcess, type Pid, type Term, type Tuple, tuple } from '../src/index.js'
import { beamName, type Figure, inProcess } from './figure.js'
import type { Beam } from '../src/interop/index.js'
import { type Contender, type Measured, median, percentile, type Row } from './harness.js'

/** A transfer of 1 GB */
const [size, messages] = [100_000_000, 10]

const erlang = String.raw`
-module(bulk_latency).
-export([start/0, run/4]).

start() ->
    Bulk = binary:copy(<<"bulk">>, ${size} div 4),
    {spawn(fun echo/0), spawn(fun sink/0), spawn(fun() -> source(Bulk) end)}.

echo() -> receive {From, Message} -> From ! Message, echo() end.

sink() -> receive {expect, N, From} -> sink(N), From ! received, sink() end.

sink(0) -> ok;
sink(N) -> receive Bulk when is_binary(Bulk) -> sink(N - 1) end.

source(Bulk) ->
    receive {go, N, Sink, Asker} -> Sink ! {expect, N, self()}, send(Sink, Bulk, N) end,
    receive received -> Asker ! finished end,
    source(Bulk).

send(_, _, 0) -> ok;
send(Sink, Bulk, N) -> Sink ! Bulk, send(Sink, Bulk, N - 1).

%% The time of all, then those of the round trips in it.
run(Echo, Source, Sink, N) ->
    Start = erlang:monotonic_time(nanosecond),
    Source ! {go, N, Sink, self()},
    Trips = trips(Echo, []),
    [erlang:monotonic_time(nanosecond) - Start | Trips].

trips(Echo, Trips) ->
    Start = erlang:monotonic_time(nanosecond),
    Echo ! {self(), hello},
    receive hello -> ok end,
    Took = erlang:monotonic_time(nanosecond) - Start,
    receive finished -> [Took | Trips] after 0 -> trips(Echo, [Took | Trips]) end.
`

const go = atom('go')
const expect = atom('expect')
const received = atom('received')
const finished = atom('finished')
const hello = atom('hello')

type Run = Contender['run']

/** Who answers, who takes what is large, and who sends it. */
interface Cast {
  readonly echo: Pid
  readonly sink: Pid
  readonly source: Pid
}

const castOf = ({ elements: [echo, sink, source] }: Tuple<[Pid, Pid, Pid]>): Cast => ({ echo, sink, source })

/** The same three in TypeScript. A sender that is told that the way is busy waits, as OTP makes its senders wait. */
function start(node: Node, peer: string): Cast {
  const bulk = Buffer.alloc(size, 'bulk')
  const echo = node.spawn(async self => {
    for await (const message of self) {
      const [from, answer] = (message as Tuple<[Pid, Term]>).elements
      self.send(from, answer)
    }
  })
  const sink = node.spawn(async self => {
    for (;;) {
      const [, n, from] = ((await self.receive()) as Tuple<[Term, number, Pid]>).elements
      for (let i = 0; i < n; i++) await self.receive()
      self.send(from, received)
    }
  })
  const source = node.spawn(async self => {
    for (;;) {
      const [, n, sink, asker] = (await self.receive(match([go, isNumber, isPid, isPid]))).elements
      self.send(sink, tuple(expect, n, self.pid))
      for (let i = 0; i < n; i++) {
        if (!self.send(sink, bulk)) await node.drained(peer)
      }
      await self.receive(match(received))
      self.send(asker, finished)
    }
  })
  return { echo, sink, source }
}

async function run(self: NodeProcess, echo: Pid, source: Pid, sink: Pid, n: number): Promise<number[]> {
  const trips: number[] = []
  const start = performance.now()
  self.send(source, tuple(go, n, sink, self.pid))
  do {
    const start = performance.now()
    self.send(echo, tuple(self.pid, hello))
    await self.receive(match(hello))
    trips.push((performance.now() - start) * 1e6)
  } while (self.poll(match(finished)) === undefined)
  return [(performance.now() - start) * 1e6, ...trips]
}

/** p50 and p99 of the trips, and the rate at which what is large went meanwhile. */
function measured(n: number, [all = 0, ...trips]: readonly number[]): Measured {
  return { ms: all / 1e6, value: median(trips) / 1e6, also: [percentile(trips, 0.99) / 1e6, (n * size * 1e3) / all] }
}

export const bulkLatency: Figure = {
  name: 'bulk-latency',
  about: 'a message to a process of another node and back, while messages of 100 MB go the same way as the question, or as the answer',

  async rows(stage) {
    const [beam, other, node] = [await stage.beam(erlang), await stage.beam(erlang), await stage.node()]
    await node.connect(beam.name)
    const cast = async (on: Beam): Promise<Cast> => castOf((await on.eval('bulk_latency:start().')) as Tuple<[Pid, Pid, Pid]>)
    const [there, elsewhere, ours] = [await cast(beam), await cast(other), start(node, beam.name)]

    const weAsk =
      ({ sink }: Cast, { source }: Cast): Run =>
      n =>
        inProcess(node, async self => measured(n, await run(self, there.echo, source, sink, n)))
    const asks =
      (asker: Beam, { echo }: Cast, { sink }: Cast, { source }: Cast): Run =>
      async n => {
        const bindings = { Echo: echo, Source: source, Sink: sink, N: n }
        return measured(n, (await asker.eval('bulk_latency:run(Echo, Source, Sink, N).', { bindings, timeout: 120_000 })) as number[])
      }
    const row = (name: string, ours: Run, peer: Run): Row => ({
      name,
      unit: 'ms, p50',
      better: 'less',
      also: [
        { name: '', unit: 'ms, p99', better: 'less' },
        { name: '  100 MB messages meanwhile', unit: 'MB/s', better: 'more' },
      ],
      size: messages,
      ours: { name: 'Beamlet', run: ours },
      peers: [{ name: `${beamName} ↔ BEAM`, run: peer }],
    })
    const [besideQuestion, besideAnswer] = [asks(other, there, there, elsewhere), asks(other, there, elsewhere, there)]
    return [
      row('TypeScript asks, 100 MB messages go', weAsk(there, ours), besideQuestion),
      row('TypeScript asks, 100 MB messages come', weAsk(ours, there), besideAnswer),
      row('a BEAM asks, 100 MB messages come', asks(beam, ours, ours, there), besideQuestion),
      row('a BEAM asks, 100 MB messages go', asks(beam, ours, there, ours), besideAnswer),
    ]
  },
}
