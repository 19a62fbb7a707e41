/**
 * Erlang's words, as `erl_scan:tokens` gives them to a client that reads a term or a form from a device: `io:read`, `io:parse_erl_exprs`.
 *
 *   {ok, Tokens, EndLine} | {eof, EndLine} | {error, {Line, erl_scan, What}, EndLine}
 *   Token = {atom | var | integer | float | char | string, Line, Value} | {Mark, Line} | {dot, Line}
 *
 * Source: erl_scan.erl. What is not read: sigils and triple-quoted strings.
 */
import { type Atom, atom, Float, type Sendable, Tuple, tuple, charlist } from '../../term/index.js'
import { reservedWords } from '../../term/format-text.js'
import { integerOf } from '../../term/scan-integer.js'

export interface Scanned {
  readonly result: Sendable
  /** What comes after the dot */
  readonly rest: string
}

const name = '[a-zA-Zß-öø-ÿÀ-ÖØ-Þ0-9_@]*'
const escape = String.raw`\\(?:x\{[0-9a-fA-F]+\}|x[0-9a-fA-F]{2}|[0-7]{1,3}|\^[\s\S]|[\s\S])`
/** Sticky, each at its place; the first that matches counts. */
const words: readonly (readonly [kind: string, RegExp])[] = [
  ['space', /[\p{Cc} \xa0]+|%[^\n]*/uy],
  ['dot', /\.(?=[\s%]|$)/y],
  ['atom', new RegExp(`[a-zß-öø-ÿ]${name}`, 'y')],
  ['var', new RegExp(`[A-Z_À-ÖØ-Þ]${name}`, 'y')],
  ['float', /\d+(?:_\d+)*\.\d+(?:_\d+)*(?:[eE][+-]?\d+)?/y],
  ['based', /(\d+(?:_\d+)*)#([0-9a-zA-Z]+(?:_[0-9a-zA-Z]+)*)/y],
  ['integer', /\d+(?:_\d+)*/y],
  ['char', new RegExp(String.raw`\$(${escape}|[^\\])`, 'uy')],
  ['quoted', new RegExp(`'((?:[^'\\\\]|${escape})*)'`, 'y')],
  ['string', new RegExp(`"((?:[^"\\\\]|${escape})*)"`, 'y')],
  ['mark', /<<|>>|<-|<=|<:-|<:=|->|=>|:=|=\/=|=:=|==|=<|>=|\/=|\+\+|--|\|\||&&|::|\.\.\.|\.\.|\?=|[-+*/=<>!(){}[\]|,;:#.?&@^~]/y],
]

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', v: '\v', b: '\b', f: '\f', e: '\x1b', s: ' ', d: '\x7f' }

function unescaped(text: string): string {
  return text.replaceAll(
    /\\(?:x\{([0-9a-fA-F]+)\}|x([0-9a-fA-F]{2})|([0-7]{1,3})|\^([\s\S])|([\s\S]))/g,
    (_, long, short, octal, caret, other: string) => {
      const hex = (long ?? short) as string | undefined
      if (hex !== undefined) return String.fromCodePoint(parseInt(hex, 16))
      if (octal !== undefined) return String.fromCodePoint(parseInt(octal as string, 8))
      if (caret !== undefined) return String.fromCharCode((caret as string).charCodeAt(0) & 31)
      return escapes[other] ?? other
    },
  )
}

/** Where a text begins; without a column, tokens tell their line alone. */
export interface Start {
  readonly line: number
  readonly column: number | null
}

/** Tells the places of a text, as long as they are asked for in order. */
class Places {
  readonly #text: string
  #line: number
  readonly #column: number | null
  #lineStart = 0
  #at = 0

  constructor(text: string, { line, column }: Start) {
    this.#text = text
    this.#line = line
    this.#column = column
  }

  of(at: number): Sendable {
    for (; this.#at < at; this.#at++) {
      if (this.#text[this.#at] !== '\n') continue
      this.#line++
      this.#lineStart = this.#at + 1
    }
    if (this.#column === null) return this.#line
    return tuple(this.#line, at - this.#lineStart + (this.#lineStart === 0 ? this.#column : 1))
  }
}

/** The tokens up to and with the dot; undefined: there is none yet, and there may be more text. */
export function scanTokens(text: string, start: Start, ended: boolean): Scanned | undefined {
  const tokens: Sendable[] = []
  const places = new Places(text, start)
  for (let at = 0; at < text.length;) {
    const word = wordAt(text, at)
    if (!word) return failed(text, at, places, ended)
    const { kind, found } = word
    const from = at
    at += found[0].length
    // Before the end of the input a dot at the end of what there is may be the beginning of something else.
    if (kind === 'dot' && at === text.length && !ended) return undefined
    if (kind === 'dot') {
      const end = at + (/^(?:%[^\n]*)?\s?/.exec(text.slice(at))?.[0] ?? '').length
      return { result: tuple(atom('ok'), [...tokens, tuple(atom('dot'), places.of(from))], places.of(end)), rest: text.slice(end) }
    }
    try {
      if (kind !== 'space') tokens.push(tokenOf(kind, found, places.of(from)))
    } catch {
      // Its client is told.
      return failed(text, from, places, true)
    }
  }
  if (!ended) return undefined
  const end = places.of(text.length)
  return { result: tokens.length > 0 ? tuple(atom('ok'), tokens, end) : tuple(atom('eof'), end), rest: '' }
}

function wordAt(text: string, at: number): { kind: string; found: RegExpExecArray } | undefined {
  for (const [kind, pattern] of words) {
    pattern.lastIndex = at
    const found = pattern.exec(text)
    if (found) return { kind, found }
  }
  return undefined
}

/** Quotes that do not end may still; for the rest, what is up to the next dot is lost. */
function failed(text: string, at: number, places: Places, ended: boolean): Scanned | undefined {
  const open = { '"': 'string', "'": 'atom', $: 'char' }[text[at] ?? '']
  if (open !== undefined && !ended) return undefined
  const what = open === undefined ? tuple(atom('illegal'), atom('character')) : tuple(atom('unterminated'), atom(open))
  const dot = /\.(?:\s|$)/g
  dot.lastIndex = at
  const end = open === undefined && dot.test(text) ? dot.lastIndex : text.length
  const where = places.of(at)
  return { result: tuple(atom('error'), tuple(where, atom('erl_scan'), what), places.of(end)), rest: text.slice(end) }
}

/** @throws TypeError for a digit that is none */
function digits(text: string, base: number): number | bigint {
  const value = base >= 2 && base <= 36 ? integerOf(text.replaceAll('_', ''), base) : undefined
  if (value === undefined) throw new TypeError('no digit of that base')
  return value
}

/** @throws TypeError, TermError for what is none: a base of 37, a float beyond all floats, an atom of 256 characters */
function tokenOf(kind: string, found: RegExpExecArray, line: Sendable): Sendable {
  const [all, inner = ''] = found
  switch (kind) {
    case 'atom':
      return reservedWords.has(all) ? tuple(atom(all), line) : tuple(atom('atom'), line, atom(all))
    case 'quoted':
      return tuple(atom('atom'), line, atom(unescaped(inner)))
    case 'var':
      return tuple(atom('var'), line, atom(all))
    case 'integer':
      return tuple(atom('integer'), line, digits(all, 10))
    case 'based':
      return tuple(atom('integer'), line, digits(found[2] as string, Number(digits(inner, 10))))
    case 'float':
      return tuple(atom('float'), line, new Float(Number(all.replaceAll('_', ''))))
    case 'char':
      return tuple(atom('char'), line, unescaped(inner).codePointAt(0)!)
    case 'string':
      return tuple(atom('string'), line, charlist(unescaped(inner)))
    default:
      return new Tuple([atom(all) as Atom, line])
  }
}
