/** Who is told of changes. */
import { once } from 'node:events'
import t from 'tap'
import { Node } from '../../../src/index.js'
import { type Change, openStore } from '../../../src/store/index.js'
import { atom, format, tuple } from '../../../src/term/index.js'

const said = ({ op, table, key, value, old, commit }: Change<any, any>): string =>
  [op, table, key, ...(value === undefined ? [] : [value]), ...(old === undefined ? [] : [`was ${old}`]), `#${commit}`].join(' ')

t.test('a function: after the commit, in order, with its number', async t => {
  await using store = await openStore(t.testdir())
  const [table, other] = [await store.table<number, number>('t'), await store.table<number, number>('u')]
  await table.put(1, 0)
  const { commits } = store.stats()
  const changes: string[] = []
  const end = table.subscribe(change => changes.push(said(change)), { old: true })
  const plain: string[] = []
  table.subscribe(change => plain.push(said(change)))
  await table.put(1, 1)
  t.equal(changes.length, 1, 'told before the put resolves')
  await table.delete(1)
  await table.delete(1)
  await other.put(1, 1)
  await store.transaction(async tx => {
    for (const n of [7, 3]) await tx.table(table).put(n, n)
    await tx.table(table).put(3, 4)
  })
  await t.rejects(
    store.transaction(async tx => {
      await tx.table(table).put(9, 9)
      throw new Error('no')
    }),
  )
  const number = (n: number): string => `#${commits + n}`
  t.strictSame(changes, [
    `put t 1 1 was 0 ${number(1)}`,
    `delete t 1 was 1 ${number(2)}`,
    `put t 7 7 ${number(4)}`,
    `put t 3 4 ${number(4)}`,
  ], 'nothing of what was not there, nor of what was undone') // prettier-ignore
  t.strictSame(plain[0], `put t 1 1 ${number(1)}`)
  end()
  end()
  await table.put(5, 5)
  t.equal(changes.length, 4)
  t.equal(plain.length, 5)
})

t.test('one that throws is an uncaught exception, and nobody else is harmed', async t => {
  await using store = await openStore(t.testdir())
  const table = await store.table<number, number>('t')
  let told = 0
  table.subscribe(() => {
    throw new Error('mine')
  })
  table.subscribe(() => told++)
  const before = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  const caught = once(process, 'uncaughtException')
  try {
    await table.put(1, 1)
    t.match(await caught, [{ message: 'mine' }])
  } finally {
    for (const listener of before) process.on('uncaughtException', listener)
  }
  t.equal(told, 1)
  t.equal(await table.get(1), 1)
})

t.test('a process: messages as Mnesia sends them, until it exits', async t => {
  await using store = await openStore(t.testdir())
  await using node = await Node.start({ name: `store-${process.pid}@127.0.0.1`, cookie: 'secret', listen: false, epmd: false })
  const table = await store.table<string, number>('users')
  const { commits } = store.stats()
  const messages: string[] = []
  let subscribed!: () => void
  const ready = new Promise<void>(resolve => (subscribed = resolve))
  const ended = new Promise<void>(resolve =>
    node.spawn(async self => {
      table.subscribe(self)
      table.subscribe(self, { old: true })
      subscribed()
      for await (const message of self) if (messages.push(format(message)) === 6) break
      resolve()
    }),
  )
  await ready
  await table.put('joe', 1)
  await table.put('joe', 2)
  await table.delete('joe')
  await ended
  const [first, second, third] = [1, 2, 3].map(n => commits + n)
  t.strictSame(messages, [
    `{store_table_event,{write,{users,<<"joe">>,1},${first}}}`,
    `{store_table_event,{users,write,{users,<<"joe">>,1},[],${first}}}`,
    `{store_table_event,{write,{users,<<"joe">>,2},${second}}}`,
    `{store_table_event,{users,write,{users,<<"joe">>,2},[{users,<<"joe">>,1}],${second}}}`,
    `{store_table_event,{delete,{users,<<"joe">>},${third}}}`,
    `{store_table_event,{users,delete,{users,<<"joe">>},[{users,<<"joe">>,2}],${third}}}`,
  ])
  await table.put(String(tuple(atom('after'))), 1)
  t.equal(messages.length, 6)
})
