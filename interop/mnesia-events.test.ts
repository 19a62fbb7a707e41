/** Changes of Mnesia's tables, told to functions and to processes, whoever made them; and one program on either engine. */
import t from 'tap'
import { atom, format, type Term, tuple } from '../src/index.js'
import { type Change, openStore, type Store } from '../src/store/index.js'
import { eachOtp } from './support/each-otp.js'
import { landOf } from './support/mnesia.js'
import { patience } from './support/pair.js'
import { until } from './support/until.js'

t.setTimeout(600_000)

const said = ({ op, table, key, value, old }: Change<any, any>): string =>
  [op, table, key, ...(value === undefined ? [] : [value]), ...(old === undefined ? [] : [`was ${old}`])].join(' ')

t.test('changes', async t => {
  await eachOtp(t, async (t, real) => {
    const land = await landOf(t, real, 2)
    const store = await land.open({ start: 'disc' })
    const table = await store.table<number, number>('rows')

    await t.test('ours and those of Erlang, in order; those of a transaction have one number', async t => {
      const changes: Change<number, number>[] = []
      const end = table.subscribe(change => changes.push(change), { old: true })
      await table.put(1, 1)
      await table.put(1, 2)
      await table.delete(1)
      await store.transaction(async tx => {
        await tx.table(table).put(7, 7)
        await tx.table(table).put(8, 8)
      })
      await land.beams[1]!.eval('mnesia:transaction(fun() -> mnesia:write({rows, 9, 9}) end).')
      await table.dirty.put(10, 10)
      await until(() => changes.length >= 7)
      t.strictSame(changes.map(said), ['put rows 1 1', 'put rows 1 2 was 1', 'delete rows 1 was 2', 'put rows 7 7', 'put rows 8 8', 'put rows 9 9', 'put rows 10 10']) // prettier-ignore
      t.equal(changes[3]!.commit, changes[4]!.commit)
      t.equal(new Set(changes.map(({ commit }) => commit)).size, 6)
      end()
      end()
      await table.put(11, 11)
      t.equal(changes.length, 7)
    })

    await t.test('a process, until it exits; and after its node went, that some may have been missed', async t => {
      await land.node.run(async self => {
        table.subscribe(self, { old: true })
        const next = async (): Promise<string> => format(await self.receive(undefined, { timeout: patience }))
        await table.put(20, 1)
        t.match(await next(), /^\{store_table_event,\{rows,write,\{rows,20,1\},\[\],\d+\}\}$/)
        await table.delete(20)
        t.match(await next(), /^\{store_table_event,\{rows,delete,\{rows,20\},\[\{rows,20,1\}\],\d+\}\}$/)
        await land.beams[0]!.kill()
        t.equal(await next(), '{store_table_event,{lost,rows}}')
        await table.put(21, 1)
        t.match(await next(), /^\{store_table_event,\{rows,write,\{rows,21,1\},\[\],\d+\}\}$/)
      })
    })
  })
})

/** A program that knows nothing of its engine */
async function program(store: Store): Promise<string[]> {
  const says: string[] = []
  const stock = await store.table<Term, any>('stock', { indexes: { price: ['price'] } })
  const orders = await store.table<number, string>('orders')
  for (const [name, price] of [['pear', 2], ['apple', 1], ['plum', 2]] as const) await stock.put(tuple(atom('fruit'), atom(name)), { price }) // prettier-ignore
  await stock.put([1, 2, 3], { price: 9 })
  await stock.put(7, { price: 2.5 })
  for await (const [key, value] of stock.range()) says.push(`${format(key)} ${format(value)}`)
  for await (const [key] of stock.range({ gt: 7, lt: [], reverse: true, limit: 2 })) says.push(format(key))
  for (const [key] of await stock.index('price').get(2)) says.push(`at 2: ${format(key)}`)
  for await (const [key] of stock.index('price').range({ gt: 2 })) says.push(`dear: ${format(key)}`)
  const changes: string[] = []
  const end = orders.subscribe(change => changes.push(said(change)), { old: true })
  await store.transaction(async tx => {
    const pear = tuple(atom('fruit'), atom('pear'))
    await tx.table(stock).put(pear, { price: 3 })
    await tx.table(orders).put(1, 'pears')
    await tx
      .transaction(async inner => {
        await inner.table(orders).put(1, 'plums')
        throw new Error('none left')
      })
      .catch((error: Error) => says.push(error.message))
    says.push(String(await tx.table(orders).get(1)))
    for (const [key] of await tx.table(stock).index('price').get(3)) says.push(`at 3: ${format(key)}`)
  })
  await store.transaction(async () => Promise.reject(new Error('nothing of it'))).catch((error: Error) => says.push(error.message))
  await orders.delete(1)
  await until(() => changes.length === 2)
  end()
  says.push(...changes, `${await stock.size()} rows`, (await store.tables()).join(' '))
  await store.deleteTable('orders')
  await orders.get(1).catch((error: { code: string }) => says.push(error.code))
  await store.table('nowhere', { create: false }).catch((error: { code: string }) => says.push(error.code))
  return says
}

t.test('the same program runs on either engine, by one option', async t => {
  await eachOtp(t, async (t, real) => {
    const { node, names } = await landOf(t, real, 1)
    const directory = t.testdir()
    const options = { lmdb: { engine: 'lmdb', directory }, mnesia: { engine: 'mnesia', node, nodes: names, start: 'disc' } } as const
    const runs: string[][] = []
    for (const engine of ['lmdb', 'mnesia'] as const) {
      await using store = await openStore(options[engine])
      runs.push(await program(store))
    }
    t.ok(runs[0]!.length > 15)
    t.strictSame(runs[1], runs[0])
  })
})
