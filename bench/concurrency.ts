import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { pid } from 'node:process'
// As it is shipped: a place that had to compile it would start slowly, and that is not asked here.
import { Node, type Pid, tuple } from 'beamlet'
import { type Figure, timed } from './figure.js'
import type { Contender } from './harness.js'

const sieve = new URL('./placed/sieve.mjs', import.meta.url)
const bare = new URL('./placed/bare.mjs', import.meta.url)

/** `n` in all, shared out among those that compute */
const share = (n: number, among: number): number => Math.ceil(n / among)

function processes(node: Node, pids: readonly Pid[]): Contender {
  const run = (n: number) =>
    timed(n, () =>
      node.run(async self => {
        for (const pid of pids) self.send(pid, tuple(self.pid, share(n, pids.length)))
        for (const _ of pids) await self.receive()
      }),
    )
  return { name: pids.length === 1 ? 'one process of the pool' : 'Beamlet', run }
}

function children(all: readonly ChildProcess[]): Contender {
  const run = (n: number) =>
    timed(n, async () => {
      const answers = all.map(child => once(child, 'message'))
      for (const child of all) child.send(share(n, all.length))
      await Promise.all(answers)
    })
  return { name: all.length === 1 ? 'one bare child process' : 'two bare child processes', run }
}

export const concurrency: Figure = {
  name: 'concurrency',
  about: 'the same computing, shared out between two processes of the pool, beside one of them and beside bare child processes',

  async rows(stage) {
    const node = await Node.start({
      name: `bench-pool-${pid}@127.0.0.1`,
      cookie: 'nobody else',
      listen: false,
      schedulers: { count: 2, execArgv: [] },
    })
    stage.defer(() => node.close())
    await node.code.load('sieve', sieve)
    // Each in the scheduler that has the fewest: in one of its own.
    const pids = [0, 1].map(() => node.spawn({ module: 'sieve', fun: 'serve' }, { on: 'pool' }))
    const bares = [0, 1].map(() => fork(bare, { execArgv: [] }))
    stage.defer(() => Promise.all(bares.map(ended)))
    return [
      {
        name: 'two processes that compute',
        unit: 'sieves/s',
        better: 'more',
        ms: 500,
        ours: processes(node, pids),
        peers: [processes(node, pids.slice(1)), children(bares), children(bares.slice(1))],
      },
    ]
  },
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.disconnect()
  await exit
}
