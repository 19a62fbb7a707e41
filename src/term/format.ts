/**
 * Terms as Erlang prints them, on one line.
 *
 * Source: stdlib's io_lib_pretty, as `io_lib:format("~0tp", [Term])` prints under `erl +pc unicode`.
 */
import { Atom } from './atom.js'
import { isInteger, isPlainObject, notATerm } from './compare-kind.js'
import { objectAsMap } from './compare-map-keys.js'
import { BitString, Float, ImproperList, NativeRecord } from './containers.js'
import { TermError } from './error.js'
import { formatBinary, formatBitString, formatCharlist } from './format-binary.js'
import { formatFloat } from './format-float.js'
import { formatAtom } from './format-text.js'
import { ExportFun, Fun } from './fun.js'
import { Pid, Port, Reference } from './identity.js'
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
 * What is text prints as text, also beyond Latin-1. Maps print in the order of their entries, which for a map that came from a BEAM node
 * is that node's own. The first number of a pid, a reference or a port is 0 when its node runs in this program. `parse` reads the
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
  const writer = new Writer(options.strings ?? true, options.limit)
  return writer.write(term)
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

/** V8's longest string has 2^29 - 24 characters; a term on its way there is stopped in time. */
const MAX_LENGTH = 2 ** 26

/** Writes with a stack of its own: nesting costs memory, never JavaScript's stack. */
class Writer {
  readonly #strings: boolean
  readonly #limit: number | undefined
  readonly #frames: Frame[] = []
  /** What is open: a container inside itself is a cycle. */
  readonly #open = new Set<object>()
  #text = ''

  constructor(strings: boolean, limit: number | undefined) {
    this.#strings = strings
    this.#limit = limit
  }

  write(term: unknown): string {
    this.#one(term)
    for (let frame = this.#frames.at(-1); frame !== undefined && !this.#full(); frame = this.#frames.at(-1)) {
      if (frame.next === frame.terms.length) {
        this.#text += frame.close
        this.#open.delete(frame.container)
        this.#frames.pop()
      } else {
        const i = frame.next++
        this.#text += frame.before(i)
        this.#one(frame.terms[i])
      }
    }
    return this.#full() ? `${this.#text.slice(0, this.#limit)}...` : this.#text
  }

  /** Is there more text than the limit allows? */
  #full(): boolean {
    if (this.#limit !== undefined) return this.#text.length > this.#limit
    if (this.#text.length > MAX_LENGTH) throw new TermError('ERR_TERM_SIZE', 'The term is too large to print: give a limit.')
    return false
  }

  #one(term: unknown): void {
    if (typeof term !== 'object' || term === null) this.#text += formatPrimitive(term, this.#strings, this.#room())
    else if (term instanceof Tuple) this.#enter(term, '{', term.elements, comma, '}')
    else if (Array.isArray(term)) this.#list(term)
    else {
      const text = formatScalar(term, this.#strings, this.#room())
      if (text === undefined) this.#container(term)
      else this.#text += text
    }
  }

  /** The characters that there is room for. */
  #room(): number {
    return (this.#limit ?? MAX_LENGTH) - this.#text.length
  }

  #list(list: readonly unknown[]): void {
    const text = this.#strings ? formatCharlist(list) : undefined
    if (text === undefined) this.#enter(list, '[', list, comma, ']')
    else this.#text += text
  }

  #container(term: object): void {
    if (term instanceof Map) this.#enter(term, '#{', [...term].flat(), pair, '}')
    else if (term instanceof ImproperList) {
      const last = term.elements.length
      this.#enter(term, '[', [...term.elements, term.tail], i => (i === last ? '|' : comma(i)), ']')
    } else if (term instanceof NativeRecord) {
      const start = `#${formatAtom(term.module.name)}:${formatAtom(term.name.name)}{`
      const before = (i: number): string => `${comma(i)}${formatAtom(term.fields[i]![0].name)} = `
      this.#enter(
        term,
        start,
        term.fields.map(([, value]) => value),
        before,
        '}',
      )
    } else if (isPlainObject(term)) this.#enter(term, '#{', [...objectAsMap(term)].flat(), pair, '}')
    else throw notATerm(term)
  }

  /** The terms are written later. */
  #enter(container: object, start: string, terms: readonly unknown[], before: (i: number) => string, close: string): void {
    if (this.#open.has(container)) throw new TermError('ERR_TERM_CYCLE', 'A term cannot hold itself.')
    this.#open.add(container)
    this.#text += start
    this.#frames.push({ container, terms, before, close, next: 0 })
  }
}

/** A term that holds no others; undefined for a container. */
function formatScalar(term: object, strings: boolean, room: number): string | undefined {
  if (term instanceof Atom) return formatAtom(term.name)
  if (term instanceof Uint8Array) return formatBinary(term, strings, room)
  if (term instanceof Float) return formatFloat(term.value)
  if (term instanceof BitString) return formatBitString(term)
  const printsItself = term instanceof Pid || term instanceof Reference || term instanceof Port || term instanceof Fun
  return printsItself || term instanceof ExportFun ? term.toString() : undefined
}

function formatPrimitive(value: unknown, strings: boolean, room: number): string {
  switch (typeof value) {
    case 'number':
      if (!Number.isFinite(value)) throw notATerm(value)
      return isInteger(value) ? String(value) : formatFloat(value)
    case 'bigint':
      return String(value)
    case 'boolean':
      return String(value)
    case 'string':
      if (!value.isWellFormed())
        throw new TermError('ERR_TERM_TEXT', 'A string with a lone surrogate has no UTF-8 form: no binary holds it.')
      return formatBinary(Buffer.from(value), strings, room)
    default:
      if (value === null) return 'nil'
      throw notATerm(value)
  }
}
