import { BitString } from './containers.js'

/** Bits one after the other, as the segments of a binary give them. */
export class Bits {
  readonly #bytes: number[] = []
  /** The last byte while it is not full: its bits are the low ones. */
  #partial = 0
  #partialBits = 0

  /** The low `size` bits of an integer, the highest first. */
  big(value: number | bigint, size: number): void {
    if (size === 8) return this.#push(lowByte(value), 8)
    const [first, ...rest] = bytesOf(BigInt(value), size)
    if (first === undefined) return
    this.#push(first, size % 8 || 8)
    for (const byte of rest) this.#push(byte, 8)
  }

  /** The low bytes first; the bits that make no whole byte, which are the high ones, come last. */
  little(value: number | bigint, size: number): void {
    const bytes = bytesOf(BigInt(value), size).toReversed()
    for (const [i, byte] of bytes.entries()) this.#push(byte, i === bytes.length - 1 ? size % 8 || 8 : 8)
  }

  utf8(code: number): void {
    for (const byte of Buffer.from(String.fromCodePoint(code))) this.#push(byte, 8)
  }

  term(): Buffer | BitString {
    if (this.#partialBits === 0) return Buffer.from(this.#bytes)
    return new BitString(Buffer.from([...this.#bytes, this.#partial << (8 - this.#partialBits)]), this.#partialBits)
  }

  #push(byte: number, bits: number): void {
    const joined = (this.#partial << bits) | byte
    const left = this.#partialBits + bits - 8
    if (left >= 0) this.#bytes.push((joined >> left) & 0xff)
    this.#partialBits = left >= 0 ? left : this.#partialBits + bits
    this.#partial = joined & ((1 << this.#partialBits) - 1)
  }
}

const lowByte = (value: number | bigint): number => (typeof value === 'bigint' ? Number(BigInt.asUintN(8, value)) : value & 0xff)

/** The highest first; of the first one only `size % 8` bits are meant, unless that is 0. */
function bytesOf(value: bigint, size: number): Buffer {
  const hex = BigInt.asUintN(size, value).toString(16)
  return Buffer.from(hex.padStart(Math.ceil(size / 8) * 2, '0'), 'hex')
}
