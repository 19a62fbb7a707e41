/** Tables copied from one store to another, whatever their engines. */
import { compare, equals, format, type Sendable, type Term } from '../term/index.js'
import { StoreError } from './errors.js'
import type { LmdbStore } from './lmdb/store.js'
import type { MnesiaStore } from './mnesia/store.js'
import type { Row, Table } from './table.js'

export interface CopyOptions {
  /** Default: all */
  readonly tables?: readonly string[] | undefined
  /** Called after each piece, some hundred rows */
  readonly progress?: ((copied: Copied) => void) | undefined
  /** Ends it after the piece that is being written */
  readonly signal?: AbortSignal | undefined
}

/** How far a table is */
export interface Copied {
  readonly table: string
  /** Rows when it began */
  readonly total: number
  /** Rows that are there now, of those */
  readonly rows: number
  /** Of them those that were not there already */
  readonly written: number
  /** Rows of the other table that this one has not: they are left as they are. Known at the end */
  readonly extra: number
  /** Indexes that functions make: they are made when the table is opened with them */
  readonly functions: readonly string[]
}

type AnyStore = LmdbStore | MnesiaStore

/** Rows in one transaction. Their values are in memory meanwhile. */
const AT_A_TIME = 500

/**
 * Copies tables, in pieces of one transaction each, with those of their indexes that are ways. Rows that are there as they are to be are not written, so
 * one that was interrupted is done again and goes on where it was. What is written meanwhile to the tables that are copied may be missed: do it once more.
 * Open both stores with `floats: 'exact'`, or 1.0 in a value may arrive as 1.
 *
 * @returns how each table ended
 * @throws StoreError of either store; STORE_KEY when two keys of one table are one in the other (1 and 1.0, in an ordered_set of Mnesia's); the signal's reason
 */
export async function copyTables(from: AnyStore, to: AnyStore, options: CopyOptions = {}): Promise<Copied[]> {
  const done: Copied[] = []
  for (const name of options.tables ?? (await from.tables())) done.push(await copyTable(from, to, name, options))
  return done
}

async function copyTable(from: AnyStore, to: AnyStore, name: string, { progress, signal }: CopyOptions): Promise<Copied> {
  signal?.throwIfAborted()
  const source = await from.table<any, any>(name, { create: false })
  const { indexes } = from.state(source)
  const ways = indexes.flatMap(({ name, by }) => (Buffer.isBuffer(by) ? [] : [[name, by as readonly (string | number)[]] as const]))
  const functions = indexes.flatMap(({ name, by }) => (Buffer.isBuffer(by) ? [name] : []))
  const known = (await to.tables()).includes(name)
  // Where it is there, its own indexes stay.
  const target: Table<any, any> = await to.table<any, any>(name, known || ways.length === 0 ? {} : { indexes: Object.fromEntries(ways) })
  const total = await source.size()
  let [rows, written] = [0, 0]
  const told = (extra: number): Copied => ({ table: name, total, rows, written, extra, functions })
  const state = to.state(target)
  const merges = 'ordered' in state && state.ordered
  for await (const piece of pieces(source, merges)) {
    signal?.throwIfAborted()
    written += await write(to, target, piece)
    rows += piece.length
    progress?.(told(0))
  }
  return told(Math.max(0, (await target.size()) - rows))
}

/** @param merges to where keys that compare equal are one */
async function* pieces(source: Table<any, any>, merges: boolean): AsyncGenerator<Row<any, any>[]> {
  let piece: Row<any, any>[] = []
  let previous: Term | undefined
  for await (const row of source.range()) {
    const key: Term = row[0]
    if (merges && previous !== undefined && compare(previous, key) === 0) {
      throw new StoreError('STORE_KEY', `The keys ${format(previous)} and ${format(key)} of '${source.name}' are one in an ordered_set.`, {
        remedy: `Make the other table first, as a set: store.table('${source.name}', { type: 'set' }).`,
      })
    }
    previous = key
    if (piece.push(row) < AT_A_TIME) continue
    yield piece
    piece = []
  }
  if (piece.length > 0) yield piece
}

/** @returns how many were not there */
async function write(to: AnyStore, target: Table<any, any>, piece: readonly Row<any, any>[]): Promise<number> {
  let differing: readonly Row<any, any>[] = []
  await to.transaction(async tx => {
    const table = tx.table(target)
    const there: (Term | undefined)[] = await Promise.all(piece.map(([key]) => table.get(key)))
    differing = piece.filter(([, value], i) => there[i] === undefined || !equals(there[i], value as Term))
    await Promise.all(differing.map(([key, value]) => table.put(key as Sendable, value as Sendable)))
  })
  return differing.length
}
