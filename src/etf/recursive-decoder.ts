/**
 * The terms that nearly all messages are made of, read by recursion, which is two to three times as fast as the Reader with its stack of frames.
 * What is rare, wrong or nested deeper than a few hundred levels is left to that: see Decoder. So nothing here has an error to tell, but
 * each limit counts as there.
 */
import { Float, ImproperList, Pid, Reference, type Term, Tuple } from '../term/index.js'
import { type AtomBudget, type AtomTerm, atomFromUtf8, atomOfTerm } from './atoms.js'
import { hasEqualBinaries } from './binary-keys.js'
import { binaryAt, float64At } from './bytes-of.js'
import { arrayCost, mapCost, mapEntryCost, objectCost, tupleCost } from './costs.js'
import { integerFromBytes } from './integers.js'
import { type Limits, capacity } from './limits.js'
import { deepest, left } from './recursion.js'
import * as tag from './tags.js'

const none: readonly AtomTerm[] = []
const empty = Buffer.alloc(0)

/** Pids that came lately, each where its numbers say: most come again and again, and a frozen object may be shared. */
const pidSlots = 512

export class RecursiveDecoder {
  /** The offset after what was read last */
  position = 0
  /** Bytes of heap that it takes, counted as the Reader does */
  memory = 0
  readonly #limits: Limits
  readonly #exact: boolean
  readonly #atoms: AtomBudget
  readonly #depth: number
  readonly #pids: (Pid | undefined)[] = []
  #bytes: Buffer = empty
  #cache: readonly AtomTerm[] = none

  constructor(limits: Limits, exact: boolean, atoms: AtomBudget) {
    this.#limits = limits
    this.#exact = exact
    this.#atoms = atoms
    this.#depth = Math.min(limits.depth, deepest)
  }

  /** @throws `left`, an EtfError, or a RangeError where the stack ends: then the Reader tells the term, or what is wrong with it. */
  read(bytes: Buffer, offset: number, cache: readonly AtomTerm[] | undefined): Term {
    this.#bytes = bytes
    this.position = offset
    this.memory = 0
    this.#cache = cache ?? none
    try {
      return this.#value(0, 0)
    } finally {
      this.#bytes = empty
      this.#cache = none
    }
  }

