import t from 'tap'
import type { EpmdEntry } from '../../src/dist/epmd.js'
import { creationOf, EpmdDirectory } from '../../src/net/epmd-directory.js'

const entry = (name: string, highest = 6): EpmdEntry => ({ name, port: 4001, hidden: false, highest, lowest: 5, extra: Buffer.alloc(0) })

/** Registers, and gives the creation. */
function creation(directory: EpmdDirectory, name: string, highest?: number): number | null {
  const registered = directory.register(entry(name, highest), 5)
  return registered && creationOf(registered)
}

function comesAndGoes(directory: EpmdDirectory, name: string, highest?: number): number {
  const registered = directory.register(entry(name, highest), 5)
  if (registered === null) throw new Error(`${name} was refused`)
  directory.release(registered)
  return creationOf(registered)
}

void t.test('a name that comes back gets the next creation', t => {
  const directory = new EpmdDirectory(9, () => 100)
  t.same([1, 2, 3].map(() => comesAndGoes(directory, 'a')), [100, 101, 102]) // prettier-ignore
  t.equal(comesAndGoes(directory, 'b'), 100, 'each name counts for itself')
  t.end()
})

void t.test('a creation is never 0 to 3', t => {
  const directory = new EpmdDirectory(9, () => 0xfffffffe)
  t.same([1, 2, 3, 4].map(() => comesAndGoes(directory, 'a')), [0xfffffffe, 0xffffffff, 4, 5]) // prettier-ignore
  t.end()
})

void t.test('a node of version 5 gets 1, 2 and 3 in turn', t => {
  const directory = new EpmdDirectory(9, () => 100)
  t.same([1, 2, 3, 4].map(() => comesAndGoes(directory, 'a', 5)), [2, 3, 1, 2]) // prettier-ignore
  t.end()
})

void t.test('a name is given once, and given back by its holder only', t => {
  const directory = new EpmdDirectory(9, () => 100)
  const first = directory.register(entry('a'), 5)
  t.equal(directory.register(entry('a'), 6), null)
  if (first === null) return t.fail('a was refused')
  t.ok(directory.release(first))
  const second = directory.register(entry('a'), 7)
  t.notOk(directory.release(first), 'it was given back before')
  t.equal(directory.get('a'), second)
  t.end()
})

void t.test('names that would forge a line, and extra bytes beyond epmd’s limit, are refused', t => {
  const directory = new EpmdDirectory(9, () => 100)
  t.equal(creation(directory, 'a\nname b at port 1'), null)
  t.equal(creation(directory, ''), null)
  t.equal(creation(directory, 'n'.repeat(256)), null)
  t.equal(directory.register({ ...entry('a'), extra: Buffer.alloc(1021) }, 5), null)
  t.equal(creation(directory, 'n'.repeat(255)), 100)
  t.end()
})

void t.test('nodes are bounded', t => {
  const directory = new EpmdDirectory(2, () => 100)
  t.same(['a', 'b', 'c'].map(name => creation(directory, name)), [100, 100, null]) // prettier-ignore
  t.same(directory.active().map(({ entry }) => entry.name), ['b', 'a'], 'newest first') // prettier-ignore
  t.end()
})

void t.test('a thousand gone nodes are remembered, the longest gone forgotten first', t => {
  const directory = new EpmdDirectory(9, () => 100)
  for (let i = 0; i < 1001; i++) comesAndGoes(directory, `n${i}`)
  t.equal(directory.old().length, 1000)
  t.equal(directory.old()[0]?.entry.name, 'n1')
  t.equal(comesAndGoes(directory, 'n0'), 100, 'forgotten')
  t.equal(comesAndGoes(directory, 'n5'), 101, 'remembered')
  t.end()
})
