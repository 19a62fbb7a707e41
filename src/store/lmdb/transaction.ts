/**
 * Optimistic transactions: what is read is remembered, what is written is kept here, and at the end the writer takes it, unless somebody changed
 * meanwhile what was read. Then all of it runs again.
 */
import type { Sendable } from '../../term/index.js'
import { StoreError } from '../errors.js'
import type { Table, Transaction, TransactionTable } from '../table.js'
import type { Bounds } from './bounds.js'
import type { Codec } from '../codec.js'
import { type Commits, type Interval, named, Reads } from './commits.js'
import type { Environment } from './environment.js'
import { type Source, TableReading } from './reading.js'
import type { RowParts } from './row.js'
import { type Found, rowOf, scanIndex, scanTable } from './scan.js'
import { highestAlike, isLong, lowestAlike, storedKey } from './stored-key.js'
import { entriesOf, type IndexState, type TableState } from './table-state.js'
import { noTable, type RowWrite } from './writer.js'

/** What a transaction needs of its store */
export interface Ground {
  readonly codec: Codec
  readonly commits: Commits
  /** @throws StoreError STORE_CLOSED */
  environment(): Environment
  /** @throws StoreError STORE_NO_TABLE */
  state(table: string | Table<any, any>): TableState
}

type Writes = Map<string, RowWrite>

export class LmdbTransaction implements Transaction, Source {
  readonly reads: Reads
  readonly #ground: Ground
  readonly #outer: LmdbTransaction | undefined
  readonly #own: Writes = new Map()
  #over = false
  /** A transaction within this one runs: until it has ended this one is not used */
  #inner = false

  constructor(ground: Ground, outer?: LmdbTransaction) {
    this.#ground = ground
    this.#outer = outer
    this.reads = outer?.reads ?? new Reads()
  }

  get codec(): Codec {
    return this.#ground.codec
  }

