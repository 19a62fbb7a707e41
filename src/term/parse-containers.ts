/** The three containers of Erlang's syntax, while they are read. */
import { Atom } from './atom.js'
import { exactKeyOrder } from './compare.js'
import { ImproperList } from './containers.js'
import type { Scanner } from './scan.js'
import { Tuple } from './tuple.js'
import type { Term } from './types.js'

export interface Container {
  /** Takes a term and the mark behind it. Gives the container when that was its end. */
  take(term: Term): Term | undefined
}

/** `{a, b}`, behind its `{` */
export class TupleParser implements Container {
  readonly #scanner: Scanner
  readonly #elements: Term[] = []

  constructor(scanner: Scanner) {
    this.#scanner = scanner
  }

  take(term: Term): Term | undefined {
    this.#elements.push(term)
    if (this.#scanner.takes(',')) return undefined
    if (this.#scanner.takes('}')) return new Tuple(this.#elements)
    throw this.#scanner.unexpected('a comma or }')
  }
}

/** `[a, b | c]`, behind its `[`. `[a | [b | [c]]]` is read as one list, so that a long one costs linear time. */
export class ListParser implements Container {
  readonly #scanner: Scanner
  readonly #elements: Term[] = []
  /** How many `]` will follow the first one. */
  #inner = 0
  #inTail = false

  constructor(scanner: Scanner) {
    this.#scanner = scanner
  }

  take(term: Term): Term | undefined {
    if (this.#inTail) return this.#close(term)
    this.#elements.push(term)
    if (this.#scanner.takes(',')) return undefined
    if (!this.#scanner.takes('|')) return this.#close([])
    if (!this.#scanner.takes('[')) this.#inTail = true
    else {
      this.#inner++
      if (this.#scanner.takes(']')) return this.#closeInner([])
    }
    return undefined
  }

  #close(tail: Term): Term {
    if (!this.#scanner.takes(']')) throw this.#scanner.unexpected(this.#inTail ? ']' : 'a comma, | or ]')
    return this.#closeInner(tail)
  }

  #closeInner(tail: Term): Term {
    for (; this.#inner > 0; this.#inner--) if (!this.#scanner.takes(']')) throw this.#scanner.unexpected(']')
    if (!Array.isArray(tail)) return new ImproperList(this.#elements, tail)
    // a string, or nothing: any other list behind | was read as part of this one
    for (const element of tail as Term[]) this.#elements.push(element)
    return this.#elements
  }
}

/** `#{a => 1}`, behind its `{` */
export class MapParser implements Container {
  readonly #scanner: Scanner
  readonly #entries = new Map<Term, Term>()
  #key: { readonly term: Term } | undefined

  constructor(scanner: Scanner) {
    this.#scanner = scanner
  }

  take(term: Term): Term | undefined {
    if (this.#key === undefined) {
      this.#key = { term }
      if (!this.#scanner.takes('=>')) throw this.#scanner.unexpected('=> after the key')
      return undefined
    }
    this.#entries.set(this.#key.term, term)
    this.#key = undefined
    if (this.#scanner.takes(',')) return undefined
    if (this.#scanner.takes('}')) return withoutDuplicates(this.#entries)
    throw this.#scanner.unexpected('a comma or }')
  }
}

/** A JavaScript Map keeps two keys that are equal but not identical, such as two tuples; of those the last one counts. */
function withoutDuplicates(entries: Map<Term, Term>): Map<Term, Term> {
  const structured = [...entries.keys()].filter(key => typeof key === 'object' && key !== null && !(key instanceof Atom))
  const order = exactKeyOrder()
  const sorted = structured.toSorted(order.compare)
  for (const [i, key] of sorted.entries()) if (i > 0 && order.compare(sorted[i - 1], key) === 0) entries.delete(sorted[i - 1]!)
  return entries
}
