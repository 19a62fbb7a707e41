/**
 * Puts fragmented messages together. Sequences of different senders interleave; within one, the fragment id counts down to 1. The
 * control message lies wholly in the first fragment, so only payloads are collected here.
 *
 * Source: erl_dist_protocol, "Distribution Header for Fragmented Messages"; OTP closes the connection for each fault named here, or
 * worse (sequence id 0 with an incomplete payload ends the BEAM).
 */
import type { AtomTerm } from '../etf/atoms.js'
import type { Control } from './control.js'
import { DistError } from './errors.js'

/** A message whose payload is still coming. */
interface Sequence {
  readonly control: Control
  /** Those of its header: later headers may reuse the slots */
  readonly atoms: readonly AtomTerm[]
  readonly parts: Buffer[]
  length: number
  /** The id that the next fragment must have */
  expected: bigint
}

/** A message that is complete. */
export interface Assembled {
  readonly control: Control
  readonly atoms: readonly AtomTerm[]
  readonly payload: Buffer
}

/** What a sequence takes besides its payload, so that many empty ones count too. */
const overhead = 1024

/** A shorter part is copied: a slice keeps all of the chunk alive that it was cut from, and a chunk of a socket has 64 KiB. */
const sharedFrom = 16 * 1024

/** Fragment ids are unsigned and count down; OTP cuts 64 KiB pieces, so no honest one comes near this. */
const largestId = (1n << 63n) - 1n

export interface FragmentLimits {
  /** Bytes of one payload */
  readonly message: number
  /** Bytes of all payloads that are incomplete */
  readonly unfinished: number
}

export const defaultFragmentLimits: FragmentLimits = { message: 128 * 1024 * 1024, unfinished: 256 * 1024 * 1024 }

export class Fragments {
  readonly #limits: FragmentLimits
  readonly #sequences = new Map<bigint, Sequence>()
  #held = 0

  constructor(limits: FragmentLimits) {
    this.#limits = limits
  }

  /** Bytes held for messages that are incomplete */
  get held(): number {
    return this.#held
  }

  /** Messages that are incomplete */
  get count(): number {
    return this.#sequences.size
  }

  /**
   * A first fragment: its control message, decoded, and the part of the payload it brings.
   *
   * @throws DistError DIST_PROTOCOL_FRAGMENT, DIST_PROTOCOL_FRAGMENT_LIMIT.
   */
  first(id: bigint, fragment: bigint, control: Control, atoms: readonly AtomTerm[], part: Buffer): Assembled | null {
    if (id === 0n) throw fault(id, 'has id 0')
    if (fragment < 1n || fragment > largestId) throw fault(id, `begins with fragment id ${fragment}`)
    if (this.#sequences.has(id)) throw fault(id, 'begins again before it ended')
    if (fragment === 1n) return { control, atoms, payload: part }
    const sequence: Sequence = { control, atoms, parts: [], length: 0, expected: fragment - 1n }
    this.#sequences.set(id, sequence)
    this.#hold(overhead)
    this.#append(id, sequence, part)
    return null
  }

  /**
   * A further fragment. The complete message when it was the last.
   *
   * @throws DistError DIST_PROTOCOL_FRAGMENT, DIST_PROTOCOL_FRAGMENT_LIMIT.
   */
  next(id: bigint, fragment: bigint, part: Buffer): Assembled | null {
    const sequence = this.#sequences.get(id)
    if (sequence === undefined) throw fault(id, 'goes on without having begun')
    if (fragment !== sequence.expected) throw fault(id, `brings fragment ${fragment} where ${sequence.expected} must come`)
    this.#append(id, sequence, part)
    sequence.expected--
    if (fragment > 1n) return null
    this.#sequences.delete(id)
    const { control, atoms, parts, length } = sequence
    this.#held -= overhead + length
    return { control, atoms, payload: Buffer.concat(parts, length) }
  }

  #append(id: bigint, sequence: Sequence, part: Buffer): void {
    sequence.length += part.length
    if (sequence.length > this.#limits.message) {
      throw new DistError(
        'DIST_PROTOCOL_FRAGMENT_LIMIT',
        `The fragments of message ${id} are more than ${this.#limits.message} bytes. Raise limits.size if such messages are wanted.`,
      )
    }
    this.#hold(part.length)
    // Parts of no bytes are no reason to keep anything.
    if (part.length > 0) sequence.parts.push(part.length < sharedFrom ? Buffer.from(part) : part)
  }

  #hold(bytes: number): void {
    this.#held += bytes
    if (this.#held > this.#limits.unfinished) {
      throw new DistError('DIST_PROTOCOL_FRAGMENT_LIMIT', `Unfinished fragmented messages take more than ${this.#limits.unfinished} bytes.`)
    }
  }
}

const fault = (id: bigint, what: string): DistError => new DistError('DIST_PROTOCOL_FRAGMENT', `Fragment sequence ${id} ${what}.`)