  /** @param owed how many terms the containers around this one have still to get after it */
  #value(depth: number, owed: number): Term {
    const bytes = this.#bytes
    const at = this.position
    if (at >= bytes.length) throw left
    this.position = at + 1
    switch (bytes[at]) {
      case tag.SMALL_INTEGER_EXT:
        return this.#u8()
      case tag.INTEGER_EXT:
        return this.#u32() | 0
      case tag.SMALL_ATOM_UTF8_EXT:
        return this.#atomOf(this.#u8())
      case tag.ATOM_CACHE_REF:
        return this.#cachedAtom()
      case tag.SMALL_TUPLE_EXT:
        return this.#tuple(this.#u8(), depth, owed)
      case tag.BINARY_EXT:
        return this.#binary(this.#u32())
      case tag.LIST_EXT:
        return this.#list(this.#u32(), depth, owed)
      case tag.NIL_EXT:
        this.#charge(arrayCost)
        return []
      case tag.MAP_EXT:
        return this.#map(this.#u32(), depth, owed)
      case tag.NEW_PID_EXT:
        return this.#pid()
      case tag.NEWER_REFERENCE_EXT:
        return this.#reference()
      case tag.NEW_FLOAT_EXT:
        return this.#float()
      case tag.STRING_EXT:
        return this.#string(this.#u16())
      case tag.SMALL_BIG_EXT:
        return this.#big(this.#u8())
      default:
        throw left
    }
  }

  // ── what has no parts ──────────────────────────────────────────────────────

  #big(size: number): Term {
    const negative = this.#u8() !== 0
    const start = this.#skip(size)
    if (size > this.#limits.bignum) throw left
    return integerFromBytes(this.#bytes, start, size, negative)
  }

  #float(): Term {
    const value = float64At(this.#bytes, this.#skip(8))
    if (!Number.isFinite(value)) throw left
    return this.#exact ? new Float(value) : value
  }

  #atomOf(length: number): AtomTerm {
    return atomFromUtf8(this.#bytes, this.#skip(length), length, this.#atoms)
  }

  #cachedAtom(): AtomTerm {
    const found = this.#cache[this.#u8()]
    if (found === undefined) throw left
    return found
  }

  #binary(size: number): Buffer {
    const start = this.#skip(size)
    this.#charge(objectCost + size)
    return binaryAt(this.#bytes, start, size)
  }

  #string(size: number): Term {
    const bytes = this.#bytes
    const start = this.#skip(size)
    this.#charge(arrayCost + 8 * size)
    const list: number[] = new Array<number>(size)
    for (let i = 0; i < size; i++) list[i] = bytes[start + i]!
    return list
  }

  #node(): AtomTerm {
    const kind = this.#u8()
    if (kind === tag.SMALL_ATOM_UTF8_EXT) return this.#atomOf(this.#u8())
    if (kind === tag.ATOM_CACHE_REF) return this.#cachedAtom()
    throw left
  }

  #pid(): Pid {
    const node = atomOfTerm(this.#node())
    const [id, serial, creation] = [this.#u32(), this.#u32(), this.#u32()]
    const slot = (id ^ (id >>> 9) ^ (serial << 5)) & (pidSlots - 1)
    const known = this.#pids[slot]
    if (known !== undefined && known.id === id && known.serial === serial && known.creation === creation && known.node === node)
      return known
    const made = new Pid(node, id, serial, creation)
    this.#pids[slot] = made
    return made
  }

  #reference(): Reference {
    const size = this.#u16()
    if (size < 1 || size > 5) throw left
    const node = atomOfTerm(this.#node())
    const creation = this.#u32()
    const words = new Array<number>(size)
    for (let i = 0; i < size; i++) words[i] = this.#u32()
    return new Reference(node, creation, words)
  }

  // ── containers ─────────────────────────────────────────────────────────────

  /** A container of so many terms, which each take at least a byte. */
  #open(size: number, depth: number, owed: number, cost: number): void {
    if (depth >= this.#depth || size + owed > this.#bytes.length - this.position) throw left
    this.#charge(cost)
  }

  #tuple(arity: number, depth: number, owed: number): Term {
    if (arity === 0) {
      this.#charge(tupleCost)
      return new Tuple([])
    }
    this.#open(arity, depth, owed, tupleCost + 8 * arity)
    const elements = new Array<Term>(arity)
    this.#fill(elements, arity, depth + 1, owed + arity - 1)
    return new Tuple(elements)
  }

  /** @param owed how many terms come after the first of these */
  #fill(elements: Term[], size: number, depth: number, owed: number): void {
    const bytes = this.#bytes
    const last = bytes.length - 5
    for (let i = 0; i < size; i++) {
      const at = this.position
      // Integers are so common that a call for each would be most of what they cost.
      if (at <= last && bytes[at] === tag.SMALL_INTEGER_EXT) {
        elements[i] = bytes[at + 1]!
        this.position = at + 2
      } else if (at <= last && bytes[at] === tag.INTEGER_EXT) {
        elements[i] = (bytes[at + 1]! << 24) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 8) | bytes[at + 4]!
        this.position = at + 5
      } else elements[i] = this.#value(depth, owed - i)
    }
  }

  #list(size: number, depth: number, owed: number): Term {
    if (size > capacity.list) throw left
    this.#open(size, depth, owed, arrayCost + 8 * size)
    // An array that is made at its full size is quicker to fill, but V8 makes very large ones sparse.
    const elements: Term[] = size <= 0xffff ? new Array<Term>(size) : []
    this.#fill(elements, size, depth + 1, owed + size - 1)
    const next = this.#u8()
    return next === tag.NIL_EXT ? elements : this.#improper(elements, next, depth, owed)
  }

  /** @param next the tag of the tail: one that is a list makes this one longer. */
  #improper(elements: Term[], next: number, depth: number, owed: number): Term {
    if (next === tag.LIST_EXT || next === tag.STRING_EXT || elements.length === 0) throw left
    this.#charge(8)
    this.position--
    return new ImproperList(elements, this.#value(depth + 1, owed))
  }

  #map(size: number, depth: number, owed: number): Term {
    const map = new Map<Term, Term>()
    if (size === 0) {
      this.#charge(mapCost)
      return map
    }
    if (size > capacity.map) throw left
    this.#open(2 * size, depth, owed, mapCost + mapEntryCost * size)
    let binaries: Buffer[] | null = null
    for (let i = 0; i < size; i++) {
      const key = this.#key()
      if (key instanceof Buffer) (binaries ??= []).push(key)
      map.set(key, this.#value(depth + 1, owed + 2 * (size - i) - 1))
    }
    if (map.size !== size || (binaries !== null && binaries.length > 1 && hasEqualBinaries(binaries))) throw left
    return map
  }

  /** An atom, a binary or an integer: whether others are equal, the Reader finds out. */
  #key(): Term {
    switch (this.#u8()) {
      case tag.SMALL_ATOM_UTF8_EXT:
        return this.#atomOf(this.#u8())
      case tag.ATOM_CACHE_REF:
        return this.#cachedAtom()
      case tag.BINARY_EXT:
        return this.#binary(this.#u32())
      case tag.SMALL_INTEGER_EXT:
        return this.#u8()
      case tag.INTEGER_EXT:
        return this.#u32() | 0
      default:
        throw left
    }
  }

  // ── bytes ──────────────────────────────────────────────────────────────────

  #charge(cost: number): void {
    this.memory += cost
    if (this.memory > this.#limits.memory) throw left
  }

  #skip(length: number): number {
    const start = this.position
    if (length > this.#bytes.length - start) throw left
    this.position = start + length
    return start
  }

  #u8(): number {
    const at = this.position
    const bytes = this.#bytes
    if (at >= bytes.length) throw left
    this.position = at + 1
    return bytes[at]!
  }

  #u16(): number {
    const at = this.#skip(2)
    const bytes = this.#bytes
    return (bytes[at]! << 8) | bytes[at + 1]!
  }

  #u32(): number {
    const at = this.#skip(4)
    const bytes = this.#bytes
    return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  }
}
