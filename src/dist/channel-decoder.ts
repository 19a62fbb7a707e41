/**
 * From frames to Signals: header, atom cache, fragments, control message. The payload stays bytes until its receiver reads it.
 *
 * Two forms, by the negotiated flags. With DIST_HDR_ATOM_CACHE or FRAGMENTS each message has a distribution header, and its terms
 * have no 131 of their own; without them a message is `112 131 Control [131 Payload]`.
 *
 * Source: erl_dist_protocol, "Protocol between Connected Nodes"; erts_prepare_dist_ext in erts/emulator/beam/external.c.
 */
import { AtomBudget, type AtomTerm } from '../etf/atoms.js'
import { Decoder, type DecoderOptions } from '../etf/decoder.js'
import type { EtfError } from '../etf/error.js'
import { defaultLimits } from '../etf/limits.js'
import { VERSION } from '../etf/tags.js'
import { Pid, Reference } from '../term/index.js'
import { ReceivingCache } from './atom-cache.js'
import { BytesPayload } from './bytes-payload.js'
import { type Control, decodeControl } from './control.js'
import type { Ends } from './control-fields.js'
import { DistError } from './errors.js'
import { flags } from './flags.js'
import { type Assembled, defaultFragmentLimits, Fragments } from './fragments.js'
import { whole } from './frames.js'
import { continuationSize, DIST_FRAG_CONT, DIST_HEADER, type Header, readHeader } from './header.js'
import { decodeRelay } from './relay.js'
import type { Signal } from './signal.js'

/** PASS_THROUGH, the byte before a message without a header */
export const PASS_THROUGH = 112

export interface ChannelDecoderOptions {
  readonly ends: Ends
  /** Negotiated */
  readonly flags: bigint
  /** Between the places of one node: see relay.ts. */
  readonly relay?: boolean | undefined
  /** How terms are read, and their limits; `limits.size` bounds a message */
  readonly decoding?: DecoderOptions | undefined
  /** Bytes of fragmented messages that are incomplete, 256 MiB */
  readonly maxUnfinished?: number | undefined
  /** A payload turned out to be no term when its receiver read it. */
  fault(error: EtfError): void
}

const noAtoms: readonly AtomTerm[] = []

export class ChannelDecoder {
  readonly #ends: Ends
  readonly #relay: boolean
  readonly #headers: boolean
  readonly #fragmented: boolean
  readonly #decoder: Decoder
  readonly #atoms: AtomBudget
  readonly #cache = new ReceivingCache()
  readonly #fragments: Fragments
  readonly #fault: (error: EtfError) => void

  constructor({ ends, flags: negotiated, relay = false, decoding = {}, maxUnfinished, fault }: ChannelDecoderOptions) {
    this.#ends = ends
    this.#relay = relay
    this.#fragmented = (negotiated & flags.FRAGMENTS) !== 0n
    this.#headers = this.#fragmented || (negotiated & flags.DIST_HDR_ATOM_CACHE) !== 0n
    this.#atoms = decoding.atoms ?? new AtomBudget(decoding.limits?.atoms ?? defaultLimits.atoms)
    this.#decoder = new Decoder({ ...decoding, atoms: this.#atoms })
    const message = decoding.limits?.size ?? defaultFragmentLimits.message
    this.#fragments = new Fragments({ message, unfinished: maxUnfinished ?? defaultFragmentLimits.unfinished })
    this.#fault = fault
  }

  /** Bytes held for fragmented messages that are incomplete */
  get unfinishedBytes(): number {
    return this.#fragments.held
  }

