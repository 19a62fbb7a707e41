/**
 * Terms as Erlang prints them, on one line.
 *
 * Source: stdlib's io_lib_pretty, as `io_lib:format("~0tp", [Term])` prints under `erl +pc unicode`.
 */
import { isPlainObject, notATerm } from './compare-kind.js'
import { objectAsMap } from './compare-map-keys.js'
import { ImproperList, NativeRecord } from './containers.js'
import { TermError } from './error.js'
import { formatCharlist } from './format-binary.js'
import { Pieces } from './format-pieces.js'
import { formatScalar } from './format-scalar.js'
import { formatAtom } from './format-text.js'
import { Tuple } from './tuple.js'
import type { Sendable } from './types.js'

export interface FormatOptions {
  /** Print printable lists and binaries as text; false prints `[97,98]` and `<<97,98>>`, as `~w` does. Default true. */
  readonly strings?: boolean | undefined
  /** Characters; what is longer is cut, and ends with `...`. Default: none, but 2^26 characters are an error. */
  readonly limit?: number | undefined
}

/**
 * A term in Erlang syntax, on one line: `{ok,<<"text">>,[1.0,"charlist"],#{a => 1}}`.
 *
 * What is text prints as text, also beyond Latin-1. Maps print in the order of their entries: as their node would print them, except that
 * nodes print maps of more than 32 entries in the reverse of the order in which they send them. The first number of a pid, a reference or a port is 0 when its node runs in this program. `parse` reads the
 * result, except for pids, references, ports, closures and native records, which have no literal.
 *
 * @throws TermError ERR_TERM_TYPE for what is no term; ERR_TERM_CYCLE for a term that holds itself; ERR_TERM_TEXT for a string with a
 * lone surrogate; ERR_TERM_SIZE for a text of more than 2^26 characters, when there is no limit.
 *
 * @example
 * ```ts
 * import { atom, float, format, tuple } from 'beamlet'
 * import assert from 'node:assert/strict'
 *
 * assert.equal(format(tuple(atom('ok'), 'text', [1, float(1)])), '{ok,<<"text">>,[1,1.0]}')
 * assert.equal(format({ name: atom('Not Bare'), list: [104, 105] }), `#{name => 'Not Bare',list => "hi"}`)
 * assert.equal(format([1, 2, 3, 4], { limit: 5 }), '[1,2,...')
 * ```
 */
export function format(term: Sendable, options: FormatOptions = {}): string {
  return new Printer(options.strings ?? true, options.limit).print(term)
}

/** A container of which some insides are written. */
interface Frame {
  readonly container: object
  readonly terms: readonly unknown[]
  /** What stands before the i-th of `terms`. */
  readonly before: (i: number) => string
  readonly close: string
  next: number
}

const comma = (i: number): string => (i === 0 ? '' : ',')
const pair = (i: number): string => (i % 2 === 1 ? ' => ' : comma(i))

/** Writes with a stack of its own: nesting costs memory, never JavaScript's stack. */
class Printer {
  readonly #strings: boolean
  readonly #out: Pieces
  readonly #frames: Frame[] = []
  /** So deep that it is time to look for a cycle; twice as deep each time. */
  #suspicious = 64

  constructor(strings: boolean, limit: number | undefined) {
    this.#strings = strings
    this.#out = new Pieces(limit)
  }

  print(term: unknown): string {
    this.#one(term)
    for (let frame = this.#frames.at(-1); frame !== undefined && !this.#out.full; frame = this.#frames.at(-1)) {
      if (frame.next === frame.terms.length) {
        this.#out.add(frame.close)
        this.#frames.pop()
      } else {
        const i = frame.next++
        this.#out.add(frame.before(i))
        this.#one(frame.terms[i])
      }
    }
    return this.#out.text()
  }

  #one(term: unknown): void {
    if (term instanceof Tuple) return this.#enter(term, '{', term.elements, comma, '}')
    const isList = Array.isArray(term)
    const text = isList ? this.#charlist(term) : formatScalar(term, this.#strings, this.#out.room)
    if (text !== undefined) this.#out.add(text)
    else if (isList) this.#enter(term, '[', term, comma, ']')
    else this.#container(term as object)
  }

  #charlist(list: readonly unknown[]): string | undefined {
    return this.#strings ? formatCharlist(list) : undefined
  }

  #container(term: object): void {
    if (term instanceof Map) this.#enter(term, '#{', [...term].flat(), pair, '}')
    else if (term instanceof ImproperList) {
      const last = term.elements.length
      this.#enter(term, '[', [...term.elements, term.tail], i => (i === last ? '|' : comma(i)), ']')
    } else if (term instanceof NativeRecord) {
      const start = `#${formatAtom(term.module.name)}:${formatAtom(term.name.name)}{`
      const before = (i: number): string => `${comma(i)}${formatAtom(term.fields[i]![0].name)} = `
      const values = term.fields.map(([, value]) => value)
      this.#enter(term, start, values, before, '}')
    } else if (isPlainObject(term)) this.#enter(term, '#{', [...objectAsMap(term)].flat(), pair, '}')
    else throw notATerm(term)
  }

  /** The terms are written later. */
  #enter(container: object, start: string, terms: readonly unknown[], before: (i: number) => string, close: string): void {
    this.#out.add(start)
    this.#frames.push({ container, terms, before, close, next: 0 })
    if (this.#frames.length === this.#suspicious) this.#checkForCycle()
  }

  #checkForCycle(): void {
    const open = new Set(this.#frames.map(frame => frame.container))
    if (open.size < this.#frames.length) throw new TermError('ERR_TERM_CYCLE', 'A term cannot hold itself.')
    this.#suspicious *= 2
  }
}
