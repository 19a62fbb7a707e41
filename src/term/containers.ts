/** The terms for which JavaScript has no value of its own: improper lists, bit strings, forced floats, native records. */
import { inspect, type InspectOptions } from 'node:util'
import type { Atom } from './atom.js'
import { TermError } from './error.js'
import { formatBitString } from './format-binary.js'
import { formatFloat } from './format-float.js'
import { inspectElements } from './inspect.js'
import type { Term } from './types.js'

/** `[a, b | c]`: at least one element, and a tail that is no list. */
export class ImproperList {
  readonly elements: readonly Term[]
  readonly tail: Term

  constructor(elements: readonly Term[], tail: Term) {
    this.elements = elements
    this.tail = tail
  }

  [inspect.custom](depth: number, options: InspectOptions): string {
    return inspectElements('ImproperList', [this.elements, this.tail], depth, options)
  }
}

/** A binary whose last byte holds only `bits` (1..7) bits, the high ones: `<<5:3>>`. Whole bytes are a Buffer. */
export class BitString {
  readonly bytes: Buffer
  readonly bits: number

  constructor(bytes: Buffer, bits: number) {
    this.bytes = bytes
    this.bits = bits
  }

  /** `<<5:3>>` */
  toString(): string {
    return formatBitString(this)
  }

  [inspect.custom](): string {
    return `BitString(${this})`
  }
}

/**
 * A number that is a float whatever its value: `float(1)` is `1.0`. A plain `1` is the integer.
 * Decoded only with `floats: 'exact'`, and for an integral float that is a map key.
 */
export class Float {
  readonly value: number

  constructor(value: number) {
    if (!Number.isFinite(value)) throw new TermError('ERR_TERM_FLOAT', 'A float is finite: NaN and the infinities are no Erlang terms.')
    this.value = value
    Object.freeze(this)
  }

  valueOf(): number {
    return this.value
  }

  /** `1.0` */
  toString(): string {
    return formatFloat(this.value)
  }

  [inspect.custom](): string {
    return `Float(${this.toString()})`
  }
}

/** @throws TermError ERR_TERM_FLOAT for NaN and the infinities. */
export const float = (value: number): Float => new Float(value)

/** A native record of OTP 29: `#module:name{field = Value}`. `flags` is the wire's byte(s), kept as it came. */
export class NativeRecord {
  readonly module: Atom
  readonly name: Atom
  readonly fields: readonly (readonly [Atom, Term])[]
  readonly flags: number

  constructor(module: Atom, name: Atom, fields: readonly (readonly [Atom, Term])[], flags: number) {
    this.module = module
    this.name = name
    this.fields = fields
    this.flags = flags
  }

  [inspect.custom](depth: number, options: InspectOptions): string {
    return inspectElements(`NativeRecord(${this.module}:${this.name})`, this.fields, depth, options)
  }
}

/**
 * What `term_to_binary(T, [local])` of OTP 26 and later wrote: readable by the very node that wrote it, opaque to all others. It can be
 * carried, alone, never inside another term.
 */
export class LocalTerm {
  readonly kind = 'local term'
  /** What follows LOCAL_EXT */
  readonly bytes: Buffer

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }
}
