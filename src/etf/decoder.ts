/**
 * The external term format, tag by tag: https://www.erlang.org/doc/apps/erts/erl_ext_dist. Each function reads what follows its tag.
 * What the BEAM's own decoder (erts/emulator/beam/external.c) takes or refuses, this one does too. Except that it refuses what some release
 * dies of (a reference without words, an export fun of arity 256 and more) and the emulator's internal tags, and carries record flags of
 * a coming release.
 */
import {
  type Atom,
  BitString,
  ExportFun,
  Float,
  Fun,
  ImproperList,
  NativeRecord,
  Pid,
  Port,
  Reference,
  type Term,
  Tuple,
} from '../term/index.js'
import { AtomBudget, type AtomTerm } from './atoms.js'
import { binaryAt } from './bytes-of.js'
import { arrayCost, mapCost, mapEntryCost, objectCost, tupleCost } from './costs.js'
import { integerFromBytes } from './integers.js'
import { funHead, recordHead } from './keys.js'
import { type Limits, capacity, defaultLimits } from './limits.js'
import type { ElementsFrame, MapFrame } from './open-frame.js'
import { Reader } from './reader.js'
import { RecursiveDecoder } from './recursive-decoder.js'
import { isLeft } from './recursion.js'
import * as tag from './tags.js'

// ── integers and floats ──────────────────────────────────────────────────────

const smallIntegerExt = (r: Reader): Term => r.u8()

const integerExt = (r: Reader): Term => r.i32()

const smallBigExt = (r: Reader): Term => bignum(r, r.u8())

const largeBigExt = (r: Reader): Term => bignum(r, r.u32())

function bignum(r: Reader, size: number): number | bigint {
  const negative = r.u8() !== 0
  const start = r.skip(size)
  if (size > r.limits.bignum) throw r.error('ETF_BIGNUM', `An integer of ${size} bytes is over limits.bignum (${r.limits.bignum}).`, start)
  return integerFromBytes(r.bytes, start, size, negative)
}

const newFloatExt = (r: Reader): Term => float(r, r.f64())

/** The text that C's `%.20e` makes, filled up with zeros. */
function floatExt(r: Reader): Term {
  const start = r.skip(31)
  const text = r.bytes.toString('latin1', start, start + 31).split('\0', 1)[0]!
  if (!/^[+-]?\d+[.,]\d+([eE][+-]?\d+)?$/.test(text)) throw r.error('ETF_FLOAT', 'The text of a float is no float.', start)
  return float(r, Number(text.replace(',', '.')))
}

function float(r: Reader, value: number): Term {
  if (!Number.isFinite(value)) throw r.error('ETF_FLOAT', 'A float is not finite.')
  return r.exact || (Number.isInteger(value) && r.inKey) ? new Float(value) : value
}

// ── atoms ────────────────────────────────────────────────────────────────────

const atomCacheRef = (r: Reader): Term => r.cachedAtom(r.u8())

const smallAtomUtf8Ext = (r: Reader): Term => r.utf8Atom(r.u8())

const atomUtf8Ext = (r: Reader): Term => r.utf8Atom(r.u16())

const smallAtomExt = (r: Reader): Term => r.latin1Atom(r.u8())

const atomExt = (r: Reader): Term => r.latin1Atom(r.u16())

// ── binaries ─────────────────────────────────────────────────────────────────

const binaryExt = (r: Reader): Term => binary(r, r.u32())

function bitBinaryExt(r: Reader): Term {
  const size = r.u32()
  const bits = r.u8()
  if (size === 0 || bits < 1 || bits > 8) throw r.error('ETF_BITS', `A bit string of ${size} bytes cannot hold ${bits} bits in the last.`)
  if (bits === 8) return binary(r, size)
  const start = r.skip(size)
  r.charge(objectCost + size)
  const bytes = Buffer.from(r.bytes.subarray(start, start + size))
  bytes[size - 1]! &= 0xff << (8 - bits)
  return new BitString(bytes, bits)
}

function binary(r: Reader, size: number): Buffer {
  const start = r.skip(size)
  r.charge(objectCost + size)
  return binaryAt(r.bytes, start, size)
}

// ── containers ───────────────────────────────────────────────────────────────

const smallTupleExt = (r: Reader): Term => tuple(r, r.u8())

