/**
 * The distribution header: which atoms a message's references (tag 82) mean.
 *
 *     131 68 N [flags] [references]                          a whole message follows
 *     131 69 Sequence:64 Fragment:64 N [flags] [references]  the first fragment of one
 *     131 70 Sequence:64 Fragment:64                         a further fragment, without atoms
 *
 * Flags are N + 1 half bytes, low half first, none at all when N is 0. For each reference: bit 3 new entry, bits 0..2 the high bits of its
 * slot. The last: bit 0 LongAtoms, then the lengths of *all* new entries have two bytes. A reference is `Slot` when the atom is
 * in the cache already, else `Slot Length Text`.
 *
 * Source: erl_ext_dist, "Distribution Header" and "Distribution Header for Fragmented Messages".
 */
import { type AtomBudget, atomFromUtf8, type AtomTerm } from '../etf/atoms.js'
import { VERSION } from '../etf/tags.js'
import type { Writer } from '../etf/writer.js'
import type { Atom } from '../term/index.js'
import { type ReceivingCache, SendingCache } from './atom-cache.js'
import { DistError } from './errors.js'

export const DIST_HEADER = 68
export const DIST_FRAG_HEADER = 69
export const DIST_FRAG_CONT = 70

/** The header of a further fragment: no atoms follow. */
export const continuationSize = 18

/** How many references a header can have */
export const maxReferences = 255

export interface Header {
  readonly tag: number
  /** 0 and 1 for a message that is not in fragments */
  readonly sequence: bigint
  readonly fragment: bigint
  /** What ATOM_CACHE_REF n means in this message, even if the slots change before its last fragment comes */
  readonly atoms: readonly AtomTerm[]
  /** Where the control message, or the fragment's part, begins */
  readonly end: number
}

const noAtoms: readonly AtomTerm[] = []

/**
 * Reads the header of a frame and updates the cache.
 *
 * @throws DistError DIST_PROTOCOL_HEADER: no header, or it ends early. DIST_PROTOCOL_ATOM_CACHE: a reference to an empty slot.
 * @throws EtfError ETF_ATOM, ETF_ATOMS for the atoms it brings.
 */
export function readHeader(frame: Buffer, cache: ReceivingCache, budget: AtomBudget): Header {
  if (frame[0] !== VERSION) throw fault(`begins with byte ${frame[0]}, not with 131`)
  const tag = frame[1]
  switch (tag) {
    case DIST_HEADER:
      return readAtoms(frame, tag, 0n, 1n, 2, cache, budget)
    case DIST_FRAG_HEADER:
      need(frame, 18)
      return readAtoms(frame, tag, frame.readBigUInt64BE(2), frame.readBigUInt64BE(10), 18, cache, budget)
    case DIST_FRAG_CONT:
      need(frame, 18)
      return { tag, sequence: frame.readBigUInt64BE(2), fragment: frame.readBigUInt64BE(10), atoms: noAtoms, end: continuationSize }
  }
  throw fault(tag === undefined ? 'ends after its first byte' : `has tag ${tag} where 68, 69 or 70 must be`)
}

/** One comes with every message, so it is made in one go. */
function readAtoms(
  frame: Buffer,
  tag: number,
  sequence: bigint,
  fragment: bigint,
  start: number,
  cache: ReceivingCache,
  budget: AtomBudget,
): Header {
  need(frame, start + 1)
  const count = frame[start] as number
  let at = start + 1
  if (count === 0) return { tag, sequence, fragment, atoms: noAtoms, end: at }

  const nibbles = at
  at += (count >> 1) + 1
  need(frame, at)
  const long = (nibble(frame, nibbles, count) & 1) !== 0

  const atoms = new Array<AtomTerm>(count)
  for (let i = 0; i < count; i++) {
    const flag = nibble(frame, nibbles, i)
    need(frame, at + 1)
    const slot = ((flag & 7) << 8) | frame[at++]!
    if (flag & 8) at = readEntry(frame, at, slot, long, cache, budget)
    const atom = cache.get(slot)
    if (atom === undefined)
      throw new DistError('DIST_PROTOCOL_ATOM_CACHE', `A message refers to slot ${slot} of the atom cache, which is empty.`)
    atoms[i] = atom
  }
  return { tag, sequence, fragment, atoms, end: at }
}

const nibble = (frame: Buffer, start: number, index: number): number => (frame[start + (index >> 1)]! >> ((index & 1) << 2)) & 15

/** Puts a new atom into its slot, and returns the place behind it. */
function readEntry(frame: Buffer, start: number, slot: number, long: boolean, cache: ReceivingCache, budget: AtomBudget): number {
  const at = start + (long ? 2 : 1)
  need(frame, at)
  const length = long ? frame.readUInt16BE(start) : frame[start]!
  need(frame, at + length)
  cache.set(slot, atomFromUtf8(frame, at, length, budget))
  return at + length
}

/** Which fragment of which sequence a header begins. */
export interface FragmentId {
  readonly sequence: bigint
  readonly fragment: number
}

/** Writes headers, and remembers what they put into the peer's cache: they must go out in the order in which they were written. */
export class HeaderWriter {
  readonly #cache = new SendingCache()
  readonly #slots = new Uint16Array(maxReferences)
  readonly #fresh = new Uint8Array(maxReferences)

  /** `atoms[n]` is what ATOM_CACHE_REF n means in the message, for the first `count` of them. At most 255. */
  write(out: Writer, atoms: readonly Atom[], id?: FragmentId, count = atoms.length): void {
    out.tag8(VERSION, id ? DIST_FRAG_HEADER : DIST_HEADER)
    if (id) writeId(out, id)
    out.u8(count)
    if (count === 0) return
    const long = this.#place(atoms, count)
    this.#writeFlags(out, count, long)
    for (let i = 0; i < count; i++) {
      out.u8(this.#slots[i]!)
      if (this.#fresh[i] === 0) continue
      const { bytes } = atoms[i]!
      if (long) out.u16(bytes.length)
      else out.u8(bytes.length)
      out.raw(bytes)
    }
  }

  /** Finds each atom its slot. Is there a new one whose length needs two bytes? */
  #place(atoms: readonly Atom[], count: number): boolean {
    let long = false
    for (let i = 0; i < count; i++) {
      const atom = atoms[i]!
      const slot = this.#cache.slotOf(atom)
      const known = this.#cache.put(slot, atom)
      this.#slots[i] = slot
      this.#fresh[i] = known ? 0 : 1
      if (!known && atom.bytes.length > 255) long = true
    }
    return long
  }

  #writeFlags(out: Writer, count: number, long: boolean): void {
    for (let i = 0; i <= count; i += 2) out.u8(this.#nibble(i, count, long) | (this.#nibble(i + 1, count, long) << 4))
  }

  #nibble(index: number, count: number, long: boolean): number {
    if (index < count) return (this.#fresh[index]! << 3) | (this.#slots[index]! >> 8)
    return index === count && long ? 1 : 0
  }
}

/** The header of a further fragment. */
export function writeContinuation(out: Writer, id: FragmentId): void {
  out.u8(VERSION)
  out.u8(DIST_FRAG_CONT)
  writeId(out, id)
}

function writeId(out: Writer, { sequence, fragment }: FragmentId): void {
  out.u64(sequence)
  out.u64(BigInt(fragment))
}

function need(frame: Buffer, length: number): void {
  if (frame.length < length) throw fault(`ends after ${frame.length} bytes, within its header`)
}

const fault = (what: string): DistError => new DistError('DIST_PROTOCOL_HEADER', `A frame ${what}.`)
