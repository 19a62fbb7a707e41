/** Tables and their copies, and the indexes that the store keeps beside them: made, opened, built, removed. */
import { type Atom, atom, format, type Sendable, type Term, text, Tuple, tuple } from '../../term/index.js'
import type { Codec } from '../codec.js'
import { StoreError } from '../errors.js'
import { type IndexMark, markOf, sameMark } from '../index-term.js'
import { checkName } from '../names.js'
import type { IndexBy, Table, TableOptions } from '../table.js'
import type { Cluster } from './cluster.js'
import { aborted, isDone, noTable } from './faults.js'
import { outcomesTable } from './outcomes.js'
import { type Asker, getOp } from './reading.js'
import { entriesOf, entryOps, type IndexState, type TableState } from './table-state.js'
import type { MnesiaTransaction } from './transaction.js'
import { op } from './worker.js'

/** Which BEAM nodes have a copy of a table, and where they keep it */
export interface Copies {
  /** In memory alone: gone with the last of them */
  readonly ram?: readonly string[] | undefined
  /** In memory and on the disk */
  readonly disc?: readonly string[] | undefined
  /** On the disk alone. Such a table is a set. */
  readonly discOnly?: readonly string[] | undefined
}

export type CopyKind = 'ram' | 'disc' | 'discOnly'

/** The BEAM nodes that have a copy, by where they keep it */
export type TableCopies = { readonly [kind in CopyKind]: readonly string[] }

export interface MnesiaTableOptions<V = any> extends TableOptions<V> {
  /** Of a new table. Default: what the option `copies` of the store says, on all its nodes that run */
  readonly copies?: Copies | undefined
  /** Of a new table: keys in order, or hashed. Default: 'ordered_set', and 'set' with discOnly */
  readonly type?: 'ordered_set' | 'set' | undefined
  /** Of a new table: a cluster that is split writes only where most copies are. Default: false */
  readonly majority?: boolean | undefined
}

const KINDS = { ram: 'ram_copies', disc: 'disc_copies', discOnly: 'disc_only_copies' } as const

const indexProperty = (name: string): Tuple => tuple(atom('beamlet_index'), Buffer.from(name)) as unknown as Tuple
/** What marks a table of entries */
const ENTRIES = atom('beamlet_entries')

type Atomically = (work: (transaction: MnesiaTransaction) => Promise<void>) => Promise<void>

export class Schema {
  readonly #cluster: Cluster
  readonly #codec: Codec
  readonly #copies: CopyKind
  readonly #atomically: Atomically
  readonly #rows: Asker
  readonly #states = new Map<string, TableState>()
  /** One change after the other */
  #last: Promise<unknown> = Promise.resolve()

  constructor(cluster: Cluster, codec: Codec, copies: CopyKind, rows: Asker, atomically: Atomically) {
    this.#cluster = cluster
    this.#codec = codec
    this.#copies = copies
    this.#rows = rows
    this.#atomically = atomically
  }

  /** @throws StoreError STORE_NO_TABLE */
  state(table: string | Table<any, any>): TableState {
    const name = typeof table === 'string' ? table : table.name
    const state = this.#states.get(name)
    if (state !== undefined) return state
    throw new StoreError('STORE_NO_TABLE', `The table '${name}' is not open.`, { remedy: `Open it first: await store.table('${name}').` })
  }

  /** @throws StoreError STORE_OPTION, STORE_NO_TABLE, STORE_FOREIGN, STORE_NO_COPY, STORE_INDEX, STORE_ABORTED … */
  table(name: string, options: MnesiaTableOptions): Promise<TableState> {
    checkName(name, 'table')
    for (const index of Object.keys(options.indexes ?? {})) checkName(index, 'index')
    return this.#inTurn(() => this.#open(name, options))
  }