const largeTupleExt = (r: Reader): Term => tuple(r, r.u32())

function tuple(r: Reader, arity: number): Term {
  if (arity > capacity.tuple) throw r.tooMany(arity, `A tuple has at most ${capacity.tuple} elements.`)
  if (arity > 0) return r.open(arity, closeTuple, tupleCost)
  r.charge(tupleCost)
  return new Tuple([])
}

function closeTuple(r: Reader, frame: ElementsFrame): Term {
  const made = new Tuple(frame.elements)
  if (frame.inKey) r.keys.note(made, 'tuple', frame.elements)
  return made
}

function nilExt(r: Reader): Term {
  r.charge(arrayCost)
  return []
}

/** A list of bytes. */
function stringExt(r: Reader): Term {
  const size = r.u16()
  r.charge(arrayCost + 8 * size)
  return pushBytes(r, [], size)
}

function pushBytes(r: Reader, list: Term[], size: number): Term[] {
  const start = r.skip(size)
  for (let i = start; i < start + size; i++) list.push(r.bytes[i]!)
  return list
}

const listExt = (r: Reader): Term => r.open(listSize(r, 0), closeList, arrayCost)

function listSize(r: Reader, already: number): number {
  const size = r.u32()
  if (already + size > capacity.list) throw r.tooMany(size, `A list of more than ${capacity.list} elements does not fit an array.`)
  return size
}

/** What follows the elements is the tail. A tail that is a list only makes this one longer: `[1 | [2]]` is `[1, 2]`. */
function closeList(r: Reader, frame: ElementsFrame): Term {
  const { elements } = frame
  switch (r.u8()) {
    case tag.NIL_EXT:
      break
    case tag.LIST_EXT:
      return r.extend(frame, listSize(r, elements.length))
    case tag.STRING_EXT: {
      const size = r.u16()
      r.charge(8 * size)
      pushBytes(r, elements, size)
      break
    }
    default:
      r.position--
      frame.close = closeImproperList
      return r.extend(frame, 1)
  }
  if (frame.inKey) r.keys.note(elements, 'list', elements)
  return elements
}

function closeImproperList(r: Reader, frame: ElementsFrame): Term {
  const { elements } = frame
  const tail = elements[elements.length - 1]!
  if (elements.length === 1) return tail
  const made = new ImproperList(elements.slice(0, -1), tail)
  if (frame.inKey) r.keys.note(made, 'improper', elements)
  return made
}

function mapExt(r: Reader): Term {
  const size = r.u32()
  if (size > capacity.map) throw r.tooMany(2 * size, `A map of more than ${capacity.map} keys does not fit a Map.`)
  if (size > 0) return r.openMap(size, closeMap, mapCost + mapEntryCost * size)
  r.charge(mapCost)
  return new Map()
}

function closeMap(r: Reader, { map, size, structural, inKey }: MapFrame): Term {
  if (map.size * 2 !== size || (structural.length > 1 && r.keys.duplicates(structural))) {
    throw r.error('ETF_DUPLICATE_KEY', 'A map has two equal keys.')
  }
  if (inKey) r.keys.note(map, 'map', [...map].flat())
  return map
}

// ── pids, ports and references ───────────────────────────────────────────────

const newPidExt = (r: Reader): Pid => new Pid(r.atom(), r.u32(), r.u32(), r.u32())

const pidExt = (r: Reader): Pid => new Pid(r.atom(), r.u32(), r.u32(), tinyCreation(r))

const v4PortExt = (r: Reader): Port => new Port(r.atom(), r.u64(), r.u32())

const newPortExt = (r: Reader): Port => new Port(r.atom(), BigInt(r.u32()), r.u32())

const portExt = (r: Reader): Port => new Port(r.atom(), BigInt(r.u32()), tinyCreation(r))

function newerReferenceExt(r: Reader): Reference {
  const size = wordCount(r)
  return new Reference(r.atom(), r.u32(), words(r, size))
}

function newReferenceExt(r: Reader): Reference {
  const size = wordCount(r)
  return new Reference(r.atom(), tinyCreation(r), oldWords(r, size))
}

function referenceExt(r: Reader): Reference {
  const node = r.atom()
  const id = oldWords(r, 1)
  return new Reference(node, tinyCreation(r), id)
}