  /** All that it wrote, a row once */
  get writes(): RowWrite[] {
    return [...this.#own.values()]
  }

  table(table: string | Table<any, any>): TransactionTable<any, any> {
    this.#use()
    return new WritableTable(this, this.#ground.state(table))
  }

  async transaction<T>(body: (transaction: Transaction) => Promise<T>): Promise<T> {
    this.#use()
    const inner = new LmdbTransaction(this.#ground, this)
    this.#inner = true
    try {
      const result = await body(inner)
      for (const [name, write] of inner.#own) this.#own.set(name, write)
      return result
    } finally {
      this.#inner = false
      inner.end()
    }
  }

  /** It cannot be used any more. */
  end(): void {
    this.#over = true
  }

  write(write: RowWrite): void {
    this.#use()
    this.#own.set(named(write.stored), write)
  }

  row(table: TableState, stored: Buffer): RowParts | undefined {
    this.#use(table)
    const name = named(stored)
    const write = this.#written(name)
    if (write !== undefined) return partsOf(write)
    this.reads.key(name, this.#ground.commits.last)
    const environment = this.#ground.environment()
    const bytes = environment.get(stored)
    return bytes === undefined ? undefined : rowOf(bytes, environment.directory)
  }

  *rows(table: TableState, bounds: Bounds): Generator<Found> {
    this.#use(table)
    const mine = this.#writes(table)
    const added = [...mine.values()].flatMap((write): Found[] => {
      const row = partsOf(write)
      return row === undefined || !bounds.takes(write.whole) ? [] : [{ whole: write.whole, at: write.stored, stored: write.stored, row }]
    })
    yield* this.#scan(bounds, mine, added, (snapshot, directory) => scanTable(snapshot, bounds, this.codec, directory))
  }

  *entries(table: TableState, index: IndexState, bounds: Bounds): Generator<Found> {
    this.#use(table)
    const mine = this.#writes(table)
    const added = [...mine.values()].flatMap((write): Found[] => {
      const row = partsOf(write)
      if (row === undefined) return []
      return entriesOf(table, write, row.value, this.codec, index).flatMap(({ whole, stored }) =>
        bounds.takes(whole) ? [{ whole, at: stored, stored: write.stored, row }] : [],
      )
    })
    yield* this.#scan(bounds, mine, added, (snapshot, directory) => scanIndex(snapshot, bounds, directory))
  }

  /** What is there, but for what this transaction wrote, together with that; and remembers how far it was read. */
  *#scan(bounds: Bounds, mine: Writes, added: Found[], scan: Scan): Generator<Found> {
    const { reverse } = bounds
    const before = (a: Found, b: Found): boolean => Buffer.compare(a.whole, b.whole) === (reverse ? 1 : -1)
    added.sort((a, b) => (before(a, b) ? -1 : 1))
    const interval = this.#interval(bounds)
    const environment = this.#ground.environment()
    const snapshot = environment.snapshot()
    try {
      for (const found of scan(snapshot, environment.directory)) {
        extend(interval, found.at, reverse)
        if (mine.has(named(found.stored))) continue
        this.reads.key(named(found.stored), interval.seen)
        while (added.length > 0 && before(added[0]!, found)) yield this.#used(added.shift()!)
        yield this.#used(found)
      }
      if (reverse) interval.low = named(bounds.low)
      else interval.high = named(bounds.high)
      for (const found of added) yield this.#used(found)
    } finally {
      snapshot.close()
    }
  }

  /** Nothing of it yet */
  #interval({ low, high, reverse }: Bounds): Interval {
    const start = named(reverse ? high : low)
    const interval = { low: start, high: start, seen: this.#ground.commits.last }
    this.reads.intervals.push(interval)
    return interval
  }

  #used(found: Found): Found {
    this.#use()
    return found
  }

  #written(name: string): RowWrite | undefined {
    return this.#own.get(name) ?? (this.#outer === undefined ? undefined : this.#outer.#written(name))
  }

  #writes(table: TableState): Writes {
    const writes: Writes = this.#outer === undefined ? new Map() : this.#outer.#writes(table)
    for (const [name, write] of this.#own) if (write.table === table) writes.set(name, write)
    return writes
  }

  #use(table?: TableState): void {
    if (this.#over || this.#inner) {
      const remedy = 'Await all that a transaction does before its function returns, and within it use the innermost one.'
      throw new StoreError('STORE_TRANSACTION', this.#over ? 'This transaction is over.' : 'A transaction within this one runs.', {
        remedy,
      })
    }
    if (table?.deleted) throw noTable(table.name)
  }
}

type Scan = (snapshot: ReturnType<Environment['snapshot']>, directory: string) => Generator<Found>

/** Keys of one long beginning do not stand in their order: all of them were looked at. */
function extend(interval: Interval, at: Buffer, reverse: boolean): void {
  const low = named(isLong(at) ? lowestAlike(at) : at)
  const high = named(isLong(at) ? highestAlike(at) : at)
  if (reverse) {
    if (low < interval.low) interval.low = low
  } else if (high > interval.high) interval.high = high
}

/** undefined: deleted */
function partsOf({ key, value }: RowWrite): RowParts | undefined {
  return Buffer.isBuffer(value) ? { key, value, entries: [] } : undefined
}

class WritableTable extends TableReading implements TransactionTable<any, any> {
  readonly #transaction: LmdbTransaction

  constructor(transaction: LmdbTransaction, state: TableState) {
    super(transaction, state)
    this.#transaction = transaction
  }

  async put(key: Sendable, value: Sendable): Promise<void> {
    const packed = this.#transaction.codec.packKey(key)
    this.#write(packed, this.#transaction.codec.packValue(value))
  }

  async delete(key: Sendable): Promise<void> {
    this.#write(this.#transaction.codec.packKey(key), null)
  }

  #write({ key, whole }: { readonly key: Buffer; readonly whole: Buffer }, value: Buffer | null): void {
    this.#transaction.write({ table: this.state, stored: storedKey(this.state.space, whole), whole, key, value })
  }
}
