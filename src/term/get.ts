import { Atom } from './atom.js'
import { equals } from './equals.js'
import type { Sendable } from './types.js'

/**
 * The value of a key in a map, or undefined. A JavaScript Map finds an atom, a boolean, null and a number by itself; `get` finds every key
 * by its content: a tuple, a pid, a Buffer, or a string, which stands for the binary.
 *
 * Keys that are atoms, and numbers as they arrive, cost one look-up. All others cost a walk through the map.
 *
 * @example
 * ```ts
 * import { get, parse } from 'beamlet'
 * import type { TermMap } from 'beamlet'
 * import assert from 'node:assert/strict'
 *
 * const map = parse('#{<<"name">> => 1, {x, 2} => 2}') as TermMap
 * assert.equal(get(map, 'name'), 1)
 * assert.equal(get(map, parse('{x, 2}')), 2)
 * assert.equal(get(map, 'age'), undefined)
 * ```
 */
export function get<V>(map: ReadonlyMap<unknown, V>, key: Sendable): V | undefined {
  // a Map takes -0, which is a float, for 0, which is an integer
  if (!Object.is(key, -0) && map.has(key)) return map.get(key)
  if (key instanceof Atom || typeof key === 'boolean' || key === null) return undefined
  for (const [candidate, value] of map) if (equals(candidate, key)) return value
  return undefined
}
