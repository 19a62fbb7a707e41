/** What the store knows of a table of Mnesia's, and what it writes there for a row. */
import { atom, type Sendable, type Term, Tuple } from '../../term/index.js'
import type { Codec } from '../codec.js'
import { StoreError } from '../errors.js'
import { type IndexFinder, type IndexMark, indexTerm } from '../index-term.js'
import { type Op, op } from './worker.js'

export interface IndexState extends IndexFinder {
  /** The table of its entries: `{Table, SortKey, Key}` */
  readonly table: string
  readonly by: IndexMark
  /** Every row of the table is in it */
  readonly ready: boolean
}

export interface TableState {
  readonly name: string
  /** What the records begin with */
  readonly recordName: string
  /** Of the records: 3 for a key and a value; of larger ones the value is the tuple of what comes after the key */
  readonly arity: number
  readonly ordered: boolean
  indexes: readonly IndexState[]
  /** It was deleted: who has it still is told so. */
  deleted: boolean
}

/** A write of one row */
export interface RowWrite {
  readonly key: Buffer
  readonly whole: Buffer
  /** null: deleted */
  readonly value: Buffer | null
}

/** What no table can have as a key: Mnesia takes these for something else. */
const taken = new Set<Sendable>(['$end_of_table', '______WHOLETABLE_____'].map(name => atom(name)))

/** @throws StoreError STORE_KEY, STORE_VALUE */
export function rowWrite(table: TableState, codec: Codec, key: Sendable, value: Sendable | undefined): RowWrite {
  if (taken.has(key)) throw new StoreError('STORE_KEY', `Mnesia has a meaning of its own for the key ${String(key)}.`)
  const packed = codec.packKey(key)
  if (value === undefined) return { ...packed, value: null }
  const bytes = codec.packValue(value)
  const fields = table.arity - 2
  if (fields > 1 && !(value instanceof Tuple && value.length === fields)) {
    throw new StoreError(
      'STORE_VALUE',
      `The records of '${table.name}' have ${fields} fields after the key, and so has the value: a tuple of ${fields}.`,
    )
  }
  return { ...packed, value: bytes }
}

export const writeOp = ({ name, recordName, arity }: TableState, { key, value }: RowWrite): Op =>
  value === null ? op('delete', atom(name), key) : op('put', atom(name), atom(recordName), key, value, arity > 3)

/** The keys of a row's entries, by index */
export function entriesOf(table: TableState, codec: Codec, whole: Buffer, value: Buffer | null | undefined): Map<string, Buffer> {
  const entries = new Map<string, Buffer>()
  if (value === null || value === undefined) return entries
  const term: Term = codec.value(value)
  for (const index of table.indexes) {
    const found = indexTerm(table.name, index, term)
    if (found !== undefined) entries.set(index.table, Buffer.concat([found, whole]))
  }
  return entries
}

/** What is to be written beside the row, where its entries were these, and are to be those. */
export function entryOps(codec: Codec, key: Buffer, before: ReadonlyMap<string, Buffer>, after: ReadonlyMap<string, Buffer>): Op[] {
  const gone = [...before].filter(([table, entry]) => !after.get(table)?.equals(entry))
  const come = [...after].filter(([table, entry]) => !before.get(table)?.equals(entry))
  return [
    ...gone.map(([table, entry]) => op('delete', atom(table), codec.packValue(entry))),
    ...come.map(([table, entry]) => op('put', atom(table), atom(table), codec.packValue(entry), key, false)),
  ]
}
