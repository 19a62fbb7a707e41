import { fork } from 'node:child_process'
import { once } from 'node:events'
import { pid } from 'node:process'
import { setImmediate as turn } from 'node:timers/promises'
// As it is shipped: a place that had to compile it would start slowly.
import { any, atom, match, Node, type NodeOptions, type Pid } from 'beamlet'
import { beamName, type Figure, type Stage } from './figure.js'
import { ask } from './programs.js'
import { type Contender, type Measured, perSecond, type Row } from './harness.js'
import type { Beam } from '../src/interop/index.js'

const work = new URL('./placed/server.mjs', import.meta.url)
const idle = new URL('./placed/idle.mjs', import.meta.url)
const bare = new URL('./placed/bare.mjs', import.meta.url)

const erlang = String.raw`
-module(placed_start).
-export([many/1, each/1]).

%% Nanoseconds until all say that they are there
many(N) ->
    Self = self(),
    Start = erlang:monotonic_time(nanosecond),
    Pids = [spawn(fun() -> wait(Self) end) || _ <- lists:seq(1, N)],
    [receive Pid -> ok end || Pid <- Pids],
    Took = erlang:monotonic_time(nanosecond) - Start,
    [exit(Pid, kill) || Pid <- Pids],
    Took.

each(N) -> lists:sum([many(1) || _ <- lists:seq(1, N)]).

wait(Parent) -> Parent ! self(), receive stop -> ok end.
`

const [kill, killed] = [atom('kill'), atom('killed')]

type On = 'main' | 'pool' | 'isolated'

/** One after the other */
const atATime = 200

/** Starts so many at once, and ends them. @returns milliseconds until all have said that they are there */
async function starts(node: Node, on: On, n: number): Promise<number> {
  return node.run(async self => {
    const pids: Pid[] = []
    const start = performance.now()
    for (let i = 0; i < n; i++) pids.push(self.spawn({ module: 'work', fun: 'wait', args: [self.pid] }, { on }))
    for (let i = 0; i < n; i++) await self.receive()
    const took = performance.now() - start
    for (const pid of pids) self.monitor(pid)
    for (const pid of pids) self.exit(pid, kill)
    for (let i = 0; i < n; i++) {
      const { elements } = await self.receive(match([any, any, any, any, any]))
      if (elements[4] !== killed) throw new Error(`A process ended: ${String(elements[4])}`)
    }
    return took
  })
}

const rate =
  (node: Node, on: On) =>
  async (n: number): Promise<Measured> =>
    perSecond(n, await starts(node, on, n))

/** Milliseconds for each, of some that start one after the other, whatever `n` */
const one = (times: number, start: () => Promise<number>) => async (): Promise<Measured> => {
  let ms = 0
  for (let i = 0; i < times; i++) ms += await start()
  return { ms, value: ms / times }
}

const onBeams = async (beam: Beam, fun: 'many' | 'each', n: number): Promise<number> =>
  ((await beam.eval(`placed_start:${fun}(N).`, { bindings: { N: n }, timeout: 60_000 })) as number) / 1e6

async function bareChild(): Promise<number> {
  const start = performance.now()
  const child = fork(bare, { execArgv: [] })
  await ask(child, 1)
  const took = performance.now() - start
  const exit = once(child, 'exit')
  child.disconnect()
  await exit
  return took
}

/** An isolated process that takes the place which waits, and nothing else starts meanwhile. */
async function withSpare(node: Node): Promise<number> {
  await starts(node, 'isolated', 1)
  await waits(node)
  const took = await starts(node, 'isolated', 1)
  await waits(node)
  return took
}

/** Until a place waits: it has started when it has loaded a module. */
async function waits(node: Node): Promise<void> {
  while (node.stats().sparePlaces === 0) await turn()
  await node.code.load('idle', idle)
}

async function startNode(stage: Stage, name: string, schedulers: NodeOptions['schedulers']): Promise<Node> {
  const options = { cookie: 'nobody else', listen: false, epmd: false, schedulers: { execArgv: [], ...schedulers } } as const
  const node = await Node.start({ name: `bench-${name}-${pid}@127.0.0.1`, ...options })
  stage.defer(() => node.close())
  await node.code.load('work', work)
  return node
}

export const placedStart: Figure = {
  name: 'placed-start',
  about: 'a process starts in another place and says that it is there, beside one that starts on main and beside the BEAM',

  async rows(stage) {
    const beam = await stage.beam(erlang)
    const [node, spareless] = [
      await startNode(stage, 'starts', { count: 1 }),
      await startNode(stage, 'spareless', { count: 0, spare: false }),
    ]
    const child: Contender = { name: 'a bare child process', run: one(1, bareChild) }
    const row = (name: string, ours: Contender['run'], ...more: readonly Contender[]): Row => ({
      name,
      unit: 'ms',
      better: 'less',
      size: 1,
      ours: { name: 'Beamlet', run: ours },
      peers: [
        { name: 'on main', run: one(atATime, () => starts(node, 'main', 1)) },
        { name: beamName, run: one(1, async () => (await onBeams(beam, 'each', atATime)) / atATime) },
        ...more,
      ],
    })
    return [
      {
        name: 'in the pool, many at once',
        unit: 'processes/s',
        better: 'more',
        most: 20_000,
        ours: { name: 'Beamlet', run: rate(node, 'pool') },
        peers: [
          { name: 'on main', run: rate(node, 'main') },
          { name: beamName, run: async n => perSecond(n, await onBeams(beam, 'many', n)) },
        ],
      },
      row(
        'in the pool, one at a time',
        one(atATime, () => starts(node, 'pool', 1)),
      ),
      row(
        'isolated, where a place waits',
        one(1, () => withSpare(node)),
        child,
      ),
      row(
        'isolated, where none waits',
        one(1, () => starts(spareless, 'isolated', 1)),
        child,
      ),
    ]
  },
}