function wordCount(r: Reader): number {
  const size = r.u16()
  if (size < 1 || size > 5) throw r.error('ETF_FIELD', `A reference has 1 to 5 words, not ${size}.`)
  return size
}

function words(r: Reader, size: number): number[] {
  const made = [r.u32()]
  while (made.length < size) made.push(r.u32())
  return made
}

/** The old tags have 18 bits in the first word and 2 in the creation; the BEAM refuses more. */
function oldWords(r: Reader, size: number): number[] {
  const made = words(r, size)
  if (made[0]! >= 2 ** 18) throw r.error('ETF_FIELD', 'The first word of an old reference has more than 18 bits.')
  return made
}

function tinyCreation(r: Reader): number {
  const creation = r.u8()
  if (creation > 3) throw r.error('ETF_FIELD', 'An old creation has more than two bits.')
  return creation
}

// ── funs ─────────────────────────────────────────────────────────────────────

function exportExt(r: Reader): Term {
  const module = r.atom()
  const fun = r.atom()
  const arity = smallInteger(r)
  if (arity < 0 || arity > 255) throw r.error('ETF_FIELD', `The arity of an export fun is 0 to 255, not ${arity}.`)
  r.charge(objectCost)
  return new ExportFun(module, fun, arity)
}

function newFunExt(r: Reader): Term {
  r.skip(4) // the size in bytes: what follows tells it too, and OTP has written wrong ones since 23
  const arity = r.u8()
  const start = r.skip(16)
  const uniq = Buffer.from(r.bytes.subarray(start, start + 16))
  const index = r.u32()
  const free = r.u32()
  if (free > 255) throw r.error('ETF_FIELD', `A fun closes over at most 255 values, not ${free}.`)
  const parts = { arity, uniq, index, module: r.atom(), oldIndex: smallInteger(r), oldUniq: smallInteger(r), pid: funPid(r) }
  if (free === 0) return new Fun({ ...parts, free: [] })
  const close = (_: Reader, frame: ElementsFrame): Term => {
    const made = new Fun({ ...parts, free: frame.elements })
    if (frame.inKey) r.keys.note(made, funHead(made), made.free)
    return made
  }
  return r.open(free, close, objectCost)
}

/** An integer with its tag, where the BEAM wants one that is no bignum. */
function smallInteger(r: Reader): number {
  const read = integers[r.u8()]
  const value = read?.(r)
  if (typeof value !== 'number') throw r.error('ETF_FIELD', 'A fun needs a small integer here.')
  return value
}

const integers: Record<number, (r: Reader) => Term> = {
  [tag.SMALL_INTEGER_EXT]: smallIntegerExt,
  [tag.INTEGER_EXT]: integerExt,
  [tag.SMALL_BIG_EXT]: smallBigExt,
  [tag.LARGE_BIG_EXT]: largeBigExt,
}

function funPid(r: Reader): Pid {
  const kind = r.u8()
  if (kind === tag.NEW_PID_EXT) return newPidExt(r)
  if (kind === tag.PID_EXT) return pidExt(r)
  throw r.error('ETF_FIELD', 'A fun needs a pid here.')
}

// ── native records (OTP 29) ──────────────────────────────────────────────────

function recordExt(r: Reader): Term {
  const size = r.u32()
  const flags = r.u8()
  const module = r.atom()
  const name = r.atom()
  r.expect(3 * size) // a name takes two bytes or more, a value one
  const fields: Atom[] = []
  for (let i = 0; i < size; i++) fields.push(r.atom())
  if (new Set(fields).size !== size) throw r.error('ETF_DUPLICATE_KEY', 'A native record has two fields of one name.')
  if (size === 0) return new NativeRecord(module, name, [], flags)
  const close = (_: Reader, frame: ElementsFrame): Term => {
    const values = frame.elements
    const made = new NativeRecord(
      module,
      name,
      fields.map((field, i) => [field, values[i]!] as const),
      flags,
    )
    if (frame.inKey) r.keys.note(made, recordHead(made), values)
    return made
  }
  return r.open(size, close, objectCost + 64 * size)
}

// ── the table ────────────────────────────────────────────────────────────────

