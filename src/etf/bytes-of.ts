/** Values out of the bytes of a message, for both ways of reading it. */
import { sharedFrom } from './costs.js'

const scratch = new DataView(new ArrayBuffer(8))
const scratchBytes = new Uint8Array(scratch.buffer)

/** Eight bytes. Written out: a loop costs five times as much. */
export function float64At(bytes: Buffer, at: number): number {
  scratchBytes[0] = bytes[at]!
  scratchBytes[1] = bytes[at + 1]!
  scratchBytes[2] = bytes[at + 2]!
  scratchBytes[3] = bytes[at + 3]!
  scratchBytes[4] = bytes[at + 4]!
  scratchBytes[5] = bytes[at + 5]!
  scratchBytes[6] = bytes[at + 6]!
  scratchBytes[7] = bytes[at + 7]!
  return scratch.getFloat64(0)
}

/**
 * A binary that is kept must not keep a socket's chunk alive. Small ones move to Node's pool of 8 KiB slabs; a large one shares the
 * message's memory when it is a good part of it (the BEAM's rule), so what it keeps is at most four times its own size.
 */
export function binaryAt(bytes: Buffer, start: number, size: number): Buffer {
  if (size >= sharedFrom && size * 4 >= bytes.buffer.byteLength) return bytes.subarray(start, start + size)
  const copy = Buffer.allocUnsafe(size)
  if (size > 32) bytes.copy(copy, 0, start, start + size)
  else for (let i = 0; i < size; i++) copy[i] = bytes[start + i]!
  return copy
}
