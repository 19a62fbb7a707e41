/**
 * The terms that nearly all messages are made of, written by recursion, which is two to three times as fast as the walk with a stack of its
 * own. What is rare, wrong or nested deeper than a few hundred levels is left to that: see Encoder. So nothing here has an error to tell.
 */
import { Atom, ImproperList, Pid, Reference, Tuple } from '../term/index.js'
import { atomOfTerm, termOfAtom } from './atoms.js'
import { hasEqualBinaries } from './binary-keys.js'
import type { AtomRef } from './encoder.js'
import { faultOf } from './fields.js'
import type { Limits } from './limits.js'
import { deepest, hasOwnProperty, keyAtom, left } from './recursion.js'
import type { Sink } from './sink.js'
import * as tag from './tags.js'

/** No value of a fixed size is longer. */
const room = 16
/** A shorter text is quicker to copy than to hand to V8. */
const shortText = 48

export class RecursiveEncoder {
  readonly #sink: Sink
  readonly #atomRef: AtomRef | undefined
  readonly #depth: number
  readonly #bigs: boolean

  constructor(sink: Sink, limits: Limits, atomRef: AtomRef | undefined) {
    this.#sink = sink
    this.#atomRef = atomRef
    this.#depth = Math.min(limits.depth, deepest)
    this.#bigs = limits.bignum >= 8
  }

  /** @throws `left`, or a RangeError where the stack ends: what was written must be taken back. */
  write(value: unknown): void {
    this.#value(value, 0)
  }

