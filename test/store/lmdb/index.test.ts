/** Secondary indexes. */
import t from 'tap'
import { openStore, type Row, type Table } from '../../../src/store/index.js'
import { atom, compare, float, get, type Term, tuple } from '../../../src/term/index.js'

const keys = (rows: readonly Row<any, any>[]): unknown[] => rows.map(([key]) => String(key))

async function ranged(rows: AsyncIterable<Row<any, any>>): Promise<unknown[]> {
  const all: Row<any, any>[] = []
  for await (const row of rows) all.push(row)
  return keys(all)
}

interface User {
  readonly email: string
  readonly age: number
}

t.test('an index by a way into the value, and one by a function', async t => {
  await using store = await openStore(t.testdir())
  const indexes = { email: ['email'], decade: (user: Term) => Math.floor((get(user as never, atom('age')) as number) / 10) }
  const users = await store.table<string, User>('users', { indexes })
  await users.put('joe', { email: 'joe@example.org', age: 68 })
  await users.put('robert', { email: 'robert@example.org', age: 61 })
  await users.put('mike', { email: 'mike@example.org', age: 59 })
  t.strictSame(keys(await users.index('email').get('joe@example.org')), ['joe'])
  t.strictSame(keys(await users.index('email').get('nobody@example.org')), [])
  t.strictSame(keys(await users.index('decade').get(6)), ['joe', 'robert'], 'in the order of their keys')
  t.strictSame(await ranged(users.index('decade').range({ lt: 6 })), ['mike'])
  t.strictSame(await ranged(users.index('email').range({ gte: 'k' })), ['mike', 'robert'])
  t.strictSame(await ranged(users.index('email').range({ reverse: true, limit: 1 })), ['robert'])
  t.equal(get((await users.index('email').get('joe@example.org'))[0]![1] as never, atom('age')), 68, 'whole rows')

  await users.put('joe', { email: 'joe@erlang.org', age: 42 })
  t.strictSame(keys(await users.index('email').get('joe@example.org')), [], 'it follows a put')
  t.strictSame(keys(await users.index('decade').get(4)), ['joe'])
  await users.delete('joe')
  t.strictSame(keys(await users.index('decade').get(4)), [], 'and a delete')
  t.strictSame(await store.verify(), { tables: 1, rows: 2, entries: 4 })
  t.throws(() => users.index('name'), { code: 'STORE_NO_INDEX', message: /It has 'email', 'decade'/ })
})

t.test('ways: keys of maps, places of tuples; what leads nowhere is not in the index', async t => {
  await using store = await openStore(t.testdir())
  const table = await store.table('t', { indexes: { way: ['who', 2] } })
  await table.put('a', { who: tuple(atom('id'), 7) })
  for (const value of [1, {}, { who: 7 }, { who: tuple(7) }, tuple(1, 2), { who: [1, 2] }, null])
    await table.put(tuple('not', value), value)
  t.strictSame(keys(await table.index('way').get(7)), ['a'])
  t.strictSame(await ranged(table.index('way').range()), ['a'])
  t.equal(await table.size(), 8)
})

t.test('1 and 1.0 are told apart by get, and are one place in a range', async t => {
  await using store = await openStore(t.testdir())
  const table = await store.table('t', { indexes: { all: [] } })
  await table.put('integer', 1)
  await table.put('float', float(1))
  t.strictSame(keys(await table.index('all').get(1)), ['float', 'integer'], "values come out as numbers with floats: 'number'")
  await using exact = await openStore(t.testdir({}), { floats: 'exact' })
  const other = await exact.table('t', { indexes: { all: [] } })
  await other.put('integer', 1)
  await other.put('float', float(1))
  t.strictSame(keys(await other.index('all').get(1)), ['integer'])
  t.strictSame(keys(await other.index('all').get(float(1))), ['float'])
  t.strictSame(await ranged(other.index('all').range({ gte: float(1), lte: 1 })), ['integer', 'float'])
})

