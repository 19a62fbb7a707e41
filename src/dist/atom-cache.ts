/**
 * The atom cache of one direction of a connection: 2048 slots, the same at both ends. The sender chooses a slot for an atom and says so
 * in the header of the message that brings it; from then on the slot's number stands for the atom, until another takes the slot.
 *
 * Source: erl_ext_dist, "Distribution Header"; ERTS_ATOM_CACHE_SIZE.
 */
import type { AtomTerm } from '../etf/atoms.js'
import type { Atom } from '../term/index.js'

export const cacheSize = 2048

/** What this end knows of the peer's cache. */
export class ReceivingCache {
  readonly #slots: AtomTerm[] = []

  /** Undefined when nothing is in the slot. */
  get(slot: number): AtomTerm | undefined {
    return this.#slots[slot]
  }

  set(slot: number, atom: AtomTerm): void {
    this.#slots[slot] = atom
  }
}

/** What the peer knows of this end's cache, once it has read all that was sent. */
export class SendingCache {
  readonly #slots: Atom[] = []
  readonly #slotByAtom = new Map<Atom, number>()

  /**
   * The slot of an atom. An atom keeps the slot it was first given, and shares it with every 2048th after it, so an atom in steady use
   * is sent anew only where two such meet.
   */
  slotOf(atom: Atom): number {
    const known = this.#slotByAtom.get(atom)
    if (known !== undefined) return known
    const slot = this.#slotByAtom.size % cacheSize
    this.#slotByAtom.set(atom, slot)
    return slot
  }

  /** Does the peer have this atom in this slot? If not, it has from now on: the caller sends it. */
  put(slot: number, atom: Atom): boolean {
    if (this.#slots[slot] === atom) return true
    this.#slots[slot] = atom
    return false
  }
}
