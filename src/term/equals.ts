/**
 * `=:=` over all terms.
 *
 * Source: erts' `eq`. -0.0 and 0.0 differ, as from OTP 27 on.
 */
import { Atom } from './atom.js'
import { isInteger, isPlainObject } from './compare-kind.js'
import { exactKeyOrder } from './compare.js'
import { type KeyOrder, objectAsMap } from './compare-map-keys.js'
import { compareBits, compareDefinitions, compareFuns, comparePorts, comparePids, compareReferences } from './compare-scalars.js'
import { BitString, Float, ImproperList, LocalTerm, NativeRecord } from './containers.js'
import { TermError } from './error.js'
import { ExportFun, Fun } from './fun.js'
import { Pid, Port, Reference } from './identity.js'
import { Tuple } from './tuple.js'

/**
 * Are two terms the same, as `=:=` has it?
 *
 * - 1 and 1.0 differ; 1 and 1n are one integer; 0.5 and `float(0.5)` are one float; -0.0 and 0.0 differ, as from OTP 27 on.
 * - Binaries, tuples, lists and maps are equal when their contents are. A string is the binary it is sent as, a plain object the map.
 * - Pids, ports and references are equal when all their fields are, the creation of their node among them.
 * - Funs are equal when module, index, arity, MD5 and the values they closed over are; not by where they were made.
 *
 * What is no term equals nothing but itself.
 *
 * @throws TermError ERR_TERM_DEPTH beyond 1,000,000 levels, which a cycle reaches.
 *
 * @example
 * ```ts
 * import { atom, equals, float, tuple } from 'beamlet'
 * import assert from 'node:assert/strict'
 *
 * assert(equals(tuple(atom('ok'), 'text'), tuple(atom('ok'), Buffer.from('text'))))
 * assert(equals(new Map([[tuple(1, 2), 3]]), new Map([[tuple(1, 2), 3]])))
 * assert(!equals(1, float(1)))
 * ```
 */
export function equals(a: unknown, b: unknown): boolean {
  if (holdsNothing(a)) return equalsSoFar(a, b, idle)
  const work = new Work()
  let same = equalsSoFar(a, b, work)
  while (same && work.pending.length > 0) {
    const rows = work.pending.at(-1)!
    if (rows.next === rows.a.length) work.pending.pop()
    else {
      const i = rows.next++
      same = equalsSoFar(rows.a[i], rows.b[i], work)
    }
  }
  return same
}

/** Two rows of terms of one length, compared position by position. */
interface Rows {
  readonly a: readonly unknown[]
  readonly b: readonly unknown[]
  next: number
}

/** Far beyond what a peer may send, so that only a cycle gets there. */
const MAX_DEPTH = 1_000_000

/** What is still to compare: a stack, so that nesting costs memory and never JavaScript's own stack. */
class Work {
  readonly pending: Rows[] = []
  #keys: KeyOrder | undefined

  get keys(): KeyOrder {
    return (this.#keys ??= exactKeyOrder())
  }

  push(a: readonly unknown[], b: readonly unknown[]): boolean {
    if (a.length !== b.length) return false
    if (this.pending.length > MAX_DEPTH) throw new TermError('ERR_TERM_DEPTH', 'A term nests too deep to compare: does it hold itself?')
    this.pending.push({ a, b, next: 0 })
    return true
  }
}

/** For what leaves nothing to do, which is most of what `receive` looks at. */
const idle = new Work()

function holdsNothing(value: unknown): boolean {
  return typeof value !== 'object' || value === null || value instanceof Atom || value instanceof Reference || value instanceof Pid
}

/** Compares what can be compared at once, and leaves the insides of two containers of one shape to do. */
function equalsSoFar(a: unknown, b: unknown, work: Work): boolean {
  if (a === b) return a !== 0 || Object.is(a, b)
  if (typeof a !== 'object') return equalsPrimitive(a, b)
  if (typeof b !== 'object') return equalsPrimitive(b, a)
  // atoms are interned: two of them are one object, or differ
  if (a === null || b === null || a instanceof Atom) return false

  if (a instanceof Tuple) return b instanceof Tuple && work.push(a.elements, b.elements)
  if (Array.isArray(a)) return Array.isArray(b) && work.push(a, b)
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0
  if (a instanceof Pid) return b instanceof Pid && comparePids(a, b) === 0
  if (a instanceof Reference) return b instanceof Reference && compareReferences(a, b) === 0
  if (a instanceof Float) return b instanceof Float && Object.is(a.value, b.value)
  if (a instanceof ImproperList) return b instanceof ImproperList && work.push([a.tail], [b.tail]) && work.push(a.elements, b.elements)
  if (a instanceof BitString) return b instanceof BitString && compareBits(a, b) === 0
  if (a instanceof Port) return b instanceof Port && comparePorts(a, b) === 0
  if (a instanceof ExportFun) return b instanceof ExportFun && compareFuns(a, b, true) === 0
  if (a instanceof Fun) return b instanceof Fun && compareFuns(a, b, true) === 0 && work.push(a.free, b.free)
  if (a instanceof LocalTerm) return b instanceof LocalTerm && a.bytes.equals(b.bytes)
  if (a instanceof NativeRecord) {
    return b instanceof NativeRecord && compareDefinitions(a, b) === 0 && work.push(fieldValues(a), fieldValues(b))
  }
  const [x, y] = [mapOf(a), mapOf(b)]
  return x !== undefined && y !== undefined && equalsMap(x, y, work)
}

/** `a` is no object; `b` may be anything but the same value. */
function equalsPrimitive(a: unknown, b: unknown): boolean {
  if (typeof a === 'string') {
    return b instanceof Uint8Array && Buffer.compare(Buffer.from(a), b) === 0
  }
  if (typeof a === 'bigint') return typeof b === 'number' && isInteger(b) && a === BigInt(b)
  if (typeof a !== 'number') return false
  if (typeof b === 'bigint') return isInteger(a) && b === BigInt(a)
  return b instanceof Float && !isInteger(a) && Object.is(a, b.value)
}

const fieldValues = (record: NativeRecord): readonly unknown[] => record.fields.map(([, value]) => value)

function mapOf(value: object): ReadonlyMap<unknown, unknown> | undefined {
  return value instanceof Map ? value : isPlainObject(value) ? objectAsMap(value) : undefined
}

/** Where all keys are atoms they find their like by identity; else the entries of both are sorted, and must be equal one by one. */
function equalsMap(a: ReadonlyMap<unknown, unknown>, b: ReadonlyMap<unknown, unknown>, work: Work): boolean {
  if (a.size !== b.size) return false
  const values: [unknown[], unknown[]] = [[], []]
  for (const [key, value] of a) {
    if (!isAtomValue(key)) {
      const [x, y] = [work.keys.entriesOf(a), work.keys.entriesOf(b)]
      return work.push(x.values, y.values) && work.push(x.keys, y.keys)
    }
    if (!b.has(key)) return false
    values[0].push(value)
    values[1].push(b.get(key))
  }
  return work.push(...values)
}

const isAtomValue = (key: unknown): boolean => key instanceof Atom || typeof key === 'boolean' || key === null
