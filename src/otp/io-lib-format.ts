/**
 * `io_lib:format/2`: what BEAM code asks a group leader of ours to print. All controls of io_lib, with field width, precision and padding;
 * spec/vectors/io-lib-format.json holds what a real node prints. What differs: long terms are not broken into lines, ~P and ~W print
 * the whole term, whatever the depth, and ~f and ~g take integers, since a float such as 3.0 may have arrived as one. Source: the stdlib manual, io:fwrite/3; io_lib_format.erl.
 */
import { Atom, Float, format as formatTerm, type Term, text } from '../term/index.js'

/** ~Field.Precision.Pad Modifiers Control */
const control = /~(-?\d+|\*)?(?:\.(\d+|\*)?)?(?:\.(\*|.))?([tlkK]*)(.)?/gsu

/** One control sequence, with its numbers filled in. */
interface Control {
  readonly width: number | undefined
  readonly precision: number | undefined
  /** `t`: any character, not just Latin-1; `l`: lists are never strings */
  readonly modifiers: string
  take(): Term
}

/** @throws TypeError for a control that io_lib does not know, or arguments that do not fit. */
export function ioLibFormat(format: string, values: readonly Term[]): string {
  let next = 0
  const take = (): Term => {
    if (next === values.length) throw new TypeError('io_lib:format has too few arguments')
    return values[next++] as Term
  }
  const number = (given: string | undefined): number | undefined => {
    if (given === undefined) return undefined
    const value = Number(given === '*' ? take() : given)
    if (!(Math.abs(value) <= maxColumns)) throw new TypeError('a field has at most 2^20 columns')
    return value
  }
  const printed = format.replace(control, (_all, width, precision, pad, modifiers: string, letter: string | undefined) => {
    const print = controls[letter ?? '']
    if (!print) throw new TypeError(`io_lib:format has no control ~${letter ?? ''}`)
    const sequence: Control = { width: number(width), precision: number(precision), modifiers, take }
    const filler = pad === '*' ? text([take()]) : (pad ?? ' ')
    const columns = whole.has(letter ?? '') ? undefined : sequence.width
    return justify(print(sequence), columns, filler, cuts.has(letter ?? ''))
  })
  if (next < values.length) throw new TypeError('io_lib:format has too many arguments')
  return printed
}

const inTerms = (term: Term, modifiers: string): string => formatTerm(term, { strings: !modifiers.includes('l') })
const plainly = (term: Term): string => formatTerm(term, { strings: false })

const controls: Readonly<Record<string, (control: Control) => string>> = {
  n: () => '\n',
  '~': () => '~',
  p: ({ take, modifiers }) => inTerms(take(), modifiers),
  w: ({ take }) => plainly(take()),
  P: ({ take, modifiers }) => withDepth(take(), take(), term => inTerms(term, modifiers)),
  W: ({ take }) => withDepth(take(), take(), plainly),
  s: ({ take, precision, modifiers }) => cut(latin1(chars(take()), modifiers), precision),
  c: ({ take, width, precision }) => text([take()]).repeat(precision ?? Math.abs(width ?? 1)),
  i: ({ take }) => (take(), ''),
  b: ({ take, precision }) => inBase(take(), precision),
  B: ({ take, precision }) => inBase(take(), precision).toUpperCase(),
  '+': ({ take, precision }) => prefixed(take(), precision, `${precision ?? 10}#`),
  '#': ({ take, precision }) => prefixed(take(), precision, `${precision ?? 10}#`).toUpperCase(),
  x: ({ take, precision }) => prefixed(take(), precision, chars(take())),
  X: ({ take, precision }) => {
    const integer = inBase(take(), precision).toUpperCase()
    return signFirst(integer, chars(take()))
  },
  f: ({ take, precision }) => fixed(numberOf(take()), precision ?? 6),
  e: ({ take, precision }) => exponential(numberOf(take()), precision ?? 6),
  g: ({ take, precision }) => general(numberOf(take()), precision ?? 6),
}

/** What is too long for its field: text is cut, everything else becomes stars. */
const cuts = new Set(['s'])

/** The field of these is the length of a line, and lines are not broken here. */
const whole = new Set(['p', 'P', 'n', '~', 'i'])

/** A field of more columns than this is a way to fill our memory. */
const maxColumns = 2 ** 20

function justify(all: string, width: number | undefined, pad: string, cuts: boolean): string {
  if (width === undefined) return all
  const columns = Math.abs(width)
  const missing = columns - [...all].length
  if (missing < 0) return cuts ? cut(all, columns) : '*'.repeat(columns)
  return width < 0 ? all + pad.repeat(missing) : pad.repeat(missing) + all
}

const cut = (all: string, length: number | undefined): string =>
  length === undefined ? all : [...all].slice(0, length).join('').padEnd(length)

function withDepth(term: Term, depth: Term, print: (term: Term) => string): string {
  if (!Number.isInteger(depth)) throw new TypeError('a depth is an integer')
  return print(term)
}

const chars = (term: Term): string =>
  term instanceof Atom ? term.name : typeof term === 'boolean' ? String(term) : term === null ? 'nil' : text(term)

function latin1(all: string, modifiers: string): string {
  if (!modifiers.includes('t') && [...all].some(char => char > '\u00ff')) throw new TypeError('characters beyond Latin-1 want ~ts')
  return all
}

function inBase(term: Term, base = 10): string {
  if ((typeof term === 'number' && Number.isInteger(term)) || typeof term === 'bigint') return term.toString(base)
  throw new TypeError('an integer is wanted')
}

const prefixed = (term: Term, base: number | undefined, prefix: string): string => signFirst(inBase(term, base), prefix)

const signFirst = (digits: string, prefix: string): string => (digits.startsWith('-') ? `-${prefix}${digits.slice(1)}` : prefix + digits)

function numberOf(term: Term): number {
  const value = term instanceof Float ? term.value : term
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value)
  throw new TypeError('a number is wanted')
}

function fixed(value: number, digits: number): string {
  if (digits < 1) throw new TypeError('~f has one decimal or more')
  return Math.abs(value) < 1e21 ? value.toFixed(digits) : `${BigInt(value)}.${'0'.repeat(digits)}`
}

/** Precision counts all digits, and the exponent has no leading zeros. */
function exponential(value: number, precision: number): string {
  if (precision < 2) throw new TypeError('~e has two digits or more')
  return value.toExponential(precision - 1)
}

/** Fixed from 0.1 up to 10000, exponential elsewhere. */
function general(value: number, precision: number): string {
  const size = Math.abs(value)
  if (size < 0.1 || size >= 10_000) return exponential(value, precision)
  const decimals = size < 1 ? precision : precision - Math.floor(Math.log10(size)) - 1
  return decimals <= 0 || precision < 2 ? exponential(value, precision) : fixed(value, decimals)
}
