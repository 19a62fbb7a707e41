/**
 * The engine of a cluster: Mnesia, on its BEAM nodes. This node has no copy; it asks one of them, and another one when that goes.
 *
 * `Cluster` is the nodes and how a write ends, `Schema` the tables, `Flow` a transaction, `Events` what changes.
 */
import type { Limits } from '../../etf/index.js'
import type { Process } from '../../process/index.js'
import { atom, type Sendable, type Term, type Tuple, tuple } from '../../term/index.js'
import { Codec } from '../codec.js'
import { StoreError } from '../errors.js'
import type { Change, Store, SubscribeOptions, Table, Transaction, TransactionOptions } from '../table.js'
import { closed, Cluster } from './cluster.js'
import { Events } from './events.js'
import type { Settled } from './outcomes.js'
import { type Asker, MnesiaReading } from './reading.js'
import { type CopyKind, type MnesiaTableOptions, Schema, type TableCopies } from './schema.js'
import type { MnesiaClient } from './session.js'
import { leftAlone } from './faults.js'
import { startMnesia } from './start.js'
import { rowWrite, type TableState, writeOp } from './table-state.js'
import { Flow, type Ground, type MnesiaTransaction } from './transaction.js'
import { type Kind, Lost, type Op, type Packed, pageOf } from './worker.js'

export interface MnesiaOptions {
  readonly engine: 'mnesia'
  /** The node that asks */
  readonly node: MnesiaClient
  /** The BEAM nodes that may be asked. The first that can be is, until it goes. */
  readonly nodes: readonly string[]
  /** Start Mnesia where it does not run, and make one cluster of the nodes: with a schema in memory, or on their disks. Default: as they are */
  readonly start?: 'ram' | 'disc' | undefined
  /** Where tables that are made keep their rows. Default: 'disc' */
  readonly copies?: CopyKind | undefined
  /** A write is on the disks of all copies that run when it resolves; without, within some seconds. Default: true */
  readonly sync?: boolean | undefined
  /** Keep in a table of Mnesia's, `beamlet_outcomes`, what became of a write, for when its node goes before it has answered. Default: true */
  readonly outcomes?: boolean | undefined
  /** Milliseconds that one operation may take. Default: 10,000 */
  readonly timeout?: number | undefined
  /** Milliseconds that a transaction may ask for nothing, for it holds locks, and that Mnesia may begin it anew because others do. Default: 30,000 */
  readonly transactionTimeout?: number | undefined
  /** How floats in values come out; keys always as they were. Default: 'number' */
  readonly floats?: 'number' | 'exact' | undefined
  /** Of each key and value, as for `encode` and `decode` */
  readonly limits?: Partial<Limits> | undefined
}

/** A table of Mnesia's */
export interface MnesiaTable<K = Term, V = Term> extends Table<K, V> {
  /** The same table with dirty operations: without locks, and never part of a transaction */
  readonly dirty: Table<K, V>
}

/** @throws StoreError STORE_OPTION, STORE_NODE_DOWN, STORE_NOT_RUNNING */
export async function openMnesia(options: MnesiaOptions): Promise<MnesiaStore> {
  check(options)
  const { node, nodes, start, timeout = 10_000, transactionTimeout = 30_000, sync = true, outcomes = true } = options
  if (start !== undefined) await startMnesia(node, nodes, { disc: start === 'disc', timeout })
  const cluster = new Cluster({ node, nodes, timeout, transactionTimeout, sync, outcomes })
  await cluster.session()
  return new MnesiaStore(cluster, options)
}

