/**
 * From Signals to frames, in the form that the negotiated flags ask for: see channel-decoder.ts. Small messages are ready at once;
 * large ones wait in lanes and go out a fragment at a time.
 */
import type { Limits } from '../etf/limits.js'
import { VERSION } from '../etf/tags.js'
import { Writer } from '../etf/writer.js'
import { Pid } from '../term/index.js'
import { type Abilities, abilitiesOf } from './abilities.js'
import { AtomReferences } from './atom-references.js'
import { BytesPayload } from './bytes-payload.js'
import { PASS_THROUGH } from './channel-decoder.js'
import { encodeControl, type Outgoing } from './control-encode.js'
import type { Ends } from './control-fields.js'
import { type FragmentId, HeaderWriter, writeContinuation } from './header.js'
import { fragmentSize, Lanes, type Message, type Piece } from './lanes.js'
import { encodeRelay } from './relay.js'
import { Rope } from './rope.js'
import type { Signal } from './signal.js'

export interface ChannelEncoderOptions {
  readonly ends: Ends
  /** Negotiated */
  readonly flags: bigint
  /** Between the places of one node: see relay.ts. */
  readonly relay?: boolean | undefined
  /** Of the terms that may be sent */
  readonly limits?: Partial<Limits> | undefined
}

export class ChannelEncoder {
  readonly #ends: Ends
  readonly #can: Abilities
  readonly #relay: boolean
  /** What came as bytes may go on as it is: the peer knows what atom references mean, and every kind of term. */
  readonly #passesOn: boolean
  readonly #headers: HeaderWriter | null
  /** Frames, ready to go */
  readonly #out: Writer
  /** One message, until its header is written before it */
  readonly #body: Writer
  readonly #references = new AtomReferences()
  readonly #lanes = new Lanes()

  constructor({ ends, flags: negotiated, relay = false, limits }: ChannelEncoderOptions) {
    this.#ends = ends
    this.#relay = relay
    this.#can = abilitiesOf(negotiated)
    // OTP before 29 closes the connection when a record comes.
    const { fragments, atomCache, records } = this.#can
    this.#headers = fragments || atomCache ? new HeaderWriter() : null
    this.#passesOn = atomCache && records
    this.#out = new Writer({ limits, records, gathers: true })
    this.#body = new Writer({ limits, records, gathers: true, atomRef: atomCache ? atom => this.#references.of(atom) : undefined })
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
   * @throws EtfError for a payload that is no term, or ETF_RECORD for one that this peer would not take; DistError DIST_SIGNAL. Then nothing was added.
   */
  encode(signal: Signal): boolean {
    const outgoing = this.#relay ? encodeRelay(signal) : encodeControl(signal, this.#can, this.#ends)
    if (outgoing === null) return false
    if (this.#headers === null) this.#passThrough(outgoing)
    else this.#add(signal, outgoing)
    return true
  }

  /**
   * Hands over what is ready, and so many bytes of fragments, about: in pieces that are to be written one after the other.
   *
   * @param fragments when 0 or less, none
   */
  take(fragments: number): Buffer[] {
    for (let left = fragments; left > 0;) {
      const piece = this.#lanes.next()
      if (piece === null) break
      this.#piece(piece)
      left -= piece.length
    }
    return this.#out.takeParts()
  }

  #add(signal: Signal, outgoing: Outgoing): void {
    const payloadStart = this.#write(outgoing)
    const { length } = this.#body
    const large = this.#can.fragments && length > fragmentSize && payloadStart < length
    // What is sent to a new process must find it there, whoever sends it: its start goes in one piece, before all that waits.
    const urgent = signal.op === 'start' || (!large && signal.op === 'notice' && !signal.last)
    if (urgent || (!large && this.#lanes.isEmpty)) return this.#whole()
    const sender = senderOf(signal)
    const message = (): Message => ({ bytes: new Rope(this.#body.takeParts()), payloadStart, atoms: this.#references.atoms })
    if (sender === null && !this.#lanes.isEmpty) this.#lanes.pushBehindAll(message())
    else if (large || this.#lanes.has(sender ?? '')) this.#lanes.push(sender ?? '', message())
    else this.#whole()
  }

  /** Writes control message and payload into the body, and gives the place where the payload begins. */
  #write({ control, payload }: Outgoing): number {
    const body = this.#body
    this.#references.clear()
    // What came as bytes goes on as bytes, with the same numbers for the same atoms.
    const bytes = payload instanceof BytesPayload && this.#passesOn ? payload : null
    if (bytes) this.#references.load(bytes.atoms)
    try {
      body.term(control)
      const payloadStart = body.length
      if (bytes) body.append(bytes.bytes.subarray(bytes.start))
      else if (payload !== null) body.term(payload.read())
      return payloadStart
    } catch (error) {
      body.truncate(0)
      throw error
    }
  }

  /** The frame of what is in the body. */
  #whole(): void {
    const at = this.#begin()
    const { list, count } = this.#references
    this.#headers?.write(this.#out, list, undefined, count)
    this.#body.pour(this.#out)
    this.#end(at)
  }

  #piece({ message, first, length, bytes, sequence, fragment }: Piece): void {
    const at = this.#begin()
    const id: FragmentId | undefined = sequence === 0n ? undefined : { sequence, fragment }
    if (id && !first) writeContinuation(this.#out, id)
    else this.#headers?.write(this.#out, message.atoms, id)
    this.#end(at, bytes, length)
  }

  /** Begins a frame: its length comes with its end. */
  #begin(): number {
    const at = this.#out.length
    this.#out.u32(0)
    return at
  }

  /** Ends it with these bytes. */
  #end(at: number, parts: readonly Buffer[] = [], length = 0): void {
    this.#out.patchU32(at, this.#out.length - at - 4 + length)
    for (const part of parts) this.#out.append(part)
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
  if (signal.op === 'groupLeader' || signal.op === 'notice' || signal.op === 'start') return null
  const sender = signal.op === 'spawnReply' ? signal.result : signal.from
  if (sender instanceof Pid) return `${sender.id}.${sender.serial}`
  // The error of a spawn comes from no process.
  return signal.op === 'spawnReply' ? 'spawn' : null
}
