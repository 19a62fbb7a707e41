/**
 * The keys of LMDB: four bytes for the table or the index, then a sort key. LMDB takes keys of up to 1,978 bytes: of a longer one the
 * beginning stands there, and a hash of the whole. Those of one beginning are side by side, in the order of their hashes; who reads
 * them puts them in order.
 */
import { createHash } from 'node:crypto'

/** What LMDB takes, with pages of 4,096 bytes */
const LONGEST = 1978
const HASH = 32
const SPACE = 4

/** So much of a sort key stands in the stored key: all of it, or its beginning. */
export const KEPT = LONGEST - SPACE - HASH

/** @param space the number of the table or the index */
export function storedKey(space: number, key: Buffer): Buffer {
  if (key.length <= KEPT) return inSpace(space, key)
  return inSpace(space, key.subarray(0, KEPT), createHash('sha256').update(key).digest())
}

export const isLong = (stored: Buffer): boolean => stored.length === LONGEST

/** What of the sort key stands there */
export const keptOf = (stored: Buffer): Buffer => stored.subarray(SPACE, SPACE + KEPT)

/** Below and above all long keys with the beginning of this one */
export const lowestAlike = (stored: Buffer): Buffer => stored.subarray(0, SPACE + KEPT)
export const highestAlike = (stored: Buffer): Buffer => Buffer.concat([lowestAlike(stored), beyond.subarray(0, HASH)])

/** The least key of the space that begins so. */
export const from = (space: number, key: Buffer): Buffer => inSpace(space, key.subarray(0, KEPT))

const beyond = Buffer.alloc(LONGEST, 0xff)

/** Above all keys of the space that begin so. */
export const upTo = (space: number, key: Buffer): Buffer => {
  const kept = key.subarray(0, KEPT)
  return inSpace(space, kept, beyond.subarray(0, LONGEST - SPACE - kept.length))
}

function inSpace(space: number, ...parts: readonly Buffer[]): Buffer {
  const bytes = Buffer.allocUnsafe(SPACE + parts.reduce((sum, part) => sum + part.length, 0))
  let at = bytes.writeUInt32BE(space, 0)
  for (const part of parts) at += part.copy(bytes, at)
  return bytes
}
