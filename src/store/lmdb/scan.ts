/** Rows in the order of their sort keys, from a snapshot: through a table, or through one of its indexes. */
import { corrupt } from '../errors.js'
import { sortKey } from '../sort-key.js'
import type { Bounds } from './bounds.js'
import type { Codec } from '../codec.js'
import type { Snapshot, Stored } from './environment.js'
import { type RowParts, unpackEntry, unpackRow } from './row.js'
import { isLong, keptOf } from './stored-key.js'

export interface Found {
  /** The sort key of the row, or that of its entry in the index */
  readonly whole: Buffer
  /** The stored key of what was scanned */
  readonly at: Buffer
  /** The stored key of the row */
  readonly stored: Buffer
  readonly row: RowParts
}

/** The rows of a table between two bounds. @throws StoreError STORE_CORRUPT */
export function* scanTable(snapshot: Snapshot, bounds: Bounds, codec: Codec, directory: string): Generator<Found> {
  const wholeOf = (entry: Stored): Buffer => sortKey(codec.key(rowOf(entry.value, directory).key))
  for (const { whole, key, value } of inOrder(snapshot.entries(bounds.low, bounds.high, bounds.reverse), wholeOf, bounds.reverse)) {
    if (bounds.takes(whole)) yield { whole, at: key, stored: key, row: rowOf(value, directory) }
  }
}

/** The rows that the entries of an index lead to. @throws StoreError STORE_CORRUPT */
export function* scanIndex(snapshot: Snapshot, bounds: Bounds, directory: string): Generator<Found> {
  const entries = snapshot.entries(bounds.low, bounds.high, bounds.reverse)
  for (const { whole, key, value } of inOrder(entries, entry => unpackEntry(entry.value).whole, bounds.reverse)) {
    if (!bounds.takes(whole)) continue
    const stored = unpackEntry(value).row
    const bytes = snapshot.get(stored)
    if (bytes === undefined) throw corrupt(directory, 'an index leads to a row that is not there')
    yield { whole, at: key, stored, row: rowOf(bytes, directory) }
  }
}

/** @throws StoreError STORE_CORRUPT */
export function rowOf(bytes: Buffer, directory: string): RowParts {
  const row = unpackRow(bytes)
  if (row === undefined) throw corrupt(directory, 'a row is not what was written')
  return row
}

interface Placed extends Stored {
  readonly whole: Buffer
}

/** LMDB has them in order but for those of one long beginning, which it has by their hashes: these are sorted here. */
function* inOrder(entries: Iterable<Stored>, wholeOf: (entry: Stored) => Buffer, reverse: boolean): Generator<Placed> {
  let alike: Placed[] = []
  for (const entry of entries) {
    if (alike.length > 0 && !(isLong(entry.key) && keptOf(entry.key).equals(keptOf(alike[0]!.key)))) {
      yield* sorted(alike, reverse)
      alike = []
    }
    if (isLong(entry.key)) alike.push({ ...entry, whole: wholeOf(entry) })
    else yield { ...entry, whole: keptOf(entry.key) }
  }
  yield* sorted(alike, reverse)
}

const sorted = (entries: readonly Placed[], reverse: boolean): readonly Placed[] =>
  entries.length < 2 ? entries : entries.toSorted((a, b) => (reverse ? Buffer.compare(b.whole, a.whole) : Buffer.compare(a.whole, b.whole)))
