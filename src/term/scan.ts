/**
 * The words of Erlang's syntax, as far as terms need them.
 *
 * Source: stdlib's erl_scan; the reference manual, "Data Types".
 */
import { TermSyntaxError } from './error.js'
import { reservedWords } from './format-text.js'
import { integerOf } from './scan-integer.js'

/** Where it starts, in UTF-16 units */
interface Placed {
  readonly start: number
}
export interface AtomToken extends Placed {
  readonly type: 'atom'
  readonly text: string
}
export interface StringToken extends Placed {
  readonly type: 'string'
  readonly text: string
}
export interface MarkToken extends Placed {
  readonly type: 'mark'
  readonly text: string
}
export type Token =
  | AtomToken
  | StringToken
  | MarkToken
  | (Placed & { readonly type: 'integer'; readonly value: number | bigint })
  | (Placed & { readonly type: 'float'; readonly value: number })
  | (Placed & { readonly type: 'end' })

// Sticky: each matches at `lastIndex` only, so that scanning is linear.
const SPACE = /[\p{Cc} \xa0]+/uy
const COMMENT = /%[^\n]*/y
const ATOM = /[a-zß-öø-ÿ][a-zA-Zß-öø-ÿÀ-ÖØ-Þ0-9_@]*/y
const VARIABLE = /[A-Z_À-ÖØ-Þ][a-zA-Zß-öø-ÿÀ-ÖØ-Þ0-9_@]*/y
const DIGITS = /\d+(?:_\d+)*/y
const BASED_DIGITS = /[0-9a-zA-Z]+(?:_[0-9a-zA-Z]+)*/y
const FRACTION = /\.\d+(?:_\d+)*(?:[eE][+-]?\d+(?:_\d+)*)?/y
const NAME_CHARACTER = /[a-zA-Zß-öø-ÿÀ-ÖØ-Þ0-9_@]/y
const MARK = /<<|>>|=>|[{}[\](),|:/.+#-]/y
const NO_LITERAL = /#(Ref|Port|Fun|Local)?<|</y
const PLAIN = { '"': /[^"\\]+/y, "'": /[^'\\]+/y }
const ESCAPE = /\\(?:x\{([0-9a-fA-F]+)\}|x([0-9a-fA-F]{2})|([0-7]{1,3})|\^([@-_a-z?])|([^x^]))/suy

const NAMED_ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  b: '\b',
  f: '\f',
  e: '\x1b',
  s: ' ',
  d: '\x7f',
}
const NO_LITERALS: Readonly<Record<string, string>> = { Ref: 'A reference', Port: 'A port', Fun: 'A closure', Local: 'A local term' }

/** Cuts a text into tokens, one at a time and each once. */
export class Scanner {
  readonly text: string
  #at = 0
  #peeked: Token | undefined

  constructor(text: string) {
    this.text = text
    if (!text.isWellFormed()) this.#fail('A lone surrogate is no character', /\p{Surrogate}/u.exec(text)!.index)
  }

