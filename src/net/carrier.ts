/** What a Connection needs of a byte stream. TCP is one (tcp-carrier.ts); TLS and others can be. */
import type { PrefixSize } from '../dist/frames.js'
import type { NetError } from './errors.js'

export interface CarrierHandlers {
  /** Bytes that nobody writes to again. */
  data(chunk: Buffer): void
  /** Once: the stream is over, because the peer ended it (no error) or it broke. After `destroy` it is not told. */
  ended(error?: NetError): void
}

export interface Carrier {
  /** Bytes in the length of a handshake frame: 2, over TLS 4 */
  readonly prefix: PrefixSize
  /** `address:port` of the other end, for events */
  readonly remoteAddress: string
  /** Bytes written that the machine has not taken yet */
  readonly pendingBytes: number

  /** Starts reading, or goes on with it. */
  read(handlers: CarrierHandlers): void
  /** Stops reading: nothing is told until `read`, and nothing is lost. */
  pause(): void
  /** `taken` is called when the machine has taken these bytes, all of them where they come in pieces; never after the end. */
  write(bytes: Buffer | readonly Buffer[], taken?: () => void): void
  /** Ends the stream when all that was written is out, at the latest after `grace` milliseconds. Nothing is told any more. */
  end(grace: number): void
  /** Ends it now. Nothing is told any more. Idempotent. */
  destroy(): void
  /** Calls back when what has arrived by now has been told, unless the stream is over by then. */
  afterReads(callback: () => void): void
}
