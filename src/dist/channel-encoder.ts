/**
 * From Signals to frames, in the form that the negotiated flags ask for: see channel-decoder.ts. Small messages are ready at once;
 * large ones wait in lanes and go out a fragment at a time.
 */
import type { Limits } from '../etf/limits.js'
import { VERSION } from '../etf/tags.js'
import { Writer } from '../etf/writer.js'
import { type Atom, Pid } from '../term/index.js'
import { AtomReferences } from './atom-references.js'
import { PASS_THROUGH } from './channel-decoder.js'
import { encodeControl, type Outgoing } from './control-encode.js'
import type { Ends } from './control-fields.js'
import { flags } from './flags.js'
import { type FragmentId, HeaderWriter, writeContinuation } from './header.js'
import { fragmentSize, Lanes, type Piece } from './lanes.js'
import type { Signal } from './signal.js'

export interface ChannelEncoderOptions {
  readonly ends: Ends
  /** Negotiated */
  readonly flags: bigint
  /** Of the terms that may be sent */
  readonly limits?: Partial<Limits> | undefined
}

export class ChannelEncoder {
  readonly #ends: Ends
  readonly #flags: bigint
  readonly #fragments: boolean
  readonly #headers: HeaderWriter | null
  /** Frames, ready to go */
  readonly #out: Writer
  /** One message, until its header is written before it */
  readonly #body: Writer
  readonly #references = new AtomReferences()
  readonly #lanes = new Lanes()

  constructor({ ends, flags: negotiated, limits }: ChannelEncoderOptions) {
    this.#ends = ends
    this.#flags = negotiated
    this.#fragments = (negotiated & flags.FRAGMENTS) !== 0n
    const caches = (negotiated & flags.DIST_HDR_ATOM_CACHE) !== 0n
    this.#headers = this.#fragments || caches ? new HeaderWriter() : null
    this.#out = new Writer({ limits })
    this.#body = new Writer({ limits, atomRef: caches ? atom => this.#references.of(atom) : undefined })
  }

  /** Bytes that `take` would hand over at once */
  get ready(): number {
    return this.#out.length
  }

  /** All bytes that wait */
  get length(): number {
    return this.#out.length + this.#lanes.bytes
  }

  /**
   * Adds a signal. False when there is nothing to send to this peer: see `encodeControl`.
   *
   * @throws EtfError for a payload that is no term, DistError DIST_SIGNAL. Then nothing was added.
   */
  encode(signal: Signal): boolean {
    const outgoing = encodeControl(signal, this.#flags, this.#ends)
    if (outgoing === null) return false
    if (this.#headers === null) this.#passThrough(outgoing)
    else this.#add(signal, outgoing)
    return true
  }

  /**
   * Hands over what is ready, and so many bytes of fragments, about.
   *
   * @param fragments when 0 or less, none
   */
  take(fragments: number): Buffer {
    for (let left = fragments; left > 0;) {
      const piece = this.#lanes.next()
      if (piece === null) break
      this.#piece(piece)
      left -= piece.end - piece.start
    }
    return this.#out.take()
  }

  #add(signal: Signal, outgoing: Outgoing): void {
    const payloadStart = this.#write(outgoing)
    const bytes = this.#body.take()
    const { atoms } = this.#references
    const large = this.#fragments && bytes.length > fragmentSize && payloadStart < bytes.length
    if (!large && this.#lanes.isEmpty) return this.#whole(atoms, bytes)
    const sender = senderOf(signal)
    const message = { bytes, payloadStart, atoms: [...atoms] }
    if (sender === null && !this.#lanes.isEmpty) this.#lanes.pushBehindAll(message)
    else if (large || this.#lanes.has(sender ?? '')) this.#lanes.push(sender ?? '', message)
    else this.#whole(atoms, bytes)
  }

  /** Writes control message and payload into the body, and gives the place where the payload begins. */
  #write({ control, payload }: Outgoing): number {
    const body = this.#body
    this.#references.clear()
    try {
      body.term(control)
      const payloadStart = body.length
      if (payload !== null) body.term(payload.read())
      return payloadStart
    } catch (error) {
      body.truncate(0)
      throw error
    }
  }

  #whole(atoms: readonly Atom[], bytes: Buffer): void {
    const at = this.#begin()
    this.#headers?.write(this.#out, atoms)
    this.#out.raw(bytes)
    this.#end(at)
  }

  #piece({ message, start, end, sequence, fragment }: Piece): void {
    const at = this.#begin()
    const id: FragmentId | undefined = sequence === 0n ? undefined : { sequence, fragment }
    if (id && start > 0) writeContinuation(this.#out, id)
    else this.#headers?.write(this.#out, message.atoms, id)
    this.#out.raw(message.bytes.subarray(start, end))
    this.#end(at)
  }

  /** Begins a frame: its length comes with its end. */
  #begin(): number {
    const at = this.#out.length
    this.#out.u32(0)
    return at
  }

  #end(at: number): void {
    this.#out.patchU32(at, this.#out.length - at - 4)
  }

  #passThrough({ control, payload }: Outgoing): void {
    const out = this.#out
    const at = this.#begin()
    try {
      out.u8(PASS_THROUGH)
      out.u8(VERSION)
      out.term(control)
      if (payload !== null) {
        out.u8(VERSION)
        out.term(payload.read())
      }
    } catch (error) {
      out.truncate(at)
      throw error
    }
    this.#end(at)
  }
}

/** Whose order the signal keeps; null when the signal does not say. */
function senderOf(signal: Signal): string | null {
  const sender = signal.op === 'spawnReply' ? signal.result : signal.op === 'groupLeader' ? null : signal.from
  if (sender instanceof Pid) return `${sender.id}.${sender.serial}`
  // The error of a spawn comes from no process.
  return signal.op === 'spawnReply' ? 'spawn' : null
}
