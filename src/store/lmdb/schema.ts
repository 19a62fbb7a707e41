/**
 * Tables and indexes: made, built, removed. What is removed is first forgotten by the catalog, then its rows go, some thousand at a time; what a
 * crash leaves of that is done when the store is opened again.
 */
import { StoreError } from '../errors.js'
import { markOf, sameMark } from '../index-term.js'
import type { IndexBy, Table, TableOptions } from '../table.js'
import { type Catalog, catalogKey, type CatalogIndex, emptyCatalog, packCatalog, unpackCatalog } from './catalog.js'
import type { Codec } from '../codec.js'
import type { Environment, Stored, Write } from './environment.js'
import { rowOf } from './scan.js'
import { sortKey } from '../sort-key.js'
import { from, upTo } from './stored-key.js'
import { checkName } from '../names.js'
import { type IndexState, stateOf, type TableState } from './table-state.js'
import { noTable, type RowWrite, type Writer } from './writer.js'

const AT_A_TIME = 1000
const nothing = Buffer.alloc(0)

export class Schema {
  readonly #environment: () => Environment
  /** undefined: nothing is written here */
  readonly #writer: Writer | undefined
  readonly #codec: Codec
  readonly #states = new Map<string, TableState>()
  /** One change after the other */
  #last: Promise<unknown> = Promise.resolve()

  constructor(environment: () => Environment, codec: Codec, writer: Writer | undefined) {
    this.#environment = environment
    this.#codec = codec
    this.#writer = writer
  }