  /** Those of the store, without tables of entries */
  async names(): Promise<string[]> {
    const all = await this.#tables()
    const own = await Promise.all(all.map(async name => ({ name, hidden: await this.#isEntries(name) })))
    return own.flatMap(({ name, hidden }) => (hidden || name === outcomesTable ? [] : [name])).sort()
  }

  delete(name: string): Promise<void> {
    return this.#inTurn(async () => {
      const info = await this.#info(name)
      const entries = indexesOf(info).map(({ table }) => table)
      await this.#change('delete_table', [atom(name)])
      const state = this.#states.get(name)
      if (state !== undefined) state.deleted = true
      this.#states.delete(name)
      for (const table of entries) await this.#change('delete_table', [atom(table)], 'no_exists')
    })
  }

  async copies(name: string): Promise<TableCopies> {
    const info = await this.#info(name)
    const of = (item: string): string[] => (info.get(item) as readonly Atom[]).map(({ name }) => name).sort()
    return { ram: of(KINDS.ram), disc: of(KINDS.disc), discOnly: of(KINDS.discOnly) }
  }

  /** With the tables of its entries. @throws StoreError */
  async addCopy(name: string, node: string, kind: CopyKind): Promise<void> {
    for (const { table, kind: each } of await this.#withEntries(name, kind)) {
      await this.#change('add_table_copy', [atom(table), atom(node), atom(KINDS[each])], 'already_exists')
    }
  }

  async changeCopy(name: string, node: string, kind: CopyKind): Promise<void> {
    for (const { table, kind: each } of await this.#withEntries(name, kind)) {
      await this.#change('change_table_copy_type', [atom(table), atom(node), atom(KINDS[each])], 'already_exists')
    }
  }

  async deleteCopy(name: string, node: string): Promise<void> {
    for (const { table } of await this.#withEntries(name, 'ram')) {
      await this.#change('del_table_copy', [atom(table), atom(node)])
    }
  }

  async size(name: string): Promise<number> {
    const size = await this.#cluster.call('table_info', [atom(name), atom('size')])
    if (typeof size !== 'number') throw aborted(tuple(atom('no_exists'), atom(name)) as unknown as Term)
    return size
  }

  /** What says that a table has no copy may say that there is no such table. */
  async explain(fault: unknown, { name }: TableState): Promise<unknown> {
    if (!(fault instanceof StoreError) || fault.code !== 'STORE_NO_COPY') return fault
    const tables = await this.#tables().catch(() => undefined)
    return tables === undefined || tables.includes(name) ? fault : noTable(name, tables)
  }

  async #withEntries(name: string, kind: CopyKind): Promise<{ table: string; kind: CopyKind }[]> {
    const info = await this.#info(name)
    // Tables of entries are ordered, which those on the disk alone cannot be.
    const beside = kind === 'discOnly' ? 'disc' : kind
    return [{ table: name, kind }, ...indexesOf(info).map(({ table }) => ({ table, kind: beside as CopyKind }))]
  }

  async #open(name: string, options: MnesiaTableOptions): Promise<TableState> {
    const tables = await this.#tables()
    if (!tables.includes(name)) {
      if (options.create === false) throw noTable(name, tables)
      await this.#create(name, options)
    }
    const info = await this.#info(name)
    const entries = indexesOf(info)
    await this.#wait([name, ...entries.map(({ table }) => table)])
    const state = this.#states.get(name) ?? stateOf(name, info)
    this.#states.set(name, state)
    state.indexes = entries.map(entry => ({
      ...entry,
      find: state.indexes.find(known => known.name === entry.name)?.find ?? wayOf(entry.by),
    }))
    if (options.indexes !== undefined) await this.#index(state, options.indexes)
    return state
  }

  async #create(name: string, { copies, type, majority = false }: MnesiaTableOptions): Promise<void> {
    const where = copies ?? { [this.#copies]: await this.#running() }
    const ordered = type ?? (where.discOnly?.length ? 'set' : 'ordered_set')
    if (ordered === 'ordered_set' && where.discOnly?.length) {
      throw new StoreError('STORE_OPTION', 'Mnesia keeps no table in order that is on the disk alone.', {
        remedy: "Take type: 'set', or copies that are in memory, too: disc.",
      })
    }
    await this.#change(
      'create_table',
      [
        atom(name),
        [
          tuple(atom('type'), atom(ordered)),
          tuple(atom('attributes'), [atom('key'), atom('value')]),
          ...copyOptions(where),
          tuple(atom('majority'), majority),
        ],
      ],
      'already_exists',
    )
  }

