/** Tables of the embedded engine: rows, ranges, limits, what is wrong. */
import fc from 'fast-check'
import t from 'tap'
import { openStore } from '../../../src/store/index.js'
import { atom, compare, equals, float, format, type Sendable, type Term, tuple } from '../../../src/term/index.js'
import { terms as anyTerm } from '../../term/arbitrary-term.js'
import { collect, keysOf } from '../rows.js'

t.test('rows: put, get, has, delete, size', async t => {
  await using store = await openStore(t.testdir())
  const table = await store.table('rows')
  t.equal(table.name, 'rows')
  t.equal(await table.get('joe'), undefined)
  await table.put('joe', { email: 'joe@example.org', age: 68 })
  t.ok(equals(await table.get(Buffer.from('joe')), { email: 'joe@example.org', age: 68 }))
  await table.put('joe', null)
  t.equal(await table.get('joe'), null, 'put again, and a nil is not nothing')
  t.equal(await table.has('joe'), true)
  t.equal(await table.size(), 1)
  await table.delete('joe')
  await table.delete('joe')
  t.equal(await table.has('joe'), false)
  t.equal(await table.size(), 0)
})

t.test('any term as key and as value', async t => {
  await using store = await openStore(t.testdir(), { floats: 'exact' })
  const table = await store.table('terms')
  let rows: [Term, Term][] = []
  await fc.assert(
    fc.asyncProperty(anyTerm, anyTerm, async (key, value) => {
      await table.put(key, value)
      rows = [...rows.filter(([known]) => !equals(known, key)), [key, value]]
      const got = await table.get(key)
      if (!equals(got, value)) throw new Error(`${format(got!)} is not ${format(value)}`)
    }),
    { numRuns: 60 },
  )
  const all = await collect(table.range())
  t.equal(all.length, rows.length)
  t.ok(
    all.every(([key], i) => i === 0 || compare(all[i - 1]![0], key) <= 0),
    'in the order of terms',
  )
  t.ok(
    rows.every(([key, value]) => all.some(([k, v]) => equals(k, key) && equals(v, value))),
    'as they were',
  )
})

t.test('1 and 1.0 are two keys, side by side, and come back as they were', async t => {
  await using store = await openStore(t.testdir())
  const table = await store.table('numbers')
  for (const key of [float(1), 1, tuple(float(1)), tuple(1), 2, float(-0), 0, float(0)]) await table.put(key, format(key))
  t.strictSame(await keysOf(table.range()), ['0', '-0.0', '0.0', '1', '1.0', '2', '{1}', '{1.0}'])
  t.equal(String(await table.get(float(1))), '1.0')
  t.equal(String(await table.get(1)), '1')
  await table.delete(float(1))
  t.strictSame(await keysOf(table.range({ gte: 1, lt: 2 })), ['1'])
})

t.test('ranges', async t => {
  await using store = await openStore(t.testdir())
  const table = await store.table<number>('numbers')
  await Promise.all(Array.from({ length: 10 }, (_, n) => table.put(n, n * n)))
  await table.put(float(5) as unknown as number, 0)
  t.strictSame(await keysOf(table.range({ gte: 3, lte: 5 })), ['3', '4', '5', '5.0'])
  t.strictSame(await keysOf(table.range({ gt: 3, lt: 6 })), ['4', '5', '5.0'])
  t.strictSame(await keysOf(table.range({ gt: 5, lt: 7 })), ['6'], 'what compares equal is left out together')
  t.strictSame(await keysOf(table.range({ lt: 5, gte: 4 })), ['4'])
  t.strictSame(await keysOf(table.range({ gt: 7, reverse: true })), ['9', '8'])
  t.strictSame(await keysOf(table.range({ lte: 2, reverse: true })), ['2', '1', '0'])
  t.strictSame(await keysOf(table.range({ limit: 2 })), ['0', '1'])
  t.strictSame(await keysOf(table.range({ limit: 2, reverse: true })), ['9', '8'])
  t.strictSame(await keysOf(table.range({ limit: 0 })), [])
  t.strictSame(await keysOf(table.range({ gt: 5, lt: 3 })), [])
  t.strictSame(await keysOf(table.range({ gte: atom('a') as unknown as number })), [])
  await t.rejects(collect(table.range({ limit: -1 })), { code: 'STORE_OPTION' })
  await t.rejects(collect(table.range({ gte: undefined, lte: (() => 1) as unknown as number })), { code: 'STORE_KEY' })
})

