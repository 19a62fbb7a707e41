import { TermError } from './error.js'

/** V8's longest string has 2^29 - 24 characters; a text on its way there is stopped in time. */
const MAX_LENGTH = 2 ** 26

/** Few enough that joining them early keeps memory low: millions of small strings cost more than their text. */
const TOGETHER = 4096

/** A text as it grows, up to a limit. */
export class Pieces {
  readonly #limit: number | undefined
  readonly #joined: string[] = []
  #pieces: string[] = []
  #length = 0

  constructor(limit: number | undefined) {
    this.#limit = limit
  }

  /** @throws TermError ERR_TERM_SIZE when there is no limit and the text grows too long. */
  add(piece: string): void {
    this.#length += piece.length
    if (this.#limit === undefined && this.#length > MAX_LENGTH) {
      throw new TermError('ERR_TERM_SIZE', `A term prints as more than ${MAX_LENGTH} characters: give a limit.`)
    }
    if (this.#pieces.push(piece) === TOGETHER) {
      this.#joined.push(this.#pieces.join(''))
      this.#pieces = []
    }
  }

  /** Is there more text than the limit allows? */
  get full(): boolean {
    return this.#limit !== undefined && this.#length > this.#limit
  }

  /** The characters that there is room for. */
  get room(): number {
    return Math.max(0, (this.#limit ?? MAX_LENGTH) - this.#length)
  }

  text(): string {
    const text = [...this.#joined, ...this.#pieces].join('')
    return this.full ? `${text.slice(0, this.#limit)}...` : text
  }
}
