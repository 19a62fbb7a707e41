/**
 * The Erlang term order over all terms.
 *
 * Source: the Erlang reference manual, "Term Comparisons", and erts' `erts_cmp`; spec/vectors/order.json holds what real nodes sorted.
 * Maps that are keys of maps are ordered as in the manual and on OTP 25. Later nodes order them by when they made the atoms in them.
 */
import {
  ATOM,
  BITSTRING,
  FUN,
  type Kind,
  kindOf,
  LIST,
  MAP,
  NIL,
  notATerm,
  NUMBER,
  PID,
  PORT,
  RECORD,
  REFERENCE,
  TUPLE,
} from './compare-kind.js'
import { KeyOrder, sizeOf } from './compare-map-keys.js'
import {
  compareAtoms,
  compareBits,
  compareDefinitions,
  compareFuns,
  compareNumbers,
  comparePids,
  comparePorts,
  compareReferences,
} from './compare-scalars.js'
import { type BitString, type Float, ImproperList, type NativeRecord } from './containers.js'
import type { Atom } from './atom.js'
import { TermError } from './error.js'
import { type ExportFun, Fun } from './fun.js'
import type { Pid, Port, Reference } from './identity.js'
import type { Tuple } from './tuple.js'
import type { Sendable } from './types.js'

/**
 * Which of two terms comes first: -1 when it is `a`, 1 when it is `b`, 0 when they compare equal, which 1 and 1.0 do. Fit for `sort`.
 *
 * The order of types is number < atom < reference < fun < port < pid < tuple < native record < map < nil < list < bitstring. A string
 * counts as the binary it is sent as, a plain object as the map.
 *
 * @throws TermError ERR_TERM_TYPE for what is no term; ERR_TERM_DEPTH beyond 1,000,000 levels, which a cycle reaches.
 *
 * @example
 * ```ts
 * import { atom, compare, float, tuple } from 'beamlet'
 * import assert from 'node:assert/strict'
 *
 * assert.deepEqual([[1], atom('ok'), tuple(), 7].sort(compare), [7, atom('ok'), tuple(), [1]])
 * assert.equal(compare(1, float(1)), 0)
 * assert.equal(compare(2n ** 53n + 1n, float(2 ** 53)), 1)
 * ```
 */
export function compare(a: Sendable, b: Sendable): -1 | 0 | 1 {
  const order = compareTerms(a, b, false, exactKeyOrder())
  return order < 0 ? -1 : order > 0 ? 1 : 0
}

/**
 * The order of the keys of maps, in which integers come before floats. For one comparison, or one sort: it remembers the maps that it
 * has sorted.
 */
export const exactKeyOrder = (): KeyOrder => new KeyOrder((a, b, keys) => compareTerms(a, b, true, keys))

/** Two rows of terms, compared position by position; and which comes first when all are equal. */
interface Rows {
  readonly a: readonly unknown[]
  readonly b: readonly unknown[]
  readonly length: number
  readonly exact: boolean
  readonly otherwise: number
  next: number
}

/** Far beyond what a peer may send, so that only a cycle gets there. */
const MAX_DEPTH = 1_000_000

/** Compares with a stack of its own: nesting costs memory, never JavaScript's stack. */
function compareTerms(a: unknown, b: unknown, exact: boolean, keys: KeyOrder): number {
  const pending: Rows[] = []
  let order = compareOne(a, b, exact, pending, keys)
  while (order === 0) {
    const rows = pending.at(-1)
    if (rows === undefined) return 0
    if (rows.next === rows.length) {
      order = rows.otherwise
      pending.pop()
      continue
    }
    const i = rows.next++
    order = compareOne(rows.a[i], rows.b[i], rows.exact, pending, keys)
    if (pending.length > MAX_DEPTH) throw new TermError('ERR_TERM_DEPTH', 'A term nests too deep to compare: does it hold itself?')
  }
  return order
}

/** Compares what can be compared at once, and leaves the insides of two containers of one shape pending. */
function compareOne(a: unknown, b: unknown, exact: boolean, pending: Rows[], keys: KeyOrder): number {
  if (a === b && typeof a === 'object') return 0
  const kind = rankOf(a)
  const difference = kind - rankOf(b)
  if (difference !== 0) return difference
  const push = (x: readonly unknown[], y: readonly unknown[], exactly = exact, length = x.length, otherwise = 0): 0 => {
    pending.push({ a: x, b: y, length, exact: exactly, otherwise, next: 0 })
    return 0
  }
  switch (kind) {
    case NUMBER:
      return compareNumbers(a as number | bigint | Float, b as number | bigint | Float, exact)
    case ATOM:
      return compareAtoms(a as Atom | boolean | null, b as Atom | boolean | null)
    case REFERENCE:
      return compareReferences(a as Reference, b as Reference)
    case FUN:
      return compareFuns(a as Fun | ExportFun, b as Fun | ExportFun, exact) || push(environment(a), environment(b))
    case PORT:
      return comparePorts(a as Port, b as Port)
    case PID:
      return comparePids(a as Pid, b as Pid)
    case TUPLE: {
      const [x, y] = [(a as Tuple).elements, (b as Tuple).elements]
      return x.length - y.length || push(x, y)
    }
    case RECORD:
      return (
        compareDefinitions(a as NativeRecord, b as NativeRecord) || push(fieldValues(a as NativeRecord), fieldValues(b as NativeRecord))
      )
    case MAP: {
      const sizes = sizeOf(a as object) - sizeOf(b as object)
      if (sizes !== 0) return sizes
      const [x, y] = [keys.entriesOf(a as object), keys.entriesOf(b as object)]
      // pending is a stack: keys are compared before values
      return push(x.values, y.values) || push(x.keys, y.keys, true)
    }
    case NIL:
      return 0
    case LIST: {
      const [x, y] = [cells(a), cells(b)]
      if (x.heads.length === y.heads.length) return push([x.tail], [y.tail]) || push(x.heads, y.heads)
      const [length, otherwise] =
        x.heads.length < y.heads.length ? [x.heads.length, rankOf(x.tail) - LIST] : [y.heads.length, LIST - rankOf(y.tail)]
      return push(x.heads, y.heads, exact, length, otherwise)
    }
    case BITSTRING:
      return compareBits(a as string | Uint8Array | BitString, b as string | Uint8Array | BitString)
  }
}

function rankOf(value: unknown): Kind {
  const kind = kindOf(value)
  if (kind === undefined) throw notATerm(value)
  return kind
}

/** The values that a fun closed over; those of two funs that compare equal so far are equally many. */
const environment = (fun: unknown): readonly unknown[] => (fun instanceof Fun ? fun.free : [])

const fieldValues = (record: NativeRecord): readonly unknown[] => record.fields.map(([, value]) => value)

function cells(list: unknown): { readonly heads: readonly unknown[]; readonly tail: unknown } {
  return list instanceof ImproperList ? { heads: list.elements, tail: list.tail } : { heads: list as readonly unknown[], tail: [] }
}
