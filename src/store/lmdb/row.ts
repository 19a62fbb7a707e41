/**
 * The rows of a table, and the entries of an index, as they are in LMDB.
 *
 * A row: CRC-32 of all that follows, length of the key, how many index entries it has and the stored key of each (so that they are
 * found again whatever becomes of the function that made them), the key and the value in the external term format.
 * An entry: the length of the row's stored key, that key, and the whole sort key of the entry when the stored one has only its beginning.
 */
import { crc32 } from 'node:zlib'

export interface RowParts {
  /** In the external term format, as `value` */
  readonly key: Buffer
  readonly value: Buffer
  /** Stored keys of its entries in the indexes of the table */
  readonly entries: readonly Buffer[]
}

const HEADER = 10

export function packRow({ key, value, entries }: RowParts): Buffer {
  const listed = entries.reduce((sum, entry) => sum + 2 + entry.length, 0)
  const bytes = Buffer.allocUnsafe(HEADER + listed + key.length + value.length)
  bytes.writeUInt32BE(key.length, 4)
  let at = bytes.writeUInt16BE(entries.length, 8)
  for (const entry of entries) {
    at = bytes.writeUInt16BE(entry.length, at)
    at += entry.copy(bytes, at)
  }
  at += key.copy(bytes, at)
  value.copy(bytes, at)
  bytes.writeUInt32BE(crc32(bytes.subarray(4)), 0)
  return bytes
}

/** The parts share the memory of `bytes`. Undefined when these are not what was written. */
export function unpackRow(bytes: Buffer): RowParts | undefined {
  if (bytes.length < HEADER || crc32(bytes.subarray(4)) !== bytes.readUInt32BE(0)) return undefined
  let at = HEADER
  const entries = Array.from({ length: bytes.readUInt16BE(8) }, () => {
    const start = at + 2
    at = start + bytes.readUInt16BE(at)
    return bytes.subarray(start, at)
  })
  const end = at + bytes.readUInt32BE(4)
  return { entries, key: bytes.subarray(at, end), value: bytes.subarray(end) }
}

/** @param whole the sort key of the entry, where its stored key is only the beginning */
export function packEntry(row: Buffer, whole: Buffer | undefined): Buffer {
  const bytes = Buffer.allocUnsafe(2 + row.length + (whole?.length ?? 0))
  row.copy(bytes, bytes.writeUInt16BE(row.length, 0))
  whole?.copy(bytes, 2 + row.length)
  return bytes
}

export interface Entry {
  /** The stored key of its row */
  readonly row: Buffer
  /** Empty where the stored key has all of it */
  readonly whole: Buffer
}

export function unpackEntry(bytes: Buffer): Entry {
  const end = 2 + bytes.readUInt16BE(0)
  return { row: bytes.subarray(2, end), whole: bytes.subarray(end) }
}
