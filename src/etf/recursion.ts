/** What the quick ways (by recursion, of common terms) have in common. */
import { atom, TermError } from '../term/index.js'
import type { AtomTerm } from './atoms.js'
import { EtfError } from './error.js'

/** Thrown where a term must go the other way. */
export const left = Symbol('left to the other way')

/** Levels; each takes a few hundred bytes of JavaScript's stack. */
export const deepest = 256

/** Does what was thrown say that the other way must tell the term, or what is wrong with it? The stack may have ended, too. */
export const isLeft = (error: unknown): boolean => error === left || error instanceof EtfError || error instanceof RangeError

/** V8 knows it, and asks nothing where `for in` has found the name. `Object.hasOwn` costs three times as much. */
export const { hasOwnProperty } = Object.prototype

/** The key of a plain object. @throws `left` when it can be no atom */
export function keyAtom(name: string): AtomTerm {
  try {
    return atom(name)
  } catch (error) {
    throw error instanceof TermError ? left : error
  }
}
