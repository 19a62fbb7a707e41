import type { AtomTerm } from '../etf/atoms.js'
import type { Atom } from '../term/index.js'
import { atomIn } from './control-fields.js'
import { maxReferences } from './header.js'

/** Up to so many, looking through all is quicker than a Map. */
const few = 16

/** The atoms of one message, numbered as they come: what ATOM_CACHE_REF n means in it. */
export class AtomReferences {
  readonly #atoms: Atom[] = []
  readonly #index = new Map<Atom, number>()

  /** Valid until `clear`. */
  get atoms(): readonly Atom[] {
    return this.#atoms
  }

  clear(): void {
    this.#atoms.length = 0
    if (this.#index.size > 0) this.#index.clear()
  }

  /** Begins with these: what they stood for in the message that they came in, they stand for in this one. */
  load(atoms: readonly AtomTerm[]): void {
    for (const term of atoms) this.#atoms.push(atomIn(term) as Atom)
  }

  /** The number of an atom, -1 when there are too many. */
  of(atom: Atom): number {
    const atoms = this.#atoms
    const known = atoms.length <= few ? atoms.indexOf(atom) : this.#find(atom)
    if (known >= 0 || atoms.length === maxReferences) return known
    return atoms.push(atom) - 1
  }

  #find(atom: Atom): number {
    for (let i = this.#index.size; i < this.#atoms.length; i++) this.#index.set(this.#atoms[i]!, i)
    return this.#index.get(atom) ?? -1
  }
}