  #value(value: unknown, depth: number): void {
    switch (typeof value) {
      case 'number':
        return this.#number(value)
      case 'string':
        return this.#text(value)
      case 'boolean':
        return this.#atom(atomOfTerm(value))
      case 'object':
        if (value === null) return this.#atom(atomOfTerm(null))
        if (value instanceof Atom) return this.#atom(value)
        if (Array.isArray(value)) return this.#list(value, depth)
        if (value instanceof Tuple) return this.#tuple(value.elements, depth)
        return this.#object(value, depth)
      default:
        throw left
    }
  }

  #object(value: object, depth: number): void {
    if (Object.getPrototypeOf(value) === Object.prototype) return this.#plain(value as Readonly<Record<string, unknown>>, depth)
    if (value instanceof Uint8Array) return this.#binary(value)
    if (value instanceof Map) return this.#map(value, depth)
    if (value instanceof Pid) return this.#pid(value)
    if (value instanceof Reference) return this.#reference(value)
    if (value instanceof ImproperList) return this.#improper(value, depth)
    throw left
  }

  // ── what has no parts ──────────────────────────────────────────────────────

  #number(value: number): void {
    if ((value | 0) === value && !(value === 0 && 1 / value < 0)) return this.#int32(value)
    const sink = this.#sink
    sink.ensure(room)
    if (!Number.isFinite(value)) throw left
    if (Number.isSafeInteger(value) && value !== 0) return this.#large(value)
    sink.tag64(tag.NEW_FLOAT_EXT, value)
  }

  #int32(value: number): void {
    const sink = this.#sink
    if ((value & 0xff) === value) sink.tag8(tag.SMALL_INTEGER_EXT, value)
    else sink.tag32(tag.INTEGER_EXT, value)
  }

  /** Four to seven bytes */
  #large(value: number): void {
    if (!this.#bigs) throw left
    const sink = this.#sink
    const { bytes, position } = sink
    let rest = Math.abs(value)
    let at = position + 3
    for (; rest > 0; rest = Math.floor(rest / 256)) bytes[at++] = rest % 256
    bytes[position] = tag.SMALL_BIG_EXT
    bytes[position + 1] = at - position - 3
    bytes[position + 2] = value < 0 ? 1 : 0
    sink.position = at
  }

  #text(value: string): void {
    const sink = this.#sink
    const { length } = value
    if (length <= shortText && sink.asciiBehind(5, value)) {
      sink.tag32(tag.BINARY_EXT, length)
      sink.position += length
      return
    }
    const start = sink.length
    sink.tag32(tag.BINARY_EXT, 0)
    if (!sink.text(value)) throw left
    sink.patchU32(start + 1, sink.length - start - 5)
  }

  #binary(value: Uint8Array): void {
    this.#sink.tag32(tag.BINARY_EXT, value.length)
    this.#sink.raw(value)
  }

  #atom(atom: Atom): void {
    const sink = this.#sink
    const ref = this.#atomRef === undefined ? -1 : this.#atomRef(atom)
    if (ref >= 0) return sink.tag8(tag.ATOM_CACHE_REF, ref)
    const { length } = atom.bytes
    if (length > 255) throw left
    sink.tag8(tag.SMALL_ATOM_UTF8_EXT, length)
    sink.raw(atom.bytes)
  }

  #pid(pid: Pid): void {
    if (faultOf(pid) !== undefined) throw left
    const sink = this.#sink
    sink.u8(tag.NEW_PID_EXT)
    this.#atom(pid.node)
    sink.u32x3(pid.id, pid.serial, pid.creation)
  }

  #reference(reference: Reference): void {
    if (faultOf(reference) !== undefined) throw left
    const sink = this.#sink
    const { words } = reference
    sink.u8(tag.NEWER_REFERENCE_EXT)
    sink.u16(words.length)
    this.#atom(reference.node)
    sink.u32(reference.creation)
    if (words.length === 3) sink.u32x3(words[0]!, words[1]!, words[2]!)
    else for (let i = 0; i < words.length; i++) sink.u32(words[i]!)
  }

  // ── containers ─────────────────────────────────────────────────────────────

  #enter(depth: number): void {
    if (depth >= this.#depth) throw left
  }

  #tuple(elements: readonly unknown[], depth: number): void {
    const { length } = elements
    if (length > 255) throw left
    this.#sink.tag8(tag.SMALL_TUPLE_EXT, length)
    if (length === 0) return
    this.#enter(depth)
    this.#parts(elements, length, depth + 1)
  }

  #parts(parts: readonly unknown[], length: number, depth: number): void {
    for (let i = 0; i < length; i++) {
      const value = parts[i]
      // Integers are so common that the way of all others would be most of what they cost.
      if (typeof value === 'number' && (value | 0) === value && value !== 0) this.#int32(value)
      else this.#value(value, depth)
    }
  }

  #list(list: readonly unknown[], depth: number): void {
    const sink = this.#sink
    const { length } = list
    if (length === 0) return sink.u8(tag.NIL_EXT)
    const first = list[0]
    if (length <= 0xffff && typeof first !== 'object' && typeof first !== 'string' && this.#bytes(list)) return
    this.#enter(depth)
    sink.tag32(tag.LIST_EXT, length)
    this.#parts(list, length, depth + 1)
    sink.u8(tag.NIL_EXT)
  }

  /** `[alias | Ref]` stands in every answer to a call. A tail that is a list only makes this one longer. */
  #improper({ elements, tail }: ImproperList, depth: number): void {
    const { length } = elements
    if (length === 0 || Array.isArray(tail) || tail instanceof ImproperList) throw left
    this.#enter(depth)
    this.#sink.tag32(tag.LIST_EXT, length)
    this.#parts(elements, length, depth + 1)
    this.#value(tail, depth + 1)
  }

  /** Is it a list of bytes, and so written? */
  #bytes(list: readonly unknown[]): boolean {
    const sink = this.#sink
    const { length } = list
    for (const value of list) {
      if (typeof value === 'bigint') throw left
      if (typeof value !== 'number' || (value & 0xff) !== value || (value === 0 && 1 / value < 0)) return false
    }
    sink.ensure(3 + length)
    const { bytes } = sink
    let { position } = sink
    bytes[position] = tag.STRING_EXT
    bytes[position + 1] = length >>> 8
    bytes[position + 2] = length
    position += 3
    for (let i = 0; i < length; i++) bytes[position + i] = list[i] as number
    sink.position = position + length
    return true
  }

  /** `for in` is V8's quickest way to an object's own enumerable properties. */
  #plain(value: Readonly<Record<string, unknown>>, depth: number): void {
    const sink = this.#sink
    const start = sink.length
    let size = 0
    sink.tag32(tag.MAP_EXT, 0)
    for (const name in value) {
      if (!hasOwnProperty.call(value, name)) continue
      if (size++ === 0) this.#enter(depth)
      this.#name(name)
      this.#value(value[name], depth + 1)
    }
    if (size > 0) sink.patchU32(start + 1, size)
  }

  /** An object's key, as an atom. Where no header refers to atoms, none needs to be made of an ASCII name. */
  #name(name: string): void {
    const sink = this.#sink
    const { length } = name
    if (this.#atomRef === undefined && length <= shortText && sink.asciiBehind(2, name)) {
      sink.tag8(tag.SMALL_ATOM_UTF8_EXT, length)
      sink.position += length
    } else this.#atom(atomOfTerm(keyAtom(name)))
  }

  #map(map: ReadonlyMap<unknown, unknown>, depth: number): void {
    const { size } = map
    this.#sink.tag32(tag.MAP_EXT, size)
    if (size === 0) return
    this.#enter(depth)
    let written = 0
    let binaries = 0
    for (const [key, value] of map) {
      if (key instanceof Uint8Array) binaries++
      else if (typeof key === 'object' && key !== null && !(key instanceof Atom && termOfAtom(key) === key)) throw left
      this.#value(key, depth + 1)
      this.#value(value, depth + 1)
      written++
    }
    if (written !== size) throw left // a getter of a value wrote to it
    // A Map takes two equal ones for different, and a text for another than its bytes.
    if (binaries > 1 || (binaries === 1 && size > 1)) this.#refuseEqual(map, binaries)
  }

  #refuseEqual(map: ReadonlyMap<unknown, unknown>, binaries: number): void {
    const keys: Uint8Array[] = []
    for (const key of map.keys()) {
      if (key instanceof Uint8Array) keys.push(key)
      else if (typeof key === 'string') throw left
    }
    if (binaries > 1 && hasEqualBinaries(keys)) throw left
  }
}