  /**
   * The signal of a frame, which may lie in several pieces; null for a tick, for a fragment that is not the last, and for what OTP too leaves lying: a message to a process
   * of a third node.
   *
   * After an error nothing more can be read: the connection is to be closed.
   *
   * @throws DistError DIST_PROTOCOL_* or EtfError that names the peer's fault.
   */
  decode(frame: Buffer | readonly Buffer[]): Signal | null {
    if (Buffer.isBuffer(frame)) return this.#whole(frame)
    // What is large comes in further fragments: they are copied once, to where the payload is put together.
    const [first, ...rest] = frame as readonly [Buffer, ...Buffer[]]
    if (this.#fragmented && first.length >= continuationSize && first[1] === DIST_FRAG_CONT)
      return this.#fragment(first, readHeader(first, this.#cache, this.#atoms), rest)
    return this.#whole(whole(frame))
  }

  #whole(frame: Buffer): Signal | null {
    if (frame.length === 0) return null
    if (!this.#headers) return this.#passThrough(frame)
    const header = readHeader(frame, this.#cache, this.#atoms)
    if (header.tag === DIST_HEADER) {
      const control = this.#control(frame, header.end, header.atoms)
      return this.#complete(control, frame, this.#decoder.end, header.atoms)
    }
    return this.#fragment(frame, header)
  }

  #fragment(frame: Buffer, { tag, sequence, fragment, atoms, end }: Header, rest: readonly Buffer[] = []): Signal | null {
    if (!this.#fragmented) throw new DistError('DIST_PROTOCOL_HEADER', 'A fragment came, and FRAGMENTS was not negotiated.')
    const assembled =
      tag === DIST_FRAG_CONT
        ? this.#fragments.next(sequence, fragment, frame.subarray(end), ...rest)
        : this.#first(frame, { sequence, fragment, atoms, end })
    return assembled && this.#complete(assembled.control, assembled.payload, 0, assembled.atoms)
  }

  #first(frame: Buffer, { sequence, fragment, atoms, end: start }: Omit<Header, 'tag'>): Assembled | null {
    const control = this.#control(frame, start, atoms)
    const { end, memory } = this.#decoder
    // What the decoder does not count takes less than eight times its bytes.
    const held = memory + 8 * (end - start)
    return this.#fragments.first(sequence, fragment, control, atoms, frame.subarray(end), held)
  }

  #passThrough(frame: Buffer): Signal | null {
    if (frame[0] !== PASS_THROUGH || frame[1] !== VERSION) {
      throw new DistError('DIST_PROTOCOL_HEADER', `A frame begins with bytes ${frame[0]} and ${frame[1]}, not with 112 and 131.`)
    }
    const control = this.#control(frame, 2, noAtoms)
    const { end } = this.#decoder
    if (control.payload === null || end === frame.length) return this.#complete(control, frame, end, noAtoms)
    if (frame[end] !== VERSION)
      throw new DistError('DIST_PROTOCOL_PAYLOAD', `The payload of ${control.name} begins with byte ${frame[end]}, not with 131.`)
    return this.#complete(control, frame, end + 1, noAtoms)
  }

  #control(frame: Buffer, start: number, atoms: readonly AtomTerm[]): Control {
    const control = this.#decoder.read(frame, start, atoms)
    return this.#relay ? decodeRelay(control) : decodeControl(control, this.#ends)
  }

  /** The payload, if any, is all of `bytes` from `start` on. */
  #complete({ name, signal, payload }: Control, bytes: Buffer, start: number, atoms: readonly AtomTerm[]): Signal | null {
    if ((payload !== null) !== start < bytes.length) {
      throw new DistError(
        'DIST_PROTOCOL_PAYLOAD',
        payload ? `${name} came without its payload.` : `${bytes.length - start} bytes follow ${name}.`,
      )
    }
    const { to } = signal
    if (!this.#relay && (to instanceof Pid || to instanceof Reference) && to.node !== this.#ends.self) return null
    if (!this.#relay && signal.op === 'spawnRequest') signal.to = this.#ends.self
    if (payload) signal[payload] = new BytesPayload(bytes, start, atoms, this.#decoder, this.#fault)
    // Each field was checked as it was read: see control-fields.ts.
    return signal as Signal
  }
}