t.test('a range shows the rows as they were when it began', async t => {
  await using store = await openStore(t.testdir())
  const table = await store.table<number>('numbers')
  for (let n = 0; n < 4; n++) await table.put(n, 'old')
  const seen: string[] = []
  for await (const [key, value] of table.range()) {
    seen.push(`${key} ${String(value)}`)
    await table.put(key + 1, 'new')
    await table.delete(3)
  }
  t.strictSame(seen, ['0 old', '1 old', '2 old', '3 old'])
  t.strictSame(await keysOf(table.range()), ['0', '1', '2', '4'])
  t.equal(store.stats().snapshots, 0)
  for await (const _ of table.range()) break
  t.equal(store.stats().snapshots, 0, 'also when it is left')
})

t.test('keys longer than LMDB takes', async t => {
  await using store = await openStore(t.testdir())
  const table = await store.table('long')
  const beginning = 'x'.repeat(3000)
  const names = Array.from({ length: 30 }, (_, n) => `${beginning}${String((n * 7) % 30).padStart(2, '0')}`)
  const lists: Sendable[] = names.map(name => [name, 1])
  for (const key of [...names, ...lists, 'x', 'y', 'x'.repeat(1930), 'x'.repeat(1938), 'x'.repeat(1945)]) await table.put(key, key)
  const keys = (await collect(table.range())).map(([key]) => key)
  t.equal(keys.length, 65)
  t.ok(
    keys.every((key, i) => i === 0 || compare(keys[i - 1]!, key) < 0),
    'in order',
  )
  const backwards = (await collect(table.range({ reverse: true }))).map(([key]) => key)
  t.ok(backwards.toReversed().every((key, i) => equals(key, keys[i])))
  for (const key of names) t.equal(String(await table.get(key)), key)
  const sorted = names.toSorted()
  t.strictSame(
    (await collect(table.range({ gt: sorted[10]!, lte: sorted[13]! }))).map(([key]) => String(key)),
    sorted.slice(11, 14),
  )
  t.strictSame(
    (await collect(table.range({ gte: sorted[27]!, lt: 'y', reverse: true, limit: 2 }))).map(([key]) => String(key)),
    [sorted[29], sorted[28]],
  )
  await table.delete(sorted[5]!)
  t.equal(await table.has(sorted[5]!), false)
  t.equal(await table.size(), 64)
  const huge = Buffer.alloc(3_000_000, 7)
  await table.put(huge, huge)
  t.ok(huge.equals((await table.get(huge)) as Buffer))
  t.strictSame(await store.verify(), { tables: 1, rows: 65, entries: 0 })
})

t.test('what was put is there when the store is opened again', async t => {
  const directory = t.testdir()
  {
    await using store = await openStore(directory)
    const [a, b] = [await store.table('a'), await store.table('b')]
    await Promise.all([a.put(1, 'a'), b.put(1, 'b'), a.put(2, 'a2')])
  }
  await using store = await openStore(directory)
  t.strictSame(await store.tables(), ['a', 'b'])
  t.equal(String(await (await store.table('a')).get(1)), 'a')
  t.equal(String(await (await store.table('b')).get(1)), 'b')
})

t.test('puts of one turn are one commit, in their order', async t => {
  await using store = await openStore(t.testdir())
  const table = await store.table('t')
  const before = store.stats().commits
  await Promise.all(Array.from({ length: 100 }, (_, n) => table.put(n % 10, n)))
  t.equal(store.stats().commits, before + 1)
  t.strictSame(
    (await collect(table.range())).map(([, value]) => value),
    [90, 91, 92, 93, 94, 95, 96, 97, 98, 99],
  )
})

