/** A place waits for the next isolated process. */
import { readdirSync, readFileSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { any, atom, match, type Node, type NodeOptions, type Tuple, tuple } from 'beamlet'
import { counter } from './support/placed/counter.mjs'
import { spawn, startNode } from './support/places.js'

const start = (schedulers: NodeOptions['schedulers'] = {}): Promise<Node> =>
  startNode({ cookie: 'secret' }, { listen: false, epmd: false, schedulers: { count: 0, execArgv: [], ...schedulers } })

/** The OS processes of a node's places */
const programs = ({ name }: Node): number[] =>
  readdirSync('/proc')
    .filter(pid => /^\d+$/.test(pid) && commandLine(pid).includes(`"node":"${name}"`))
    .map(Number)

const commandLine = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
  } catch {
    return '' // It has ended meanwhile.
  }
}

/** The OS process of the place that waits. The others are known. */
async function waiting(t: Test, node: Node, ...others: number[]): Promise<number> {
  while (node.stats().sparePlaces === 0) await turn()
  t.equal(node.stats().places, others.length, 'it is none of those in which a process runs')
  const [pid, ...more] = programs(node).filter(pid => !others.includes(pid))
  t.strictSame(more, [])
  return pid as number
}

/** Starts an isolated process. @returns the number of its OS process */
async function isolated(node: Node): Promise<number> {
  const ref = await node.start(counter, { args: [1], on: 'isolated' })
  return (await ref.call('where')) as number
}

t.test('an isolated process takes the place that waits, and another one waits for the next', async t => {
  const node = await start()
  t.match(node.stats(), { places: 0, sparePlaces: 0 })
  const first = await isolated(node)
  const spare = await waiting(t, node, first)
  const second = await isolated(node)
  t.equal(second, spare)
  const third = await waiting(t, node, first, second)
  t.equal(await isolated(node), third)
  await node.close()
  while (programs(node).length > 0) await new Promise(resolve => setTimeout(resolve, 10))
})

t.test('what is loaded while it waits is there', async t => {
  await using node = await start()
  const spare = await waiting(t, node, await isolated(node))
  await node.code.load('late', new URL('./support/placed/work.mjs', import.meta.url))
  await node.run(async self => {
    const [pid] = self.spawnMonitor({ module: 'late', fun: 'echo' }, { on: 'isolated' })
    self.send(pid, tuple(self.pid, atom('hello')))
    t.match(await self.receive(match([pid, any])), tuple(pid, atom('hello')))
    t.ok(programs(node).includes(spare))
    t.equal(node.stats().places, 2)
  })
})

t.test('one that is killed is nobody’s loss', async t => {
  await using node = await start()
  let lost = 0
  node.on('placedown', () => lost++)
  const first = await isolated(node)
  process.kill(await waiting(t, node, first), 'SIGKILL')
  while (node.stats().sparePlaces > 0) await new Promise(resolve => setTimeout(resolve, 10))
  t.equal(lost, 0)
  const second = await isolated(node)
  await waiting(t, node, first, second)
})

t.test('it has the limits of an isolated process', async t => {
  await using node = await start({ isolatedHeap: 96 })
  node.on('crash', () => {})
  const first = await isolated(node)
  const spare = await waiting(t, node, first)
  await node.run(async self => {
    const pid = spawn(node, 'isolated', 'end', 'array')
    self.monitor(pid)
    t.strictSame(programs(node).filter(pid => pid === spare), [spare]) // prettier-ignore
    self.send(pid, tuple(atom('go'), self.pid))
    const down = (await self.receive(match([atom('DOWN'), any, any, pid, any]))) as Tuple
    t.equal(down.elements[4], atom('out_of_memory'))
  })
})

t.test('none waits where none is wanted', async t => {
  await using node = await start({ spare: false })
  const pid = spawn(node, 'isolated', 'echo')
  t.equal(await node.isAlive(pid), true)
  await turn()
  t.match(node.stats(), { places: 1, sparePlaces: 0 })
})
