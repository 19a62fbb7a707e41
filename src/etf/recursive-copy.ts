/**
 * The terms that nearly all messages are made of, copied by recursion. What is rare, wrong or nested deeper than a few hundred levels is left to the
 * walk with a stack of its own: see copy. So nothing here has an error to tell.
 */
import { Atom, Float, ImproperList, Pid, Reference, type Term, Tuple } from '../term/index.js'
import { termOfAtom } from './atoms.js'
import { hasEqualBinaries } from './binary-keys.js'
import { bufferOf } from './buffer-of.js'
import { faultOf } from './fields.js'
import { deepest, hasOwnProperty, keyAtom, left } from './recursion.js'

/**
 * @param exact every float becomes a Float
 * @throws `left`, or a RangeError where the stack ends
 */
export function copyByRecursion(value: unknown, exact: boolean, depth = 0): Term {
  switch (typeof value) {
    case 'number':
      if ((value | 0) === value && value !== 0) return value
      return copyNumber(value, exact)
    case 'string':
      return copyText(value)
    case 'boolean':
      return value
    case 'object':
      if (value === null) return null
      if (value instanceof Atom) return termOfAtom(value)
      if (Array.isArray(value)) return copyParts(value, exact, depth)
      if (value instanceof Tuple) return new Tuple(copyParts(value.elements, exact, depth))
      return copyObject(value, exact, depth)
    default:
      throw left
  }
}

function copyObject(value: object, exact: boolean, depth: number): Term {
  if (value instanceof Pid || value instanceof Reference) {
    if (faultOf(value) !== undefined) throw left
    return value
  }
  if (value instanceof Uint8Array) return Buffer.from(value)
  if (Object.getPrototypeOf(value) === Object.prototype) return copyPlain(value as Readonly<Record<string, unknown>>, exact, depth)
  if (value instanceof Map) return copyMap(value, exact, depth)
  if (value instanceof ImproperList) return copyImproper(value, exact, depth)
  throw left
}

function copyNumber(value: number, exact: boolean): Term {
  if (!Number.isFinite(value)) throw left
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return value
  return exact ? new Float(value) : value
}

function copyText(value: string): Buffer {
  if (!value.isWellFormed()) throw left
  return bufferOf(value)
}

function copyParts(parts: readonly unknown[], exact: boolean, depth: number): Term[] {
  const { length } = parts
  if (length === 0) return []
  if (depth >= deepest) throw left
  // An array that is made at its full size is quicker to fill, but V8 makes very large ones sparse.
  const copied: Term[] = length <= 0xffff ? new Array<Term>(length) : []
  for (let i = 0; i < length; i++) copied[i] = copyByRecursion(parts[i], exact, depth + 1)
  return copied
}

/** A tail that is a list only makes this one longer. */
function copyImproper({ elements, tail }: ImproperList, exact: boolean, depth: number): Term {
  if (elements.length === 0 || depth >= deepest || Array.isArray(tail) || tail instanceof ImproperList) throw left
  return new ImproperList(copyParts(elements, exact, depth), copyByRecursion(tail, exact, depth + 1))
}

function copyPlain(value: Readonly<Record<string, unknown>>, exact: boolean, depth: number): Term {
  if (depth >= deepest) throw left
  const copied = new Map<Term, Term>()
  for (const name in value) {
    if (hasOwnProperty.call(value, name)) copied.set(keyAtom(name), copyByRecursion(value[name], exact, depth + 1))
  }
  return copied
}

function copyMap(map: ReadonlyMap<unknown, unknown>, exact: boolean, depth: number): Term {
  if (depth >= deepest) throw left
  const { size } = map
  const copied = new Map<Term, Term>()
  let binaries: Buffer[] | null = null
  for (const [key, value] of map) {
    const copiedKey = copyKey(key, exact)
    if (copiedKey instanceof Buffer) (binaries ??= []).push(copiedKey)
    copied.set(copiedKey, copyByRecursion(value, exact, depth + 1))
  }
  // A Map takes two equal binaries, or a text and its bytes, for different. A getter of a value may have written to it.
  if (copied.size !== size || (binaries !== null && binaries.length > 1 && hasEqualBinaries(binaries))) throw left
  return copied
}

/** An atom, a binary or a number that is the same in a key: whether others are equal, the walk finds out. */
function copyKey(key: unknown, exact: boolean): Term {
  if (typeof key === 'number' && Number.isInteger(key) && !Number.isSafeInteger(key)) throw left
  if (typeof key !== 'object' || key === null || key instanceof Uint8Array) return copyByRecursion(key, exact, deepest)
  if (key instanceof Atom && termOfAtom(key) === key) return key
  throw left
}
