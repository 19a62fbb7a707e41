/**
 * Terms to bytes, as `term_to_binary` writes them (minor version 2): the smallest tag that holds the value, lists of bytes as STRING_EXT.
 * Maps keep the order of their keys.
 */
import { type Atom, type BitString, ExportFun, type Fun, type NativeRecord, Pid, Port, type Reference } from '../term/index.js'
import { type AtomTerm, atomOfTerm } from './atoms.js'
import type { Frame } from './frame.js'
import { bytesOfInteger } from './integers.js'
import type { Limits } from './limits.js'
import { isLeft } from './recursion.js'
import { RecursiveEncoder } from './recursive-encoder.js'
import type { Sink } from './sink.js'
import * as tag from './tags.js'
import { Traversal } from './traversal.js'

/** Where an atom stands in the header of the message (tag 82), or -1 when it is not there. */
export type AtomRef = (atom: Atom) => number

export class Encoder extends Traversal {
  readonly #sink: Sink
  readonly #atomRef: AtomRef | undefined
  readonly #records: boolean
  readonly #quick: RecursiveEncoder
  /** Where the funs that are being written begin */
  readonly #funs: number[] = []

  constructor(sink: Sink, limits: Limits, { atomRef, records = true }: { atomRef?: AtomRef | undefined; records?: boolean | undefined }) {
    super(limits)
    this.#sink = sink
    this.#atomRef = atomRef
    this.#quick = new RecursiveEncoder(sink, limits, atomRef)
    this.#records = records
  }

  /** When it throws, nothing of the value is left in the sink. @throws EtfError */
  write(value: unknown): void {
    const sink = this.#sink
    const before = sink.length
    sink.beginTerm(this.limits.size)
    try {
      if (!this.#isQuick(value, before)) this.walk(value)
      sink.endTerm()
    } catch (error) {
      sink.truncate(before)
      this.#funs.length = 0
      throw error
    }
  }

  /** Was it written by recursion? If not, nothing of it is left. */
  #isQuick(value: unknown, before: number): boolean {
    try {
      this.#quick.write(value)
      return true
    } catch (error) {
      if (!isLeft(error)) throw error
      this.#sink.truncate(before)
      this.#sink.beginTerm(this.limits.size)
      return false
    }
  }

  // ── what has no parts ──────────────────────────────────────────────────────

  protected override atom(value: AtomTerm): void {
    this.#atom(atomOfTerm(value))
  }

