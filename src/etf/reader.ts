/**
 * Reads terms without recursion. A tag's function returns its value, or, for a container, opens a Frame: the Reader fills it element by
 * element, closes it into its value and gives that to the frame around it. Ten thousand levels cost heap, not stack.
 *
 * No claim of a length is believed before its bytes are there: each term takes at least one byte, so a container may claim at most the
 * bytes that are left after what the containers around it have still to get.
 */
import type { Atom, Term } from '../term/index.js'
import { type AtomBudget, type AtomTerm, atomFromLatin1, atomFromUtf8, atomOfTerm } from './atoms.js'
import { float64At } from './bytes-of.js'
import { EtfError, type EtfCode } from './error.js'
import { Keys } from './keys.js'
import type { Limits } from './limits.js'
import { ElementsFrame, type Frame, MapFrame, owedAfter } from './open-frame.js'
import { ATOM_CACHE_REF, ATOM_EXT, ATOM_UTF8_EXT, SMALL_ATOM_EXT, SMALL_ATOM_UTF8_EXT } from './tags.js'

/** What a tag's function returns when it has opened a frame instead of making a value; a frame's close, when it wants more elements. */
export const OPEN = Symbol('open') as unknown as Term

export interface ReaderOptions {
  /** Every float becomes a Float */
  readonly exact: boolean
  readonly limits: Limits
  readonly atoms: AtomBudget
}

const none: readonly AtomTerm[] = []
const empty = Buffer.alloc(0)

export class Reader {
  bytes: Buffer = empty
  position = 0
  readonly keys = new Keys()
  readonly limits: Limits
  /** Every float becomes a Float */
  readonly exact: boolean
  readonly #atoms: AtomBudget
  readonly #tags: readonly ((reader: Reader) => Term)[]
  #cache: readonly AtomTerm[] = none
  #frame: Frame | null = null
  #memory = 0

  /** `tags[n]` reads what follows tag n. */
  constructor(tags: readonly ((reader: Reader) => Term)[], options: ReaderOptions) {
    this.#tags = tags
    this.limits = options.limits
    this.exact = options.exact
    this.#atoms = options.atoms
  }

  /** The term that begins at `offset`; `position` is then the offset after it. @throws EtfError */
  read(bytes: Buffer, offset: number, cache: readonly AtomTerm[] | undefined): Term {
    this.bytes = bytes
    this.position = offset
    this.#cache = cache ?? none
    this.#memory = 0
    try {
      return this.#term()
    } finally {
      this.bytes = empty
      this.#frame = null
      this.keys.clear()
      this.#cache = none
    }
  }

