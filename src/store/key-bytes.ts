/** Bytes of a sort key, as they are written: each piece ends by itself, so that no key is the beginning of another. */
export class KeyBytes {
  #buffer = Buffer.allocUnsafe(64)
  #length = 0

  u8(byte: number): void {
    this.#room(1)
    this.#buffer[this.#length++] = byte
  }

  u32(number: number): void {
    this.#room(4)
    this.#length = this.#buffer.writeUInt32BE(number, this.#length)
  }

  /** How many there are: one byte while that is enough. */
  size(count: number): void {
    if (count < 0xff) return this.u8(count)
    this.u8(0xff)
    this.u32(count)
  }

  /** Bytes of any value, then the end: 0 and `end`, which is at most 8. A 0 among them is written as 0, 255. */
  text(bytes: Uint8Array, end: number): void {
    let from = 0
    for (let zero = bytes.indexOf(0); zero >= 0; zero = bytes.indexOf(0, from)) {
      this.#copy(bytes, from, zero + 1)
      this.u8(0xff)
      from = zero + 1
    }
    this.#copy(bytes, from, bytes.length)
    this.u8(0)
    this.u8(end)
  }

  /** What was written; nothing may be written any more. */
  take(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  #copy(bytes: Uint8Array, start: number, end: number): void {
    this.#room(end - start)
    this.#buffer.set(bytes.subarray(start, end), this.#length)
    this.#length += end - start
  }

  #room(more: number): void {
    if (this.#length + more <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + more))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}
