/**
 * What a JavaScript value is as a term, in the order of Erlang's types:
 * number < atom < reference < fun < port < pid < tuple < record < map < nil < list < bitstring.
 *
 * Source: the Erlang reference manual, "Term Comparisons"; for native records OTP 29's erl_term.h.
 */
import { Atom } from './atom.js'
import { BitString, Float, ImproperList, LocalTerm, NativeRecord } from './containers.js'
import { TermError } from './error.js'
import { ExportFun, Fun } from './fun.js'
import { Pid, Port, Reference } from './identity.js'
import { Tuple } from './tuple.js'

export const NUMBER = 0
export const ATOM = 1
export const REFERENCE = 2
export const FUN = 3
export const PORT = 4
export const PID = 5
export const TUPLE = 6
export const RECORD = 7
export const MAP = 8
export const NIL = 9
export const LIST = 10
export const BITSTRING = 11

export type Kind = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11

/** The rank of a value's type, or undefined for what is no term. A string is a binary, a plain object a map: so they are sent. */
export function kindOf(value: unknown): Kind | undefined {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? NUMBER : undefined
    case 'bigint':
      return NUMBER
    case 'boolean':
      return ATOM
    case 'string':
      return BITSTRING
    case 'object':
      return value === null ? ATOM : kindOfObject(value)
    default:
      return undefined
  }
}

function kindOfObject(value: object): Kind | undefined {
  if (value instanceof Atom) return ATOM
  if (value instanceof Tuple) return TUPLE
  if (Array.isArray(value)) return value.length === 0 ? NIL : LIST
  if (value instanceof Uint8Array || value instanceof BitString) return BITSTRING
  if (value instanceof Map) return MAP
  if (value instanceof Pid) return PID
  if (value instanceof Reference) return REFERENCE
  if (value instanceof Float) return NUMBER
  if (value instanceof ImproperList) return LIST
  if (value instanceof Fun || value instanceof ExportFun) return FUN
  if (value instanceof Port) return PORT
  if (value instanceof NativeRecord) return RECORD
  return isPlainObject(value) ? MAP : undefined
}

export function isPlainObject(value: object): value is Readonly<Record<string, unknown>> {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Is this number an integer in Erlang? −0 and integral numbers beyond ±(2^53 − 1) are floats. */
export const isInteger = (value: number): boolean => Number.isSafeInteger(value) && !Object.is(value, -0)

/** The error for what is no term, with a sentence that says what to write instead. */
export function notATerm(value: unknown): TermError {
  if (value instanceof LocalTerm)
    return new TermError('ERR_TERM_TYPE', 'A LocalTerm has no place in the term order: only its node can read it.')
  return new TermError('ERR_TERM_TYPE', `${describe(value)} is no Erlang term${advice(value)}.`)
}

function describe(value: unknown): string {
  if (typeof value === 'object' && value !== null) return `An instance of ${value.constructor?.name || 'an unnamed class'}`
  if (typeof value === 'function') return 'A JavaScript function'
  return typeof value === 'symbol' ? 'A symbol' : String(value)
}

function advice(value: unknown): string {
  if (value === undefined) return ': write null for the atom nil, or an atom of your own'
  if (typeof value === 'number') return ': floats are finite'
  if (value instanceof Promise) return ': await it first'
  if (value instanceof Set) return ': spread it into an array'
  return typeof value === 'object' ? ': write a plain object, a Map, an array or a tuple' : ''
}
