/** The design's sketch of the public types, held against the real package: what must compile compiles, and what must not does not. */
import { any, atom, type Atom, isPid, match, type Node, type NodeProcess, type Pid, type Term } from '../../src/index.js'
import { genServer, genStatem, keep, next, noreply, reply, stop } from '../../src/otp/index.js'
import { copyTables, openStore, StoreError, type TableCopies } from '../../src/store/index.js'

export async function use(node: Node, self: NodeProcess): Promise<void> {
  const counter = genServer({
    module: import.meta.url,
    init: (start: number) => (start < 0 ? stop(atom('bad')) : start),
    call: {
      add: (n, by: number) => reply(n + by, n + by),
      get: n => reply(n, n),
      slow(n, text: Buffer) {
        const from = this.from<number>()
        void text
        setTimeout(() => from.reply(n), 9)
        return noreply(n, from)
      },
      end: n => stop(atom('normal'), n, atom('ok')),
      async name(n) {
        void this.pid
        return reply('bob', n)
      },
      // `this` is the process, with all that it can do
      async far(n) {
        const there: Term = await this.rpc.call('x@y', 'erlang', 'node')
        return reply(this.node.nodes().length + (there === atom('x@y') ? 1 : 0), n)
      },
    },
    cast: { reset: () => 0, plus: (n, k: number) => n + k },
    info: (n, message) => (void message, n),
    codeChange: (oldVsn, n, extra) => (void oldVsn, void extra, n),
  })
  const ref = await node.start(counter, { args: [10], name: 'counter', on: 'pool' })
  const sum: number = await ref.call('add', 5)
  const slow: number = await ref.with({ timeout: 100 }).call('slow', 'text')
  const end: Atom<'ok'> = await ref.call('end')
  const name: Buffer = await ref.call('name')
  const far: number = await node.ref<typeof counter>({ name: 'counter', node: 'x@y' }).call('get')
  const linked: number = await (await self.startLink(counter, { args: [1] })).call('get')
  // @ts-expect-error a number where text is wanted
  await ref.call('slow', 5)
  // @ts-expect-error no such call
  await ref.call('nope')
  // @ts-expect-error init wants a number
  await node.start(counter, { name: 'counter' })
  // @ts-expect-error a handler cannot be given a string
  genServer({ init: () => 0, call: { bad: (n, text: string) => reply(text, n) } })
  const table = { get: async () => undefined, put: async () => {} }
  genServer({ init: (name: string) => name.length, persist: { table, key: name => name, every: 1000, save: n => n + 1 } })
  genServer({
    init: () => ({ at: 1 }),
    persist: { table: () => table, key: 'shop', vsn: 2, restore: (saved, { at }) => ({ at: saved === 1 ? 0 : at }) },
  })
  // @ts-expect-error an object comes back as a Map: say how
  genServer({ init: () => ({ at: 1 }), persist: { table, key: 'shop' } })
  genStatem({
    init: (name: string) => next('closed', name.length),
    states: { closed: { call: { get: n => reply(n, keep(n)) } } },
    persist: { table, key: name => name, save: n => n + 1, restore: (saved, n) => (saved === 1 ? n : 0) },
  })
  // @ts-expect-error there is no such state
  genServer({ init: () => 0, persist: { table, key: 'n', restore: () => 'text' } })
  const installed = await node.releaseHandler.installRelease(
    [
      {
        node: 'erl@host',
        instructions: [
          { update: 'stock', change: { advanced: [] }, code: Buffer.alloc(0), old: '/old/stock.beam' },
          { update: atom('sup'), change: 'supervisor' },
          { loadModule: 'lib', code: '/new/lib.beam' },
          { addModule: 'more', code: new URL('file:///more.js') },
          { deleteModule: 'less' },
          { apply: ['m', 'f', [1]], undo: null },
        ],
      },
    ],
    { timeout: 1000, purge: 'kill', progress: ({ node, what, step, done, of }) => void [node, what, step, done, of] },
  )
  const moved: readonly Pid[] = installed.flatMap(({ servers }) => servers)
  // @ts-expect-error a change is said
  await node.releaseHandler.installRelease([{ node: 'erl@host', instructions: [{ update: 'stock' }] }])
  // @ts-expect-error a reason that is a JavaScript string would arrive as a binary
  if (sum === 0) self.exit('shutdown')
  const down = await self.receive(match([atom('DOWN'), any, atom('process'), isPid, any]), { timeout: 5000 })
  const [, , , pid] = down.elements
  const who: Pid = pid
  void [moved, sum, slow, end, name, far, linked, who]
}

/** Both engines give the same tables; what Mnesia has besides is its own. */
export async function store(node: Node): Promise<void> {
  await using embedded = await openStore('/tmp/store', { readOnly: false })
  await using mnesia = await openStore({
    engine: 'mnesia',
    node,
    nodes: ['a@host', 'b@host'],
    start: 'disc',
    copies: 'ram',
    sync: true,
    outcomes: true,
    timeout: 1000,
    transactionTimeout: 1000,
    floats: 'exact',
  })
  const accounts = await mnesia.table<string, number>('accounts', { type: 'set', copies: { ram: ['a@host'] }, majority: true })
  await accounts.put('a', 1)
  await accounts.dirty.put('a', 2)
  const balance: number | undefined = await accounts.get('a')
  const sum: number = await mnesia.transaction(async tx => {
    await tx.transaction(async inner => inner.table(accounts).delete('b'))
    return ((await tx.table(accounts).get('a')) ?? 0) + 1
  })
  const end: () => void = accounts.subscribe(({ op, key, value }) => void [op, key, value], { old: true, lost: () => {} })
  end()
  await mnesia.addCopy(accounts, 'b@host', 'discOnly')
  await mnesia.changeCopy(accounts, 'b@host', 'disc')
  await mnesia.deleteCopy(accounts, 'b@host')
  const copies: TableCopies = await mnesia.copies('accounts')
  const became: 'committed' | 'aborted' = await mnesia.outcome('transaction')
  await copyTables(embedded, mnesia, { tables: ['accounts'], progress: () => {} })
  // @ts-expect-error there is no such engine
  await openStore({ engine: 'ets', node, nodes: [] })
  // @ts-expect-error a table of the embedded engine has nothing dirty
  void (await embedded.table('accounts')).dirty
  void [balance, sum, copies, became, StoreError]
}
