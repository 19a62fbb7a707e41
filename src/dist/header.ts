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
      return { tag, sequence: 0n, fragment: 1n, ...readAtoms(frame, 2, cache, budget) }
    case DIST_FRAG_HEADER:
      need(frame, 18)
      return { tag, sequence: frame.readBigUInt64BE(2), fragment: frame.readBigUInt64BE(10), ...readAtoms(frame, 18, cache, budget) }
    case DIST_FRAG_CONT:
      need(frame, 18)
      return { tag, sequence: frame.readBigUInt64BE(2), fragment: frame.readBigUInt64BE(10), atoms: noAtoms, end: continuationSize }
  }
  throw fault(tag === undefined ? 'ends after its first byte' : `has tag ${tag} where 68, 69 or 70 must be`)
}

function readAtoms(frame: Buffer, start: number, cache: ReceivingCache, budget: AtomBudget): Pick<Header, 'atoms' | 'end'> {
  need(frame, start + 1)
  const count = frame[start] as number
  let at = start + 1
  if (count === 0) return { atoms: noAtoms, end: at }

  const nibbles = at
  at += (count >> 1) + 1
  need(frame, at)
  const nibble = (index: number): number => ((frame[nibbles + (index >> 1)] as number) >> ((index & 1) << 2)) & 15
  const lengthSize = nibble(count) & 1 ? 2 : 1

  const atoms: AtomTerm[] = []
  for (let i = 0; i < count; i++) {
    const flag = nibble(i)
    need(frame, at + 1)
    const slot = ((flag & 7) << 8) | (frame[at++] as number)
    if (flag & 8) {
      need(frame, at + lengthSize)
      const length = lengthSize === 1 ? (frame[at] as number) : frame.readUInt16BE(at)
      at += lengthSize
      need(frame, at + length)
      cache.set(slot, atomFromUtf8(frame, at, length, budget))
      at += length
    }
    const atom = cache.get(slot)
    if (atom === undefined)
      throw new DistError('DIST_PROTOCOL_ATOM_CACHE', `A message refers to slot ${slot} of the atom cache, which is empty.`)
    atoms.push(atom)
  }
  return { atoms, end: at }
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

  /** `atoms[n]` is what ATOM_CACHE_REF n means in the message. At most 255. */
  write(out: Writer, atoms: readonly Atom[], id?: FragmentId): void {
    out.u8(VERSION)
    out.u8(id ? DIST_FRAG_HEADER : DIST_HEADER)
    if (id) writeId(out, id)
    out.u8(atoms.length)
    if (atoms.length === 0) return
    const long = this.#place(atoms)
    this.#writeFlags(out, atoms.length, long)
    for (let i = 0; i < atoms.length; i++) {
      out.u8(this.#slots[i]!)
      if (this.#fresh[i] === 0) continue
      const { bytes } = atoms[i]!
      if (long) out.u16(bytes.length)
      else out.u8(bytes.length)
      out.raw(bytes)
    }
  }

  /** Finds each atom its slot. Is there a new one whose length needs two bytes? */
  #place(atoms: readonly Atom[]): boolean {
    let long = false
    for (let i = 0; i < atoms.length; i++) {
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
