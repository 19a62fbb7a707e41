/** Copies while it is written, and a smaller file. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import t from 'tap'
import { openStore } from '../../../src/store/index.js'

t.test('a backup is one moment, while it is written', async t => {
  const directory = t.testdir({ there: {} })
  await using store = await openStore(`${directory}/store`)
  const [a, b] = [await store.table<number, number>('a', { indexes: { all: [] } }), await store.table<number, number>('b')]
  const both = (n: number): Promise<unknown> => store.transaction(async tx => Promise.all([tx.table(a).put(n, n), tx.table(b).put(n, n)]))
  for (let n = 0; n < 200; n += 10) await Promise.all(Array.from({ length: 10 }, (_, i) => both(n + i)))
  let n = 200
  const progress = { done: false }
  const copying = store.backup(`${directory}/new/backup`).then(() => (progress.done = true))
  do await both(n++)
  while (!progress.done)
  await copying
  t.ok(n > 200, `${n - 200} transactions meanwhile`)
  await using copy = await openStore(`${directory}/new/backup`)
  const [rowsOfA, rowsOfB] = [await (await copy.table('a')).size(), await (await copy.table('b')).size()]
  t.ok(rowsOfA >= 200 && rowsOfA <= n)
  t.equal(rowsOfA, rowsOfB)
  t.strictSame(await copy.verify(), { tables: 2, rows: rowsOfA * 2, entries: rowsOfA })
  await (await copy.table('a')).put('own', 1)

  for (const taken of ['there', 'store', 'new/backup'])
    await t.rejects(store.backup(`${directory}/${taken}`), { code: 'STORE_EXISTS' }, taken)
  await t.rejects(store.backup(''), { code: 'STORE_OPTION' })
  t.strictSame(readdirSync(directory).toSorted(), ['new', 'store', 'there'], 'nothing is left behind')
})

t.test('compact gives room back, and all goes on', async t => {
  const directory = t.testdir()
  await using store = await openStore(directory)
  const table = await store.table<number, Buffer>('t')
  await Promise.all(Array.from({ length: 300 }, (_, n) => table.put(n, Buffer.alloc(10_000, n))))
  await Promise.all(Array.from({ length: 290 }, (_, n) => table.delete(n)))
  const range = table.range()
  await range.next()
  await t.rejects(store.compact(), { code: 'STORE_BUSY', message: /1 ranges/ })
  await range.return?.()
  const compacting = store.compact()
  const meanwhile = table.put(1000, Buffer.from('meanwhile'))
  const { before, after } = await compacting
  await meanwhile
  t.ok(after * 5 < before, `${before} bytes, then ${after}`)
  t.equal(await table.size(), 11)
  t.equal(String(await table.get(1000)), 'meanwhile')
  await table.put(1, Buffer.from('after'))
  await store.verify()
  await store.close()
  await using again = await openStore(directory)
  t.equal(await (await again.table('t')).size(), 12)
  t.notOk(readdirSync(directory).some(name => name.includes('new')))
})

t.test('what a crash left of a compaction is no obstacle', async t => {
  const directory = t.testdir()
  mkdirSync(`${directory}/compact-1-0.new`)
  await using store = await openStore(directory)
  await store.table('t')
  await store.compact()
  t.notOk(existsSync(`${directory}/compact-1-0.new`), 'it is cleared away')
})
