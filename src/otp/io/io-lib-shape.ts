/**
 * A term as io_lib sees it before it breaks lines: pieces of text whose lengths are known, down to the depth that is asked for.
 *
 * Source: io_lib_pretty.erl (print_length), and io_lib.erl (write) for `~w`.
 */
import { Atom, BitString, compare, format as formatTerm, ImproperList, NativeRecord, type Term, Tuple } from '../../term/index.js'
import { fromCodePoints } from '../../term/format-binary.js'
import { isPrintable, quote } from '../../term/format-text.js'

interface Sized {
  /** Characters on one line */
  readonly length: number
}

/** Never broken */
export interface Text extends Sized {
  readonly kind: 'text'
  readonly text: string
}

/** `<<1,2,3>>`, which may be broken between its numbers */
export interface Bytes extends Sized {
  readonly kind: 'bytes'
  readonly text: string
}

/** What follows the items: `...`, or the tail of an improper list */
export type Rest<S = never> = S | 'dots' | null

export interface Sequence extends Sized {
  /** A tagged tuple has an atom and more: what follows is indented by it. */
  readonly kind: 'list' | 'tuple' | 'tagged'
  readonly items: readonly Shape[]
  readonly rest: Rest<Shape>
}

export interface Pair extends Sized {
  readonly kind: 'pair'
  readonly key: Shape
  readonly value: Shape
}

export interface Mapping extends Sized {
  readonly kind: 'map'
  readonly items: readonly Pair[]
  readonly rest: Rest
}

export interface Field extends Sized {
  readonly kind: 'field'
  readonly name: string
  /** With ` = ` */
  readonly nameLength: number
  readonly value: Shape
}

export interface Native extends Sized {
  readonly kind: 'record'
  readonly name: string
  readonly nameLength: number
  readonly items: readonly Field[]
  readonly rest: Rest
}

export type Shape = Text | Bytes | Sequence | Pair | Mapping | Field | Native

export interface ShapeOptions {
  /** Print what is text as text */
  readonly strings: boolean
  /** The modifier `t`: characters beyond Latin-1 stand for themselves */
  readonly unicode: boolean
  /** -1: the whole term */
  readonly depth: number
  /** In which order maps are printed; as they came, if it is not said */
  readonly order?: 'ordered' | 'reversed' | undefined
  /** As `~w` and `~W`, which treat maps and records at their depth otherwise than `~p` and `~P` */
  readonly write?: boolean | undefined
}

/** Deeper terms are not laid out: JavaScript's own stack has an end. */
const maxNesting = 500

/** The term is nested deeper than can be laid out. */
export class TooDeep extends Error {}

const segments = new Intl.Segmenter()

const isLatin1 = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 255) return false
  return true
}

/** As `string:length/1` counts them: what a reader sees as one character is one. */
export const characters = (text: string): string[] =>
  isLatin1(text) ? text.split('') : Array.from(segments.segment(text), ({ segment }) => segment)

export const width = (text: string): number => (isLatin1(text) ? text.length : characters(text).length)

export const textOf = (text: string): Text => ({ kind: 'text', text, length: width(text) })

/** `'\x{20AC}'`: an atom under `~p`, which is for Latin-1 */
const escaped = (text: string): string => text.replaceAll(/[^\0-\xff]/gu, c => `\\x{${c.codePointAt(0)!.toString(16).toUpperCase()}}`)

/** @throws TooDeep */
export function shapeOf(term: Term, options: ShapeOptions): Shape {
  return new Shaper(options).one(term, options.depth)
}

class Shaper {
  readonly #options: ShapeOptions
  #nesting = 0

  constructor(options: ShapeOptions) {
    this.#options = options
  }

  one(term: Term, depth: number): Shape {
    if (++this.#nesting > maxNesting) throw new TooDeep()
    const shape = this.#container(term, depth) ?? textOf(this.#scalar(term))
    this.#nesting--
    return shape
  }

  #scalar(term: Term): string {
    if (typeof term === 'boolean' || term === null || term instanceof Atom) return this.#atom(formatTerm(term))
    return formatTerm(term, { strings: false })
  }

