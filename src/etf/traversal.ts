/**
 * Walks through a value that shall be sent, and refuses what is no term. What each kind of term becomes (bytes, or a copy) is the
 * subclass's affair. No recursion: ten thousand levels cost heap, not stack.
 */
import { types } from 'node:util'
import {
  Atom,
  BitString,
  ExportFun,
  Float,
  Fun,
  ImproperList,
  LocalTerm,
  NativeRecord,
  Pid,
  Port,
  Reference,
  Tuple,
  atom,
} from '../term/index.js'
import type { AtomTerm } from './atoms.js'
import { EtfError, type EtfCode } from './error.js'
import { faultOf, faultOfFun, faultOfRecord } from './fields.js'
import { Frame, type Kind, pathTo } from './frame.js'
import { funHead, Keys, recordHead } from './keys.js'
import { type Limits, capacity } from './limits.js'

// Deeper than this, what is open is remembered, to tell a value that contains itself from one that is only deep.
const watchedFrom = 128

export abstract class Traversal {
  protected readonly limits: Limits
  readonly #keys = new Keys()
  /** The innermost container that is being walked through; its index has moved on behind the part that was begun. */
  protected frame: Frame | null = null
  #open: Set<object> | null = null

  constructor(limits: Limits) {
    this.limits = limits
  }

  protected abstract atom(value: AtomTerm): void
  /** Any integer that is safe as a number comes as one. */
  protected abstract integer(value: number | bigint): void
  protected abstract float(value: number): void
  protected abstract text(value: string): void
  protected abstract binary(value: Uint8Array): void
  protected abstract bitString(value: BitString): void
  protected abstract identity(value: Pid | Port | Reference | ExportFun): void
  /** A list of 1 to 65535 bytes; `0n` to `255n` are bytes too. */
  protected abstract byteList(value: readonly unknown[]): void
  /** Before the parts of a container, which may have none */
  protected abstract enter(frame: Frame): void
  /** After its parts */
  protected abstract leave(frame: Frame): void

  /** @throws EtfError */
  protected walk(value: unknown): void {
    try {
      this.#visit(value)
      for (let frame = this.frame; frame !== null; frame = this.frame) {
        while (frame.index < frame.size && frame === this.frame) this.#visit(frame.parts[frame.index++])
        if (frame === this.frame) this.#close(frame)
      }
    } finally {
      this.frame = null
      this.#open = null
      this.#keys.clear()
    }
  }

  /** Is what is being visited a map key, or part of one? */
  protected get inKey(): boolean {
    const frame = this.frame
    return frame !== null && (frame.inKey || frame.atKey)
  }

  /** The error, with the way to the value at fault in its message: `[2].name`. */
  protected error(code: EtfCode, message: string): EtfError {
    const path = pathTo(this.frame)
    return new EtfError(code, path === '' ? message : `${message} It stands at ${path}.`)
  }

  protected loneSurrogate(): EtfError {
    return this.error('ETF_TEXT', 'A string with a lone surrogate has no UTF-8 form: send it as a Buffer.')
  }

  protected checkBignum(size: number): void {
    const { bignum } = this.limits
    if (size > bignum) throw this.error('ETF_BIGNUM', `An integer of ${size} bytes is over limits.bignum (${bignum}).`)
  }

  // ── kinds of values ────────────────────────────────────────────────────────

