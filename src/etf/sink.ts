/**
 * One growing run of bytes. What `take` hands over is never written again: the next bytes go behind it in the same slab, or into a new one.
 */
import { constants } from 'node:buffer'
import { EtfError } from './error.js'

const empty = Buffer.alloc(0)
const scratch = new DataView(new ArrayBuffer(8))
const scratchBytes = new Uint8Array(scratch.buffer)

export class Sink {
  /** The slab that is being filled, and where its next byte goes. @internal */
  bytes: Buffer = empty
  /** @internal */
  position = 0
  readonly #slab: number
  #start = 0
  /** Where the term that is being written begins, and how many bytes it may take */
  #mark = 0
  #limit = Infinity

  /** `slab`: how many bytes to take from the heap at a time. */
  constructor(slab: number) {
    this.#slab = slab
  }

  /** The bytes written since the last `take`. */
  get length(): number {
    return this.position - this.#start
  }

  u8(value: number): void {
    this.ensure(1)
    this.bytes[this.position++] = value
  }

  u16(value: number): void {
    this.ensure(2)
    this.bytes[this.position++] = value >>> 8
    this.bytes[this.position++] = value
  }

  /** A negative value writes its two's complement. */
  u32(value: number): void {
    this.ensure(4)
    const { bytes, position } = this
    bytes[position] = value >>> 24
    bytes[position + 1] = value >>> 16
    bytes[position + 2] = value >>> 8
    bytes[position + 3] = value
    this.position = position + 4
  }

  u64(value: bigint): void {
    this.ensure(8)
    this.position = this.bytes.writeBigUInt64BE(value, this.position)
  }

  /** A tag, and one byte */
  tag8(tag: number, value: number): void {
    this.ensure(2)
    const { bytes, position } = this
    bytes[position] = tag
    bytes[position + 1] = value
    this.position = position + 2
  }

  /** A tag, and four bytes */
  tag32(tag: number, value: number): void {
    this.ensure(5)
    const { bytes, position } = this
    bytes[position] = tag
    bytes[position + 1] = value >>> 24
    bytes[position + 2] = value >>> 16
    bytes[position + 3] = value >>> 8
    bytes[position + 4] = value
    this.position = position + 5
  }

  /** A tag, and a float */
  tag64(tag: number, value: number): void {
    this.ensure(9)
    const { bytes, position } = this
    scratch.setFloat64(0, value)
    bytes[position] = tag
    for (let i = 0; i < 8; i++) bytes[position + 1 + i] = scratchBytes[i]!
    this.position = position + 9
  }

  raw(bytes: Uint8Array): void {
    const { length } = bytes
    this.ensure(length)
    if (length > 32) this.bytes.set(bytes, this.position)
    else for (let i = 0; i < length; i++) this.bytes[this.position + i] = bytes[i]!
    this.position += length
  }

  /** Writes the UTF-8 of a text, or nothing and false when it has none: a lone surrogate. */
  text(text: string): boolean {
    const { length } = text
    if (length <= shortText && this.#ascii(text)) return true
    if (!text.isWellFormed()) return false
    const size = length <= 1024 ? 3 * length : Buffer.byteLength(text)
    this.ensure(size)
    this.position += this.bytes.write(text, this.position, size, 'utf8')
    return true
  }

  /** A short text is quicker to copy than to hand to V8. */
  #ascii(text: string): boolean {
    const { length } = text
    this.ensure(length)
    const { bytes, position } = this
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 0x7f) return false
      bytes[position + i] = unit
    }
    this.position = position + length
    return true
  }

  /** Overwrites four bytes, the first of them at `at`, counted as `length` counts. */
  patchU32(at: number, value: number): void {
    const { bytes } = this
    const position = this.#start + at
    bytes[position] = value >>> 24
    bytes[position + 1] = value >>> 16
    bytes[position + 2] = value >>> 8
    bytes[position + 3] = value
  }

  /** Takes back all but the first `length` bytes. */
  truncate(length: number): void {
    this.position = this.#start + length
    this.#limit = Infinity
  }

  /** Hands over what was written, and goes on with nothing written. */
  take(): Buffer {
    const taken = this.bytes.subarray(this.#start, this.position)
    // What grew beyond a slab is not worth keeping: the next bytes would hold all of it.
    if (this.bytes.length > this.#slab) this.#use(empty, 0)
    else this.#start = this.position
    return taken
  }

  /** From here to `endTerm` no more than `limit` bytes. */
  beginTerm(limit: number): void {
    this.#mark = this.position
    this.#limit = limit
  }

  /** @throws EtfError ETF_SIZE */
  endTerm(): void {
    this.#refuseOver(this.position - this.#mark)
    this.#limit = Infinity
  }

  /** Makes room for `size` more bytes. @throws EtfError ETF_SIZE @internal */
  ensure(size: number): void {
    if (size > this.bytes.length - this.position) this.#grow(size)
  }

  #grow(size: number): void {
    this.#refuseOver(this.position - this.#mark + size)
    const { length } = this
    const needed = length + size
    if (needed > constants.MAX_LENGTH) throw new EtfError('ETF_SIZE', `A buffer holds at most ${constants.MAX_LENGTH} bytes.`)
    const capacity = needed <= this.#slab ? this.#slab : Math.min(Math.max(needed, 2 * length), constants.MAX_LENGTH)
    const bytes = Buffer.allocUnsafeSlow(capacity)
    this.bytes.copy(bytes, 0, this.#start, this.position)
    this.#mark -= this.#start
    this.#use(bytes, length)
  }

  #refuseOver(size: number): void {
    if (size > this.#limit) throw new EtfError('ETF_SIZE', `The term takes more than limits.size (${this.#limit} bytes).`)
  }

  #use(bytes: Buffer, position: number): void {
    this.bytes = bytes
    this.#start = 0
    this.position = position
  }
}

const shortText = 24