  async #index(state: TableState, wanted: Readonly<Record<string, IndexBy>>): Promise<void> {
    const same = (index: IndexState): boolean => {
      const by = wanted[index.name]
      return by !== undefined && index.ready && sameMark(index.by, markOf(by))
    }
    const kept = state.indexes.filter(same).map(index => ({ ...index, find: wanted[index.name] }))
    const gone = state.indexes.filter(index => !same(index))
    const names = new Set(kept.map(({ name }) => name))
    const missing = Object.entries(wanted).filter(([name]) => !names.has(name))
    for (const { name, table } of gone) {
      await this.#change('delete_table_property', [atom(state.name), indexProperty(name)])
      await this.#change('delete_table', [atom(table)], 'no_exists')
    }
    const made = missing.map(([name, find]): IndexState => ({ name, find, by: markOf(find), table: `${state.name}.${name}`, ready: false }))
    const before = state.indexes
    for (const index of made) await this.#makeEntries(state, index)
    state.indexes = [...kept, ...made]
    if (made.length === 0) return
    try {
      await this.#build(state)
    } catch (error) {
      state.indexes = before.filter(same)
      throw error
    }
    for (const index of made) await this.#say(state, { ...index, ready: true })
    state.indexes = state.indexes.map(index => ({ ...index, ready: true }))
  }

  /** An empty table of entries, with copies where the table has them */
  async #makeEntries(state: TableState, index: IndexState): Promise<void> {
    const { ram, disc, discOnly } = await this.copies(state.name)
    if ((await this.#tables()).includes(index.table) && !(await this.#isEntries(index.table))) {
      const remedy = `Give the index another name, or that table.`
      throw new StoreError('STORE_EXISTS', `The index '${index.name}' needs the table '${index.table}', which is there already.`, {
        remedy,
      })
    }
    await this.#change('delete_table', [atom(index.table)], 'no_exists')
    await this.#change('create_table', [
      atom(index.table),
      [
        tuple(atom('type'), atom('ordered_set')),
        tuple(atom('attributes'), [atom('key'), atom('value')]),
        ...copyOptions({ ram, disc: [...disc, ...discOnly] }),
        tuple(atom('user_properties'), [tuple(ENTRIES, atom(state.name))]),
      ],
    ])
    await this.#say(state, index)
  }

  #say({ name: table }: TableState, { name, by, table: entries, ready }: IndexState): Promise<void> {
    const mark = Buffer.isBuffer(by) ? by : [...by]
    return this.#change('write_table_property', [atom(table), tuple(indexProperty(name), Buffer.from(entries), mark, ready)])
  }

  /** Enters every row that is there, some at a time; rows that are written meanwhile enter themselves. */
  async #build(state: TableState): Promise<void> {
    const { name, recordName, arity, ordered } = state
    const of = (page: number): Tuple =>
      op('range', page, atom(name), atom(recordName), arity, ordered, atom('none'), atom('none'), false, atom('infinity'))
    for await (const page of this.#rows.pages(state, of)) {
      await this.#atomically(async transaction => {
        const found = await transaction.ask(
          state,
          page.map(([key]) => getOp(state, key, 'write')),
        )
        const ops = page.flatMap(([key], i) => {
          const { whole } = this.#codec.packKey(this.#codec.key(key))
          const entries = entriesOf(state, this.#codec, whole, (found[i] as readonly Buffer[])[0])
          return entryOps(this.#codec, key, new Map(), entries)
        })
        for (const index of state.indexes) transaction.writes(index.table)
        await transaction.ask(state, ops)
      })
    }
  }

  async #running(): Promise<string[]> {
    const running = (await this.#cluster.call('system_info', [atom('running_db_nodes')])) as readonly Atom[]
    return running.flatMap(({ name }) => (this.#cluster.options.nodes.includes(name) ? [name] : []))
  }

  async #tables(): Promise<string[]> {
    const tables = (await this.#cluster.call('system_info', [atom('tables')])) as readonly Atom[]
    return tables.flatMap(({ name }) => (name === 'schema' ? [] : [name]))
  }

  async #isEntries(name: string): Promise<boolean> {
    const properties = (await this.#info(name)).get('user_properties') as readonly Tuple[]
    return properties.some(property => (property.elements as readonly Term[])[0] === ENTRIES)
  }

  async #info(name: string): Promise<Map<string, Term>> {
    const known = await this.#tables()
    if (!known.includes(name)) throw noTable(name, known)
    const all = (await this.#cluster.call('table_info', [atom(name), atom('all')])) as readonly Tuple<[Atom, Term]>[]
    return new Map(all.map(({ elements: [item, value] }) => [item.name, value]))
  }

  async #wait(names: readonly string[]): Promise<void> {
    const { timeout } = this.#cluster.options
    const waited = await this.#cluster.call('wait_for_tables', [names.map(name => atom(name)), timeout], { timeout: 2 * timeout })
    if (waited === atom('ok')) return
    const [how, what] = waited instanceof Tuple ? (waited.elements as readonly Term[]) : []
    const late = how === atom('timeout') ? (what as readonly Atom[])[0]! : atom(names[0]!)
    throw aborted(tuple(atom('no_exists'), late) as unknown as Term)
  }

  /** A change of Mnesia's schema. @param done the reason that says that it was so before */
  async #change(fun: string, args: readonly Sendable[], done = 'nothing'): Promise<void> {
    const answer = await this.#cluster.call(fun, args)
    if (isDone(answer, done)) return
    const reason = (answer as Tuple).elements[1] as Term
    const remedy = remedies[reason instanceof Tuple ? (reason.tag ?? '') : ''] ?? 'Nothing was changed.'
    const [table] = args as readonly [Atom]
    if (reason instanceof Tuple && reason.tag === 'no_exists') throw noTable(table.name, await this.#tables())
    throw new StoreError('STORE_ABORTED', `Mnesia refused ${fun} for '${table.name}': ${format(reason)}.`, { remedy, reason })
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined) // told to whom it was promised
    return result
  }
}

