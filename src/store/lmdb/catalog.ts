/**
 * What a store says of itself, in its very first row: `{beamlet_store, Version, Next, Tables, Dropped}`.
 *
 * Each table and each index has a number, which begins the keys of its rows, and is never given twice. `Dropped` are the numbers of what was removed,
 * and may still have rows.
 */
import { atom, type Term, text, Tuple, tuple } from '../../term/index.js'
import { decode, encode } from '../../etf/index.js'
import { corrupt, StoreError } from '../errors.js'
import type { IndexMark } from '../index-term.js'
import { packRow, unpackRow } from './row.js'
import { storedKey } from './stored-key.js'

export const catalogKey = storedKey(0, Buffer.from('catalog'))

const VERSION = 1

export interface CatalogIndex {
  readonly name: string
  readonly space: number
  readonly by: IndexMark
  /** Every row of the table is in it */
  readonly ready: boolean
}

export interface CatalogTable {
  readonly name: string
  readonly space: number
  readonly indexes: readonly CatalogIndex[]
}

export interface Catalog {
  readonly next: number
  readonly tables: readonly CatalogTable[]
  readonly dropped: readonly number[]
}

export const emptyCatalog: Catalog = { next: 1, tables: [], dropped: [] }

export function packCatalog({ next, tables, dropped }: Catalog): Buffer {
  const term = tuple(
    atom('beamlet_store'),
    VERSION,
    next,
    tables.map(({ name, space, indexes }) =>
      tuple(
        name,
        space,
        indexes.map(({ name, space, by, ready }) => tuple(name, space, Buffer.isBuffer(by) ? by : [...by], ready)),
      ),
    ),
    dropped,
  )
  return packRow({ key: Buffer.alloc(0), value: encode(term), entries: [] })
}

/** @throws StoreError STORE_CORRUPT, STORE_VERSION */
export function unpackCatalog(bytes: Buffer, directory: string): Catalog {
  const term = readTerm(bytes, directory)
  const [mark, version, next, tables, dropped] = term instanceof Tuple ? (term.elements as Term[]) : []
  if (mark !== atom('beamlet_store')) throw corrupt(directory, 'what it says of itself cannot be read')
  if (version !== VERSION) {
    const remedy = 'Use the version that wrote it, or a later one.'
    throw new StoreError('STORE_VERSION', `${directory} was written by a later Beamlet (format ${version}, and this is ${VERSION}).`, {
      remedy,
    })
  }
  return {
    next: next as number,
    dropped: dropped as readonly number[],
    tables: (tables as readonly Tuple<[Buffer, number, readonly Tuple<[Buffer, number, Term, boolean]>[]]>[]).map(({ elements }) => ({
      name: text(elements[0]),
      space: elements[1],
      indexes: elements[2].map(({ elements: [name, space, by, ready] }) => ({
        name: text(name),
        space,
        by: Buffer.isBuffer(by) ? by : (by as readonly Term[]).map(step => (typeof step === 'number' ? step : text(step))),
        ready,
      })),
    })),
  }
}

function readTerm(bytes: Buffer, directory: string): Term {
  try {
    return decode(unpackRow(bytes)?.value ?? Buffer.alloc(0))
  } catch (cause) {
    throw corrupt(directory, 'what it says of itself cannot be read', cause)
  }
}