function check({ node, nodes, start, copies, timeout, transactionTimeout, floats }: MnesiaOptions): void {
  const wrong = (says: string): StoreError => new StoreError('STORE_OPTION', says)
  if (typeof node?.spawn !== 'function') throw wrong('node is the Node that asks: await Node.start({ … }).')
  if (!Array.isArray(nodes) || nodes.length === 0 || !nodes.every(name => typeof name === 'string' && name.includes('@')))
    throw wrong("nodes is a list of BEAM nodes, ['erl@127.0.0.1'].")
  if (start !== undefined && start !== 'ram' && start !== 'disc') throw wrong(`start is 'ram' or 'disc', not ${String(start)}.`)
  if (copies !== undefined && !['ram', 'disc', 'discOnly'].includes(copies))
    throw wrong(`copies is 'ram', 'disc' or 'discOnly', not ${copies as string}.`)
  if (floats !== undefined && floats !== 'number' && floats !== 'exact')
    throw wrong(`floats is 'number' or 'exact', not ${String(floats)}.`)
  for (const [name, value] of Object.entries({ timeout, transactionTimeout }))
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0 && value <= 1_000_000_000))
      throw wrong(`${name} is a number of milliseconds, not ${String(value)}.`)
}

export class MnesiaStore implements Store, Ground {
  readonly codec: Codec
  /** @internal */
  readonly cluster: Cluster
  /** @internal */
  readonly events: Events
  readonly #schema: Schema
  #closing: Promise<void> | undefined

