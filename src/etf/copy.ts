/** What a process gets from a sender in the same memory: the very term that it would get over a connection. */
import {
  Atom,
  BitString,
  type ExportFun,
  Float,
  Fun,
  ImproperList,
  LocalTerm,
  NativeRecord,
  type Pid,
  type Port,
  type Reference,
  type Sendable,
  type Term,
  Tuple,
} from '../term/index.js'
import { type AtomTerm, termOfAtom } from './atoms.js'
import { bufferOf } from './buffer-of.js'
import type { Frame } from './frame.js'
import { type Limits, defaultLimits } from './limits.js'
import { isLeft } from './recursion.js'
import { copyByRecursion } from './recursive-copy.js'
import { Traversal } from './traversal.js'

export interface CopyOptions {
  /** As for decode: 'exact' delivers every float as a Float. */
  readonly floats?: 'number' | 'exact' | undefined
  /** `depth` and `bignum` hold here. */
  readonly limits?: Partial<Limits> | undefined
}

// The Copiers for calls without limits. One is away while in use: a getter of the value may itself copy something.
const idle: Record<'number' | 'exact', Copier | null> = { number: null, exact: null }

/**
 * What `decode(encode(term))` gives, without the bytes: text as a Buffer, a plain object as a Map, every container new. Pids, ports,
 * references, atoms and export funs are frozen, and shared.
 *
 * @throws EtfError, the one that `encode` throws (but nothing limits the size)
 */
export function copy(term: Sendable, options: CopyOptions = {}): Term {
  if (term instanceof LocalTerm) return new LocalTerm(Buffer.from(term.bytes))
  if (options.limits) return new Copier({ ...defaultLimits, ...options.limits }, options.floats === 'exact').copy(term)
  const floats = options.floats ?? 'number'
  try {
    return copyByRecursion(term, floats === 'exact')
  } catch (error) {
    if (!isLeft(error)) throw error
  }
  const copier = idle[floats] ?? new Copier(defaultLimits, floats === 'exact')
  idle[floats] = null
  const copied = copier.copy(term)
  idle[floats] = copier
  return copied
}

class Copier extends Traversal {
  readonly #exact: boolean
  #whole: Term = null

  constructor(limits: Limits, exact: boolean) {
    super(limits)
    this.#exact = exact
  }

  copy(value: Sendable): Term {
    this.walk(value)
    const whole = this.#whole
    this.#whole = null
    return whole
  }

  #put(value: Term): void {
    const { frame } = this
    if (frame === null) this.#whole = value
    else frame.results[frame.index - 1] = value
  }

  protected override atom(value: AtomTerm): void {
    this.#put(value instanceof Atom ? termOfAtom(value) : value)
  }

  protected override identity(value: Pid | Port | Reference | ExportFun): void {
    this.#put(value)
  }

  protected override integer(value: number | bigint): void {
    if (typeof value === 'bigint' && BigInt.asIntN(64, value) !== value) {
      this.checkBignum(Math.ceil((value < 0n ? -value : value).toString(16).length / 2))
    }
    this.#put(value)
  }

  protected override float(value: number): void {
    this.#put(this.#exact || (Number.isInteger(value) && this.inKey) ? new Float(value) : value)
  }

  protected override text(value: string): void {
    if (!value.isWellFormed()) throw this.loneSurrogate()
    this.#put(bufferOf(value))
  }

  protected override binary(value: Uint8Array): void {
    this.#put(Buffer.from(value))
  }

  protected override bitString({ bytes, bits }: BitString): void {
    const copied = Buffer.from(bytes)
    copied[copied.length - 1]! &= 0xff << (8 - bits)
    this.#put(new BitString(copied, bits))
  }

  protected override byteList(value: readonly unknown[]): void {
    this.#put(value.map(Number))
  }

  protected override enter(frame: Frame): void {
    frame.results = frame.size <= 0xffff ? new Array<Term>(frame.size) : []
  }

  protected override leave({ kind, container, results: parts }: Frame): void {
    switch (kind) {
      case 'list':
        return this.#put(parts)
      case 'tuple':
        return this.#put(new Tuple(parts))
      case 'improper':
        return this.#put(new ImproperList(parts.slice(0, -1), parts.at(-1)!))
      case 'map':
      case 'object':
        return this.#put(mapOf(parts))
      case 'fun':
        return this.#put(new Fun({ ...(container as Fun), uniq: Buffer.from((container as Fun).uniq), free: parts }))
      case 'record':
        return this.#put(recordOf(container as NativeRecord, parts))
    }
  }
}

function mapOf(parts: readonly Term[]): Map<Term, Term> {
  const made = new Map<Term, Term>()
  for (let i = 0; i < parts.length; i += 2) made.set(parts[i]!, parts[i + 1]!)
  return made
}

const recordOf = ({ module, name, fields, flags }: NativeRecord, values: readonly Term[]): NativeRecord =>
  new NativeRecord(
    module,
    name,
    fields.map(([field], i) => [field, values[i]!]),
    flags,
  )
