/**
 * What can be wrong with stable storage, one code each:
 *
 * | code | what it says |
 * |---|---|
 * | STORE_OPTION | an option, or the path, is not what it can be |
 * | STORE_NO_LMDB | the package `lmdb` is not installed, or has no build for this platform |
 * | STORE_LOCKED | another program, or this one, has the directory open for writing |
 * | STORE_FOREIGN | the directory holds a file that no store has written |
 * | STORE_CORRUPT | a file that is damaged or cut off, or a row in it |
 * | STORE_VERSION | written by a later Beamlet |
 * | STORE_PERMISSION | the operating system refuses to read or to write there |
 * | STORE_FULL | the disk, or the quota, is full |
 * | STORE_IO | reading or writing failed in another way |
 * | STORE_CLOSED | the store is closed |
 * | STORE_READ_ONLY | a write to a store that was opened with `readOnly` |
 * | STORE_NO_TABLE | there is no table of that name |
 * | STORE_NO_INDEX | the table has no index of that name |
 * | STORE_KEY | a key that is no term, or beyond the limits |
 * | STORE_VALUE | a value that is no term, or beyond the limits |
 * | STORE_INDEX | the function of an index threw, or gave what is no term |
 * | STORE_CONFLICT | a transaction that others got in the way of too often |
 * | STORE_TRANSACTION | a transaction that is over was used |
 * | STORE_BUSY | it cannot be compacted while other programs read it |
 * | STORE_EXISTS | there is something already where a backup shall be |
 * | STORE_NO_STORE | `readOnly`, and there is no store in the directory |
 * | STORE_OVERLOAD | more bytes wait to be written than `writeBufferMax` |
 *
 * Of the engine Mnesia alone:
 *
 * | code | what it says |
 * |---|---|
 * | STORE_NODE_DOWN | none of the BEAM nodes can be reached, or the one that was asked went down, and nothing was written |
 * | STORE_NOT_RUNNING | Mnesia is not there, or does not run, on any BEAM node that can be reached |
 * | STORE_NO_COPY | the table is known, but no node that has a copy of it is there |
 * | STORE_ABORTED | Mnesia aborted it, with `reason`: nothing was written |
 * | STORE_TIMEOUT | no answer in time: nothing was written |
 * | STORE_UNKNOWN | the nodes went away between the wish to commit and the answer, and nobody can be asked: it was written whole or not at all. `store.outcome(error.transaction)` tells which, once a node is there again |
 */
import { statfsSync } from 'node:fs'
import { NodeError, type NodeErrorOptions, type Term } from '../term/index.js'

export type StoreCode =
  | 'STORE_OPTION'
  | 'STORE_NO_LMDB'
  | 'STORE_LOCKED'
  | 'STORE_FOREIGN'
  | 'STORE_CORRUPT'
  | 'STORE_VERSION'
  | 'STORE_PERMISSION'
  | 'STORE_FULL'
  | 'STORE_IO'
  | 'STORE_CLOSED'
  | 'STORE_READ_ONLY'
  | 'STORE_NO_TABLE'
  | 'STORE_NO_INDEX'
  | 'STORE_KEY'
  | 'STORE_VALUE'
  | 'STORE_INDEX'
  | 'STORE_CONFLICT'
  | 'STORE_TRANSACTION'
  | 'STORE_BUSY'
  | 'STORE_EXISTS'
  | 'STORE_NO_STORE'
  | 'STORE_OVERLOAD'
  | 'STORE_NODE_DOWN'
  | 'STORE_NOT_RUNNING'
  | 'STORE_NO_COPY'
  | 'STORE_ABORTED'
  | 'STORE_TIMEOUT'
  | 'STORE_UNKNOWN'

export interface StoreErrorOptions extends NodeErrorOptions {
  readonly reason?: Term | undefined
  readonly transaction?: string | undefined
}

/** Stable storage that failed or was not used as it must be. Codes begin with `STORE_`. */
export class StoreError extends NodeError {
  declare readonly code: StoreCode
  /** Mnesia's, where it gave one: `{no_exists, T}` … */
  readonly reason: Term | undefined
  /** STORE_UNKNOWN: which one, for `store.outcome` */
  readonly transaction: string | undefined

  constructor(code: StoreCode, says: string, { reason, transaction, ...options }: StoreErrorOptions = {}) {
    super(code, says, options)
    this.reason = reason
    this.transaction = transaction
  }
}

const refused = new Set<unknown>(['EACCES', 'EPERM', 'EROFS', 13, 1, 30])
const full = new Set<unknown>(['ENOSPC', 'EDQUOT', 'EFBIG', 28, 122, 27, -30792])
const damaged = new Set<unknown>([-30797, -30796, -30795, -30794, -30793])
/** What a write that stops short is to LMDB, also when the disk is full. */
const shortWrite = new Set<unknown>(['EIO', 5])

/** Less than this, and a short write was for want of room. */
const leastRoom = 256 * 1024

/** What the file system, or LMDB (whose codes are errno, or its own below -30,000), said about a store in this directory. */
export function storeFault(cause: unknown, path: string): StoreError {
  if (cause instanceof StoreError) return cause
  const { code, message } = cause as { readonly code?: unknown; readonly message?: string }
  if (refused.has(code)) {
    const remedy = 'Give this user the right to read and write it, or open it with readOnly.'
    return new StoreError('STORE_PERMISSION', `${path} may not be read or written: ${message}.`, { remedy, cause })
  }
  if (full.has(code) || /No space left/.test(message ?? '') || (shortWrite.has(code) && roomAt(path) < leastRoom)) {
    const remedy = 'Nothing of it was written, and all that was acknowledged is there: make room, then try again.'
    return new StoreError('STORE_FULL', `There is no room left on the disk of ${path}.`, { remedy, cause })
  }
  if (damaged.has(code)) return corrupt(path, message ?? 'it cannot be read', cause)
  return new StoreError('STORE_IO', `The store in ${path} could not be read or written: ${message}.`, {
    remedy: 'Nothing of it was written. Look at the disk; close the store and open it again.',
    cause,
  })
}

export const corrupt = (path: string, says: string, cause?: unknown): StoreError =>
  new StoreError('STORE_CORRUPT', `${path} is damaged: ${says}.`, { remedy: 'It was left as it is. Take a backup in its place.', cause })

function roomAt(path: string): number {
  try {
    const { bavail, bsize } = statfsSync(path)
    return bavail * bsize
  } catch {
    // Then the disk is not known to be full, and the error is told as it came.
    return Infinity
  }
}
