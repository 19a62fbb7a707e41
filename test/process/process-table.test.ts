import t from 'tap'
import { LocalProcess } from '../../src/process/local-process.js'
import { isOutside, PidSource, placeOf, ProcessTable } from '../../src/process/process-table.js'
import { type Atom, atom, type Pid } from '../../src/term/index.js'

const node = atom('table@host') as Atom
function add(table: ProcessTable, given: Pid = table.newPid()): LocalProcess {
  const process = new LocalProcess(given, null, { run: () => {}, exited: () => {} })
  table.add(process)
  return process
}

t.test('a pid and a reference tell their place', async t => {
  const table = new ProcessTable(node, 7, { number: 63, life: 0 })
  t.equal(placeOf(add(table).pid), 63)
  t.equal(placeOf(table.makeRef()), 63)
  t.equal(placeOf(add(new ProcessTable(node, 7)).pid), 0)
})

t.test('two give out the pids of one place, and never the same', async t => {
  const main = new ProcessTable(node, 7)
  const place = new ProcessTable(node, 7, { number: 5, life: 0 })
  const source = new PidSource(main, { number: 5, life: 0 }, 'inside')
  const seen = new Set<string>()
  const living: LocalProcess[] = []
  for (let round = 0; round < 1000; round++) {
    for (const process of [add(place), add(place, source.next())]) {
      t.equal(place.find(process.pid), process)
      seen.add(String([process.pid.id, process.pid.serial]))
      living.push(process)
    }
    for (const process of living.splice(0, round % 3)) {
      place.remove(process)
      if ((process.pid.id >>> 6) % 2 === 1) source.ended(process.pid)
      t.equal(place.find(process.pid), undefined)
    }
  }
  t.equal(seen.size, 2000)
  t.equal(place.count, living.length)
  t.strictSame(new Set(place), new Set(living))
})

t.test('a process may live elsewhere than where its pid was given out', async t => {
  const [main, host] = [new ProcessTable(node, 7), new ProcessTable(node, 7, { number: 5, life: 0 })]
  const pid = new PidSource(main, { number: 9, life: 0 }, 'outside').next()
  t.equal(isOutside(pid), true)
  t.equal(isOutside(new PidSource(main, { number: 9, life: 0 }, 'inside').next()), false)
  main.settle(pid, 5)
  const process = add(host, pid)
  t.equal(host.find(pid), process)
  t.strictSame([main.locate(pid), host.locate(pid), host.isGiven(pid)], [5, 5, true])
  t.strictSame([...host], [process])
  host.remove(process)
  main.settle(pid, null)
  t.equal(host.find(pid), undefined)
  t.strictSame([main.locate(pid), host.locate(pid), host.count], [0, 0, 0], 'main answers for it')
})

t.test('a place that takes the number of one that has ended finds none of its identities', async t => {
  const table = new ProcessTable(node, 7, { number: 3, life: 0 })
  const before = Array.from({ length: 100 }, () => add(table).pid)
  const refs = Array.from({ length: 100 }, () => table.makeRef())
  const after = new ProcessTable(node, 7, { number: 3, life: 1 })
  for (let index = 0; index < 100; index++) add(after)
  t.ok(before.every(pid => after.find(pid) === undefined))
  const numbers = new Set(Array.from({ length: 100 }, () => after.numberOf(after.makeRef())))
  t.notOk(refs.some(ref => numbers.has(after.numberOf(ref))))
})

t.test('a slot rests until 64 others have been given back', async t => {
  const table = new ProcessTable(node, 7)
  const first = add(table)
  table.remove(first)
  for (let count = 0; count < 64; count++) {
    const { pid } = add(table)
    t.not(pid.id, first.pid.id)
    table.remove(table.find(pid) as LocalProcess)
  }
  t.match(add(table).pid, { id: first.pid.id, serial: first.pid.serial + 1 })
})
