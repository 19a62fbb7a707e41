/** `get`, `range` and `index` of tables, in and out of a transaction: these differ in where rows come from. */
import { setImmediate } from 'node:timers/promises'
import type { Sendable, Term } from '../../term/index.js'
import { StoreError } from '../errors.js'
import { sortKey } from '../sort-key.js'
import type { Index, Range, Reading, Row } from '../table.js'
import { type Bounds, boundsOf, boundsOfTerm } from './bounds.js'
import type { Codec } from '../codec.js'
import type { RowParts } from './row.js'
import type { Found } from './scan.js'
import { storedKey } from './stored-key.js'
import { indexOf } from '../index-term.js'
import type { IndexState, TableState } from './table-state.js'

/** Each throws a StoreError when it may not be used any more. */
export interface Source {
  readonly codec: Codec
  row(table: TableState, stored: Buffer): RowParts | undefined
  rows(table: TableState, bounds: Bounds): Generator<Found>
  entries(table: TableState, index: IndexState, bounds: Bounds): Generator<Found>
}

/** After so many rows others have their turn. */
const AT_A_TIME = 500

export class TableReading implements Reading<any, any> {
  readonly #source: Source
  protected readonly state: TableState

  constructor(source: Source, state: TableState) {
    this.#source = source
    this.state = state
  }

  get name(): string {
    return this.state.name
  }

  async get(key: Sendable): Promise<any> {
    const row = this.#row(key)
    return row === undefined ? undefined : this.#source.codec.value(row.value)
  }

  async has(key: Sendable): Promise<boolean> {
    return this.#row(key) !== undefined
  }

  async *range(range: Range<any> = {}): AsyncGenerator<Row<any, any>> {
    const bounds = boundsOf(range, this.state.space)
    yield* this.#each(() => this.#source.rows(this.state, bounds), bounds.limit)
  }

  index<I>(name: string): Index<I, any, any> {
    const find = (): IndexState => indexOf(this.state, name)
    find()
    const each = (bounds: Bounds, index: IndexState): AsyncGenerator<Row<any, any>> =>
      this.#each(() => this.#source.entries(this.state, index, bounds), bounds.limit)
    return {
      async get(term) {
        const index = find()
        const rows: Row<any, any>[] = []
        for await (const row of each(boundsOfTerm(bodyOf(term as Sendable), index.space), index)) rows.push(row)
        return rows
      },
      async *range(range: Range<any> = {}) {
        const index = find()
        yield* each(boundsOf(range, index.space), index)
      },
    }
  }

  #row(key: Sendable): RowParts | undefined {
    return this.#source.row(this.state, storedKey(this.state.space, this.#source.codec.packKey(key).whole))
  }

  async *#each(scan: () => Generator<Found>, limit: number): AsyncGenerator<Row<any, any>> {
    if (limit === 0) return
    let count = 0
    for (const { row } of scan()) {
      yield [this.#source.codec.key(row.key) as any, this.#source.codec.value(row.value) as any]
      if (++count === limit) return
      if (count % AT_A_TIME === 0) await setImmediate()
    }
  }
}

function bodyOf(term: Sendable | Term): Buffer {
  try {
    return sortKey(term)
  } catch (cause) {
    throw new StoreError('STORE_KEY', `This cannot be in an index: ${(cause as Error).message}`, { cause })
  }
}
