/**
 * The order of terms as far as they hold no other terms, as erts' `erts_cmp` has it. Every function returns a number below, at or
 * above 0.
 */
import { Atom } from './atom.js'
import { BitString, type Float, type NativeRecord } from './containers.js'
import { isInteger } from './compare-kind.js'
import { ExportFun, type Fun } from './fun.js'
import type { Pid, Port, Reference } from './identity.js'

/**
 * Numbers by value, however large: 2^53 + 1 is above 2.0^53. When `exact`, as among the keys of a map, every integer is before every
 * float, and -0.0 before 0.0.
 */
export function compareNumbers(a: number | bigint | Float, b: number | bigint | Float, exact: boolean): number {
  const x = typeof a === 'object' ? a.value : a
  const y = typeof b === 'object' ? b.value : b
  if (exact) {
    const kinds = Number(isFloat(a)) - Number(isFloat(b))
    if (kinds !== 0) return kinds
    if (x === 0 && y === 0) return Number(Object.is(y, -0)) - Number(Object.is(x, -0))
  }
  // JavaScript compares a bigint with a number by their exact values
  return x < y ? -1 : x > y ? 1 : 0
}

const isFloat = (x: number | bigint | Float): boolean => typeof x === 'object' || (typeof x === 'number' && !isInteger(x))

const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')
const NIL = Buffer.from('nil')

/** By code points, which is the order of their UTF-8 bytes; that of JavaScript's strings differs beyond U+FFFF. */
export function compareAtoms(a: Atom | boolean | null, b: Atom | boolean | null): number {
  return a === b ? 0 : Buffer.compare(atomBytes(a), atomBytes(b))
}

function atomBytes(value: Atom | boolean | null): Uint8Array {
  return value instanceof Atom ? value.bytes : value === null ? NIL : value ? TRUE : FALSE
}

/** Pids by age first: serial, number, then node and creation. */
export function comparePids(a: Pid, b: Pid): number {
  return a.serial - b.serial || a.id - b.id || compareNodes(a, b)
}

export function comparePorts(a: Port, b: Port): number {
  return compareNodes(a, b) || (a.id < b.id ? -1 : Number(a.id > b.id))
}

/** The last word weighs most. A missing word counts as 0, so that references of different lengths may be equal. */
export function compareReferences(a: Reference, b: Reference): number {
  const nodes = compareNodes(a, b)
  if (nodes !== 0) return nodes
  for (let i = Math.max(a.words.length, b.words.length) - 1; i >= 0; i--) {
    const difference = (a.words[i] ?? 0) - (b.words[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

interface Located {
  readonly node: Atom
  readonly creation: number
}

const compareNodes = (a: Located, b: Located): number => compareAtoms(a.node, b.node) || a.creation - b.creation

/**
 * Funs but for the values they closed over. Closures come before `fun m:f/a`. Where they were made does not count.
 *
 * The BEAM's order leaves out the arity and the MD5 of the module, its equality does not; `exact` looks at them last.
 */
export function compareFuns(a: Fun | ExportFun, b: Fun | ExportFun, exact: boolean): number {
  if (a instanceof ExportFun) {
    return b instanceof ExportFun ? compareAtoms(a.module, b.module) || compareAtoms(a.fun, b.fun) || a.arity - b.arity : 1
  }
  if (b instanceof ExportFun) return -1
  return (
    compareAtoms(a.module, b.module) ||
    a.index - b.index ||
    a.oldUniq - b.oldUniq ||
    a.free.length - b.free.length ||
    (exact ? a.arity - b.arity || Buffer.compare(a.uniq, b.uniq) : 0)
  )
}

/** Native records but for their values: by module, name, whether exported, number of fields, names of the fields. */
export function compareDefinitions(a: NativeRecord, b: NativeRecord): number {
  let order = compareAtoms(a.module, b.module) || compareAtoms(a.name, b.name) || a.flags - b.flags || a.fields.length - b.fields.length
  for (let i = 0; order === 0 && i < a.fields.length; i++) order = compareAtoms(a.fields[i]![0], b.fields[i]![0])
  return order
}

/** Bit by bit, then by length. A string stands for its UTF-8 bytes. */
export function compareBits(a: string | Uint8Array | BitString, b: string | Uint8Array | BitString): number {
  const [x, xBits] = bitsOf(a)
  const [y, yBits] = bitsOf(b)
  const common = Math.min(xBits, yBits)
  const whole = common >> 3
  const difference = Buffer.compare(x.subarray(0, whole), y.subarray(0, whole))
  if (difference !== 0) return difference
  const unused = 8 - (common & 7)
  return unused === 8 ? xBits - yBits : (x[whole]! >> unused) - (y[whole]! >> unused) || xBits - yBits
}

function bitsOf(value: string | Uint8Array | BitString): [bytes: Uint8Array, bits: number] {
  if (value instanceof BitString) return [value.bytes, (value.bytes.length - 1) * 8 + value.bits]
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  return [bytes, bytes.length * 8]
}
