/**
 * `io_lib:format/2`: what BEAM code asks a group leader of ours to print, and what log events hold. All controls of io_lib, with field
 * width, precision, padding and modifiers; spec/vectors/io-lib-format.json holds what real nodes print under `+pc unicode`. What differs: ~f, ~e
 * and ~g take integers, since a float such as 3.0 may have arrived as one, and a term nested deeper than 500 levels is printed on one line.
 * Source: the stdlib manual, io:fwrite/3; io_lib_format.erl.
 */
import { Atom, Float, ImproperList, type Term, text } from '../../term/index.js'
import { exponential, fixed, general } from './io-lib-float.js'
import { pretty } from './io-lib-pretty.js'
import { characters, width } from './io-lib-shape.js'

/** ~Field.Precision.Pad Modifiers Control */
const control = /~(-?(?:\d+|\*))?(?:\.(\d+|\*)?)?(?:\.(\*|.))?([tlkK]*)(.)?/gsu

/** One control sequence, with its numbers filled in. */
interface Control {
  /** null: none was given */
  readonly field: number | null
  readonly left: boolean
  readonly precision: number | null
  readonly pad: string
  /** `t`: any character, not just Latin-1 */
  readonly unicode: boolean
  /** Not `l`: lists of characters are strings */
  readonly strings: boolean
  readonly order: 'ordered' | 'reversed' | undefined
  /** Characters on this line so far */
  readonly column: number
  take(): Term
}

/** @throws TypeError for a control that io_lib does not know, or arguments that do not fit: what is `badarg` in Erlang. */
export function ioLibFormat(format: string, values: readonly Term[]): string {
  let next = 0
  const take = (): Term => {
    if (next === values.length) throw new TypeError('io_lib:format has too few arguments')
    return values[next++] as Term
  }
  let printed = ''
  let end = 0
  for (const found of format.matchAll(control)) {
    const [all, field, precision, pad, modifiers = '', letter = ''] = found
    printed += format.slice(end, found.index)
    end = found.index + all.length
    const print = Object.hasOwn(controls, letter) ? controls[letter] : undefined
    if (!print) throw new TypeError(`io_lib:format has no control ~${letter}`)
    const columns = numberOf(field, take)
    const sequence: Control = {
      field: columns === null ? null : Math.abs(columns),
      left: columns !== null && columns < 0,
      precision: numberOf(precision, take),
      pad: pad === '*' ? text([take()]) : (pad ?? ' '),
      unicode: modifiers.includes('t'),
      strings: !modifiers.includes('l'),
      order: orderOf(modifiers, take),
      column: columnOf(printed),
      take,
    }
    printed += print(sequence)
  }
  if (next < values.length) throw new TypeError('io_lib:format has too many arguments')
  return printed + format.slice(end)
}

/** A field of more columns than this is a way to fill our memory. */
const maxColumns = 2 ** 20

function numberOf(given: string | undefined, take: () => Term): number | null {
  if (given === undefined) return null
  const value = given.endsWith('*') ? Number(take()) * (given === '-*' ? -1 : 1) : Number(given)
  if (!Number.isInteger(value) || Math.abs(value) > maxColumns) throw new TypeError('a field has at most 2^20 columns')
  return value
}

function orderOf(modifiers: string, take: () => Term): Control['order'] {
  let order: Control['order']
  for (const modifier of modifiers.replaceAll(/[tl]/g, '')) {
    const given = modifier === 'k' ? 'ordered' : nameOf(take())
    if (given !== 'ordered' && given !== 'reversed' && given !== 'undefined')
      throw new TypeError('a fun of another node orders no map here')
    order = given === 'undefined' ? undefined : given
  }
  return order
}

/** Tabs go to the next multiple of 8. */
function columnOf(printed: string): number {
  let column = 0
  const line = printed.slice(printed.lastIndexOf('\n') + 1)
  if (!line.includes('\t')) return width(line)
  for (const char of line) column = char === '\t' ? Math.floor((column + 8) / 8) * 8 : column + 1
  return column
}

const controls: Readonly<Record<string, (control: Control) => string>> = {
  n: ({ field, left }) => (field === null ? '\n' : left ? refuse('~n cannot be left-adjusted') : '\n'.repeat(field)),
  '~': control => repeated('~', control),
  c: control => repeated(characterOf(integerOf(control.take()), control.unicode), control),
  i: ({ take }) => (take(), ''),
  p: control => printed(control, control.take(), -1),
  P: control => printed(control, control.take(), depthOf(control.take())),
  w: control => written(control, control.take(), -1),
  W: control => written(control, control.take(), depthOf(control.take())),
  s: control => asString(charsOf(control.take(), control.unicode), control),
  b: control => inBase(control, ''),
  B: control => inBase(control, '', true),
  '+': control => inBase(control, `${control.precision ?? 10}#`),
  '#': control => inBase(control, `${control.precision ?? 10}#`, true),
  x: control => inBase(control, prefixOf),
  X: control => inBase(control, prefixOf, true),
  e: control => asFloat(control, 2, exponential),
  f: control => asFloat(control, 1, fixed),
  g: control => asFloat(control, 1, general),
}

