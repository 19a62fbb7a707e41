import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { atom, type Node, type Pid } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { beamName, type Figure } from './figure.js'
import type { Measured } from './harness.js'

const erlang = String.raw`
-module(memory).
-export([run/1]).

run(N) ->
    erlang:garbage_collect(),
    Before = erlang:memory(processes_used),
    Pids = [spawn(fun idle/0) || _ <- lists:seq(1, N)],
    [{status, waiting} = wait(Pid) || Pid <- Pids],
    erlang:garbage_collect(),
    After = erlang:memory(processes_used),
    [exit(Pid, kill) || Pid <- Pids],
    (After - Before) / N.

wait(Pid) ->
    case process_info(Pid, status) of
        {status, waiting} = Waiting -> Waiting;
        _ -> erlang:yield(), wait(Pid)
    end.

idle() -> receive stop -> ok end.
`

const most = 20_000
const stop = atom('stop')
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes of the heap, and of what it holds outside */
function used(): number {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

async function bytesOnNode(node: Node, n: number): Promise<number> {
  const before = used()
  const pids: Pid[] = []
  for (let i = 0; i < n; i++) pids.push(node.spawn(async self => self.receive()))
  while (node.stats().runQueue > 0) await turn()
  const bytes = (used() - before) / n
  for (const pid of pids) node.send(pid, stop)
  while (node.stats().runQueue > 0) await turn()
  return bytes
}

async function bytesOnBeam(beam: Beam, n: number): Promise<number> {
  return (await beam.eval('memory:run(N).', { bindings: { N: n }, timeout: 60_000 })) as number
}

/** As many processes each time: what is asked is no time. */
const contender = (name: string, bytes: (n: number) => Promise<number>) => ({
  name,
  run: async (n: number): Promise<Measured> => ({ ms: Infinity, value: await bytes(n) }),
})

export const memoryFigure: Figure = {
  name: 'memory',
  about: 'what a process weighs that waits for a message',

  async rows(stage) {
    const [beam, node] = [await stage.beam(erlang), await stage.node()]
    const ours = contender('Beamlet', () => bytesOnNode(node, most))
    return [{ name: 'a waiting process', unit: 'bytes', better: 'less', ours, peers: [contender(beamName, () => bytesOnBeam(beam, most))] }]
  },
}