function compressed(r: Reader): Term {
  throw r.error(
    'ETF_COMPRESSED',
    'Tag 80 (compressed) may only begin a whole term, never stand inside one or in a message.',
    r.position - 1,
  )
}

function unknownTag(r: Reader): Term {
  const offset = r.position - 1
  throw r.error('ETF_UNKNOWN_TAG', `${r.bytes[offset]} is no tag of a term here.`, offset)
}

const tags: ((r: Reader) => Term)[] = Array.from({ length: 256 }, () => unknownTag)
tags[tag.RECORD_EXT] = recordExt
tags[tag.NEW_FLOAT_EXT] = newFloatExt
tags[tag.BIT_BINARY_EXT] = bitBinaryExt
tags[tag.COMPRESSED] = compressed
tags[tag.ATOM_CACHE_REF] = atomCacheRef
tags[tag.NEW_PID_EXT] = newPidExt
tags[tag.NEW_PORT_EXT] = newPortExt
tags[tag.NEWER_REFERENCE_EXT] = newerReferenceExt
tags[tag.SMALL_INTEGER_EXT] = smallIntegerExt
tags[tag.INTEGER_EXT] = integerExt
tags[tag.FLOAT_EXT] = floatExt
tags[tag.ATOM_EXT] = atomExt
tags[tag.REFERENCE_EXT] = referenceExt
tags[tag.PORT_EXT] = portExt
tags[tag.PID_EXT] = pidExt
tags[tag.SMALL_TUPLE_EXT] = smallTupleExt
tags[tag.LARGE_TUPLE_EXT] = largeTupleExt
tags[tag.NIL_EXT] = nilExt
tags[tag.STRING_EXT] = stringExt
tags[tag.LIST_EXT] = listExt
tags[tag.BINARY_EXT] = binaryExt
tags[tag.SMALL_BIG_EXT] = smallBigExt
tags[tag.LARGE_BIG_EXT] = largeBigExt
tags[tag.NEW_FUN_EXT] = newFunExt
tags[tag.EXPORT_EXT] = exportExt
tags[tag.NEW_REFERENCE_EXT] = newReferenceExt
tags[tag.SMALL_ATOM_EXT] = smallAtomExt
tags[tag.MAP_EXT] = mapExt
tags[tag.ATOM_UTF8_EXT] = atomUtf8Ext
tags[tag.SMALL_ATOM_UTF8_EXT] = smallAtomUtf8Ext
tags[tag.V4_PORT_EXT] = v4PortExt

export interface DecoderOptions {
  /**
   * 'number' (the default): a float is a number, but an integral float in a map key is a Float, or it would be one key with its integer.
   * 'exact': every float is a Float, so that nothing changes when a term is sent on.
   */
  readonly floats?: 'number' | 'exact' | undefined
  readonly limits?: Partial<Limits> | undefined
  /** New atoms that may still come: one budget for all connections of a node. Without it this Decoder has its own of `limits.atoms`. */
  readonly atoms?: AtomBudget | undefined
}

/** Decodes terms that stand in a message, without 131 before them. One serves a connection for life. */
export class Decoder {
  /** The offset after the term that was read last */
  end = 0
  /** Bytes of heap that it takes, beside what takes less than eight times its bytes */
  memory = 0
  readonly #reader: Reader
  readonly #quick: RecursiveDecoder

  constructor(options: DecoderOptions = {}) {
    const limits = { ...defaultLimits, ...options.limits }
    const [exact, atoms] = [options.floats === 'exact', options.atoms ?? new AtomBudget(limits.atoms)]
    this.#reader = new Reader(tags, { exact, limits, atoms })
    this.#quick = new RecursiveDecoder(limits, exact, atoms)
  }

  /**
   * The term that begins at `offset`. `cache` holds the atoms of the message's header, which tag 82 refers to.
   *
   * @throws EtfError with the offset of the fault
   */
  read(bytes: Buffer, offset: number, cache?: readonly AtomTerm[]): Term {
    const quick = this.#quick
    try {
      const term = quick.read(bytes, offset, cache)
      this.end = quick.position
      this.memory = quick.memory
      return term
    } catch (error) {
      if (!isLeft(error)) throw error
    }
    const reader = this.#reader
    try {
      return reader.read(bytes, offset, cache)
    } finally {
      this.end = reader.position
      this.memory = reader.memory
    }
  }
}
