import { pid } from 'node:process'
import { atom, type Pid, type Sendable, type Tuple, tuple } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { beamName, type Figure, onBeam, onNode, type Stage } from './figure.js'
import type { Contender, Row } from './harness.js'
import { startFar } from './programs.js'

const erlang = String.raw`
-module(one_way).
-export([start/0, run/3]).

start() -> spawn(fun sink/0).

sink() -> receive {start, N, From} -> sink(N), From ! done, sink() end.

sink(0) -> ok;
sink(N) -> receive _ -> sink(N - 1) end.

run(Sink, Term, N) ->
    Start = erlang:monotonic_time(nanosecond),
    Sink ! {start, N, self()},
    send(Sink, Term, N),
    receive done -> ok end,
    erlang:monotonic_time(nanosecond) - Start.

send(_, _, 0) -> ok;
send(Sink, Term, N) -> Sink ! Term, send(Sink, Term, N - 1).
`

const start = atom('start')
const done = atom('done')

export const smallMessage: Sendable = tuple(atom('message'), 42, 'hello')

/** One that sends to another node, and the OS processes of both */
export interface Way extends Contender {
  readonly sender: number
  readonly receiver: number
}

export interface Ways {
  readonly toBeam: Way
  readonly fromBeam: Way
  readonly toNode: Way
  readonly beams: Way
}

/** All ways of a term. A sender that is told that the way is busy waits, as OTP makes its senders wait. */
export async function waysOf(stage: Stage, term: Sendable): Promise<Ways> {
  const [beam, other, node] = [await stage.beam(erlang), await stage.beam(erlang), await stage.node()]
  const far = await startFar(stage, beam.cookie)
  await node.connect(beam.name)
  await node.connect(far.name)
  const sink = (await beam.eval('one_way:start().')) as Pid
  const ours = node.spawn(async self => {
    for (;;) {
      const [, n, from] = ((await self.receive()) as Tuple<[typeof start, number, Pid]>).elements
      for (let i = 0; i < n; i++) await self.receive()
      self.send(from, done)
    }
  })
  const fromBeam = (sender: Beam, sink: Pid, name: string): Contender =>
    onBeam(sender, 'one_way:run(Sink, Term, N).', { Sink: sink, Term: term }, name)
  const fromNode = (to: string, sink: Pid): Contender =>
    onNode(node, async (self, n) => {
      self.send(sink, tuple(start, n, self.pid))
      for (let i = 0; i < n; i++) {
        if (!self.send(sink, term)) await node.drained(to)
      }
      await self.receive()
    })
  return {
    toBeam: { ...fromNode(beam.name, sink), sender: pid, receiver: beam.pid },
    fromBeam: { ...fromBeam(beam, ours, 'Beamlet'), sender: beam.pid, receiver: pid },
    toNode: {
      ...fromNode(far.name, (await node.rpc.call(far.name, 'erlang', 'whereis', [atom('sink')])) as Pid),
      sender: pid,
      receiver: far.pid,
    },
    beams: { ...fromBeam(other, sink, `${beamName} ↔ BEAM`), sender: other.pid, receiver: beam.pid },
  }
}

interface Kind {
  readonly what: string
  readonly unit: string
  readonly most?: number
  readonly term: Sendable
}

async function allWays(stage: Stage, { what, unit, most, term }: Kind): Promise<readonly Row[]> {
  const { toBeam, fromBeam, toNode, beams } = await waysOf(stage, term)
  const row = { unit, most, better: 'more', peers: [beams] } as const
  return [
    { ...row, name: `${what}, TypeScript to BEAM`, ours: toBeam },
    { ...row, name: `${what}, BEAM to TypeScript`, ours: fromBeam },
    { ...row, name: `${what}, TypeScript to TypeScript`, ours: toNode },
  ]
}

export const messages: Figure = {
  name: 'messages',
  about: 'small messages to a process of another node, as fast as they go',
  rows: stage => allWays(stage, { what: 'small messages', unit: 'messages/s', term: smallMessage }),
}

export const binaries: Figure = {
  name: 'binaries',
  about: 'binaries of 1 MiB to a process of another node, as fast as they go',
  rows: stage => allWays(stage, { what: '1 MiB binaries', unit: 'MiB/s', term: Buffer.alloc(2 ** 20, 'beamlet'), most: 2000 }),
}
