/**
 * `io_lib:fread/3`: input by a format, for `io:fread`. A line is read as a whole, and more lines as long as the format wants any.
 *
 *   {ok, Values} | eof | {error, {fread, What}}
 *
 * Source: the stdlib manual, io:fread/3; io_lib_fread.erl.
 */
import { atom, Float, type Sendable, tuple, charlist } from '../../term/index.js'
import { integerOf } from '../../term/scan-integer.js'
import type { Scanned } from './erl-scan.js'

/** Ends the reading. */
class Failed {
  readonly what: string

  constructor(what: string) {
    this.what = what
  }
}

const isWhite = (char: string | undefined): boolean => char === ' ' || char === '\t' || char === '\r' || char === '\n'

/** undefined: the next line is wanted. */
export function fread(format: string, text: string, ended: boolean): Scanned | undefined {
  const reader = new FormatReader(format)
  for (let rest = text; ;) {
    const end = rest.indexOf('\n')
    if (end < 0 && !ended) return undefined
    const newline = end < 0 ? '' : rest[end - 1] === '\r' ? '\r\n' : '\n'
    const line = end < 0 ? rest : rest.slice(0, end + 1 - newline.length)
    const after = end < 0 ? '' : rest.slice(end + 1)
    const done = reader.read(line)
    if (done) return { result: done.result, rest: done.left === '' ? after : done.left + newline + after }
    reader.count += newline.length
    if (end < 0) return { result: reader.end(), rest: '' }
    rest = after
  }
}

class FormatReader {
  /** Characters read so far: `~l` */
  count = 0
  readonly #format: readonly string[]
  #next = 0
  #line: readonly string[] = []
  #at = 0
  readonly #values: Sendable[] = []

  constructor(format: string) {
    this.#format = Array.from(format)
  }

  /** undefined: the format goes on behind this line. */
  read(line: string): { result: Sendable; left: string } | undefined {
    this.#line = Array.from(line)
    this.#at = 0
    try {
      while (this.#next < this.#format.length) if (!this.#one(this.#format[this.#next] as string)) return undefined
      return { result: tuple(atom('ok'), this.#values), left: this.#line.slice(this.#at).join('') }
    } catch (failed) {
      if (!(failed instanceof Failed)) throw failed
      return { result: failure(failed.what), left: '' }
    }
  }

  /** There are no more lines. */
  end(): Sendable {
    return this.count === 0 && this.#values.length === 0 ? atom('eof') : failure('input')
  }

  /** False: there is nothing left on the line for it. */
  #one(char: string): boolean {
    if (char === '~') return this.#control()
    if (isWhite(char)) this.#skipWhite()
    else if (this.#at === this.#line.length) return false
    else if (this.#line[this.#at] === char) this.#step(1)
    else throw new Failed('input')
    this.#next++
    return true
  }

  #control(): boolean {
    const [all, star, digits, t, letter = ''] = /^~(\*)?(\d+)?(t)?([\s\S])?/u.exec(
      this.#format.slice(this.#next).join(''),
    ) as RegExpExecArray
    if (letter !== 'l' && this.#at === this.#line.length) return false
    const width = digits === undefined ? null : Number(digits)
    const value = letter === '~' ? this.#tilde() : this.#value(letter, width, t !== undefined)
    if (star === undefined && value !== undefined) this.#values.push(value)
    this.#next += Array.from(all).length
    return true
  }

  #tilde(): undefined {
    if (this.#line[this.#at] !== '~') throw new Failed('format')
    this.#step(1)
  }

  #value(letter: string, width: number | null, unicode: boolean): Sendable {
    if (unicode && !'lsac'.includes(letter)) throw new Failed('format')
    switch (letter) {
      case 'l':
        return this.count
      case 'd':
        return this.#integer(width === null ? this.#number(/^[+-]?\d*/) : this.#chars(width, false, 'integer'), 10, 'integer')
      case 'u':
        return this.#integer(this.#digits(width ?? 10), width ?? 10, 'unsigned')
      case 'f':
        return this.#float(width === null ? this.#number(/^[+-]?\d*(?:\.\d*(?:[eE][+-]?\d*)?)?/) : this.#chars(width, false, 'float'))
      case '-':
        return this.#sign()
      case '#':
        return this.#based(width)
      case 's':
        return charlist((width === null ? this.#word(unicode, 'string') : this.#chars(width, unicode, 'string')).trim())
      case 'a':
        return atom((width === null ? this.#word(unicode, 'atom') : this.#chars(width, unicode, 'atom')).trim())
      case 'c':
        return charlist(this.#chars(width ?? 1, unicode, 'character'))
      default:
        throw new Failed('format')
    }
  }

  #step(count: number): void {
    this.#at += count
    this.count += count
  }

  #skipWhite(): void {
    while (isWhite(this.#line[this.#at])) this.#step(1)
  }

  #take(pattern: RegExp): string {
    const found = pattern.exec(this.#line.slice(this.#at).join(''))?.[0] ?? ''
    this.#step(Array.from(found).length)
    return found
  }

  #number(pattern: RegExp): string {
    this.#skipWhite()
    return this.#take(pattern)
  }

  #chars(width: number, unicode: boolean, what: string): string {
    const chars = this.#line.slice(this.#at, this.#at + width)
    if (chars.length < width || (!unicode && chars.some(char => char > '\xff'))) throw new Failed(what)
    this.#step(width)
    return chars.join('')
  }

  #word(unicode: boolean, what: string): string {
    this.#skipWhite()
    const word = this.#take(unicode ? /^[^ \t\r\n]*/u : /^[^ \t\r\n\u0100-\u{10ffff}]*/u)
    const next = this.#line[this.#at]
    if (word === '' && next !== undefined && !isWhite(next)) throw new Failed(what)
    return word
  }

  #digits(base: number): string {
    if (base < 2 || base > 36) throw new Failed('format')
    let end = this.#at
    while (
      /^[0-9a-zA-Z]$/.test(this.#line[end] ?? '') &&
      (parseInt(this.#line[end] as string, 36) < base || /\d/.test(this.#line[end] as string))
    )
      end++
    const found = this.#line.slice(this.#at, end).join('')
    this.#step(end - this.#at)
    return found
  }

  #integer(text: string, base: number, what: string): Sendable {
    const [, sign, digits = ''] = /^[ \t\r\n]*([+-]?)(.*)$/s.exec(text) as RegExpExecArray
    const value = integerOf(digits, base)
    if (value === undefined) throw new Failed(what)
    return sign === '-' && value !== 0 ? -value : value
  }

  #float(text: string): Sendable {
    const value = text.replace(/^[ \t\r\n]*/, '')
    if (!/^[+-]?\d+\.\d+(?:[eE][+-]?\d+)?$/.test(value) || !Number.isFinite(Number(value))) throw new Failed('float')
    return new Float(Number(value))
  }

  #sign(): Sendable {
    const char = this.#line[this.#at]
    if (char === '+' || char === '-') this.#step(1)
    return char === '-' ? -1 : 1
  }

  #based(width: number | null): Sendable {
    const text = width === null ? this.#number(/^[+-]?\d+#[0-9a-zA-Z]*/) : this.#chars(width, false, 'based')
    const [, sign, base, digits] = /^[ \t\r\n]*([+-]?)(\d+)#([0-9a-zA-Z]+)$/.exec(text) ?? []
    if (base === undefined || digits === undefined || Number(base) < 2 || Number(base) > 36) throw new Failed('based')
    return this.#integer(`${sign}${digits}`, Number(base), 'based')
  }
}

const failure = (what: string): Sendable => tuple(atom('error'), tuple(atom('fread'), atom(what)))