t.test('tables', async t => {
  await using store = await openStore(t.testdir())
  await t.rejects(store.table('none', { create: false }), { code: 'STORE_NO_TABLE' })
  t.strictSame(await store.tables(), [])
  for (const name of ['', 'x'.repeat(256), '\ud800', 7 as unknown as string]) await t.rejects(store.table(name), { code: 'STORE_OPTION' })
  const table = await store.table('t', { indexes: { by: ['a'] } })
  await Promise.all(Array.from({ length: 2500 }, (_, n) => table.put(n, { a: n % 7 })))
  await store.table('u')
  await store.deleteTable('t')
  await t.rejects(store.deleteTable('t'), { code: 'STORE_NO_TABLE', message: /these are: u/ })
  t.strictSame(await store.tables(), ['u'])
  t.equal(store.stats().entries, 0, 'its rows are gone, and its indexes')
  const uses: (() => Promise<unknown>)[] = [() => table.get(1), () => table.put(1, 1), () => table.delete(1), () => table.size()]
  for (const use of [...uses, () => collect(table.range())]) {
    await t.rejects(use(), { code: 'STORE_NO_TABLE' })
  }
  const again = await store.table('t')
  t.equal(await again.size(), 0)
  await again.put(1, 1)
  t.equal(await again.get(1), 1)
})

t.test('what cannot be a key or a value', async t => {
  await using store = await openStore(t.testdir(), { limits: { size: 1000 } })
  const table = await store.table('t')
  const cycle: Term[] = []
  cycle.push(cycle)
  for (const bad of [undefined, NaN, () => 1, Promise.resolve(), new Date(), cycle, tuple(undefined), '\ud800', 'x'.repeat(2000)]) {
    const term = bad as unknown as Term
    await t.rejects(table.put(term, 1), { code: 'STORE_KEY' })
    await t.rejects(table.get(term), { code: 'STORE_KEY' })
    await t.rejects(table.delete(term), { code: 'STORE_KEY' })
    await t.rejects(table.put(1, term), { code: 'STORE_VALUE' })
  }
  t.equal(await table.size(), 0)
})

t.test('more than writeBufferMax waits to be written', async t => {
  await using store = await openStore(t.testdir(), { writeBufferMax: 10_000 })
  const table = await store.table('t')
  const puts = await Promise.allSettled(Array.from({ length: 10 }, (_, n) => table.put(n, Buffer.alloc(3000))))
  t.strictSame(
    puts.map(put => (put.status === 'rejected' ? (put.reason as { code: string }).code : put.status)),
    [...Array<string>(3).fill('fulfilled'), ...Array<string>(7).fill('STORE_OVERLOAD')],
  )
  await table.put(1, Buffer.alloc(20_000))
  t.equal(await table.size(), 3, 'one that is larger alone goes')
  t.equal(store.stats().queued, 0)
})

t.test('after it is closed', async t => {
  const store = await openStore(t.testdir())
  const table = await store.table<number>('t')
  for (let n = 0; n < 3; n++) await table.put(n, n)
  const range = table.range()
  await range.next()
  const last = table.put(9, 9)
  const closed = store.close()
  t.equal(store.close(), closed, 'twice is once')
  const uses: Record<string, () => unknown> = {
    get: () => table.get(1),
    put: () => table.put(1, 1),
    range: () => range.next(),
    table: () => store.table('u'),
    tables: () => store.tables(),
    transaction: () => store.transaction(async () => 1),
    backup: () => store.backup('/tmp/x'),
    compact: () => store.compact(),
    verify: () => store.verify(),
    stats: async () => store.stats(),
    subscribe: async () => table.subscribe(() => {}),
  }
  await closed
  await last
  for (const [name, use] of Object.entries(uses)) await t.rejects(use() as Promise<unknown>, { code: 'STORE_CLOSED' }, name)
  await using again = await openStore(store.directory)
  t.equal(await (await again.table('t')).get(9), 9, 'what was asked for before was written')
})

t.test('options', async t => {
  await t.rejects(openStore(''), { code: 'STORE_OPTION' })
  await t.rejects(openStore(t.testdir(), { floats: 'none' as 'exact' }), { code: 'STORE_OPTION' })
  await t.rejects(openStore(t.testdir(), { writeBufferMax: 0 }), { code: 'STORE_OPTION' })
})
