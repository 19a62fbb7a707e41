/**
 * Messages too large for one frame, on their way out in fragments. Each sender has a lane: what it sends while its large message is
 * going out waits behind it, so order holds from sender to receiver; what others send does not wait. The lanes take turns.
 *
 * Source: erl_dist_protocol, "Distribution Header for Fragmented Messages". OTP cuts pieces of 64 KiB, too.
 */
import type { Atom } from '../term/index.js'
import type { Rope } from './rope.js'

/** Bytes of control message and payload in one fragment */
export const fragmentSize = 64 * 1024

/** A message that is encoded but for its header, which is written when it goes out: headers follow wire order. */
export interface Message {
  /** Taken from as it goes out */
  readonly bytes: Rope
  /** Where the payload begins. The first fragment holds at least that much. */
  readonly payloadStart: number
  /** What its references mean */
  readonly atoms: readonly Atom[]
}

/** A piece of a message: all of it (`sequence` 0n), or one fragment. */
export interface Piece {
  readonly message: Message
  /** Does the message begin with it? */
  readonly first: boolean
  readonly length: number
  readonly bytes: readonly Buffer[]
  readonly sequence: bigint
  /** Counts down to 1 */
  readonly fragment: number
}

/** A message whose sender is not known, at the place that it has in each lane: it goes out when all lanes have come to it. */
interface Meeting {
  readonly message: Message
  lanes: number
}

interface Sending {
  readonly message: Message
  readonly sequence: bigint
  first: boolean
  fragments: number
}

type Waiting = Sending | Meeting

export class Lanes {
  readonly #lanes = new Map<string, Waiting[]>()
  #bytes = 0
  #sequence = 0n

  /** Bytes that wait, headers not counted */
  get bytes(): number {
    return this.#bytes
  }

  get isEmpty(): boolean {
    return this.#lanes.size === 0
  }

  /** Must what this sender says wait? */
  has(sender: string): boolean {
    return this.#lanes.has(sender)
  }

  push(sender: string, message: Message): void {
    const lane = this.#lanes.get(sender) ?? []
    lane.push(this.#sending(message))
    this.#lanes.set(sender, lane)
    this.#bytes += message.bytes.length
  }

  /** Behind all that waits now. There must be a lane. */
  pushBehindAll(message: Message): void {
    const meeting: Meeting = { message, lanes: this.#lanes.size }
    for (const lane of this.#lanes.values()) lane.push(meeting)
    this.#bytes += message.bytes.length
  }

  #sending(message: Message): Sending {
    const rest = message.bytes.length - firstLength(message)
    return { message, sequence: rest > 0 ? ++this.#sequence : 0n, first: true, fragments: 1 + Math.ceil(rest / fragmentSize) }
  }

  /** The next piece to go out, from the lane whose turn it is; null when nothing waits. */
  next(): Piece | null {
    for (const [sender, lane] of this.#lanes) {
      const piece = this.#advance(lane)
      // The lane goes to the end of the row, or away.
      this.#lanes.delete(sender)
      if (lane.length > 0) this.#lanes.set(sender, lane)
      if (piece === null) continue
      this.#bytes -= piece.length
      return piece
    }
    return null
  }

  #advance(lane: Waiting[]): Piece | null {
    let sending = lane[0] as Waiting
    if ('lanes' in sending) {
      if (--sending.lanes > 0) {
        lane.shift()
        return null
      }
      // The last lane to come to it sends it.
      sending = lane[0] = this.#sending(sending.message)
    }
    const { message, sequence, first } = sending
    const length = first ? firstLength(message) : Math.min(fragmentSize, message.bytes.length)
    const fragment = sending.fragments--
    sending.first = false
    if (fragment === 1) lane.shift()
    return { message, first, length, bytes: message.bytes.take(length), sequence, fragment }
  }
}

/** The control message lies wholly in the first fragment. */
function firstLength({ bytes, payloadStart }: Message): number {
  return Math.min(bytes.length, Math.max(fragmentSize, payloadStart))
}
