/** What is done while the links and monitors of a lost node are walked, in slices of 4000 signals, or 5 ms. */
import t from 'tap'
import { type Process, Processes } from '../../src/process/index.js'
import { atom, equals, type Reference, type Term, type Tuple, tuple } from '../../src/term/index.js'
import { fixture, here, ManualClock, remotePid, there, turn } from './support.js'

const slice = 4000
const count = 3 * slice

/** As many monitors of processes there, and what comes of them. */
async function watching(self: Process, monitors = count): Promise<{ refs: Reference[]; taken(): Promise<Term[]> }> {
  const refs = Array.from({ length: monitors }, (_, index) => self.monitor(remotePid(index)))
  const taken = async (): Promise<Term[]> => {
    const terms: Term[] = []
    for (let term = self.poll(); term !== undefined || (await turn(), (term = self.poll()) !== undefined); term = self.poll())
      terms.push(term)
    return terms
  }
  return { refs, taken }
}

const isDownOf = (term: Term, ref: Reference): boolean => equals((term as Tuple).elements[1] as Term, ref)

t.test('a slice is 4000 signals, or 5 ms; a monitor that has not fired yet can be removed', async t => {
  const { processes, run } = fixture()
  await run(async self => {
    const { refs, taken } = await watching(self)
    let over = false
    processes.lost(there, () => (over = true))
    t.equal(self.size, slice, 'the first slice is at once')
    t.equal(self.demonitor(refs[0] as Reference), false, 'that has fired')
    t.equal(self.demonitor(refs[count - 1] as Reference), true, 'that has not')
    t.notOk(over)
    const downs = await taken()
    t.equal(downs.length, count - 1)
    t.ok(
      downs.every((down, index) => isDownOf(down, refs[index] as Reference)),
      'all others fire, in the order in which they were made',
    )
    t.ok(over)
    t.equal(processes.monitors.size, 0)
  })
})

t.test('a slice ends after 5 ms', async t => {
  let now = 0
  const clock = Object.assign(new ManualClock(), { now: () => now++ })
  const processes = new Processes({ node: here, creation: 7, clock, route: () => true })
  await new Promise<void>(done =>
    processes.runNow(async self => {
      const { taken } = await watching(self, 1000)
      processes.lost(there, () => {})
      t.equal(self.size, 5 * 64, 'it looks at the clock after every 64 signals')
      t.equal((await taken()).length, 1000)
      done()
    }),
  )
})

t.test('what is monitored over the next connection does not break with this one', async t => {
  const { processes, run } = fixture()
  await run(async self => {
    const { taken } = await watching(self)
    self.monitorNode(there.name, true)
    processes.lost(there, () => {})
    const ref = self.monitor(remotePid())
    const downs = await taken()
    t.equal(downs.length, count + 1)
    t.ok(equals(downs.pop(), tuple(atom('nodedown'), there)), 'nodedown is last')
    t.notOk(downs.some(down => isDownOf(down, ref)))
    t.equal(processes.monitors.size, 1)
  })
})

t.test('the next connection is lost, too, before all has fired: each fires once, before its nodedown', async t => {
  const { processes, run } = fixture()
  await run(async self => {
    const { taken } = await watching(self)
    self.monitorNode(there.name, true)
    const order: string[] = []
    processes.lost(there, () => order.push('first'))
    const ref = self.monitor(remotePid())
    self.monitorNode(there.name, true)
    processes.lost(there, () => order.push('second'))
    const told = await taken()
    const nodedown = tuple(atom('nodedown'), there)
    t.equal(told.length, count + 3)
    t.equal(told.filter(term => isDownOf(term, ref)).length, 1)
    t.same(
      told.flatMap((term, index) => (equals(term, nodedown) ? [index] : [])),
      [count, count + 2],
    )
    t.same(order, ['first', 'second'])
    t.equal(processes.monitors.size, 0)
  })
})

t.test('a process that is asked for over the next connection is not refused with this one', async t => {
  const { processes, run } = fixture()
  await run(async self => {
    const { taken } = await watching(self)
    const before = self.spawnRequest({ node: there, module: 'm', fun: 'f' })
    processes.lost(there, () => {})
    const after = self.spawnRequest({ node: there, module: 'm', fun: 'f' })
    const told = await taken()
    t.equal(told.length, count + 1)
    t.ok(equals(told.at(-1), tuple(atom('spawn_reply'), before, atom('error'), atom('noconnection'))))
    t.equal(processes.spawnRequests.size, 1)
    t.equal(self.spawnRequestAbandon(after), true)
  })
})
