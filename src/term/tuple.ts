import { inspect, type InspectOptions } from 'node:util'
import { Atom } from './atom.js'
import { inspectElements } from './inspect.js'

/**
 * A tuple. `elements` has typed positions, and `tag` (the first atom's name) narrows unions of tuples.
 *
 * A holder of an array costs a seventh of what a subclass of Array does to make.
 */
export class Tuple<E extends readonly unknown[] = readonly any[]> implements Iterable<E[number]> {
  readonly elements: E

  constructor(elements: E) {
    this.elements = elements
  }

  /** The first element's name when it is an atom: `'DOWN'` for `{'DOWN', …}`. */
  get tag(): E[0] extends Atom<infer N> ? N : undefined {
    const first: unknown = this.elements[0]
    return (first instanceof Atom ? first.name : undefined) as E[0] extends Atom<infer N> ? N : undefined
  }

  get length(): number {
    return this.elements.length
  }

  [Symbol.iterator](): Iterator<E[number]> {
    return this.elements[Symbol.iterator]()
  }

  [inspect.custom](depth: number, options: InspectOptions): string {
    return inspectElements('Tuple', this.elements, depth, options)
  }
}

/** `tuple(atom('ok'), 1)` is `{ok, 1}`. */
export function tuple<E extends readonly unknown[]>(...elements: E): Tuple<E> {
  return new Tuple(elements)
}
