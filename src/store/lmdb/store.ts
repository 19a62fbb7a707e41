/**
 * The embedded engine: one directory, one program that writes there (its owner), and as many as there may be that read.
 *
 * `Environment` is LMDB, `Schema` the tables, `Writer` one commit after the other, `LmdbTransaction` what is in the making.
 */
import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Limits } from '../../etf/index.js'
import type { Process } from '../../process/index.js'
import type { Sendable, Term } from '../../term/index.js'
import { corrupt, StoreError, storeFault } from '../errors.js'
import { Subscriptions } from '../subscriptions.js'
import type { Change, Store, SubscribeOptions, Table, TableOptions, Transaction, TransactionOptions } from '../table.js'
import { backUp, clearCompaction, compact } from './backup.js'
import type { Bounds } from './bounds.js'
import { Codec } from '../codec.js'
import { Commits } from './commits.js'
import { Environment } from './environment.js'
import { Owner } from './owner.js'
import { type Source, TableReading } from './reading.js'
import { rowOf, scanIndex, scanTable } from './scan.js'
import { readOnly, Schema } from './schema.js'
import { from, storedKey, upTo } from './stored-key.js'
import type { TableState } from './table-state.js'
import { type Ground, LmdbTransaction } from './transaction.js'
import { verify, type Verified } from './verify.js'
import { noTable, type RowWrite, Writer, type Written } from './writer.js'

export interface StoreOptions {
  /** Read what another process writes, or wrote. Any number of processes may, the places of a node too. Default: false */
  readonly readOnly?: boolean | undefined
  /** Look at every page of the file before it is used: a second for about a gigabyte. Not with `readOnly`. Default: true */
  readonly check?: boolean | undefined
  /** How floats in values come out; keys always as they were. Default: 'number' */
  readonly floats?: 'number' | 'exact' | undefined
  /** Of each key and value, as for `encode` and `decode` */
  readonly limits?: Partial<Limits> | undefined
  /** Bytes that may wait to be written: more is STORE_OVERLOAD. Default: 256 MiB */
  readonly writeBufferMax?: number | undefined
}

export interface StoreStats {
  readonly directory: string
  /** Bytes of the file, free pages included */
  readonly bytes: number
  readonly tables: number
  /** Rows, and entries of indexes */
  readonly entries: number
  /** Since the store was opened */
  readonly commits: number
  /** Bytes that wait to be written */
  readonly queued: number
  /** Ranges that are being read, transactions' too: LMDB keeps their pages */
  readonly snapshots: number
  /** Pids of the other processes that have it open */
  readonly readers: readonly number[]
}

/** `openStore` of a directory, which is made when it is not there. @internal */
export async function openLmdb(directory: string, options: StoreOptions = {}): Promise<LmdbStore> {
  const path = checked(directory, options)
  if (options.readOnly) return LmdbStore.open(path, options, undefined)
  try {
    mkdirSync(path, { recursive: true })
  } catch (cause) {
    throw storeFault(cause, path)
  }
  const owner = Owner.take(path)
  try {
    clearCompaction(path)
    return await LmdbStore.open(path, options, owner)
  } catch (error) {
    owner.release()
    throw error
  }
}

function checked(directory: string, { floats, writeBufferMax }: StoreOptions): string {
  const wrong = (says: string): StoreError => new StoreError('STORE_OPTION', says)
  if (typeof directory !== 'string' || directory === '') throw wrong('A store is opened with the path of its directory.')
  if (floats !== undefined && floats !== 'number' && floats !== 'exact')
    throw wrong(`floats is 'number' or 'exact', not ${String(floats)}.`)
  if (writeBufferMax !== undefined && !(writeBufferMax > 0))
    throw wrong(`writeBufferMax is a number of bytes, not ${String(writeBufferMax)}.`)
  return resolve(directory)
}

export class LmdbStore implements Store, Ground, Source {
  readonly directory: string
  readonly codec: Codec
  readonly commits = new Commits()
  readonly #owner: Owner | undefined
  readonly #subscriptions = new Subscriptions()
  readonly #writer: Writer | undefined
  readonly #schema: Schema
  #environment: Environment | undefined
  #closing: Promise<void> | undefined

