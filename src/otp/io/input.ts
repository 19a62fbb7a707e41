/** What an I/O server reads from: text as it comes, cut into what its clients ask for. */
import { StringDecoder } from 'node:string_decoder'

/** Any Readable, or anything else that gives strings or bytes of UTF-8. */
export type Source = AsyncIterable<string | Uint8Array>

/** Characters that are kept while the end of a line is waited for: a longer line comes in pieces. */
const maxLine = 2 ** 24

export class Input {
  readonly #chunks: AsyncIterator<string | Uint8Array> | null
  readonly #source: Source | undefined
  readonly #decoder = new StringDecoder('utf8')
  #text = ''
  #ended = false

  constructor(source: Source | undefined) {
    this.#source = source
    this.#chunks = source?.[Symbol.asyncIterator]() ?? null
  }

  /** Everything up to and with the next line feed, as `\n`; null: the input is at its end. @throws what the source throws */
  async line(): Promise<string | null> {
    for (let from = 0; ;) {
      const end = this.#text.indexOf('\n', from)
      if (end >= 0) return this.#take(end + 1).replace(/\r\n$/, '\n')
      if (this.#text.length > maxLine) return this.#take(maxLine)
      from = this.#text.length
      if (!(await this.#more())) return this.#text === '' ? null : this.#take(this.#text.length)
    }
  }

  /** That many characters, or as many as there are; null: the input is at its end. @throws what the source throws */
  async chars(count: number): Promise<string | null> {
    // A character outside of the basic plane takes two units.
    while (this.#text.length < 2 * count && (await this.#more())) continue
    if (this.#text === '' && count > 0) return null
    let length = 0
    for (const char of this.#text) {
      if (count-- <= 0) break
      length += char.length
    }
    return this.#take(length)
  }

  /** What was read too far comes again. */
  giveBack(text: string): void {
    this.#text = text + this.#text
  }

  /** The source ends with its server. */
  close(): void {
    this.#ended = true
    if (this.#source && 'destroy' in this.#source && typeof this.#source.destroy === 'function') this.#source.destroy()
    // What an iterator says at its end is for nobody.
    else this.#chunks?.return?.().then(undefined, () => {})
  }

  #take(length: number): string {
    const taken = this.#text.slice(0, length)
    this.#text = this.#text.slice(length)
    return taken
  }

  async #more(): Promise<boolean> {
    if (this.#ended || !this.#chunks) return false
    const { done, value } = await this.#chunks.next()
    if (done === true) {
      this.#ended = true
      this.#text += this.#decoder.end()
      return this.#text !== ''
    }
    this.#text += typeof value === 'string' ? value : this.#decoder.write(Buffer.from(value))
    return true
  }
}
