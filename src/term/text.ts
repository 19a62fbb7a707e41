/**
 * What holds text in Erlang → a JavaScript string.
 *
 * Source: stdlib's `unicode:characters_to_list/1`.
 */
import { isInteger, kindOf, notATerm } from './compare-kind.js'
import { ImproperList } from './containers.js'
import { TermError } from './error.js'
import { binaryOf, fromCodePoints } from './format-binary.js'
import type { Sendable } from './types.js'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The text of a binary in UTF-8, of a list of code points, or of chardata: lists of those, nested to any depth, as `io_lib:format` returns.
 * A character may be split between two binaries that follow each other.
 *
 * @throws TermError ERR_TERM_TEXT for what is none of those: an atom (its text is `.name`), a number outside Unicode, bytes that are no
 * UTF-8; ERR_TERM_CYCLE for a list that holds itself; ERR_TERM_TYPE for what is no term.
 *
 * @example
 * ```ts
 * import { text } from 'beamlet'
 * import assert from 'node:assert/strict'
 *
 * assert.equal(text(Buffer.from('déjà vu')), 'déjà vu')
 * assert.equal(text([104, [Buffer.from('é')], 'llo']), 'héllo')
 * ```
 */
export function text(term: Sendable): string {
  if (typeof term === 'string') return decode(binaryOf(term))
  if (term instanceof Uint8Array) return decode(term)
  if (!isList(term)) throw noText(term)
  const reader = new Reader()
  reader.read(term)
  return decode(Buffer.concat(reader.pieces))
}

/** Gathers the UTF-8 bytes of chardata, with a stack of its own: nesting costs memory, never JavaScript's stack. */
class Reader {
  readonly pieces: Uint8Array[] = []
  readonly #open: { readonly list: object; readonly parts: readonly unknown[]; next: number }[] = []
  readonly #within = new Set<object>()
  /** Code points that are not yet among the pieces */
  #codes: number[] = []

  read(list: object): void {
    this.#enter(list)
    for (let inner = this.#open.at(-1); inner !== undefined; inner = this.#open.at(-1)) {
      if (inner.next === inner.parts.length) {
        this.#within.delete(inner.list)
        this.#open.pop()
      } else this.#one(inner.parts[inner.next++])
    }
    this.#flush()
  }

  #one(part: unknown): void {
    if (isCodePoint(part)) this.#codes.push(part)
    else if (isList(part)) this.#enter(part)
    else {
      this.#flush()
      this.pieces.push(bytesOf(part))
    }
  }

  #enter(list: object): void {
    if (this.#within.has(list)) throw new TermError('ERR_TERM_CYCLE', 'A list cannot hold itself.')
    this.#within.add(list)
    this.#open.push({ list, parts: partsOf(list), next: 0 })
  }

  #flush(): void {
    if (this.#codes.length > 0) this.pieces.push(Buffer.from(fromCodePoints(this.#codes)))
    this.#codes = []
  }
}

const isList = (value: unknown): value is object => Array.isArray(value) || value instanceof ImproperList

/** The tail of an improper list of characters is a binary: `[$a | <<"bc">>]`. */
function partsOf(list: object): readonly unknown[] {
  if (!(list instanceof ImproperList)) return list as readonly unknown[]
  bytesOf(list.tail)
  return [...list.elements, list.tail]
}

/** A surrogate is no character. */
function isCodePoint(value: unknown): value is number {
  if (typeof value !== 'number' || !isInteger(value) || value < 0) return false
  return value < 0xd800 || (value > 0xdfff && value <= 0x10ffff)
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value
  if (typeof value === 'string') return binaryOf(value)
  throw noText(value)
}

function noText(value: unknown): TermError {
  if (kindOf(value) === undefined) return notATerm(value)
  const what = typeof value === 'number' || typeof value === 'bigint' ? `${value} is no code point` : 'This term holds no text'
  return new TermError('ERR_TERM_TEXT', `${what}: text is a binary, a list of code points, or a list of those. An atom has a .name.`)
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (error) {
    throw new TermError('ERR_TERM_TEXT', 'These bytes are no UTF-8. Latin-1 is read with binary.toString("latin1").', { cause: error })
  }
}

/** The charlist of a text, a list of its code points: what `text` reads back. */
export const charlist = (text: string): number[] => Array.from(text, char => char.codePointAt(0)!)