  #atom(text: string): string {
    return this.#options.unicode ? text : escaped(text)
  }

  #container(term: Term, depth: number): Shape | undefined {
    if (Array.isArray(term)) return this.#list(term as readonly Term[], depth)
    if (term instanceof Tuple) return this.#tuple(term.elements as readonly Term[], depth)
    if (term instanceof Map) return this.#map(term as ReadonlyMap<Term, Term>, depth)
    if (term instanceof Uint8Array) return this.#binary(term, depth)
    if (term instanceof BitString) return this.#bytes(term.bytes, depth, () => formatTerm(term, { strings: false }))
    if (term instanceof ImproperList) return this.#sequence('list', term.elements, depth, term.tail)
    if (term instanceof NativeRecord) return this.#record(term, depth)
    return undefined
  }

  #list(list: readonly Term[], depth: number): Shape {
    if (list.length === 0) return textOf('[]')
    if (this.#options.strings && depth !== 1 && list.every(c => typeof c === 'number' && this.#isPrintable(c))) {
      return textOf(quote(fromCodePoints(list as readonly number[]), '"'))
    }
    return this.#sequence('list', list, depth)
  }

  #tuple(elements: readonly Term[], depth: number): Shape {
    if (elements.length === 0) return textOf('{}')
    if (depth === 1) return textOf('{...}')
    const [tag] = elements
    const tagged = elements.length > 1 && (tag instanceof Atom || typeof tag === 'boolean' || tag === null)
    return this.#sequence(tagged ? 'tagged' : 'tuple', elements, depth)
  }

  /** Each element has one level less to go than the one before it. */
  #sequence(kind: Sequence['kind'], elements: readonly Term[], depth: number, tail?: Term): Sequence {
    const items: Shape[] = []
    let length = 2
    for (const element of elements) {
      if (depth === 1) return { kind, items, rest: 'dots', length: length + (items.length > 0 ? 1 : 0) + 3 }
      const item = this.one(element, --depth)
      length += item.length + (items.length > 0 ? 1 : 0)
      items.push(item)
    }
    if (tail === undefined) return { kind, items, rest: null, length }
    if (depth === 1) return { kind, items, rest: 'dots', length: length + 4 }
    const rest = this.one(tail, depth - 1)
    return { kind, items, rest, length: length + 1 + rest.length }
  }

  #map(map: ReadonlyMap<Term, Term>, depth: number): Shape {
    const { order, write } = this.#options
    if (map.size === 0) return textOf('#{}')
    if (depth === 1) return textOf(write === true ? '#{}' : '#{...}')
    const entries = [...map]
    if (order) entries.sort(([a], [b]) => (order === 'ordered' ? compare(a, b) : compare(b, a)))
    const items: Pair[] = []
    let [left, length] = [depth, 3]
    const dots = (): Mapping => ({ kind: 'map', items, rest: 'dots', length: length + 4 })
    for (const [k, v] of entries) {
      if (left === 1) return dots()
      const [key, value] = [this.one(k, depth - 1), this.one(v, depth - 1)]
      length += key.length + 4 + value.length + (items.length > 0 ? 1 : 0)
      items.push({ kind: 'pair', key, value, length: key.length + 4 + value.length })
      left--
    }
    // `~W` does not look whether there is any more.
    return write === true && left === 1 ? dots() : { kind: 'map', items, rest: null, length }
  }

  #record({ module, name, fields }: NativeRecord, depth: number): Shape {
    const title = `#${this.#atom(formatTerm(module))}:${this.#atom(formatTerm(name))}`
    if (depth === 1) return textOf(`${title}{${fields.length > 0 ? '...' : ''}}`)
    const nameLength = width(title)
    const items: Field[] = []
    let length = nameLength + 2
    let left = this.#options.write === true ? depth : depth - 1
    for (const [key, term] of fields) {
      if (left === 1) return { kind: 'record', name: title, nameLength, items, rest: 'dots', length: length + (items.length > 0 ? 4 : 3) }
      const field = this.#atom(formatTerm(key))
      const value = this.one(term, left - 1)
      length += width(field) + 3 + value.length + (items.length > 0 ? 1 : 0)
      items.push({ kind: 'field', name: field, nameLength: width(field) + 3, value, length: width(field) + 3 + value.length })
      left--
    }
    return { kind: 'record', name: title, nameLength, items, rest: null, length }
  }

  #binary(bytes: Uint8Array, depth: number): Shape {
    if (bytes.length === 0) return textOf('<<>>')
    const text = this.#options.strings && depth !== 1 ? this.#binaryText(bytes, depth - 1) : undefined
    return text === undefined ? this.#bytes(bytes, depth, () => formatTerm(bytes as Buffer, { strings: false })) : textOf(text)
  }

  #bytes(bytes: Uint8Array, depth: number, whole: () => string): Shape {
    if (depth === 1) return textOf('<<...>>')
    const text = depth < 0 || depth > bytes.length ? whole() : `<<${[...bytes.subarray(0, depth - 1)].join(',')},...>>`
    return { kind: 'bytes', text, length: text.length }
  }

  /** As text, when it is text as far as the depth goes: four characters for each level. */
  #binaryText(bytes: Uint8Array, depth: number): string | undefined {
    const wanted = depth >= 0 ? Math.min(4 * depth, bytes.length) : bytes.length
    const codes = this.#options.unicode ? utf8(bytes, wanted) : undefined
    if (codes) {
      const end = codes.findIndex(({ code }) => !isPrintable(code))
      const told = end < 0 ? codes : codes.slice(0, end)
      const used = told.reduce((sum, { size }) => sum + size, 0)
      const type = used === told.length ? '' : '/utf8'
      const text = `<<${quote(fromCodePoints(told.map(({ code }) => code)), '"')}${type}`
      if (used === bytes.length) return `${text}>>`
      return depth > 0 && told.length >= depth ? `${text}...>>` : undefined
    }
    const end = bytes.subarray(0, wanted).findIndex(byte => !isPrintable(byte))
    const count = end < 0 ? wanted : end
    const text = `<<${quote(Buffer.from(bytes.subarray(0, count)).toString('latin1'), '"')}`
    if (count === bytes.length) return `${text}>>`
    return depth > 0 && count >= depth ? `${text}...>>` : undefined
  }

  #isPrintable(code: number): boolean {
    return Number.isInteger(code) && isPrintable(code) && (this.#options.unicode || code <= 255)
  }
}

/** The first characters, if they are valid UTF-8. */
function utf8(bytes: Uint8Array, count: number): { code: number; size: number }[] | undefined {
  const codes: { code: number; size: number }[] = []
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  for (let i = 0; i < bytes.length && codes.length < count;) {
    const byte = bytes[i]!
    const size = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
    try {
      codes.push({ code: decoder.decode(bytes.subarray(i, i + size)).codePointAt(0)!, size })
    } catch {
      // Not UTF-8: then it may still be Latin-1.
      return undefined
    }
    i += size
  }
  return codes
}
