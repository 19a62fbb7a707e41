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
  /** The payload, as far as it has come, and room for more of it */
  bytes: Buffer
  length: number
  /** Bytes that it counts for */
  held: number
  /** The id that the next fragment must have */
  expected: bigint
}

/** A message that is complete. */
export interface Assembled {
  readonly control: Control
  readonly atoms: readonly AtomTerm[]
  readonly payload: Buffer
}

/** What a sequence takes besides its control message and its payload, so that many empty ones count too. */
const overhead = 1024

/**
 * How many times as much as has come there may be room for, if so many fragments are announced. So a large payload is put together
 * where it will stay, and a false claim costs address space: the system gives pages to what is written alone.
 */
const trust = 16

/** Fragment ids are unsigned and count down; OTP cuts 64 KiB pieces, so no honest one comes near this. */
const largestId = (1n << 63n) - 1n

const nothing = Buffer.alloc(0)

export interface FragmentLimits {
  /** Bytes of one payload */
  readonly message: number
  /** Bytes of all messages that are incomplete, with what it takes to keep them */
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
   * @param memory bytes of heap that the control message takes: a trace token, say, may be of any size
   * @throws DistError DIST_PROTOCOL_FRAGMENT, DIST_PROTOCOL_FRAGMENT_LIMIT.
   */
  first(id: bigint, fragment: bigint, control: Control, atoms: readonly AtomTerm[], part: Buffer, memory = 0): Assembled | null {
    if (id === 0n) throw fault(id, 'has id 0')
    if (fragment < 1n || fragment > largestId) throw fault(id, `begins with fragment id ${fragment}`)
    if (this.#sequences.has(id)) throw fault(id, 'begins again before it ended')
    if (fragment === 1n) return { control, atoms, payload: part }
    const sequence: Sequence = { control, atoms, bytes: nothing, length: 0, held: 0, expected: fragment - 1n }
    this.#sequences.set(id, sequence)
    this.#hold(sequence, overhead + memory)
    this.#append(id, sequence, fragment, [part])
    return null
  }

  /**
   * A further fragment, which may lie in several places. The complete message when it was the last.
   *
   * @throws DistError DIST_PROTOCOL_FRAGMENT, DIST_PROTOCOL_FRAGMENT_LIMIT.
   */
  next(id: bigint, fragment: bigint, ...parts: readonly Buffer[]): Assembled | null {
    const sequence = this.#sequences.get(id)
    if (sequence === undefined) throw fault(id, 'goes on without having begun')
    if (fragment !== sequence.expected) throw fault(id, `brings fragment ${fragment} where ${sequence.expected} must come`)
    this.#append(id, sequence, fragment, parts)
    sequence.expected--
    if (fragment > 1n) return null
    this.#sequences.delete(id)
    const { control, atoms, bytes, length, held } = sequence
    this.#held -= held
    return { control, atoms, payload: bytes.subarray(0, length) }
  }

  #append(id: bigint, sequence: Sequence, fragment: bigint, parts: readonly Buffer[]): void {
    let size = 0
    for (const part of parts) size += part.length
    const length = sequence.length + size
    if (length > this.#limits.message) {
      throw new DistError(
        'DIST_PROTOCOL_FRAGMENT_LIMIT',
        `The fragments of message ${id} are more than ${this.#limits.message} bytes. Raise limits.size if such messages are wanted.`,
      )
    }
    this.#hold(sequence, size)
    if (length > sequence.bytes.length) this.#makeRoom(sequence, length, Number(fragment - 1n) * size)
    for (const part of parts) {
      sequence.bytes.set(part, sequence.length)
      sequence.length += part.length
    }
  }

  /** For `length` bytes, and for what is announced behind them as far as that is believed. */
  #makeRoom(sequence: Sequence, length: number, announced: number): void {
    const believed = Math.min(Math.max(length + announced, 2 * sequence.length), trust * length, this.#limits.message)
    const room = Buffer.allocUnsafeSlow(Math.max(length, believed))
    room.set(sequence.bytes.subarray(0, sequence.length))
    sequence.bytes = room
  }

  #hold(sequence: Sequence, bytes: number): void {
    sequence.held += bytes
    this.#held += bytes
    if (this.#held > this.#limits.unfinished) {
      throw new DistError(
        'DIST_PROTOCOL_FRAGMENT_LIMIT',
        `Unfinished fragmented messages take more than ${this.#limits.unfinished} bytes. Raise maxUnfinished if that is wanted.`,
      )
    }
  }
}

const fault = (id: bigint, what: string): DistError => new DistError('DIST_PROTOCOL_FRAGMENT', `Fragment sequence ${id} ${what}.`)
