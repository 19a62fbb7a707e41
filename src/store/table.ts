/**
 * Stable storage as every engine gives it: tables of rows, a key and a value each, any term as either. Every operation is asynchronous, for an
 * engine may have to ask another node.
 */
import type { Process } from '../process/index.js'
import type { Received, Sendable, Sent, Term } from '../term/index.js'

/** A row, as it comes out: text is a Buffer, an object a Map. A key comes back exactly as it was: a float in it is a `Float` where it is integral. */
export type Row<K, V> = readonly [key: Received<K>, value: Received<V>]

/** Which keys, in the order of `compare`, in which 1 and 1.0 are one place: `gte: 1` takes 1.0, too. */
export interface Range<K = Term> {
  /** From here on, or from what comes after */
  readonly gte?: Sent<K> | undefined
  readonly gt?: Sent<K> | undefined
  /** Up to here, or to what comes before */
  readonly lte?: Sent<K> | undefined
  readonly lt?: Sent<K> | undefined
  /** The last first */
  readonly reverse?: boolean | undefined
  /** At most so many rows. Default: all */
  readonly limit?: number | undefined
}

/** What tables, and transactions over them, can tell of rows. */
export interface Reading<K, V> {
  /** The value under the key, or undefined. Keys are told apart as by `=:=`. */
  get(key: Sent<K>): Promise<Received<V> | undefined>
  has(key: Sent<K>): Promise<boolean>
  /** Rows in the order of their keys, as they were when the first of them was asked for. */
  range(range?: Range<K>): AsyncIterableIterator<Row<K, V>>
  /** Rows by what the table's index of that name holds. @throws StoreError STORE_NO_INDEX */
  index<I = Term>(name: string): Index<I, K, V>
}

export interface Index<I, K, V> {
  /** The rows of which the index holds this very term (`=:=`), in the order of their keys */
  get(term: Sent<I>): Promise<readonly Row<K, V>[]>
  /** Rows in the order of the terms in the index, then of their keys */
  range(range?: Range<I>): AsyncIterableIterator<Row<K, V>>
}

/** A table of a store, as `store.table` gives it. */
export interface Table<K = Term, V = Term> extends Reading<K, V> {
  readonly name: string
  /** @returns when it is on the disk. @throws StoreError STORE_KEY, STORE_VALUE, STORE_INDEX, and what the disk says */
  put(key: Sent<K>, value: Sent<V>): Promise<void>
  /** No error when there is none. @returns when it is on the disk */
  delete(key: Sent<K>): Promise<void>
  /** How many rows there are. They are counted. */
  size(): Promise<number>
  /**
   * Calls for each change of the table, in order, after it is on the disk; or sends it to the process until that exits:
   * `{store_table_event, {write, {Table, Key, Value}, Commit}}` or `{store_table_event, {delete, {Table, Key}, Commit}}`.
   *
   * @returns ends it
   */
  subscribe(to: ((change: Change<K, V>) => void) | Process, options?: SubscribeOptions): () => void
}

export interface SubscribeOptions {
  /** Read what was under the key before: `change.old`, and the messages are those of detailed events */
  readonly old?: boolean | undefined
  /**
   * Changes may have been missed, so read the table again: the BEAM node went away that told of them. A process is sent
   * `{store_table_event, {lost, Table}}`. Only with the engine Mnesia
   */
  readonly lost?: (() => void) | undefined
}

export interface Change<K = Term, V = Term> {
  readonly op: 'put' | 'delete'
  readonly table: string
  readonly key: Received<K>
  /** What was put */
  readonly value?: Received<V> | undefined
  /** What was there before, with the option `old` */
  readonly old?: Received<V> | undefined
  /** Numbers the commits of this store since it was opened: changes of one transaction have the same. */
  readonly commit: number
}

/** A table within a transaction: what it reads holds when the transaction commits, and it sees what it wrote itself. */
export interface TransactionTable<K = Term, V = Term> extends Reading<K, V> {
  readonly name: string
  put(key: Sent<K>, value: Sent<V>): Promise<void>
  delete(key: Sent<K>): Promise<void>
}

export interface Transaction {
  /** @throws StoreError STORE_NO_TABLE */
  table<K, V>(table: Table<K, V>): TransactionTable<K, V>
  table<K = Term, V = Term>(name: string): TransactionTable<K, V>
  /** A transaction within this one: when it throws, only what it wrote is undone. */
  transaction<T>(body: (transaction: Transaction) => Promise<T>): Promise<T>
}

export interface TransactionOptions {
  /** How often it may run again because others changed what it had read. Default: 1000 */
  readonly retries?: number | undefined
}

/**
 * How the index finds the term of a row: a function of its value, or a way into it, each step the key of a map (a string: the atom) or the
 * place in a tuple, from 1 as in Erlang. Undefined, or a way that leads nowhere: the row is not in the index.
 */
export type IndexBy<V = any> = ((value: Received<V>) => Sendable | undefined) | readonly (string | number)[]

export interface TableOptions<V = any> {
  /** Those that are new, or were changed, are built for the rows that are there; those that are not named any more are removed. Default: as they are */
  readonly indexes?: Readonly<Record<string, IndexBy<V>>> | undefined
  /** Make the table when there is none. Default: true, and false with `readOnly` */
  readonly create?: boolean | undefined
}

export interface Store {
  /**
   * The table of that name, made when there is none, with the indexes named.
   *
   * @throws StoreError STORE_NO_TABLE, STORE_INDEX
   */
  table<K = Term, V = Term>(name: string, options?: TableOptions<V>): Promise<Table<K, V>>
  /** The names of all tables, sorted */
  tables(): Promise<readonly string[]>
  /** Removes it with all its rows. @throws StoreError STORE_NO_TABLE */
  deleteTable(name: string): Promise<void>
  /**
   * Runs `body` until nobody has changed, between its reads and its commit, what it read; then all that it wrote is on the disk at once. So it may run
   * several times, and must do nothing but read and write tables. When it throws nothing is written.
   *
   * @throws what `body` throws; StoreError STORE_CONFLICT
   */
  transaction<T>(body: (transaction: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>
  /** Waits for what is being written. Twice is once. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
