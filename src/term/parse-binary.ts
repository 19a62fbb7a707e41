/**
 * `<<1, 2:16/little, "é"/utf8>>`
 *
 * Source: the reference manual, "Bit Syntax Expressions", as far as it makes constants of integers and strings.
 */
import type { BitString } from './containers.js'
import { Bits } from './parse-bits.js'
import type { Scanner } from './scan.js'

/** Bits that sizes may ask for in one text, 1 MiB: a short text shall not make a long binary. */
const MAX_SIZED_BITS = 2 ** 23

export class BinaryParser {
  readonly #scanner: Scanner
  #sizedBits = 0

  constructor(scanner: Scanner) {
    this.#scanner = scanner
  }

  /** Behind `<<`. */
  binary(): Buffer | BitString {
    const bits = new Bits()
    if (this.#scanner.takes('>>')) return bits.term()
    for (;;) {
      this.#segment(bits)
      if (this.#scanner.takes('>>')) return bits.term()
      if (!this.#scanner.takes(',')) throw this.#scanner.unexpected('a comma or >>')
    }
  }

  #segment(bits: Bits): void {
    const start = this.#scanner.peek()
    const values = this.#values()
    const sized = this.#scanner.peek()
    const size = this.#scanner.takes(':') ? this.#size(values.length) : undefined
    const { utf8, little } = this.#scanner.takes('/') ? this.#types() : { utf8: false, little: false }
    if (utf8 && size !== undefined) throw this.#scanner.failure('A segment of type utf8 has no size', sized)
    for (const value of values) {
      if (utf8) {
        if (!isCharacter(value)) throw this.#scanner.failure('There is no such character', start)
        bits.utf8(Number(value))
      } else if (little) bits.little(BigInt(value), size ?? 8)
      else bits.big(value, size ?? 8)
    }
  }

  #values(): readonly (number | bigint)[] {
    const sign = this.#scanner.takes('-') ? -1 : 1
    const token = this.#scanner.next()
    if (token.type === 'string' && sign === 1) return this.#scanner.joined(token)
    if (token.type === 'integer') return [sign === 1 ? token.value : -token.value]
    throw this.#scanner.unexpected('an integer or a string', token)
  }

  #size(count: number): number {
    const token = this.#scanner.next()
    if (token.type !== 'integer') throw this.#scanner.unexpected('a size', token)
    const size = Number(token.value)
    this.#sizedBits += size * count
    if (this.#sizedBits > MAX_SIZED_BITS) throw this.#scanner.failure('The sizes of the binaries add up to more than 1 MiB', token)
    return size
  }

  #types(): { readonly utf8: boolean; readonly little: boolean } {
    const names = new Set<string>()
    do {
      const token = this.#scanner.next()
      if (token.type !== 'atom' || !TYPES.has(token.text)) throw this.#scanner.unexpected(`one of ${[...TYPES].join(', ')}`, token)
      names.add(token.text)
    } while (this.#scanner.takes('-'))
    return { utf8: names.has('utf8'), little: names.has('little') }
  }
}

/** Whether signed or not makes no difference to the bits. */
const TYPES: ReadonlySet<string> = new Set(['integer', 'utf8', 'big', 'little', 'signed', 'unsigned'])

const isCharacter = (code: number | bigint): boolean => code >= 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