t.test('terms in an index, and keys, longer than LMDB takes', async t => {
  await using store = await openStore(t.testdir())
  const table = await store.table('t', { indexes: { text: [] } })
  const beginning = 'é'.repeat(1500)
  const rows = Array.from({ length: 20 }, (_, n) => [`${n % 2 ? beginning : ''}k${n}`, `${beginning}${n % 4}`] as const)
  for (const [key, text] of rows) await table.put(key, text)
  const expected = rows.filter(([, text]) => text === `${beginning}1`).map(([key]) => key)
  t.strictSame(keys(await table.index('text').get(`${beginning}1`)), expected.toSorted(compare))
  const inOrder = rows.toSorted(([a, x], [b, y]) => compare(x, y) || compare(a, b)).map(([key]) => key)
  t.strictSame(await ranged(table.index('text').range()), inOrder)
  t.strictSame(await ranged(table.index('text').range({ gt: `${beginning}1`, reverse: true })), inOrder.slice(10).toReversed())
  t.strictSame(await store.verify(), { tables: 1, rows: 20, entries: 20 })
})

t.test('it is built for rows that are there, while others are put', async t => {
  const directory = t.testdir()
  await using store = await openStore(directory)
  const table = await store.table<number, number>('t')
  await Promise.all(Array.from({ length: 2500 }, (_, n) => table.put(n, n % 10)))
  const building = store.table<number, number>('t', { indexes: { digit: [] } })
  const puts = Promise.all(Array.from({ length: 500 }, (_, n) => table.put(n * 7, 11)))
  const indexed = await building
  await puts
  t.equal((await indexed.index('digit').get(11)).length, 500)
  t.match(await store.verify(), { tables: 1 })
  const { rows, entries } = await store.verify()
  t.equal(entries, rows)
})

t.test('indexes of a table that is opened again: kept, changed, removed, made', async t => {
  const directory = t.testdir()
  const first = (value: Term): Term => (value as readonly Term[])[0]!
  const second = (value: Term): Term => (value as readonly Term[])[1]!
  const open = async (indexes?: Record<string, any>): Promise<Table & AsyncDisposable> => {
    const store = await openStore(directory)
    const table = await store.table('t', { indexes })
    return Object.assign(table, { [Symbol.asyncDispose]: async () => (await store.verify(), store.close()) })
  }
  {
    await using table = await open({ f: first, way: [] })
    await table.put('a', [1, 2])
    await table.put('b', [2, 1])
  }
  {
    await using table = await open()
    t.strictSame(keys(await table.index('f').get(1)), ['a'], 'it is read without its function')
    await t.rejects(table.put('c', [1, 1]), {
      code: 'STORE_INDEX',
      message: /'f' of 't' is made by a function that this program has not said/,
    })
    await table.delete('b')
  }
  {
    await using table = await open({ f: first, way: [] })
    await table.put('c', [1, 1])
    t.strictSame(keys(await table.index('f').get(1)), ['a', 'c'])
  }
  {
    await using table = await open({ f: second, g: first })
    t.strictSame(keys(await table.index('f').get(2)), ['a'], 'another function: built anew')
    t.strictSame(keys(await table.index('g').get(1)), ['a', 'c'])
    t.throws(() => table.index('way'), { code: 'STORE_NO_INDEX' }, 'not named any more')
  }
  {
    await using table = await open({})
    t.throws(() => table.index('f'), { code: 'STORE_NO_INDEX' })
    await table.put('d', 7)
  }
})

t.test('a function that throws', async t => {
  await using store = await openStore(t.testdir())
  const table = await store.table('t', { indexes: { bad: value => (value === 0 ? undefined : ((10 / (value as number)) as never)) } })
  await table.put('zero', 0)
  await table.put('ten', 10)
  const picky = (value: Term): Term => {
    if (value === 10) throw new TypeError('ten!')
    return value
  }
  const [ok, bad] = await Promise.allSettled([table.put('one', 1), table.put('text', 'x')])
  t.equal(ok!.status, 'fulfilled', 'it fails its own put alone')
  t.match(bad, { status: 'rejected', reason: { code: 'STORE_INDEX' } })
  t.equal(await table.has('text'), false)
  await t.rejects(store.table('t', { indexes: { picky } }), { code: 'STORE_INDEX', message: /ten!/ })
  t.throws(() => table.index('picky'), { code: 'STORE_NO_INDEX' })
  await table.put('two', 2)
  await store.verify()
})