const remedies: Readonly<Record<string, string>> = {
  bad_type: "For copies on the disk the node's schema must be there, too: give start: 'disc' to openStore, or take copies: 'ram'.",
  not_active: 'That node must run: start it, or leave it out.',
  node_not_running: 'That node must run: start it, or leave it out.',
  badarg: 'Nothing was changed.',
}

const copyOptions = (copies: Copies): Sendable[] =>
  Object.entries(KINDS).map(([kind, name]) =>
    tuple(
      atom(name),
      (copies[kind as CopyKind] ?? []).map(node => atom(node)),
    ),
  )

function stateOf(name: string, info: ReadonlyMap<string, Term>): TableState {
  const type = info.get('type')
  if (type === atom('bag')) {
    throw new StoreError('STORE_FOREIGN', `'${name}' is a bag, with several records for one key, and a store has one row for each.`)
  }
  return {
    name,
    recordName: (info.get('record_name') as Atom).name,
    arity: info.get('arity') as number,
    ordered: type === atom('ordered_set'),
    indexes: [],
    deleted: false,
  }
}

/** The indexes that a table says it has */
function indexesOf(info: ReadonlyMap<string, Term>): Omit<IndexState, 'find'>[] {
  const properties = (info.get('user_properties') ?? []) as readonly Tuple[]
  return properties.flatMap(property => {
    const [key, table, by, ready] = property.elements as readonly [Term, Buffer, Buffer | readonly Term[], boolean]
    if (!(key instanceof Tuple) || key.tag !== 'beamlet_index') return []
    const mark: IndexMark = Buffer.isBuffer(by) ? by : by.map(step => (typeof step === 'number' ? step : text(step)))
    return [{ name: text((key.elements as readonly Term[])[1] as Term), table: text(table), by: mark, ready }]
  })
}

const wayOf = (by: IndexMark): IndexBy | undefined => (Buffer.isBuffer(by) ? undefined : by)
