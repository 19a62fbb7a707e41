/** Big integers from and to the wire: magnitude bytes, least significant first, and a sign (erl_ext_dist, SMALL_BIG_EXT). */

/** A number while it is safe, else a bigint. Leading zeros (at the end) are allowed, as the BEAM allows them. */
export function integerFromBytes(bytes: Buffer, start: number, length: number, negative: boolean): number | bigint {
  let size = length
  while (size > 0 && bytes[start + size - 1] === 0) size--
  if (size <= 7) {
    let value = 0
    for (let i = size - 1; i >= 0; i--) value = value * 256 + bytes[start + i]!
    if (value <= Number.MAX_SAFE_INTEGER) return negative && value !== 0 ? -value : value
  }
  const magnitude = size <= 8 ? word(bytes, start, size) : long(bytes, start, size)
  return negative ? -magnitude : magnitude
}

function word(bytes: Buffer, start: number, size: number): bigint {
  let high = 0
  for (let i = size - 1; i >= 4; i--) high = high * 256 + bytes[start + i]!
  return (BigInt(high) << 32n) | BigInt(bytes.readUInt32LE(start))
}

/** Through hexadecimal, which V8 converts in linear time. */
function long(bytes: Buffer, start: number, size: number): bigint {
  const bigEndian = Buffer.from(bytes.subarray(start, start + size)).reverse()
  return BigInt(`0x${bigEndian.toString('hex')}`)
}

/** The magnitude's bytes, least significant first, none of them superfluous. */
export function bytesOfInteger(magnitude: bigint): Buffer {
  const digits = magnitude.toString(16)
  return Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex').reverse()
}