  peek(): Token {
    return (this.#peeked ??= this.#scan())
  }

  next(): Token {
    const token = this.peek()
    this.#peeked = undefined
    return token
  }

  /** Takes the mark if it comes next. */
  takes(mark: string): boolean {
    const token = this.peek()
    const found = token.type === 'mark' && token.text === mark
    if (found) this.#peeked = undefined
    return found
  }

  /** The code points of a string, and of those behind it: adjacent strings are one. */
  joined({ text }: StringToken): number[] {
    const codes: number[] = []
    for (;;) {
      for (const c of text) codes.push(c.codePointAt(0)!)
      const token = this.peek()
      if (token.type !== 'string') return codes
      this.#peeked = undefined
      text = token.text
    }
  }

  failure(sentence: string, token: Token, options?: ErrorOptions): TermSyntaxError {
    return new TermSyntaxError(sentence, this.text, token.start, options)
  }

  /** @param what what was expected: `'a comma or }'` */
  unexpected(what: string, token: Token = this.peek()): TermSyntaxError {
    const found = token.type === 'end' ? 'the text ends' : `found ${this.text.slice(token.start, token.start + 20).split(/\s/)[0]}`
    return new TermSyntaxError(`Expected ${what}, but ${found}`, this.text, token.start)
  }

  #scan(): Token {
    while (this.#match(SPACE) ?? this.#match(COMMENT)) continue
    const start = this.#at
    if (start === this.text.length) return { type: 'end', start }
    const c = this.text[start]!
    if (c >= '0' && c <= '9') return this.#number(start)
    if (c === '"') return this.#string(start)
    if (c === "'") return { type: 'atom', text: this.#quoted("'", 'atom'), start }
    if (c === '$') return { type: 'integer', value: this.#character(), start }
    const name = this.#match(ATOM)
    if (name !== undefined) return this.#name(name[0], start)
    const mark = this.#match(MARK)
    if (mark !== undefined && !this.#isPrintedIdentity(mark[0], start)) return { type: 'mark', text: mark[0], start }
    return this.#illegal(start)
  }

  /** Reserved words are marks: only `fun` may stand in a term. `maybe` and `else` are atoms up to OTP 26, and printed without quotes there. */
  #name(text: string, start: number): Token {
    if (text === 'fun') return { type: 'mark', text, start }
    if (!reservedWords.has(text) || text === 'maybe' || text === 'else') return { type: 'atom', text, start }
    return this.#fail(`${text} is a reserved word: the atom is written '${text}'`, start)
  }

  #string(start: number): Token {
    const text = this.#quoted('"', 'string')
    if (text === '' && this.text[this.#at] === '"') this.#fail('Triple-quoted strings are not read: write an ordinary one', start)
    return { type: 'string', text, start }
  }

  #quoted(mark: '"' | "'", what: string): string {
    const start = this.#at++
    const pieces: string[] = []
    while (this.text[this.#at] !== mark) {
      if (this.#at >= this.text.length) this.#fail(`This ${what} has no closing ${mark}`, start)
      pieces.push(this.#match(PLAIN[mark])?.[0] ?? this.#escape())
    }
    this.#at++
    return pieces.join('')
  }

  #character(): number {
    this.#at++
    const code = this.text.codePointAt(this.#at)
    if (code === undefined) this.#fail('A character is missing after $', this.#at)
    if (code === 0x5c) return this.#escape().codePointAt(0)!
    this.#at += code > 0xffff ? 2 : 1
    return code
  }

  #escape(): string {
    const start = this.#at
    const [, hex, hex2, octal, control, other] = this.#match(ESCAPE) ?? this.#fail('This is no escape sequence', start)
    if (other !== undefined) return NAMED_ESCAPES[other] ?? other
    if (control !== undefined) return control === '?' ? '\x7f' : String.fromCharCode(control.charCodeAt(0) & 31)
    const code = octal === undefined ? Number.parseInt(hex ?? hex2!, 16) : Number.parseInt(octal, 8)
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) this.#fail('There is no such character', start)
    return String.fromCodePoint(code)
  }

  #number(start: number): Token {
    const digits = this.#digits(DIGITS)
    if (this.text[this.#at] === '#') return this.#endNumber({ type: 'integer', value: this.#based(Number(digits), start), start })
    const fraction = this.#digits(FRACTION)
    if (fraction === '') return this.#endNumber({ type: 'integer', value: integerOf(digits, 10)!, start })
    const value = Number(digits + fraction)
    if (!Number.isFinite(value)) this.#fail('This float is too large', start)
    return this.#endNumber({ type: 'float', value, start })
  }

  #based(base: number, start: number): number | bigint {
    this.#at++
    if (base < 2 || base > 36) this.#fail('A base is between 2 and 36', start)
    return integerOf(this.#digits(BASED_DIGITS), base) ?? this.#fail(`These are no digits of base ${base}`, start)
  }

  #endNumber(token: Token): Token {
    return this.#match(NAME_CHARACTER) === undefined ? token : this.#fail('This is no number', token.start)
  }

  #digits(pattern: RegExp): string {
    return this.#match(pattern)?.[0].replaceAll('_', '') ?? ''
  }

  /** `<0.85.0>`, `#Ref<…>` and their like are printed, but cannot be read back. */
  #isPrintedIdentity(mark: string, start: number): boolean {
    return mark === '#' && /[A-Z]/.test(this.text[start + 1] ?? '')
  }

  #illegal(start: number): never {
    this.#at = start
    const [printed, kind] = this.#match(NO_LITERAL) ?? []
    if (printed !== undefined)
      this.#fail(`${kind === undefined ? 'A pid' : NO_LITERALS[kind]} has no literal: it cannot be read from text`, start)
    const variable = this.#match(VARIABLE)?.[0]
    if (variable !== undefined) this.#fail(`${variable} is a variable: the atom is written '${variable}'`, start)
    return this.#fail('This character begins no term', start)
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.text)
    if (match === null) return undefined
    this.#at = pattern.lastIndex
    return match
  }

  #fail(sentence: string, position: number): never {
    throw new TermSyntaxError(sentence, this.text, position)
  }
}
