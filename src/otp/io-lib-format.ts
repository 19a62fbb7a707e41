/**
 * `io_lib:format/2`: what BEAM code asks a group leader of ours to print. Controls: ~p ~P ~w ~W ~s ~c ~b ~B ~# ~+ ~x ~X ~e ~f ~g ~i ~n ~~, with
 * field width, precision, padding and the `t` modifier. Long terms are not broken into lines. Source: io_lib.erl, io_lib_format.erl.
 */
import { Float, format as formatTerm, type Term, text } from '../term/index.js'

const control = /~(-?\d+|\*)?(?:\.(\d+|\*)?)?(?:\.(.|\*))?([tlkK]*)(.)/gsu

/** @throws TypeError for a control it does not know, or arguments that do not fit. */
export function ioLibFormat(format: string, values: readonly Term[]): string {
  const rest = [...values]
  const take = (): Term => {
    if (rest.length === 0) throw new TypeError('io_lib:format has too few arguments')
    return rest.shift() as Term
  }
  const number = (given: string | undefined): number | undefined =>
    given === undefined ? undefined : Number(given === '*' ? take() : given)
  const printed = format.replace(control, (_all, width, precision, pad, _modifiers, letter: string) => {
    const columns = number(width)
    const digits = number(precision)
    return justify(print(letter, take, digits), columns, pad ?? ' ')
  })
  if (rest.length > 0) throw new TypeError('io_lib:format has too many arguments')
  return printed
}

function print(letter: string, take: () => Term, digits: number | undefined): string {
  switch (letter) {
    case 'n':
      return '\n'
    case '~':
      return '~'
    case 'w':
    case 'p':
      return formatTerm(take())
    case 'W':
    case 'P': {
      const term = take()
      take()
      return formatTerm(term)
    }
    case 's': {
      const term = take()
      const all = typeof term === 'object' && term !== null && 'name' in term && 'bytes' in term ? String(term) : text(term)
      return digits === undefined ? all : [...all].slice(0, digits).join('')
    }
    case 'c':
      return String.fromCodePoint(Number(take())).repeat(digits ?? 1)
    case 'i':
      take()
      return ''
    case 'b':
      return inBase(take(), digits ?? 10)
    case 'B':
      return inBase(take(), digits ?? 10).toUpperCase()
    case '#':
      return `${digits ?? 10}#${inBase(take(), digits ?? 10).toUpperCase()}`
    case '+':
      return `${digits ?? 10}#${inBase(take(), digits ?? 10)}`
    case 'f':
      return decimal(take()).toFixed(digits ?? 6)
    case 'e':
      return decimal(take())
        .toExponential((digits ?? 6) - 1)
        .replace(/e([+-])(\d)$/, 'e$10$2')
    case 'g':
      return String(decimal(take()))
    default:
      throw new TypeError(`io_lib:format has no control ~${letter}`)
  }
}

function inBase(term: Term, base: number): string {
  if ((typeof term === 'number' && Number.isInteger(term)) || typeof term === 'bigint') return term.toString(base)
  throw new TypeError('an integer is wanted')
}

function decimal(term: Term): number {
  const value = term instanceof Float ? term.value : term
  if (typeof value === 'number') return value
  throw new TypeError('a float is wanted')
}

function justify(all: string, columns: number | undefined, pad: string): string {
  if (columns === undefined) return all
  const missing = Math.abs(columns) - [...all].length
  if (missing < 0) return '*'.repeat(Math.abs(columns))
  return columns < 0 ? all + pad.repeat(missing) : pad.repeat(missing) + all
}