function refuse(what: string): never {
  throw new TypeError(what)
}

function printed({ field, left, precision, column, unicode, strings, order }: Control, term: Term, depth: number): string {
  if (left) refuse('~p cannot be left-adjusted')
  return pretty(term, { depth, lineLength: field ?? 80, column: precision ?? column + 1, unicode, strings, order })
}

function written(control: Control, term: Term, depth: number): string {
  const { unicode, order } = control
  return inField(pretty(term, { depth, lineLength: 0, column: 1, strings: false, unicode, order, write: true }), control)
}

const adjusted = (all: string, missing: number, { pad, left }: Control): string =>
  left ? all + pad.repeat(missing) : pad.repeat(missing) + all

/** What is too long for its field becomes stars. */
function inField(all: string, control: Control): string {
  const { field, precision } = control
  if (field === null && precision === null) return all
  const columns = (field ?? precision) as number
  const length = width(all)
  const room = Math.min(length, precision ?? columns, columns)
  return length > room ? adjusted('*'.repeat(room), columns - room, control) : adjusted(all, columns - length, control)
}

/** Text that is too long for its field is cut. */
function asString(all: string, control: Control): string {
  const { field, precision, pad } = control
  if (field === null && precision === null) return all
  if (field === null) return asString(all, { ...control, field: precision, precision: null, left: true })
  const chars = characters(all)
  if (precision === null || precision === field) {
    return chars.length > field ? chars.slice(0, field).join('') : adjusted(all, field - chars.length, control)
  }
  if (precision > field) refuse('a precision is no more than its field')
  const kept = chars.length > precision ? chars.slice(0, precision).join('') : all + pad.repeat(precision - chars.length)
  return adjusted(kept, field - precision, control)
}

function repeated(char: string, control: Control): string {
  const { field, precision } = control
  if (precision === null) return char.repeat(field ?? 1)
  if (field === null) return char.repeat(precision)
  if (precision > field) refuse('a precision is no more than its field')
  return adjusted(char.repeat(precision), field - precision, control)
}

function characterOf(code: number | bigint, unicode: boolean): string {
  return unicode ? text([Number(code)]) : String.fromCharCode(Number(BigInt(code) & 255n))
}

const nameOf = (term: Term): string | undefined =>
  term instanceof Atom ? term.name : typeof term === 'boolean' ? String(term) : term === null ? 'nil' : undefined

/** The characters of an atom or of chardata. Without `t` binaries are Latin-1, and so must all be. */
function charsOf(term: Term, unicode: boolean): string {
  const all = nameOf(term) ?? partsOf(term, unicode)
  if (!unicode && /[^\0-\xff]/u.test(all)) refuse('characters beyond Latin-1 want ~ts')
  return all
}

function partsOf(term: Term, unicode: boolean): string {
  const out: string[] = []
  const open: Term[] = [term]
  while (open.length > 0) {
    const part = open.pop() as Term
    if (Number.isInteger(part)) out.push(text([part as number]))
    else if (part instanceof Uint8Array) out.push(binaryText(part as Buffer, unicode))
    else if (Array.isArray(part)) for (let i = part.length - 1; i >= 0; i--) open.push(part[i] as Term)
    else if (part instanceof ImproperList) open.push(part.tail, [...part.elements])
    else refuse('~s wants text')
  }
  if (Number.isInteger(term)) refuse('~s wants text')
  return out.join('')
}

/** What is no UTF-8 is Latin-1. */
function binaryText(bytes: Buffer, unicode: boolean): string {
  const all = Buffer.from(bytes)
  if (!unicode) return all.toString('latin1')
  try {
    return text(all)
  } catch {
    return all.toString('latin1')
  }
}

const isInteger = (term: Term): term is number | bigint => (typeof term === 'number' && Number.isInteger(term)) || typeof term === 'bigint'

const integerOf = (term: Term): number | bigint => (isInteger(term) ? term : refuse('an integer is wanted'))
const depthOf = (term: Term): number => Number(integerOf(term))

const prefixOf = ({ take }: Control): string => {
  const prefix = take()
  return nameOf(prefix) ?? (Array.isArray(prefix) ? partsOf(prefix, true) : refuse('a prefix is characters'))
}

function inBase(control: Control, prefix: string | ((control: Control) => string), upper = false): string {
  const base = control.precision ?? 10
  const digits = base >= 2 && base <= 36 ? integerOf(control.take()).toString(base) : refuse('a base is 2 to 36')
  const before = typeof prefix === 'string' ? prefix : prefix(control)
  const cased = upper ? digits.toUpperCase() : digits
  const all = cased.startsWith('-') ? `-${before}${cased.slice(1)}` : before + cased
  return inField(all, { ...control, precision: null })
}

function asFloat(control: Control, least: number, print: (value: number, precision: number) => string): string {
  const term = control.take()
  const value =
    term instanceof Float ? term.value : isInteger(term) || typeof term === 'number' ? Number(term) : refuse('a number is wanted')
  const precision = control.precision ?? 6
  if (precision < least) refuse(`a float has ${least} digits or more`)
  return control.field === null ? print(value, precision) : inField(print(value, precision), { ...control, precision: null })
}
