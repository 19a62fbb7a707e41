/** Transactions: all or nothing, as if one after the other. */
import t from 'tap'
import { openStore, type Row, type Transaction } from '../../../src/store/index.js'

const keysOf = async (rows: AsyncIterable<Row<any, any>>): Promise<unknown[]> => {
  const keys: unknown[] = []
  for await (const [key] of rows) keys.push(typeof key === 'number' ? key : String(key))
  return keys
}

t.test('several tables: all is written at once, or nothing', async t => {
  await using store = await openStore(t.testdir())
  const [accounts, log] = [await store.table<string, number>('accounts'), await store.table<number, string>('log')]
  await accounts.put('a', 100)
  await accounts.put('b', 0)
  const commits = store.stats().commits
  const left = await store.transaction(async tx => {
    const [from, to] = [(await tx.table(accounts).get('a'))!, (await tx.table<string, number>('accounts').get('b'))!]
    await tx.table(accounts).put('a', from - 30)
    await tx.table(accounts).put('b', to + 30)
    await tx.table(log).put(1, 'a to b')
    t.equal(await tx.table(accounts).get('a'), 70, 'it sees what it wrote')
    t.equal(await accounts.get('a'), 100, 'others do not')
    return from - 30
  })
  t.equal(left, 70)
  t.equal(store.stats().commits, commits + 1)
  t.strictSame([await accounts.get('a'), await accounts.get('b'), await log.size()], [70, 30, 1])
  await t.rejects(
    store.transaction(async tx => {
      await tx.table(accounts).put('a', 0)
      await tx.table(log).delete(1)
      throw new RangeError('no')
    }),
    { name: 'RangeError', message: 'no' },
  )
  t.strictSame([await accounts.get('a'), await log.size()], [70, 1])
})

t.test('a hundred increments at once', async t => {
  await using store = await openStore(t.testdir())
  const table = await store.table<string, number>('t')
  await table.put('n', 0)
  let runs = 0
  await Promise.all(
    Array.from({ length: 100 }, () =>
      store.transaction(async tx => {
        runs++
        await tx.table(table).put('n', (await tx.table(table).get('n'))! + 1)
      }),
    ),
  )
  t.equal(await table.get('n'), 100)
  t.ok(runs > 100, 'some ran again')
})

t.test('what it reads of a range must hold: no row comes in between', async t => {
  await using store = await openStore(t.testdir())
  const table = await store.table<number, number>('t', { indexes: { value: [] } })
  for (const n of [1, 2, 3]) await table.put(n, n * 10)
  // Each reads something, then somebody writes, then it commits: does it run again?
  const again = async (read: (tx: Transaction) => Promise<unknown>, write: () => Promise<void>): Promise<boolean> => {
    let runs = 0
    await store.transaction(async tx => {
      runs++
      await read(tx)
      if (runs === 1) await write()
      await tx.table(table).put(999, 0)
    })
    await table.delete(999)
    return runs > 1
  }
  const whole = (tx: Transaction): Promise<unknown> => keysOf(tx.table(table).range({ lte: 5 }))
  t.equal(await again(whole, () => table.put(4, 0)), true, 'a row that is new')
  t.equal(await again(whole, () => table.delete(4)), true, 'one that is gone')
  t.equal(await again(whole, () => table.put(2, 20)), true, 'one that was put again')
  t.equal(await again(whole, () => table.put(6, 0)), false, 'beyond its end')
  const first = (tx: Transaction): Promise<unknown> => keysOf(tx.table(table).range({ limit: 1 }))
  t.equal(await again(first, () => table.put(7, 0)), false, 'behind what it read')
  t.equal(await again(first, () => table.put(0, 0)), true, 'before it')
  const last = (tx: Transaction): Promise<unknown> => keysOf(tx.table(table).range({ limit: 1, reverse: true }))
  t.equal(await again(last, () => table.put(5, 0)), false)
  t.equal(await again(last, () => table.put(8, 0)), true)
  const absent = (tx: Transaction): Promise<unknown> => tx.table(table).get(100)
  t.equal(await again(absent, () => table.put(100, 0)), true, 'a row that was not there')
  const indexed = (tx: Transaction): Promise<unknown> => tx.table(table).index('value').get(30)
  t.equal(await again(indexed, () => table.put(50, 30)), true, 'a row that is new in the index')
  t.equal(await again(indexed, () => table.put(3, 31)), true, 'one that leaves it')
  t.equal(await again(indexed, () => table.put(2, 21)), false, 'one that is elsewhere in it')
})

