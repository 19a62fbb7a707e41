/** A node at rest: nobody runs, and what is unused was collected. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { atom, type Node, type Pid } from '../src/index.js'

const kill = atom('kill')
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

setFlagsFromString('--expose-gc')
export const collect = runInNewContext('gc') as () => void

/** Resolves when all processes wait. */
export async function settled(node: Node): Promise<void> {
  do await turn()
  while (node.stats().runQueue > 0)
}

/** So many processes that wait for a message */
export const idle = (node: Node, n: number): Pid[] =>
  Array.from({ length: n }, () =>
    node.spawn(async self => {
      await self.receive()
    }),
  )

/** Ends them. */
export async function stop(node: Node, pids: readonly Pid[]): Promise<void> {
  for (const pid of pids) node.exit(pid, kill)
  await settled(node)
}

/** Bytes: what shrinks by less is at rest. */
const steady = 100_000

/** Bytes of the heap, and of what it holds outside, which V8 gives back some time after the collection that found it unused. */
export async function used(): Promise<number> {
  for (let before = Infinity; ;) {
    collect()
    await turn()
    const { heapUsed, external } = process.memoryUsage()
    if (heapUsed + external > before - steady) return heapUsed + external
    before = heapUsed + external
  }
}
