/** What a process in a place of its own, or in the pool, can do to itself; whom it takes along; and that everybody else goes on and is told. */
import { readdirSync, readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { atom, type Node } from 'beamlet'
import { type Beam, type Release, releases, startBeam } from 'beamlet/interop'
import { eachOtp } from './support/each-otp.js'
import { ending, spawn, startNode } from './support/places.js'

interface Case {
  readonly how: string
  readonly isolated: RegExp
  readonly pool: RegExp
}

const outOfMemory = { isolated: /^out_of_memory$/, pool: /^\{scheduler_down,out_of_memory\}$/ }

const cases: readonly Case[] = [
  { how: 'throw', isolated: /^\{\{'TypeError',<<"thrown">>\},\[\S+\]\}$/, pool: /^\{\{'TypeError',<<"thrown">>\},\[\S+\]\}$/ },
  {
    how: 'later',
    isolated: /^\{\{'RangeError',<<"later">>\},\[\S+\]\}$/,
    pool: /^\{scheduler_down,\{\{'RangeError',<<"later">>\},\[\S+\]\}\}$/,
  },
  {
    how: 'stray',
    isolated: /^\{\{'RangeError',<<"stray">>\},\[\S+\]\}$/,
    pool: /^\{scheduler_down,\{\{'RangeError',<<"stray">>\},\[\S+\]\}\}$/,
  },
  { how: 'exit', isolated: /^\{exit_status,3\}$/, pool: /^\{scheduler_down,\{exit_status,3\}\}$/ },
  { how: 'segfault', isolated: /^\{signal,sigsegv\}$/, pool: /^\{scheduler_down,\{signal,sigsegv\}\}$/ },
  { how: 'array', ...outOfMemory },
  // The pool has no limit beside the heap's: there a gigabyte is but that.
  { how: 'gigabyte', isolated: /^out_of_memory$/, pool: /^normal$/ },
]

/** Ways to fill the heap: they differ in JavaScript alone, so one release hears of all. */
const heaps: readonly Case[] = ['fill', 'from', 'map', 'bigint', 'split', 'json', 'closures'].map(how => ({ how, ...outOfMemory }))

const descriptors = (): number => readdirSync('/proc/self/fd').length
/** All programs on this machine with this word on their command lines */
const programs = (word: string): string[] => readdirSync('/proc').filter(pid => /^\d+$/.test(pid) && commandLine(pid).includes(word))
const commandLine = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
  } catch {
    return '' // It has ended meanwhile.
  }
}

t.test('isolation', async t => {
  const suite = async (t: Test, { otp, start }: { readonly otp: Release; readonly start: () => Promise<Beam> }): Promise<void> => {
    const beam = await start()
    for (const on of ['isolated', 'pool'] as const) await alone(t, beam, on, otp === releases.at(-1) ? [...cases, ...heaps] : cases)
    await ended(t, beam)
  }
  await eachOtp<Beam>(t, suite, startBeam)
})

async function alone(t: Test, beam: Beam, on: 'isolated' | 'pool', all: readonly Case[]): Promise<void> {
  await t.test(
    `what a process in the place '${on}' does to itself: who ends with it, and the reason that links and monitors get everywhere`,
    async t => {
      const schedulers = { count: 1, execArgv: ['--max-old-space-size=96'], isolatedHeap: 96, isolatedMemory: 500 }
      await using node = await startNode(beam, { schedulers })
      node.on('crash', () => {})
      await node.connect(beam.name)
      const bystanders = [node.spawn(self => self.receive()), spawn(node, 'isolated', 'echo')]
      t.strictSame(await Promise.all(bystanders.map(pid => node.isAlive(pid))), [true, true])
      const before = await settled(node)
      for (const { how, ...reasons } of all) {
        t.match(await ending(beam, node, on, how), reasons[on], how)
        t.strictSame(await Promise.all(bystanders.map(pid => node.isAlive(pid))), [true, true], `${how}: the others go on`)
      }
      const [places, fds] = before
      t.equal((await settled(node))[0], places, 'as many places as before')
      // One may be open for a moment, for a look at the size of a place.
      while (descriptors() > fds) await new Promise(resolve => setTimeout(resolve, 10))
      t.strictSame(node.nodes('connected'), [beam.name])
    },
  )
}

/** How many places and file descriptors there are, when there is one scheduler. */
async function settled(node: Node): Promise<readonly [places: number, fds: number]> {
  await node.isAlive(spawn(node, 'pool', 'add', 1, 2))
  return [node.stats().places, descriptors()]
}

async function ended(t: Test, beam: Beam): Promise<void> {
  await t.test(
    'exit(Pid, kill) ends an isolated process whatever it does, with all that it has started; a scheduler ends by maxBusy',
    async t => {
      await using node = await startNode(beam, { schedulers: { count: 1, execArgv: [], maxBusy: 1500 } })
      await node.connect(beam.name)
      const kill = `Start = erlang:monotonic_time(millisecond), exit(Pid, kill),`
      for (const how of ['loop', 'sleep', 'stop']) {
        t.equal(await ending(beam, node, 'isolated', how, kill), 'killed', `isolated ${how}`)
        const down = new Promise(resolve => node.once('placedown', ({ kind, reason }) => resolve([kind, reason])))
        t.equal(await ending(beam, node, 'pool', how, kill), 'killed', `pool ${how}`)
        t.strictSame(await down, ['pool', atom('killed')])
      }
      t.equal(await ending(beam, node, 'isolated', 'loop', 'exit(Pid, enough),'), 'enough', 'another signal ends it, too')
      while (programs('sleep\x0060.').length > 0) await new Promise(resolve => setTimeout(resolve, 10))
      t.equal(await node.isAlive(spawn(node, 'pool', 'echo')), true, 'there is a scheduler again')
    },
  )
}