t.test('ranges and indexes show what it wrote itself, in order', async t => {
  await using store = await openStore(t.testdir())
  const table = await store.table<number, string>('t', { indexes: { text: [] } })
  for (const n of [1, 3, 5]) await table.put(n, 'old')
  await store.transaction(async tx => {
    const mine = tx.table(table)
    await mine.put(2, 'new')
    await mine.put(3, 'new')
    await mine.put(9, 'old')
    await mine.delete(5)
    t.strictSame(await keysOf(mine.range()), [1, 2, 3, 9])
    t.strictSame(await keysOf(mine.range({ reverse: true })), [9, 3, 2, 1])
    t.strictSame(await keysOf(mine.range({ gt: 1, limit: 2 })), [2, 3])
    t.strictSame(
      (await mine.index('text').get('old')).map(([key]) => key),
      [1, 9],
    )
    t.strictSame(await keysOf(mine.index('text').range({ lt: 'old' })), [2, 3])
    t.equal(await mine.has(5), false)
  })
  t.strictSame(await keysOf(table.range()), [1, 2, 3, 9])
  t.strictSame(
    (await table.index('text').get('new')).map(([key]) => key),
    [2, 3],
  )
  await store.verify()
})

t.test('a transaction within a transaction: only what it wrote is undone', async t => {
  await using store = await openStore(t.testdir())
  const table = await store.table<string, number>('t')
  await store.transaction(async tx => {
    await tx.table(table).put('outer', 1)
    await t.rejects(
      tx.transaction(async inner => {
        t.equal(await inner.table(table).get('outer'), 1, 'it sees what the outer one wrote')
        await inner.table(table).put('outer', 2)
        await inner.table(table).put('lost', 1)
        t.throws(() => tx.table(table), { code: 'STORE_TRANSACTION' }, 'the outer one waits meanwhile')
        throw new Error('undo')
      }),
      { message: 'undo' },
    )
    t.strictSame([await tx.table(table).get('outer'), await tx.table(table).get('lost')], [1, undefined])
    await tx.transaction(async inner => {
      await inner.transaction(async innermost => innermost.table(table).put('kept', 1))
      await inner.table(table).delete('outer')
    })
    t.strictSame(await keysOf(tx.table(table).range()), ['kept'])
  })
  t.strictSame(await keysOf(table.range()), ['kept'])
})

t.test('its bounds', async t => {
  await using store = await openStore(t.testdir())
  const table = await store.table<string, number>('t')
  let runs = 0
  const disturbed = store.transaction(
    async tx => {
      runs++
      await tx.table(table).get('n')
      await table.put('n', runs)
      await tx.table(table).put('m', 1)
    },
    { retries: 3 },
  )
  await t.rejects(disturbed, { code: 'STORE_CONFLICT', message: /4 times/ })
  t.equal(runs, 4)
  t.equal(await table.has('m'), false)

  let left: Transaction | undefined
  await store.transaction(async tx => {
    left = tx
  })
  t.throws(() => left!.table(table), { code: 'STORE_TRANSACTION' })
  await t.rejects(
    store.transaction(async tx => tx.table('none').get(1)),
    { code: 'STORE_NO_TABLE' },
  )
  await t.rejects(
    store.transaction(async tx => tx.table(table).put(undefined as never, 1)),
    { code: 'STORE_KEY' },
  )
})

t.test('an error that came of reading before and after a commit of others is none', async t => {
  await using store = await openStore(t.testdir())
  const table = await store.table<string, number>('t')
  await store.transaction(async tx => Promise.all([tx.table(table).put('a', 1), tx.table(table).put('b', 1)]))
  let runs = 0
  const sum = await store.transaction(async tx => {
    const a = (await tx.table(table).get('a'))!
    if (++runs === 1) await store.transaction(async other => Promise.all([other.table(table).put('a', 2), other.table(table).put('b', 2)]))
    const b = (await tx.table(table).get('b'))!
    if (a !== b) throw new Error('they always agree')
    return a + b
  })
  t.equal(sum, 4)
})
