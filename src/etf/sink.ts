/**
 * One growing run of bytes. What is handed over is never written again: the next bytes go behind it in the same slab, or into a new one.
 *
 * When a slab is full, a larger one takes over its bytes, so that `take` copies nothing. For a socket, which can gather, the full slab
 * is kept as it is instead: nothing is copied twice, and 100 MB need no memory in one piece. (Fresh pages cost more than copying:
 * 60 ms for 100 MB, where copying takes 8. Memory in pieces of up to 1 MiB is used again by the allocator, not given back to the system.)
 */
import { constants } from 'node:buffer'
import { EtfError } from './error.js'

const empty = Buffer.alloc(0)
const scratch = new DataView(new ArrayBuffer(8))
const scratchBytes = new Uint8Array(scratch.buffer)

/** How large a slab may become for company's sake, where full ones are kept */
const largestSlab = 1024 * 1024

/** How large the first slab is where full ones are kept, each next one twice as large: a connection on which little is said holds little. */
const firstSlab = 4096

/** Up to so many bytes are written in a slab that is kept, and copied when they are taken. */
const largeSlab = 256 * 1024

/** Bytes that are less work to copy than to keep as a part of their own */
const worthAPart = 4096

export class Sink {
  /** The slab that is being filled, and where its next byte goes. @internal */
  bytes: Buffer = empty
  /** @internal */
  position = 0
  readonly #slab: number
  readonly #gathers: boolean
  /** How large the next slab is */
  #next: number
  #start = 0
  /** For what outgrows a slab, and where the slab was left */
  #large: Buffer | null = null
  #small: { bytes: Buffer; start: number } = { bytes: empty, start: 0 }
  /** What comes before the slab that is being filled, and how many bytes that is */
  #parts: Buffer[] = []
  #before = 0
  /** Where the term that is being written begins, counted as `length` counts, and how many bytes it may take */
  #mark = 0
  #limit = Infinity

  /**
   * @param slab how many bytes to take from the heap at a time
   * @param gathers whether full slabs are kept as they are, for `takeParts`; then the first ones are smaller
   */
  constructor(slab: number, gathers = false) {
    this.#slab = slab
    this.#gathers = gathers
    this.#next = gathers ? Math.min(firstSlab, slab) : slab
  }

  /** The bytes written since they were last taken. */
  get length(): number {
    return this.#before + this.position - this.#start
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

  /** Three times four bytes, none of them negative */
  u32x3(first: number, second: number, third: number): void {
    this.ensure(12)
    const { bytes, position } = this
    bytes[position] = first >>> 24
    bytes[position + 1] = first >>> 16
    bytes[position + 2] = first >>> 8
    bytes[position + 3] = first
    bytes[position + 4] = second >>> 24
    bytes[position + 5] = second >>> 16
    bytes[position + 6] = second >>> 8
    bytes[position + 7] = second
    bytes[position + 8] = third >>> 24
    bytes[position + 9] = third >>> 16
    bytes[position + 10] = third >>> 8
    bytes[position + 11] = third
    this.position = position + 12
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
    // Written out: a loop costs five times as much.
    bytes[position + 1] = scratchBytes[0]!
    bytes[position + 2] = scratchBytes[1]!
    bytes[position + 3] = scratchBytes[2]!
    bytes[position + 4] = scratchBytes[3]!
    bytes[position + 5] = scratchBytes[4]!
    bytes[position + 6] = scratchBytes[5]!
    bytes[position + 7] = scratchBytes[6]!
    bytes[position + 8] = scratchBytes[7]!
    this.position = position + 9
  }

  raw(bytes: Uint8Array): void {
    const { length } = bytes
    if (this.#gathers && length > this.bytes.length - this.position) return this.#fill(bytes)
    this.ensure(length)
    if (length > 32) this.bytes.set(bytes, this.position)
    else for (let i = 0; i < length; i++) this.bytes[this.position + i] = bytes[i]!
    this.position += length
  }

  /** Copies into this slab what it holds, and the rest into others. */
  #fill(bytes: Uint8Array): void {
    this.#refuseOver(this.length - this.#mark + bytes.length)
    for (let at = 0; at < bytes.length;) {
      if (this.position === this.bytes.length) this.#grow(Math.min(bytes.length - at, largestSlab))
      const piece = bytes.subarray(at, at + this.bytes.length - this.position)
      this.bytes.set(piece, this.position)
      this.position += piece.length
      at += piece.length
    }
  }

  /** Like `raw`, of bytes that nobody writes to again: where there are many, they are not copied. */
  append(bytes: Buffer): void {
    if (!this.#gathers || bytes.length < worthAPart) return this.raw(bytes)
    this.#close()
    this.#parts.push(bytes)
    this.#before += bytes.length
  }

  /** Writes the UTF-8 of a text, or nothing and false when it has none: a lone surrogate. */
  text(text: string): boolean {
    const { length } = text
    if (length <= shortText && this.asciiBehind(0, text)) {
      this.position += length
      return true
    }
    if (!text.isWellFormed()) return false
    const size = length <= 1024 ? 3 * length : Buffer.byteLength(text)
    this.ensure(size)
    this.position += this.bytes.write(text, this.position, size, 'utf8')
    return true
  }

  /**
   * Makes room for a header of so many bytes and a short text, and writes the text behind it, which is quicker than to hand it to V8. The position stays.
   * False when it is not ASCII. @internal
   */
  asciiBehind(header: number, text: string): boolean {
    const { length } = text
    this.ensure(header + length)
    const { bytes } = this
    const start = this.position + header
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 0x7f) return false
      bytes[start + i] = unit
    }
    return true
  }

