/** A Map whose keys are terms, told apart as `=:=` does: two tuples or binaries of one content are one key. */
import { encode } from '../etf/index.js'
import { Atom, equals, ImproperList, type Term, Tuple } from '../term/index.js'

export class TermTable<V> {
  readonly #entries = new Map<string, [key: Term, value: V]>()
  /** Maps have no canonical bytes. As keys, and inside of keys, they are rare. */
  readonly #withMaps: [key: Term, value: V][] = []

  get size(): number {
    return this.#entries.size + this.#withMaps.length
  }

  get(key: Term): V | undefined {
    return this.#find(key)?.[1]
  }

  set(key: Term, value: V): void {
    const found = this.#find(key)
    if (found) {
      found[1] = value
      return
    }
    const bytes = bytesOf(key)
    if (bytes === null) this.#withMaps.push([key, value])
    else this.#entries.set(bytes, [key, value])
  }

  delete(key: Term): boolean {
    const bytes = bytesOf(key)
    if (bytes !== null) return this.#entries.delete(bytes)
    const index = this.#withMaps.findIndex(([known]) => equals(known, key))
    if (index >= 0) this.#withMaps.splice(index, 1)
    return index >= 0
  }

  *[Symbol.iterator](): IterableIterator<readonly [key: Term, value: V]> {
    yield* this.#entries.values()
    yield* this.#withMaps
  }

  #find(key: Term): [key: Term, value: V] | undefined {
    const bytes = bytesOf(key)
    return bytes === null ? this.#withMaps.find(([known]) => equals(known, key)) : this.#entries.get(bytes)
  }
}

/** One string for equal terms, or null for those that hold a map. */
function bytesOf(term: Term): string | null {
  if (term instanceof Atom) return term.name
  if (Buffer.isBuffer(term)) return `"${term.toString('latin1')}`
  return hasMap(term) ? null : `#${encode(term).toString('latin1')}`
}

/** A list of what is left to look at: terms nest deeper than calls. */
function hasMap(term: Term): boolean {
  const left: unknown[] = [term]
  while (left.length > 0) {
    const part = left.pop()
    if (part instanceof Map) return true
    if (Array.isArray(part)) for (const element of part) left.push(element)
    else if (part instanceof Tuple) for (const element of part.elements) left.push(element)
    else if (part instanceof ImproperList) left.push(...part.elements, part.tail)
  }
  return false
}
