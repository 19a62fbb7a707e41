/** Whether all that a store holds can be read, and its indexes agree with its rows. */
import { setImmediate } from 'node:timers/promises'
import { corrupt } from '../errors.js'
import { sortKey } from '../sort-key.js'
import { type Catalog, catalogKey, emptyCatalog, unpackCatalog } from './catalog.js'
import type { Codec } from '../codec.js'
import type { Environment, Snapshot } from './environment.js'
import { unpackEntry } from './row.js'
import { rowOf } from './scan.js'
import { from, storedKey, upTo } from './stored-key.js'

export interface Verified {
  readonly tables: number
  readonly rows: number
  /** Of all indexes */
  readonly entries: number
}

const AT_A_TIME = 200
const nothing = Buffer.alloc(0)

/** @throws StoreError STORE_CORRUPT */
export async function verify(environment: Environment, codec: Codec): Promise<Verified> {
  const { directory } = environment
  const snapshot = environment.snapshot()
  try {
    const bytes = snapshot.get(catalogKey)
    const { tables }: Catalog = bytes === undefined ? emptyCatalog : unpackCatalog(bytes, directory)
    let [rows, listed, entries] = [0, 0, 0]
    for (const { space, indexes } of tables) {
      const spaces = new Set(indexes.map(index => index.space))
      for (const { key, value } of all(snapshot, space)) {
        const row = rowOf(value, directory)
        if (!storedKey(space, sortKey(codec.key(row.key))).equals(key)) throw corrupt(directory, 'a row stands under another key')
        codec.value(row.value)
        // What an index that was removed had of it is not there any more.
        for (const entry of row.entries.filter(entry => spaces.has(entry.readUInt32BE(0)))) {
          listed++
          const found = snapshot.get(entry)
          if (found === undefined || !unpackEntry(found).row.equals(key)) throw corrupt(directory, 'an index lacks a row')
        }
        if (++rows % AT_A_TIME === 0) await setImmediate()
      }
      for (const index of spaces) {
        for (const { key, value } of all(snapshot, index)) {
          const bytes = snapshot.get(unpackEntry(value).row)
          if (bytes === undefined || !rowOf(bytes, directory).entries.some(entry => entry.equals(key))) {
            throw corrupt(directory, 'an index leads to a row that is not there')
          }
          if (++entries % AT_A_TIME === 0) await setImmediate()
        }
      }
    }
    if (listed !== entries) throw corrupt(directory, 'its indexes and its rows do not agree')
    return { tables: tables.length, rows, entries }
  } finally {
    snapshot.close()
  }
}

const all = (snapshot: Snapshot, space: number): ReturnType<Snapshot['entries']> =>
  snapshot.entries(from(space, nothing), upTo(space, nothing))
