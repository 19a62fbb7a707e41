/** Tables copied from one store to another. */
import t from 'tap'
import { copyTables, openStore } from '../../src/store/index.js'
import { atom, float, format, get, type Term } from '../../src/term/index.js'

t.test('all tables, with the indexes that are ways; again, only what has changed', async t => {
  const directories = t.testdir({ a: {}, b: {} })
  await using from = await openStore(`${directories}/a`, { floats: 'exact' })
  await using to = await openStore({ engine: 'lmdb', directory: `${directories}/b`, floats: 'exact' })
  const stock = await from.table<Term, any>('stock', { indexes: { price: ['price'], dear: value => get(value, atom('price')) as number > 5 } }) // prettier-ignore
  for (const key of [1, float(1), 'pear', [1, 2]]) await stock.put(key as Term, { price: float(2) })
  const log = await from.table<number, string>('log')
  await Promise.all(Array.from({ length: 1100 }, (_, n) => log.put(n, `entry ${n}`)))
  const seen: string[] = []
  const copied = await copyTables(from, to, {
    progress: ({ table, rows, total, written }) => seen.push(`${table} ${rows}/${total} ${written}`),
  })
  t.strictSame(seen, ['log 500/1100 500', 'log 1000/1100 1000', 'log 1100/1100 1100', 'stock 4/4 4'])
  t.strictSame(copied[1], { table: 'stock', total: 4, rows: 4, written: 4, extra: 0, functions: ['dear'] })
  const there = await to.table<Term, any>('stock')
  t.equal(format((await there.get(float(1)))!), '#{price => 2.0}')
  t.equal((await there.index('price').get(float(2))).length, 4)
  await log.put(7, 'changed')
  await log.delete(8)
  const again = await copyTables(from, to, { tables: ['log'] })
  t.strictSame(again, [{ table: 'log', total: 1099, rows: 1099, written: 1, extra: 1, functions: [] }])
})

t.test('one that is interrupted goes on where it was', async t => {
  const directories = t.testdir({ a: {}, b: {} })
  await using from = await openStore(`${directories}/a`)
  await using to = await openStore(`${directories}/b`)
  const log = await from.table<number, string>('log')
  await Promise.all(Array.from({ length: 1200 }, (_, n) => log.put(n, `entry ${n}`)))
  const stop = new AbortController()
  await t.rejects(copyTables(from, to, { progress: () => stop.abort(new RangeError('enough')), signal: stop.signal }), RangeError)
  t.equal(await (await to.table('log')).size(), 500)
  const [copied] = await copyTables(from, to)
  t.match(copied, { rows: 1200, written: 700, extra: 0 })
  await t.rejects(copyTables(from, to, { tables: ['nothing'] }), { code: 'STORE_NO_TABLE' })
})