  private constructor(environment: Environment, options: StoreOptions, owner: Owner | undefined) {
    const { floats = 'number', limits, writeBufferMax = 256 * 1024 * 1024 } = options
    this.directory = environment.directory
    this.codec = new Codec({ damaged: (says, cause) => corrupt(this.directory, says, cause), floats, limits })
    this.#environment = environment
    this.#owner = owner
    if (owner !== undefined) {
      const told = (written: readonly Written[]): void => this.#tell(written)
      this.#writer = new Writer(() => this.#live(), this.codec, this.commits, { writeBufferMax, told })
    }
    this.#schema = new Schema(() => this.#live(), this.codec, this.#writer)
  }

  /** @internal */
  static async open(path: string, options: StoreOptions, owner: Owner | undefined): Promise<LmdbStore> {
    const environment = await Environment.open(path, {
      readOnly: owner === undefined,
      check: owner !== undefined && options.check !== false,
    })
    try {
      const store = new LmdbStore(environment, options, owner)
      await store.#schema.open()
      return store
    } catch (error) {
      await environment.close()
      throw error
    }
  }

  async table<K = Term, V = Term>(name: string, options: TableOptions<V> = {}): Promise<Table<K, V>> {
    this.environment()
    return new LmdbTable(this, await this.#schema.table(name, options)) as unknown as Table<K, V>
  }

  async tables(): Promise<readonly string[]> {
    return this.#schema.names()
  }

  async deleteTable(name: string): Promise<void> {
    this.environment()
    await this.#schema.delete(name)
  }

  async transaction<T>(body: (transaction: Transaction) => Promise<T>, { retries = 1000 }: TransactionOptions = {}): Promise<T> {
    this.environment()
    this.commits.begin()
    try {
      for (let run = 0; run <= retries; run++) {
        const done = await this.#run(body)
        if (done !== undefined) return done.result
      }
    } finally {
      this.commits.end()
    }
    throw new StoreError('STORE_CONFLICT', `Others changed what this transaction had read, ${retries + 1} times.`, {
      remedy: 'Make it shorter, or let it read less; or raise retries.',
    })
  }

  /** @returns undefined when it has to run again */
  async #run<T>(body: (transaction: Transaction) => Promise<T>): Promise<{ readonly result: T } | undefined> {
    const transaction = new LmdbTransaction(this)
    try {
      const result = await body(transaction)
      transaction.end()
      const { writes, reads } = transaction
      if (writes.length === 0) return this.commits.changed(reads) ? undefined : { result }
      return (await this.#writing().write(writes, reads)) ? { result } : undefined
    } catch (error) {
      // What it read may have been from before and after a commit of others: then its error says nothing.
      if (this.#environment !== undefined && this.commits.changed(transaction.reads)) return undefined
      throw error
    } finally {
      transaction.end()
    }
  }

  /** A copy of this moment, while it is read and written: a directory, which must not be there yet, that `openStore` opens. @throws StoreError STORE_EXISTS */
  async backup(directory: string): Promise<void> {
    checked(directory, {})
    await backUp(this.environment(), resolve(directory))
  }

  /**
   * Gives free pages back to the disk. Reads and writes wait meanwhile.
   *
   * @returns bytes of the file before and after
   * @throws StoreError STORE_BUSY while other processes have it open, or a range is being read; STORE_FULL: it takes the room of a copy
   */
  async compact(): Promise<{ readonly before: number; readonly after: number }> {
    return this.#writing().pause(async () => {
      const environment = this.environment()
      const before = environment.stats().bytes
      this.#environment = await compact(environment, reopened => (this.#environment = reopened))
      return { before, after: this.#environment.stats().bytes }
    })
  }

  /** Reads every row and every entry of an index, and counts them. @throws StoreError STORE_CORRUPT */
  async verify(): Promise<Verified> {
    return verify(this.environment(), this.codec)
  }

  stats(): StoreStats {
    const environment = this.environment()
    const { bytes, entries } = environment.stats()
    return {
      directory: this.directory,
      bytes,
      tables: this.#schema.names().length,
      entries: Math.max(0, entries - 1),
      commits: this.commits.last,
      queued: this.#writer?.queued ?? 0,
      snapshots: environment.snapshots,
      readers: environment.readers(),
    }
  }

  /** What was asked for is written, then others may own the directory. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    await this.#writer?.idle()
    this.#subscriptions.clear()
    const environment = this.#environment
    this.#environment = undefined
    await environment?.close()
    this.#owner?.release()
  }

  /** @internal @throws StoreError STORE_CLOSED */
  environment(): Environment {
    if (this.#closing !== undefined) throw closed(this.directory)
    return this.#live()
  }

  /** Also while what was asked for before it was closed is still written */
  #live(): Environment {
    if (this.#environment === undefined) throw closed(this.directory)
    return this.#environment
  }

  /** @internal */
  state(table: string | Table<any, any>): TableState {
    return this.#schema.state(table)
  }

  /** @internal */
  row(table: TableState, stored: Buffer): ReturnType<Source['row']> {
    if (table.deleted) throw noTable(table.name)
    const bytes = this.environment().get(stored)
    return bytes === undefined ? undefined : rowOf(bytes, this.directory)
  }

  /** @internal */
  *rows(table: TableState, bounds: Bounds): ReturnType<Source['rows']> {
    yield* this.#scan(table, snapshot => scanTable(snapshot, bounds, this.codec, this.directory))
  }

  /** @internal */
  *entries(table: TableState, _index: unknown, bounds: Bounds): ReturnType<Source['entries']> {
    yield* this.#scan(table, snapshot => scanIndex(snapshot, bounds, this.directory))
  }

  *#scan(
    table: TableState,
    scan: (snapshot: ReturnType<Environment['snapshot']>) => ReturnType<Source['rows']>,
  ): ReturnType<Source['rows']> {
    if (table.deleted) throw noTable(table.name)
    const snapshot = this.environment().snapshot()
    try {
      for (const found of scan(snapshot)) {
        yield found
        this.environment()
      }
    } finally {
      snapshot.close()
    }
  }

  /** @internal */
  async write(row: RowWrite): Promise<void> {
    await this.#writing().write([row])
  }

  /** @internal */
  count(space: number): number {
    return this.environment().count(from(space, Buffer.alloc(0)), upTo(space, Buffer.alloc(0)))
  }

  /** @internal */
  subscribe(table: string, to: ((change: Change<any, any>) => void) | Process, options?: SubscribeOptions): () => void {
    this.#writing()
    return this.#subscriptions.add(table, to, options ?? {})
  }

  #writing(): Writer {
    this.environment()
    if (this.#writer === undefined) throw readOnly()
    return this.#writer
  }

  #tell(written: readonly Written[]): void {
    const { key, value } = this.codec
    for (const { table, commit, ...row } of written) {
      if (!this.#subscriptions.has(table.name)) continue
      const read = (bytes: Buffer | null | undefined): Term | undefined => (bytes ? value(bytes) : undefined)
      this.#subscriptions.tell({
        table: table.name,
        commit,
        key: () => key(row.key),
        value: () => read(row.value),
        old: () => read(row.old),
      })
    }
  }
}

const closed = (directory: string): StoreError =>
  new StoreError('STORE_CLOSED', `The store in ${directory} is closed.`, { remedy: 'Open it again with openStore.' })

class LmdbTable extends TableReading implements Table<any, any> {
  readonly #store: LmdbStore

  constructor(store: LmdbStore, state: TableState) {
    super(store, state)
    this.#store = store
  }

  async put(key: Sendable, value: Sendable): Promise<void> {
    const { codec } = this.#store
    await this.#write(codec.packKey(key), codec.packValue(value))
  }

  async delete(key: Sendable): Promise<void> {
    await this.#write(this.#store.codec.packKey(key), null)
  }

  async size(): Promise<number> {
    if (this.state.deleted) throw noTable(this.state.name)
    return this.#store.count(this.state.space)
  }

  subscribe(to: ((change: Change<any, any>) => void) | Process, options?: SubscribeOptions): () => void {
    return this.#store.subscribe(this.state.name, to, options)
  }

  #write({ key, whole }: { readonly key: Buffer; readonly whole: Buffer }, value: Buffer | null): Promise<void> {
    return this.#store.write({ table: this.state, stored: storedKey(this.state.space, whole), whole, key, value })
  }
}
