/**
 * Atoms, interned: `atom('ok') === atom('ok')`. An atom holds its UTF-8 bytes, so that writing one costs no conversion.
 *
 * `true`, `false` and `nil` are JavaScript's `true`, `false` and `null`; `atom` returns those.
 * Source: erl_ext_dist, SMALL_ATOM_UTF8_EXT; an atom has at most 255 code points.
 */
import { inspect } from 'node:util'
import { TermError } from './error.js'
import { formatAtom } from './format-text.js'

export class Atom<N extends string = string> {
  readonly name: N
  /** UTF-8. Never write to it. */
  readonly bytes: Uint8Array

  /** Use `atom(name)`: two Atoms of one name would not be equal. */
  private constructor(name: N, bytes: Uint8Array) {
    this.name = name
    this.bytes = bytes
    Object.freeze(this)
  }

  toString(): N {
    return this.name
  }

  [inspect.custom](): string {
    return `Atom(${formatAtom(this.name)})`
  }

  /** @internal The one place where Atoms are made. */
  static intern(name: string): Atom {
    const known = table.get(name)
    if (known) return known
    const bytes = Buffer.from(name)
    if (bytes.length > 255 && [...name].length > 255) throw new TermError('ERR_TERM_ATOM_LENGTH', 'An atom has at most 255 code points.')
    if (!name.isWellFormed()) throw new TermError('ERR_TERM_ATOM_TEXT', 'An atom cannot hold a lone surrogate: it has no UTF-8 form.')
    const made = new Atom(name, bytes)
    table.set(name, made)
    return made
  }
}

const table = new Map<string, Atom>()

/** The atoms that are JavaScript values of their own. */
type Plain = { true: true; false: false; nil: null }
export type AtomOf<N extends string> = N extends keyof Plain ? Plain[N] : Atom<N>

/**
 * The atom of that name: `atom('ok')`. `atom('true')` is `true`, `atom('false')` is `false`, `atom('nil')` is `null`.
 *
 * @throws TermError ERR_TERM_ATOM_LENGTH over 255 code points; ERR_TERM_ATOM_TEXT for a lone surrogate.
 */
export function atom<const N extends string>(name: N): AtomOf<N> {
  return (name === 'true' ? true : name === 'false' ? false : name === 'nil' ? null : Atom.intern(name)) as AtomOf<N>
}

/** Is there an atom of that name already? (What `list_to_existing_atom` asks; used to bound the atoms that a peer may bring.) */
export const atomExists = (name: string): boolean => table.has(name)

/** How many atoms this process holds. They are never freed, as on the BEAM. */
export const atomCount = (): number => table.size
