/** Bytes that lie in several Buffers, and are taken from the front. What was taken is not held any longer. */
export class Rope {
  /** The first is the last: taking is cheap at an array's end. */
  readonly #parts: Buffer[]
  #length = 0

  constructor(parts: readonly Buffer[]) {
    this.#parts = parts.toReversed()
    for (const part of parts) this.#length += part.length
  }

  /** Bytes that are left */
  get length(): number {
    return this.#length
  }

  /** The next `size` bytes, or all that are left. */
  take(size: number): Buffer[] {
    const taken: Buffer[] = []
    for (let left = Math.min(size, this.#length); left > 0;) {
      const part = this.#parts.pop()!
      const piece = part.subarray(0, left)
      if (piece.length < part.length) this.#parts.push(part.subarray(piece.length))
      taken.push(piece)
      left -= piece.length
      this.#length -= piece.length
    }
    return taken
  }
}
