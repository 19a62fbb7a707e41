/**
 * Bytes that come in pieces and become one Buffer. Beyond a small first allocation it never holds more than twice what has really come,
 * so a claimed length costs nothing, and pieces of one byte cost one byte.
 */
export class GrowingBuffer {
  readonly #limit: number
  readonly #first: number
  #bytes: Buffer = Buffer.alloc(0)
  #length = 0

  /**
   * @param limit the most bytes that will come: the caller's to keep
   * @param first how many to make room for at once, if so many may come
   */
  constructor(limit: number, first = 0) {
    this.#limit = limit
    this.#first = first
  }

  get length(): number {
    return this.#length
  }

  append(piece: Uint8Array): void {
    const needed = this.#length + piece.length
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(this.#limit, Math.max(needed, this.#bytes.length * 2, this.#first)))
      grown.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = grown
    }
    this.#bytes.set(piece, this.#length)
    this.#length = needed
  }

  /** What has come so far. Later pieces do not change it. */
  take(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }
}
