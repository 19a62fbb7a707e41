/** A store, by whichever engine: `openStore`. */
import { StoreError } from './errors.js'
import { type LmdbStore, openLmdb, type StoreOptions } from './lmdb/store.js'
import { type MnesiaOptions, type MnesiaStore, openMnesia } from './mnesia/store.js'

/** The embedded engine, by its option */
export interface LmdbOptions extends StoreOptions {
  readonly engine: 'lmdb'
  readonly directory: string
}

/**
 * Opens a store: the one in a directory, which is made when it is not there, or Mnesia on BEAM nodes.
 *
 * @throws StoreError of a directory: STORE_LOCKED, STORE_FOREIGN, STORE_CORRUPT, STORE_VERSION, STORE_PERMISSION, STORE_FULL, STORE_NO_LMDB, STORE_OPTION;
 * with `readOnly` STORE_NO_STORE. Of Mnesia: STORE_NODE_DOWN, STORE_NOT_RUNNING, STORE_OPTION
 *
 * @example
 * ```ts
 * import { openStore } from 'beamlet/store'
 * import assert from 'node:assert/strict'
 * import { mkdtempSync } from 'node:fs'
 *
 * await using store = await openStore(mkdtempSync('/tmp/shop-'))
 * const users = await store.table<string, { email: string }>('users', { indexes: { email: ['email'] } })
 * await users.put('joe', { email: 'joe@example.org' }) // on the disk when it resolves
 * const [row] = await users.index('email').get('joe@example.org')
 * assert.equal(String(row?.[0]), 'joe')
 * ```
 */
export async function openStore(directory: string, options?: StoreOptions): Promise<LmdbStore>
export async function openStore(options: LmdbOptions): Promise<LmdbStore>
export async function openStore(options: MnesiaOptions): Promise<MnesiaStore>
export async function openStore(options: LmdbOptions | MnesiaOptions): Promise<LmdbStore | MnesiaStore>
export async function openStore(where: string | LmdbOptions | MnesiaOptions, options: StoreOptions = {}): Promise<LmdbStore | MnesiaStore> {
  if (typeof where !== 'object' || where === null) return openLmdb(where, options)
  if (where.engine === 'lmdb') return openLmdb(where.directory, where)
  if (where.engine === 'mnesia') return openMnesia(where)
  throw new StoreError('STORE_OPTION', `engine is 'lmdb' or 'mnesia', not ${String((where as { engine: unknown }).engine)}.`)
}
