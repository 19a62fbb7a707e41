/** The options of an I/O server, `io:setopts/2` and `io:getopts/1`, and what they do to text. */
import { atom, type Sendable, type Term, text, Tuple, tuple, charlist } from '../../term/index.js'

const latin1 = atom('latin1')
const encodings = new Set<unknown>([atom('unicode'), atom('utf8'), latin1])

export class IoOptions {
  #binary: boolean
  #latin1 = false

  constructor(binary: boolean) {
    this.#binary = binary
  }

  /** What getopts answers */
  all(): Sendable {
    return [tuple(atom('binary'), this.#binary), tuple(atom('encoding'), this.#latin1 ? latin1 : atom('unicode'))]
  }

  /** `ok`, or `{error, enotsup}` when one is unknown: then none is set. */
  set(list: readonly Term[]): Sendable {
    const known = list.map(one => this.#setter(one))
    if (known.includes(undefined)) return tuple(atom('error'), atom('enotsup'))
    for (const set of known) set?.()
    return atom('ok')
  }

  /** `binary`, `list`, `unicode`, `latin1`, `{binary, Bool}`, `{encoding, Encoding}`; `{echo, _}` and `{expand_fun, _}` are taken and do nothing. */
  #setter(one: Term): (() => void) | undefined {
    if (one === atom('binary') || one === atom('list')) return () => (this.#binary = one === atom('binary'))
    if (encodings.has(one)) return () => (this.#latin1 = one === latin1)
    if (!(one instanceof Tuple) || one.length !== 2) return undefined
    const value = one.elements[1] as Term
    if (one.tag === 'binary' || one.tag === 'list') return () => (this.#binary = (value === true) === (one.tag === 'binary'))
    if (one.tag === 'encoding') return encodings.has(value) ? () => (this.#latin1 = value === latin1) : undefined
    return one.tag === 'echo' || one.tag === 'expand_fun' ? () => {} : undefined
  }

  /** What is printed on a device for Latin-1: other characters as `\x{20AC}` */
  encoded(chars: string): string {
    if (!this.#latin1) return chars
    return chars.replaceAll(/[^\0-\xff]/gu, char => `\\x{${char.codePointAt(0)!.toString(16).toUpperCase()}}`)
  }

  /** What was read, as characters or as a binary; undefined: not all of it is Latin-1, which was asked for. */
  data(chars: string, unicode: boolean): Sendable | undefined {
    if (!unicode && /[^\0-\xff]/u.test(chars)) return undefined
    return this.#binary ? Buffer.from(chars, unicode ? 'utf8' : 'latin1') : charlist(chars)
  }

  /** What a callback has made of it; a list of characters is a binary, too, where characters are. */
  result(result: Sendable, unicode: boolean): Sendable {
    return this.#binary && Array.isArray(result) ? (this.data(text(result as Sendable), unicode) as Sendable) : result
  }
}