  #term(): Term {
    const first = this.#next()
    if (first !== OPEN) return first
    for (;;) {
      const frame = this.#frame!
      let value: Term = null
      while (frame.index < frame.size) {
        value = this.#next()
        if (value === OPEN) break
        frame.put(value)
      }
      if (value === OPEN) continue
      value = frame.finish(this)
      if (value === OPEN) continue
      const { outer } = frame
      if (outer === null) return value
      this.#frame = outer
      outer.put(value)
    }
  }

  #next(): Term {
    const { bytes, position } = this
    if (position >= bytes.length) throw this.truncated()
    this.position = position + 1
    return this.#tags[bytes[position]!]!(this)
  }

  // ── containers ─────────────────────────────────────────────────────────────

  /** Opens a container of `size` terms. `cost`: the bytes of heap that it takes without them. */
  open(size: number, close: ElementsFrame['close'], cost: number): Term {
    this.#admit(size, cost + 8 * size)
    this.#frame = new ElementsFrame(this.#frame, size, close)
    return OPEN
  }

  /** Opens a map of `size` pairs. */
  openMap(size: number, close: MapFrame['close'], cost: number): Term {
    this.#admit(2 * size, cost)
    this.#frame = new MapFrame(this.#frame, 2 * size, close)
    return OPEN
  }

  /** The open frame gets `size` more elements. */
  extend(frame: ElementsFrame, size: number): Term {
    this.expect(size + frame.owed)
    this.charge(8 * size)
    frame.size += size
    return OPEN
  }

  #admit(size: number, cost: number): void {
    const frame = this.#frame
    this.expect(size + owedAfter(frame))
    if (frame !== null && frame.depth >= this.limits.depth) {
      throw this.error('ETF_DEPTH', `The term is nested deeper than limits.depth (${this.limits.depth}) allows.`)
    }
    this.charge(cost)
  }

  /** Counts the bytes of heap that a value takes. */
  charge(cost: number): void {
    this.#memory += cost
    if (this.#memory > this.limits.memory) {
      throw this.error('ETF_SIZE', `The term would take more than limits.memory (${this.limits.memory} bytes) of heap.`)
    }
  }

  /** What the term that was read last has been charged */
  get memory(): number {
    return this.#memory
  }

  /** Is what is being read a map key, or part of one? */
  get inKey(): boolean {
    const frame = this.#frame
    return frame !== null && (frame.inKey || frame.atKey)
  }

  // ── atoms, where nothing else may stand ────────────────────────────────────

  /** An atom with its tag. `true`, `false` and `nil` too are Atoms here: nodes, modules and fields bear such names. */
  atom(): Atom {
    const tag = this.u8()
    if (tag === SMALL_ATOM_UTF8_EXT) return atomOfTerm(this.utf8Atom(this.u8()))
    if (tag === ATOM_CACHE_REF) return atomOfTerm(this.cachedAtom(this.u8()))
    if (tag === ATOM_UTF8_EXT) return atomOfTerm(this.utf8Atom(this.u16()))
    if (tag === SMALL_ATOM_EXT) return atomOfTerm(this.latin1Atom(this.u8()))
    if (tag === ATOM_EXT) return atomOfTerm(this.latin1Atom(this.u16()))
    throw this.error('ETF_ATOM', `Tag ${tag} stands where an atom must be.`, this.position - 1)
  }

  utf8Atom(length: number): AtomTerm {
    return atomFromUtf8(this.bytes, this.skip(length), length, this.#atoms)
  }

  latin1Atom(length: number): AtomTerm {
    return atomFromLatin1(this.bytes, this.skip(length), length, this.#atoms)
  }

  cachedAtom(index: number): AtomTerm {
    const found = this.#cache[index]
    if (found === undefined) throw this.error('ETF_ATOM_CACHE', `The message's header has no atom ${index}.`, this.position - 2)
    return found
  }

  // ── bytes ──────────────────────────────────────────────────────────────────

  /** Moves on by `length` bytes. Returns the offset where they begin. */
  skip(length: number): number {
    const start = this.position
    if (length > this.bytes.length - start) throw this.truncated()
    this.position = start + length
    return start
  }

  u8(): number {
    const at = this.position
    if (at >= this.bytes.length) throw this.truncated()
    this.position = at + 1
    return this.bytes[at]!
  }

  u16(): number {
    const at = this.skip(2)
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!
  }

  i32(): number {
    const { bytes } = this
    const at = this.skip(4)
    return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
  }

  u32(): number {
    return this.i32() >>> 0
  }

  u64(): bigint {
    return (BigInt(this.u32()) << 32n) | BigInt(this.u32())
  }

  f64(): number {
    return float64At(this.bytes, this.skip(8))
  }

  // ── errors ─────────────────────────────────────────────────────────────────

  truncated(): EtfError {
    return this.error('ETF_TRUNCATED', 'The bytes end before the term does.')
  }

  /** Refuses to go on when fewer bytes are left. */
  expect(size: number): void {
    if (size > this.bytes.length - this.position) throw this.truncated()
  }

  /** For a container that JavaScript could not hold, if its bytes were there. */
  tooMany(size: number, message: string): EtfError {
    this.expect(size)
    return this.error('ETF_SIZE', message)
  }

  error(code: EtfCode, message: string, offset = this.position): EtfError {
    return new EtfError(code, message, { offset })
  }
}
