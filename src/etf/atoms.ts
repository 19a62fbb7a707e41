/**
 * Atoms from their bytes. An atom seen lately is found by its bytes alone, without making a string of them; a new one must fit the budget.
 */
import { isUtf8 } from 'node:buffer'
import { Atom, atom, atomExists } from '../term/index.js'
import { hashOf } from './binary-keys.js'
import { EtfError } from './error.js'

/** An atom as a term: `true`, `false` and `nil` are JavaScript's own values. */
export type AtomTerm = Atom | boolean | null

// Where only an atom may stand (a node, a module, a field) these too are Atoms.
const trueAtom = Atom.intern('true')
const falseAtom = Atom.intern('false')
const nilAtom = Atom.intern('nil')

export const atomOfTerm = (term: AtomTerm): Atom => (term instanceof Atom ? term : term === null ? nilAtom : term ? trueAtom : falseAtom)

export const termOfAtom = (atom: Atom): AtomTerm => (atom === trueAtom ? true : atom === falseAtom ? false : atom === nilAtom ? null : atom)

/** How many atoms that did not exist before may still come. The connections of a node share one. */
export class AtomBudget {
  remaining: number

  constructor(limit: number) {
    this.remaining = limit
  }
}

interface Seen {
  readonly bytes: Buffer
  readonly term: AtomTerm
}

// Direct mapped: a collision costs a slow look-up, never more.
const slots = 4096
const seen: (Seen | undefined)[] = Array.from({ length: slots })
const longestSeen = 40

/** An atom of UTF-8 (or ASCII) bytes. @throws EtfError ETF_ATOM, ETF_ATOMS */
export function atomFromUtf8(bytes: Buffer, start: number, length: number, budget: AtomBudget): AtomTerm {
  if (length > longestSeen) return makeAtom(utf8(bytes, start, length), budget, start)
  const slot = hashOf(bytes, start, length) & (slots - 1)
  const known = seen[slot]
  if (known !== undefined && holds(known.bytes, bytes, start, length)) return known.term
  const term = makeAtom(utf8(bytes, start, length), budget, start)
  seen[slot] = { bytes: Buffer.from(bytes.subarray(start, start + length)), term }
  return term
}

/** An atom of Latin-1 bytes: what nodes before OTP 26 may have written to disk. @throws EtfError ETF_ATOM, ETF_ATOMS */
export function atomFromLatin1(bytes: Buffer, start: number, length: number, budget: AtomBudget): AtomTerm {
  for (let i = start; i < start + length; i++) {
    if (bytes[i]! > 0x7f) return makeAtom(bytes.toString('latin1', start, start + length), budget, start)
  }
  return atomFromUtf8(bytes, start, length, budget)
}

function holds(known: Buffer, bytes: Buffer, start: number, length: number): boolean {
  if (known.length !== length) return false
  for (let i = 0; i < length; i++) if (known[i] !== bytes[start + i]) return false
  return true
}

function utf8(bytes: Buffer, start: number, length: number): string {
  const text = bytes.subarray(start, start + length)
  if (!isUtf8(text)) throw new EtfError('ETF_ATOM', 'The text of an atom is not UTF-8.', { offset: start })
  return text.toString()
}

function makeAtom(name: string, budget: AtomBudget, offset: number): AtomTerm {
  if (name.length > 255 && [...name].length > 255) throw new EtfError('ETF_ATOM', 'An atom has more than 255 code points.', { offset })
  if (!atomExists(name)) {
    if (budget.remaining <= 0) {
      throw new EtfError('ETF_ATOMS', 'The peer brings more new atoms than limits.atoms allows; atoms are never freed.', { offset })
    }
    budget.remaining--
  }
  return atom(name)
}