  #atom(atom: Atom): void {
    const sink = this.#sink
    const ref = this.#atomRef === undefined ? -1 : this.#atomRef(atom)
    if (ref >= 0) return sink.tag8(tag.ATOM_CACHE_REF, ref)
    const { length } = atom.bytes
    if (length <= 255) sink.tag8(tag.SMALL_ATOM_UTF8_EXT, length)
    else {
      sink.u8(tag.ATOM_UTF8_EXT)
      sink.u16(length)
    }
    sink.raw(atom.bytes)
  }

  protected override integer(value: number | bigint): void {
    if (typeof value === 'bigint') return this.#bigint(value)
    const sink = this.#sink
    if ((value & 0xff) === value) sink.tag8(tag.SMALL_INTEGER_EXT, value)
    else if ((value | 0) === value) sink.tag32(tag.INTEGER_EXT, value)
    else {
      const magnitude = Math.abs(value)
      this.#smallBig(value < 0, magnitude % 2 ** 32, Math.floor(magnitude / 2 ** 32))
    }
  }

  #bigint(value: bigint): void {
    const magnitude = value < 0n ? -value : value
    if (BigInt.asUintN(64, magnitude) === magnitude) {
      return this.#smallBig(value < 0n, Number(magnitude & 0xffffffffn), Number(magnitude >> 32n))
    }
    const sink = this.#sink
    const bytes = bytesOfInteger(magnitude)
    this.checkBignum(bytes.length)
    if (bytes.length <= 255) sink.tag8(tag.SMALL_BIG_EXT, bytes.length)
    else sink.tag32(tag.LARGE_BIG_EXT, bytes.length)
    sink.u8(value < 0n ? 1 : 0)
    sink.raw(bytes)
  }

  /** Five to eight bytes; four, when an int32 would have been one too small. */
  #smallBig(negative: boolean, low: number, high: number): void {
    const sink = this.#sink
    const size = high === 0 ? 4 : 8 - (Math.clz32(high) >>> 3)
    this.checkBignum(size)
    sink.tag8(tag.SMALL_BIG_EXT, size)
    sink.u8(negative ? 1 : 0)
    for (let i = 0; i < size; i++) sink.u8((i < 4 ? low : high) >>> (8 * (i & 3)))
  }

  protected override float(value: number): void {
    this.#sink.tag64(tag.NEW_FLOAT_EXT, value)
  }

  protected override text(value: string): void {
    const sink = this.#sink
    const start = sink.length
    sink.tag32(tag.BINARY_EXT, 0)
    if (!sink.text(value)) throw this.loneSurrogate()
    sink.patchU32(start + 1, sink.length - start - 5)
  }

  protected override binary(value: Uint8Array): void {
    this.#sink.tag32(tag.BINARY_EXT, value.length)
    this.#sink.raw(value)
  }

  protected override bitString({ bytes, bits }: BitString): void {
    const sink = this.#sink
    sink.tag32(tag.BIT_BINARY_EXT, bytes.length)
    sink.u8(bits)
    sink.raw(bytes)
    // The bits that do not count are zero, as the BEAM sends them.
    sink.bytes[sink.position - 1]! &= 0xff << (8 - bits)
  }

  protected override byteList(value: readonly unknown[]): void {
    const sink = this.#sink
    sink.u8(tag.STRING_EXT)
    sink.u16(value.length)
    for (const byte of value) sink.u8(Number(byte))
  }

  // ── identities ─────────────────────────────────────────────────────────────

  protected override identity(value: Pid | Port | Reference | ExportFun): void {
    if (value instanceof Pid) this.#pid(value)
    else if (value instanceof Port) this.#port(value)
    else if (value instanceof ExportFun) this.#exportFun(value)
    else this.#reference(value)
  }

  #pid({ node, id, serial, creation }: Pid): void {
    const sink = this.#sink
    sink.u8(tag.NEW_PID_EXT)
    this.#atom(node)
    sink.u32(id)
    sink.u32(serial)
    sink.u32(creation)
  }

  #port({ node, id, creation }: Port): void {
    const sink = this.#sink
    sink.u8(tag.V4_PORT_EXT)
    this.#atom(node)
    sink.u64(id)
    sink.u32(creation)
  }

  #reference({ node, creation, words }: Reference): void {
    const sink = this.#sink
    sink.u8(tag.NEWER_REFERENCE_EXT)
    sink.u16(words.length)
    this.#atom(node)
    sink.u32(creation)
    for (const word of words) sink.u32(word)
  }

  #exportFun({ module, fun, arity }: ExportFun): void {
    this.#sink.u8(tag.EXPORT_EXT)
    this.#atom(module)
    this.#atom(fun)
    this.integer(arity)
  }

  // ── containers ─────────────────────────────────────────────────────────────

  protected override enter(frame: Frame): void {
    const sink = this.#sink
    const { size } = frame
    switch (frame.kind) {
      case 'tuple':
        return size <= 255 ? sink.tag8(tag.SMALL_TUPLE_EXT, size) : sink.tag32(tag.LARGE_TUPLE_EXT, size)
      case 'list':
        if (size === 0) return // NIL_EXT alone, which `leave` writes
        return sink.tag32(tag.LIST_EXT, size)
      case 'improper':
        return sink.tag32(tag.LIST_EXT, size - 1)
      case 'map':
      case 'object':
        return sink.tag32(tag.MAP_EXT, size / 2)
      case 'fun':
        return this.#enterFun(frame.container as Fun)
      case 'record':
        return this.#enterRecord(frame.container as NativeRecord)
    }
  }

  #enterFun(fun: Fun): void {
    const sink = this.#sink
    sink.u8(tag.NEW_FUN_EXT)
    this.#funs.push(sink.length)
    sink.u32(0) // the size, when it is known
    sink.u8(fun.arity)
    sink.raw(fun.uniq)
    sink.u32(fun.index)
    sink.u32(fun.free.length)
    this.#atom(fun.module)
    this.integer(fun.oldIndex)
    this.integer(fun.oldUniq)
    this.#pid(fun.pid)
  }

  #enterRecord({ module, name, fields, flags }: NativeRecord): void {
    if (!this.#records) {
      const what = `The native record #${module.name}:${name.name}{} cannot go to this node, which knows none (OTP 29 is the first that does)`
      throw this.error('ETF_RECORD', `${what}: send a map or a tuple.`)
    }
    const sink = this.#sink
    sink.tag32(tag.RECORD_EXT, fields.length)
    sink.u8(flags)
    this.#atom(module)
    this.#atom(name)
    for (const [field] of fields) this.#atom(field)
  }

  protected override leave(frame: Frame): void {
    if (frame.kind === 'list') this.#sink.u8(tag.NIL_EXT)
    else if (frame.kind === 'fun') {
      const start = this.#funs.pop()!
      this.#sink.patchU32(start, this.#sink.length - start)
    }
  }
}