  /** Makes the catalog of a new store; in an old one ends what a crash left undone. */
  async open(): Promise<void> {
    const catalog = this.#catalog()
    const tables = catalog.tables.map(table => ({ ...table, indexes: table.indexes.filter(({ ready }) => ready) }))
    const unfinished = catalog.tables.flatMap(({ indexes }) => indexes.flatMap(({ ready, space }) => (ready ? [] : [space])))
    if (this.#writer === undefined) return
    if (this.#environment().get(catalogKey) === undefined || unfinished.length > 0) {
      await this.#save({ ...catalog, tables, dropped: [...catalog.dropped, ...unfinished] })
    }
    await this.#sweep()
  }

  names(): string[] {
    return this.#catalog()
      .tables.map(({ name }) => name)
      .sort()
  }

  /** @throws StoreError STORE_NO_TABLE */
  state(table: string | Table<any, any>): TableState {
    const name = typeof table === 'string' ? table : table.name
    const state = this.#state(name)
    if (state === undefined) throw noTable(name, this.names())
    return state
  }

  /** @throws StoreError STORE_OPTION, STORE_NO_TABLE, STORE_READ_ONLY, STORE_INDEX */
  table(name: string, options: TableOptions): Promise<TableState> {
    checkName(name, 'table')
    for (const index of Object.keys(options.indexes ?? {})) checkName(index, 'index')
    return this.#inTurn(() => this.#open(name, options))
  }

  delete(name: string): Promise<void> {
    return this.#inTurn(async () => {
      this.#writable()
      const state = this.state(name)
      const { tables, dropped, ...rest } = this.#catalog()
      state.deleted = true
      this.#states.delete(name)
      const spaces = [state.space, ...state.indexes.map(({ space }) => space)]
      await this.#save({ ...rest, tables: tables.filter(table => table.name !== name), dropped: [...dropped, ...spaces] })
      await this.#sweep()
    })
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined) // told to whom it was promised
    return result
  }

  async #open(name: string, { indexes, create = this.#writer !== undefined }: TableOptions): Promise<TableState> {
    if (this.#state(name) === undefined) {
      if (!create) throw noTable(name, this.names())
      this.#writable()
      const { next, tables, ...rest } = this.#catalog()
      await this.#save({ ...rest, next: next + 1, tables: [...tables, { name, space: next, indexes: [] }] })
    }
    const state = this.state(name)
    if (indexes !== undefined) await this.#index(state, indexes)
    return state
  }

  async #index(state: TableState, wanted: Readonly<Record<string, IndexBy>>): Promise<void> {
    const same = ({ name, by }: CatalogIndex): boolean => wanted[name] !== undefined && sameMark(by, markOf(wanted[name]))
    const kept = state.indexes.filter(same).map(index => ({ ...index, find: wanted[index.name] }))
    const gone = state.indexes.filter(index => !same(index))
    const names = new Set(kept.map(({ name }) => name))
    const missing = Object.entries(wanted).filter(([name]) => !names.has(name))
    if (gone.length + missing.length === 0 || this.#writer === undefined) {
      if (missing.length > 0) this.#writable()
      state.indexes = kept.length === state.indexes.length ? kept : state.indexes
      return
    }
    const catalog = this.#catalog()
    const made = missing.map(([name, find], i): IndexState => ({ name, space: catalog.next + i, by: markOf(find), find, ready: false }))
    await this.#saveIndexes(state, [...kept, ...made], gone)
    if (made.length > 0) {
      try {
        await this.#build(state)
      } catch (error) {
        await this.#saveIndexes(state, kept, made)
        await this.#sweep()
        throw error
      }
      await this.#saveIndexes(
        state,
        state.indexes.map(index => ({ ...index, ready: true })),
        [],
      )
    }
    await this.#sweep()
  }

  /** From now on these are kept up to date. */
  async #saveIndexes(state: TableState, indexes: readonly IndexState[], gone: readonly IndexState[]): Promise<void> {
    const before = state.indexes
    const { next, tables, dropped } = this.#catalog()
    const plain = indexes.map(({ name, space, by, ready }) => ({ name, space, by, ready }))
    state.indexes = indexes
    try {
      await this.#save({
        next: Math.max(next, ...indexes.map(({ space }) => space + 1)),
        tables: tables.map(table => (table.name === state.name ? { ...table, indexes: plain } : table)),
        dropped: [...dropped, ...gone.map(({ space }) => space)],
      })
    } catch (error) {
      state.indexes = before
      throw error
    }
  }

  /** Writes every row that is there once more, with its entries in the indexes that there are now. */
  async #build(table: TableState): Promise<void> {
    for await (const stored of this.#some(table.space)) {
      const rows = stored.flatMap(({ key: stored, value }): RowWrite[] => {
        const { key } = rowOf(value, this.#environment().directory)
        return [{ table, stored, whole: sortKey(this.#codec.key(key)), key, value: 'again' }]
      })
      await this.#writable().write(rows)
    }
  }

  async #sweep(): Promise<void> {
    const { dropped } = this.#catalog()
    for (const space of dropped) {
      for await (const stored of this.#some(space)) {
        await this.#writable().write(
          [],
          undefined,
          stored.map(({ key }): Write => ({ key, bytes: null })),
        )
      }
    }
    if (dropped.length > 0) await this.#save({ ...this.#catalog(), dropped: [] })
  }

  /** All of a table or an index, some at a time, each as they are then. */
  async *#some(space: number): AsyncGenerator<Stored[]> {
    const high = upTo(space, nothing)
    for (let low = from(space, nothing); ;) {
      const some: Stored[] = []
      const snapshot = this.#environment().snapshot()
      try {
        for (const entry of snapshot.entries(low, high)) {
          if (!entry.key.equals(low) && some.push(entry) === AT_A_TIME) break
        }
      } finally {
        snapshot.close()
      }
      if (some.length > 0) yield some
      if (some.length < AT_A_TIME) return
      low = some.at(-1)!.key
    }
  }

  #state(name: string): TableState | undefined {
    const known = this.#states.get(name)
    if (known !== undefined && this.#writer !== undefined) return known
    const table = this.#catalog().tables.find(table => table.name === name)
    if (known !== undefined && known.space === table?.space) {
      // Nothing is written here: the owner may have changed it meanwhile.
      known.indexes = stateOf(table).indexes
      return known
    }
    if (known !== undefined) known.deleted = true
    this.#states.delete(name)
    if (table === undefined) return undefined
    const state = stateOf(table)
    this.#states.set(name, state)
    return state
  }

  #catalog(): Catalog {
    const environment = this.#environment()
    const bytes = environment.get(catalogKey)
    return bytes === undefined ? emptyCatalog : unpackCatalog(bytes, environment.directory)
  }

  async #save(catalog: Catalog): Promise<void> {
    await this.#writable().write([], undefined, [{ key: catalogKey, bytes: packCatalog(catalog) }])
  }

  #writable(): Writer {
    if (this.#writer === undefined) throw readOnly()
    return this.#writer
  }
}

export const readOnly = (): StoreError =>
  new StoreError('STORE_READ_ONLY', 'This store was opened with readOnly.', { remedy: 'Write in the process that owns it.' })