  #visit(value: unknown): void {
    switch (typeof value) {
      case 'object':
        return value === null ? this.atom(null) : this.#visitObject(value)
      case 'number':
        return this.#visitNumber(value)
      case 'string':
        return this.text(value)
      case 'boolean':
        return this.atom(value)
      case 'bigint':
        return this.integer(value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value)
      case 'undefined':
        throw this.error('ETF_TERM', 'undefined is no Erlang term: send null (the atom nil), or leave the place out.')
      default:
        throw this.error('ETF_TERM', `A ${typeof value} is no Erlang term.`)
    }
  }

  #visitNumber(value: number): void {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) this.integer(value)
    else if (Number.isFinite(value)) this.float(value)
    else throw this.error('ETF_FLOAT', `${value} is no Erlang term: a float is finite.`)
  }

  #visitObject(value: object): void {
    if (value instanceof Atom) this.atom(value)
    else if (Array.isArray(value)) this.#visitArray(value, value)
    else if (value instanceof Tuple) this.#visitTuple(value)
    else if (Object.getPrototypeOf(value) === Object.prototype) this.#visitPlain(value)
    else if (value instanceof Uint8Array) this.binary(value)
    else if (value instanceof Map) this.#enter('map', value, mapParts(value))
    else if (value instanceof Pid || value instanceof Reference || value instanceof Port || value instanceof ExportFun)
      this.#visitIdentity(value)
    else if (value instanceof Float) this.float(value.value)
    else if (value instanceof ImproperList) this.#visitImproperList(value)
    else if (value instanceof BitString) this.#visitBitString(value)
    else if (value instanceof Fun) this.#visitFun(value)
    else if (value instanceof NativeRecord) this.#visitRecord(value)
    else this.#visitForeign(value)
  }

  #visitPlain(value: object): void {
    this.#enter('object', value, this.#objectParts(value as Readonly<Record<string, unknown>>))
  }

  /** What another realm made, such as a test runner's: its binaries, its maps, its plain objects. And objects without a prototype. */
  #visitForeign(value: object): void {
    if (types.isUint8Array(value)) return this.binary(value)
    if (types.isMap(value)) return this.#enter('map', value, mapParts(value))
    if (value instanceof LocalTerm)
      throw this.error('ETF_LOCAL', 'A LocalTerm can only be a whole term: its node alone knows where it ends.')
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) throw this.error('ETF_TERM', refusal(value))
    this.#visitPlain(value)
  }

  #visitArray(container: object, list: readonly unknown[]): void {
    if (isByteList(list)) this.byteList(list)
    else this.#enter('list', container, list)
  }

  #visitTuple(value: Tuple): void {
    if (value.elements.length > capacity.tuple) throw this.error('ETF_SIZE', `A tuple has at most ${capacity.tuple} elements.`)
    this.#enter('tuple', value, value.elements)
  }

  /** A tail that is a list only makes this one longer: `[1 | [2]]` is `[1, 2]`. */
  #visitImproperList(value: ImproperList): void {
    const parts: unknown[] = []
    const tails = new Set<unknown>()
    let tail: unknown = value
    while (tail instanceof ImproperList) {
      if (tails.has(tail)) throw this.error('ETF_CYCLE', 'An improper list is its own tail.')
      if (tail.elements.length === 0) throw this.error('ETF_TERM', 'An ImproperList needs an element before its tail.')
      tails.add(tail)
      for (const element of tail.elements) parts.push(element)
      tail = tail.tail
    }
    if (Array.isArray(tail)) {
      for (const element of tail as readonly unknown[]) parts.push(element)
      if (this.inKey && isByteList(parts)) this.#keys.note(value, 'list', parts)
      this.#visitArray(value, parts)
    } else {
      parts.push(tail)
      this.#enter('improper', value, parts)
    }
  }

  #visitBitString(value: BitString): void {
    const { bits, bytes } = value
    if (!(bits >= 1 && bits <= 7 && bytes.length > 0)) {
      throw this.error(
        'ETF_BITS',
        `The last byte of a BitString holds 1 to 7 bits, not ${bits} of ${bytes.length} bytes; whole bytes are a Buffer.`,
      )
    }
    this.bitString(value)
  }

  #visitIdentity(value: Pid | Port | Reference | ExportFun): void {
    const fault = faultOf(value)
    if (fault !== undefined) throw this.error('ETF_FIELD', fault)
    this.identity(value)
  }

  #visitFun(value: Fun): void {
    const fault = faultOfFun(value)
    if (fault !== undefined) throw this.error('ETF_FIELD', fault)
    this.#enter('fun', value, value.free)
  }

  #visitRecord(value: NativeRecord): void {
    const fault = faultOfRecord(value)
    if (fault !== undefined) throw this.error('ETF_FIELD', fault)
    if (new Set(value.fields.map(([field]) => field)).size !== value.fields.length) {
      throw this.error('ETF_DUPLICATE_KEY', 'A native record has two fields of one name.')
    }
    const parts = value.fields.map(([, field]) => field)
    this.#enter('record', value, parts)
  }

  /** What JSON and structuredClone take too: an object's own enumerable properties, symbols left out. `for in` is V8's quickest way to them. */
  #objectParts(value: Readonly<Record<string, unknown>>): unknown[] {
    const parts: unknown[] = []
    for (const name in value) if (Object.hasOwn(value, name)) parts.push(this.#keyAtom(name), value[name])
    return parts
  }

  #keyAtom(name: string): AtomTerm {
    try {
      return atom(name)
    } catch (cause) {
      throw new EtfError('ETF_ATOM', 'The keys of a plain object are sent as atoms, and one cannot be an atom: use a Map.', { cause })
    }
  }

  // ── containers ─────────────────────────────────────────────────────────────

  #enter(kind: Kind, container: object, parts: readonly unknown[]): void {
    const frame = new Frame(this.frame, kind, container, parts)
    if (parts.length === 0) {
      this.enter(frame)
      this.leave(frame)
      return
    }
    if (frame.depth > watchedFrom) this.#watch(frame)
    if (frame.depth > this.limits.depth) {
      throw this.error('ETF_DEPTH', `The term is nested deeper than limits.depth (${this.limits.depth}) allows.`)
    }
    this.enter(frame)
    this.frame = frame
  }

  #watch(frame: Frame): void {
    if (this.#open === null) {
      this.#open = new Set()
      for (let outer = frame.outer; outer !== null; outer = outer.outer) this.#open.add(outer.container)
    }
    if (this.#open.has(frame.container)) throw new EtfError('ETF_CYCLE', 'The value contains itself.')
    this.#open.add(frame.container)
  }

  #close(frame: Frame): void {
    this.frame = frame.outer
    this.#open?.delete(frame.container)
    if (frame.kind === 'map' && this.#keys.duplicatesIn(frame.parts)) {
      throw this.error('ETF_DUPLICATE_KEY', 'A map has two keys that are equal in Erlang.')
    }
    if (frame.inKey) this.#keys.note(frame.container, headOf(frame), frame.parts)
    this.leave(frame)
  }
}

function isByteList(list: readonly unknown[]): boolean {
  if (list.length === 0 || list.length > 65535) return false
  for (const value of list) if (!isByte(value)) return false
  return true
}

function isByte(value: unknown): boolean {
  if (typeof value === 'number') return (value & 0xff) === value && !Object.is(value, -0)
  return typeof value === 'bigint' && value >= 0n && value <= 255n
}

function mapParts(map: ReadonlyMap<unknown, unknown>): unknown[] {
  const parts: unknown[] = []
  map.forEach((value, key) => parts.push(key, value))
  return parts
}

function headOf({ kind, container }: Frame): string {
  if (container instanceof Fun) return funHead(container)
  if (container instanceof NativeRecord) return recordHead(container)
  return kind === 'object' ? 'map' : kind
}

function refusal(value: object): string {
  if (types.isPromise(value)) return 'A Promise is no Erlang term: await it first.'
  const name: unknown = value.constructor?.name
  return `A ${typeof name === 'string' && name !== '' ? name : 'object of a class'} is no Erlang term: send a Map, a Tuple or a plain object.`
}