  /** Overwrites four bytes, the first of them at `at`, counted as `length` counts. They were written at once. */
  patchU32(at: number, value: number): void {
    const { bytes } = this
    if (at < this.#before) return void this.#partAt(at).writeUInt32BE(value >>> 0)
    const position = this.#start + at - this.#before
    bytes[position] = value >>> 24
    bytes[position + 1] = value >>> 16
    bytes[position + 2] = value >>> 8
    bytes[position + 3] = value
  }

  #partAt(at: number): Buffer {
    let begin = this.#before
    for (let i = this.#parts.length - 1; ; i--) {
      const part = this.#parts[i]!
      begin -= part.length
      if (begin <= at) return part.subarray(at - begin)
    }
  }

  /** Takes back all but the first `length` bytes. */
  truncate(length: number): void {
    while (this.#before > length) {
      const last = this.#parts.pop()!
      this.#before -= last.length
      this.position = this.#start
      if (this.#before >= length) continue
      this.#parts.push(last.subarray(0, length - this.#before))
      this.#before = length
    }
    this.position = this.#start + length - this.#before
    this.#limit = Infinity
  }

  /** Hands over what was written, and goes on with nothing written. */
  take(): Buffer {
    if (this.#parts.length === 0 && this.bytes.length <= this.#slab) {
      const start = this.#start
      this.#start = this.position
      return this.bytes.subarray(start, this.position)
    }
    const parts = this.takeParts()
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  }

  /** The next large one is written where this one was, and the small ones go on where they were. */
  #takeLarge(): Buffer {
    const taken = Buffer.allocUnsafeSlow(this.position)
    this.bytes.copy(taken, 0, 0, this.position)
    const { bytes, start } = this.#small
    this.#use(bytes, start)
    this.#start = start
    return taken
  }

  /** The same, as it lies in memory */
  takeParts(): Buffer[] {
    if (this.bytes === this.#large) return [this.#takeLarge()]
    this.#close()
    const parts = this.#parts
    this.#parts = []
    this.#before = 0
    // What grew beyond a slab is not worth keeping: the next bytes would hold all of it.
    if (this.bytes.length > this.#slab) this.#use(empty, 0)
    return parts
  }

  /** Moves what was written behind what is in another, and goes on with nothing written. */
  pour(other: Sink): void {
    const length = this.length
    if (this.#parts.length > 0 || length >= worthAPart) {
      for (const part of this.takeParts()) other.append(part)
      return
    }
    // As most messages are: no Buffer is made for it, and its place is free again.
    other.ensure(length)
    this.bytes.copy(other.bytes, other.position, this.#start, this.position)
    other.position += length
    this.position = this.#start
  }

  /** What was written into the slab becomes a part. */
  #close(): void {
    const { position } = this
    if (position === this.#start) return
    this.#parts.push(this.bytes.subarray(this.#start, position))
    this.#before += position - this.#start
    this.#start = position
  }

  /** From here to `endTerm` no more than `limit` bytes. */
  beginTerm(limit: number): void {
    this.#mark = this.length
    this.#limit = limit
  }

  /** @throws EtfError ETF_SIZE */
  endTerm(): void {
    this.#refuseOver(this.length - this.#mark)
    this.#limit = Infinity
  }

  /** Makes room for `size` more bytes. @throws EtfError ETF_SIZE @internal */
  ensure(size: number): void {
    if (size > this.bytes.length - this.position) this.#grow(size)
  }

  #grow(size: number): void {
    const { length } = this
    this.#refuseOver(length - this.#mark + size)
    if (this.#gathers) {
      this.#close()
      const room = Math.min(Math.max(this.#next, length), largestSlab)
      this.#next = Math.min(2 * this.#next, this.#slab)
      return this.#use(Buffer.allocUnsafeSlow(Math.max(size, room)), 0)
    }
    const needed = length + size
    if (needed > constants.MAX_LENGTH) throw new EtfError('ETF_SIZE', `A buffer holds at most ${constants.MAX_LENGTH} bytes.`)
    if (length > 0 && needed > this.#slab && needed <= largeSlab) return this.#enlarge(length)
    const capacity = needed <= this.#slab ? this.#slab : Math.min(Math.max(needed, 2 * length), constants.MAX_LENGTH)
    const bytes = Buffer.allocUnsafeSlow(capacity)
    this.bytes.copy(bytes, 0, this.#start, this.position)
    this.#use(bytes, length)
  }

  /** Has outgrown its slab: growing step by step would take fresh memory each time, which costs more than to copy it at the end. */
  #enlarge(length: number): void {
    this.#small = { bytes: this.bytes, start: this.#start }
    const large = (this.#large ??= Buffer.allocUnsafeSlow(largeSlab))
    this.bytes.copy(large, 0, this.#start, this.position)
    this.#use(large, length)
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
