import type { AtomTerm } from '../etf/atoms.js'
import type { Atom } from '../term/index.js'
import { atomIn } from './control-fields.js'
import { maxReferences } from './header.js'

/** Up to so many, looking through all is quicker than a Map. */
const few = 16

/** The atoms of one message, numbered as they come: what ATOM_CACHE_REF n means in it. */
export class AtomReferences {
  /** Those of this message, and behind them some of earlier ones: to shorten it would cost more than to fill it. */
  readonly list: Atom[] = []
  #count = 0
  readonly #index = new Map<Atom, number>()

  /** How many of the list count */
  get count(): number {
    return this.#count
  }

  /** These alone, to keep */
  get atoms(): readonly Atom[] {
    return this.list.slice(0, this.#count)
  }

  clear(): void {
    this.#count = 0
    if (this.#index.size > 0) this.#index.clear()
  }

  /** Begins with these: what they stood for in the message that they came in, they stand for in this one. */
  load(atoms: readonly AtomTerm[]): void {
    for (const term of atoms) this.#add(atomIn(term) as Atom)
  }

  /** The number of an atom, -1 when there are too many. */
  of(atom: Atom): number {
    const known = this.#count <= few ? this.#look(atom) : this.#find(atom)
    if (known >= 0 || this.#count === maxReferences) return known
    return this.#add(atom)
  }

  #add(atom: Atom): number {
    this.list[this.#count] = atom
    return this.#count++
  }

  #look(atom: Atom): number {
    const { list } = this
    const count = this.#count
    for (let i = 0; i < count; i++) if (list[i] === atom) return i
    return -1
  }

  #find(atom: Atom): number {
    for (let i = this.#index.size; i < this.#count; i++) this.#index.set(this.list[i]!, i)
    return this.#index.get(atom) ?? -1
  }
}