  /** @internal Use `openStore`. */
  constructor(cluster: Cluster, { floats = 'number', limits, copies = 'disc' }: MnesiaOptions) {
    const damaged = (says: string, cause: unknown): StoreError =>
      new StoreError('STORE_CORRUPT', `Of a row of Mnesia's ${says}.`, { remedy: 'It may be beyond the limits of this store.', cause })
    this.cluster = cluster
    this.codec = new Codec({ damaged, floats, limits })
    this.events = new Events(cluster, this.codec)
    this.#schema = new Schema(cluster, this.codec, copies, this.asker('transaction'), work =>
      this.transaction(transaction => work(transaction as MnesiaTransaction)),
    )
  }

  async table<K = Term, V = Term>(name: string, options: MnesiaTableOptions<V> = {}): Promise<MnesiaTable<K, V>> {
    this.use()
    const state = await this.#schema.table(name, options)
    return new EngineTable(this, state, 'transaction') as unknown as MnesiaTable<K, V>
  }

  async tables(): Promise<readonly string[]> {
    this.use()
    return this.#schema.names()
  }

  async deleteTable(name: string): Promise<void> {
    this.use()
    await this.#schema.delete(name)
  }

  /**
   * As `Store.transaction`, in a transaction of Mnesia's: what it reads and writes is locked until it ends.
   *
   * @throws what `body` throws; StoreError STORE_ABORTED, STORE_CONFLICT, STORE_TIMEOUT, STORE_NODE_DOWN, STORE_NO_COPY: nothing was written; STORE_UNKNOWN
   */
  async transaction<T>(body: (transaction: Transaction) => Promise<T>, { retries = 1000 }: TransactionOptions = {}): Promise<T> {
    this.use()
    const { result } = await this.cluster.again(session => new Flow(this, session).run(body, retries + 1), Infinity)
    return result
  }

  /**
   * What became of a write that ended with STORE_UNKNOWN: `error.transaction`. One that has not been committed by now never will be.
   *
   * @throws StoreError STORE_UNKNOWN when no node can be asked, or it is older than a week; STORE_OPTION
   */
  async outcome(transaction: string): Promise<Settled> {
    this.use()
    return this.cluster.outcomes.outcome(transaction)
  }

  /** Which BEAM nodes have a copy. @throws StoreError STORE_NO_TABLE */
  async copies(table: string | Table<any, any>): Promise<TableCopies> {
    this.use()
    return this.#schema.copies(nameOf(table))
  }

  /** One more BEAM node keeps a copy, indexes included. None when it has one already. @throws StoreError STORE_NO_TABLE, STORE_ABORTED */
  async addCopy(table: string | Table<any, any>, node: string, kind: CopyKind = 'disc'): Promise<void> {
    this.use()
    await this.#schema.addCopy(nameOf(table), node, kind)
  }

  /** That node keeps its copy otherwise. @throws StoreError STORE_NO_TABLE, STORE_ABORTED */
  async changeCopy(table: string | Table<any, any>, node: string, kind: CopyKind): Promise<void> {
    this.use()
    await this.#schema.changeCopy(nameOf(table), node, kind)
  }

  /** That node keeps no copy any more; with the last one the table is gone. @throws StoreError STORE_NO_TABLE, STORE_ABORTED */
  async deleteCopy(table: string | Table<any, any>, node: string): Promise<void> {
    this.use()
    await this.#schema.deleteCopy(nameOf(table), node)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    this.events.close()
    await this.cluster.close()
  }

  /** @internal @throws StoreError STORE_CLOSED */
  use(table?: TableState): void {
    if (this.#closing !== undefined) throw closed()
    if (table?.deleted) throw new StoreError('STORE_NO_TABLE', `The table '${table.name}' was deleted.`)
  }

  /** @internal */
  state(table: string | Table<any, any>): TableState {
    return this.#schema.state(table)
  }

  /** @internal */
  size(table: TableState): Promise<number> {
    return this.#explained(table, () => this.#schema.size(table.name))
  }

  /** @internal Asks in the name of nobody: each time in an activity of its own */
  asker(kind: Kind): Asker {
    return {
      codec: this.codec,
      ask: async (table, ops) => {
        this.use(table)
        return this.#explained(table, async () => (await this.cluster.read(ops, kind)).results)
      },
      pages: (table, of) => this.#pages(kind, table, of),
    }
  }

  /** @internal */
  async write(table: TableState, key: Sendable, value: Sendable | undefined, dirty: boolean): Promise<void> {
    this.use(table)
    const row = rowWrite(table, this.codec, key, value)
    await this.events.ready(table.name)
    await this.#explained(table, async () => {
      const ops = [writeOp(table, row)]
      if (table.indexes.length > 0) await this.transaction(transaction => (transaction as MnesiaTransaction).write(table, row))
      else if (dirty) await this.cluster.dirty(ops, [table.name])
      else await this.cluster.write(ops, [table.name])
    })
  }

  async *#pages(kind: Kind, table: TableState, of: (page: number) => Op): AsyncGenerator<readonly Packed[]> {
    this.use(table)
    const { results, worker } = await this.#explained(table, () => this.cluster.read([of(1)], kind))
    const to = (message: Sendable): Tuple => tuple(atom('to'), worker.id, message) as unknown as Tuple
    let page = pageOf(results[0]!)
    try {
      for (;;) {
        yield page.rows
        if (!page.more) return
        this.use(table)
        const next = await worker.ask(to(tuple(atom('more'), 1)), atom('page'), 1)
        page = pageOf(next.elements[2] as Term)
      }
    } catch (error) {
      if (!(error instanceof Lost)) throw error
      throw worker.session.up ? leftAlone(error, this.cluster.options.transactionTimeout) : error.error
    } finally {
      if (page.more && worker.session.up) worker.session.send(to(atom('close')))
      worker.forget()
    }
  }

  async #explained<T>(table: TableState, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw await this.#schema.explain(error, table)
    }
  }
}

const nameOf = (table: string | Table<any, any>): string => (typeof table === 'string' ? table : table.name)

class EngineTable extends MnesiaReading implements MnesiaTable<any, any> {
  readonly #store: MnesiaStore
  readonly #dirty: boolean

  constructor(store: MnesiaStore, state: TableState, kind: Kind) {
    super(store.asker(kind), state)
    this.#store = store
    this.#dirty = kind === 'async_dirty'
  }

  get dirty(): Table<any, any> {
    return this.#dirty ? this : new EngineTable(this.#store, this.state, 'async_dirty')
  }

  async put(key: Sendable, value: Sendable): Promise<void> {
    if (value === undefined) this.#store.codec.packValue(value as never)
    await this.#store.write(this.state, key, value, this.#dirty)
  }

  async delete(key: Sendable): Promise<void> {
    await this.#store.write(this.state, key, undefined, this.#dirty)
  }

  async size(): Promise<number> {
    this.#store.use(this.state)
    return this.#store.size(this.state)
  }

  subscribe(to: ((change: Change<any, any>) => void) | Process, options?: SubscribeOptions): () => void {
    this.#store.use(this.state)
    return this.#store.events.subscribe(this.state.name, to, options)
  }
}
