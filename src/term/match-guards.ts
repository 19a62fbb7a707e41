/**
 * Erlang's type tests, as type guards: parts of patterns, and useful by themselves.
 *
 * They tell what arrives. A JavaScript string is no binary for them, and a plain object no map, since neither ever arrives.
 */
import { Atom } from './atom.js'
import { isInteger as isIntegral } from './compare-kind.js'
import { BitString, Float } from './containers.js'
import { ExportFun, Fun } from './fun.js'
import { Pid, Port, Reference } from './identity.js'
import { Tuple } from './tuple.js'
import type { Term, TermArray, TermMap } from './types.js'

/** `true`, `false` and `nil` are atoms too: they are JavaScript's own values. */
export const isAtom = (x: unknown): x is Atom | boolean | null => x instanceof Atom || typeof x === 'boolean' || x === null
export const isBoolean = (x: unknown): x is boolean => typeof x === 'boolean'
/** A JavaScript number: an integer while it is safe, or a float. Bigints are left to `isInteger`, a `Float` to `isFloat`. */
export const isNumber = (x: unknown): x is number => typeof x === 'number' && Number.isFinite(x)
/** An integer of any size. */
export const isInteger = (x: unknown): x is number | bigint => typeof x === 'bigint' || (typeof x === 'number' && isIntegral(x))
/** A float that JavaScript can tell from an integer, or a `Float`: `1.0` arrives as 1 unless the node decodes with `floats: 'exact'`. */
export const isFloat = (x: unknown): x is number | Float => x instanceof Float || (isNumber(x) && !isIntegral(x))
export const isBinary = (x: unknown): x is Buffer => Buffer.isBuffer(x)
export const isBitstring = (x: unknown): x is Buffer | BitString => Buffer.isBuffer(x) || x instanceof BitString
export const isTuple = (x: unknown): x is Tuple<readonly Term[]> => x instanceof Tuple
/** A proper list. (Erlang's `is_list` holds for an improper one too.) */
export const isList = (x: unknown): x is TermArray => Array.isArray(x)
export const isMap = (x: unknown): x is TermMap => x instanceof Map
export const isPid = (x: unknown): x is Pid => x instanceof Pid
export const isPort = (x: unknown): x is Port => x instanceof Port
export const isRef = (x: unknown): x is Reference => x instanceof Reference
export const isFun = (x: unknown): x is Fun | ExportFun => x instanceof Fun || x instanceof ExportFun
