import t from 'tap'
import { atom, ImproperList, type Term, tuple } from '../../src/index.js'
import { TermTable } from '../../src/otp/term-table.js'

t.test('equal terms are one key', async t => {
  const map = (...pairs: [Term, Term][]): Term => new Map(pairs)
  const keys: (() => Term)[] = [
    () => atom('a'),
    () => Buffer.from('a'),
    () => 'a'.charCodeAt(0),
    () => [97],
    () => tuple(atom('a')),
    () => tuple(Buffer.from('a'), [1, 2]),
    () => new ImproperList([1], map([1, 2])),
    () => map([atom('k'), 1], [2, 3]),
    () => [tuple(map([atom('k'), 1], [2, 4]))],
    () => true,
    () => null,
  ]
  const table = new TermTable<number>()
  for (const [index, key] of keys.entries()) table.set(key(), index)
  t.equal(table.size, keys.length)
  t.strictSame(
    [...table].map(([, value]) => value).toSorted((a, b) => a - b),
    [...keys.keys()],
  )
  t.equal(table.get(map([2, 3], [atom('k'), 1])), 7, 'in whatever order a map is')
  for (const [index, key] of keys.entries()) {
    t.equal(table.get(key()), index)
    table.set(key(), index + 1)
    t.equal(table.get(key()), index + 1)
    t.equal(table.delete(key()), true)
    t.equal(table.delete(key()), false)
    t.equal(table.get(key()), undefined)
  }
  t.equal(table.size, 0)
})

t.test('however deep a key nests', async t => {
  let deep: Term = 1
  for (let level = 0; level < 9_000; level++) deep = [deep]
  const table = new TermTable<string>()
  table.set(deep, 'deep')
  t.equal(table.get(deep), 'deep')
})
