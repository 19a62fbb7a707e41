/** What the store knows of a table while it is open: its numbers, and how its indexes find the terms of a row. */
import { indexTerm } from '../index-term.js'
import type { IndexBy } from '../table.js'
import type { CatalogIndex, CatalogTable } from './catalog.js'
import type { Codec } from '../codec.js'
import { packEntry } from './row.js'
import { isLong, storedKey } from './stored-key.js'

export interface IndexState extends CatalogIndex {
  /** The function, or the way; undefined while nobody has said the function in this program */
  readonly find: IndexBy | undefined
}

export interface TableState {
  readonly name: string
  readonly space: number
  indexes: readonly IndexState[]
  /** It was deleted: who has it still is told so. */
  deleted: boolean
}

export const stateOf = ({ name, space, indexes }: CatalogTable): TableState => ({
  name,
  space,
  indexes: indexes.map(index => ({ ...index, find: Buffer.isBuffer(index.by) ? undefined : index.by })),
  deleted: false,
})

/** An entry of an index for one row */
export interface IndexEntry {
  readonly whole: Buffer
  readonly stored: Buffer
  readonly bytes: Buffer
}

/**
 * The entries of a row, in all indexes of its table or in one.
 *
 * @param row its sort key, and the stored one
 * @throws StoreError STORE_INDEX
 */
export function entriesOf(
  table: TableState,
  row: { readonly whole: Buffer; readonly stored: Buffer },
  value: Buffer,
  codec: Codec,
  only?: IndexState,
): IndexEntry[] {
  const indexes = only === undefined ? table.indexes : [only]
  if (indexes.length === 0) return []
  const term = codec.value(value)
  return indexes.flatMap(index => {
    const found = indexTerm(table.name, index, term)
    if (found === undefined) return []
    const whole = Buffer.concat([found, row.whole])
    const stored = storedKey(index.space, whole)
    return [{ whole, stored, bytes: packEntry(row.stored, isLong(stored) ? whole : undefined) }]
  })
}
