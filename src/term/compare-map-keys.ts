/**
 * The entries of maps in the order of their keys, each map sorted once in a comparison.
 *
 * A key may itself hold maps whose keys hold maps, and so on: those are sorted first, innermost first. So the depth costs no
 * JavaScript stack, and a map made for the purpose costs no exponential time.
 */
import { atom } from './atom.js'
import { isPlainObject } from './compare-kind.js'
import { ImproperList, NativeRecord } from './containers.js'
import { Fun } from './fun.js'
import { Tuple } from './tuple.js'

interface Entries {
  readonly keys: readonly unknown[]
  /** In the order of their keys */
  readonly values: readonly unknown[]
}

export class KeyOrder {
  readonly #sorted = new Map<object, Entries>()
  /** Fit for `sort`: 0 only for terms that are `=:=`. */
  readonly compare: (a: unknown, b: unknown) => number

  constructor(compare: (a: unknown, b: unknown, keys: KeyOrder) => number) {
    this.compare = (a, b) => compare(a, b, this)
  }

  /** The entries of a Map, or of the plain object that stands for one. */
  entriesOf(map: object): Entries {
    const known = this.#sorted.get(map)
    if (known !== undefined) return known
    for (const inner of mapsWithin(keysOf(map)).toReversed()) this.#sort(inner)
    return this.#sort(map)
  }

  #sort(map: object): Entries {
    const known = this.#sorted.get(map)
    if (known !== undefined) return known
    const asMap = map instanceof Map ? map : objectAsMap(map)
    const keys = [...asMap.keys()].toSorted(this.compare)
    const entries = { keys, values: keys.map(key => asMap.get(key)) }
    this.#sorted.set(map, entries)
    return entries
  }
}

/** A plain object is a map whose keys are atoms. */
export function objectAsMap(object: object): Map<unknown, unknown> {
  return new Map(Object.entries(object).map(([name, value]) => [atom(name), value]))
}

export const sizeOf = (map: object): number => (map instanceof Map ? map.size : Object.keys(map).length)

/** The keys of a plain object are atoms, which hold no maps. */
const keysOf = (map: object): readonly unknown[] => (map instanceof Map ? [...map.keys()] : [])

/** Every map inside these terms, the outer before the inner. */
function mapsWithin(terms: readonly unknown[]): object[] {
  const maps: object[] = []
  const seen = new Set<object>()
  const open: Iterator<unknown>[] = [terms[Symbol.iterator]()]
  while (open.length > 0) {
    const { done, value } = open.at(-1)!.next()
    if (done === true) open.pop()
    else if (typeof value === 'object' && value !== null && !seen.has(value)) {
      const inside = insideOf(value)
      if (inside === undefined) continue
      seen.add(value)
      open.push(inside)
      if (value instanceof Map || isPlainObject(value)) maps.push(value)
    }
  }
  return maps
}

/** The terms that a container holds; undefined for what holds none. */
export function insideOf(value: object): Iterator<unknown> | undefined {
  if (value instanceof Tuple || Array.isArray(value)) return value[Symbol.iterator]()
  if (value instanceof Map) return keysAndValues(value)
  if (value instanceof ImproperList) return [...value.elements, value.tail].values()
  if (value instanceof Fun) return value.free.values()
  if (value instanceof NativeRecord) return value.fields.map(([, field]) => field).values()
  return isPlainObject(value) ? Object.values(value).values() : undefined
}

function* keysAndValues(map: ReadonlyMap<unknown, unknown>): Generator<unknown> {
  for (const [key, value] of map) {
    yield key
    yield value
  }
}
