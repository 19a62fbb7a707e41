/**
 * Framing: every message on a distribution socket is `Length Bytes`. The length has two bytes during the handshake (four over TLS)
 * and four on the channel, where a frame of no bytes is a tick.
 *
 * Source: erl_dist_protocol, "Distribution Handshake" and "Protocol between Connected Nodes".
 */
import { DistError } from './errors.js'
import { GrowingBuffer } from './growing-buffer.js'

/** How many bytes a length has. */
export type PrefixSize = 2 | 4

/** A handshake message is a name and a few numbers. */
export const maxHandshakeFrame = 1024

/** A channel frame: a message of 128 MiB and its header. */
export const maxChannelFrame = 128 * 1024 * 1024 + 64 * 1024

/** A shorter piece is copied: a slice keeps all of the chunk alive that it was cut from, and a chunk of a socket has 64 KiB. */
const sharedFrom = 16 * 1024

/** The tick. */
export const tickFrame: Buffer = Buffer.alloc(4)

/** A frame with its length before it. */
export function frame(bytes: Uint8Array, prefix: PrefixSize): Buffer {
  const framed = Buffer.allocUnsafe(prefix + bytes.length)
  framed.writeUIntBE(bytes.length, 0, prefix)
  framed.set(bytes, prefix)
  return framed
}

/**
 * Cuts a stream of chunks into frames: `push` a chunk, then call `next` until it says null.
 *
 * What is long is a slice of its chunk, and copied by nobody here. The rules may change between two frames (`become`), and what has been pushed is
 * kept: the first channel frame often comes in one chunk with the last handshake message.
 */
export class FrameReader {
  #prefix: PrefixSize
  #maxFrame: number
  #chunk: Buffer = Buffer.alloc(0)
  #at = 0
  // The frame being read: its length, known once #prefixRead is #prefix, and its bytes while they do not lie in one chunk
  #length = 0
  #prefixRead = 0
  #pieces: (Buffer | GrowingBuffer)[] = []
  #missing = 0

  constructor(prefix: PrefixSize, maxFrame: number) {
    this.#prefix = prefix
    this.#maxFrame = maxFrame
  }

  /** From the next frame on. */
  become(prefix: PrefixSize, maxFrame: number): void {
    this.#prefix = prefix
    this.#maxFrame = maxFrame
  }

  push(chunk: Buffer): void {
    const rest = this.#chunk.length - this.#at
    this.#chunk = rest === 0 ? chunk : Buffer.concat([this.#chunk.subarray(this.#at), chunk])
    this.#at = 0
  }

  /**
   * The next whole frame, or null when more chunks are needed. The Buffer is never written to again.
   *
   * @throws DistError DIST_FRAME_SIZE as soon as a length is over the limit. The stream has no further frames.
   */
  next(): Buffer | null {
    const frame = this.nextPieces()
    return frame && whole(frame)
  }

  /** The same, but in the pieces in which it came when it did not come in one. */
  nextPieces(): Buffer | readonly Buffer[] | null {
    return this.#readPrefix() ? this.#readBytes() : null
  }

  #readPrefix(): boolean {
    if (this.#prefixRead === this.#prefix) return true
    const [chunk, at] = [this.#chunk, this.#at]
    if (this.#prefix === 4 && this.#prefixRead === 0 && at + 4 <= chunk.length) {
      // The usual case, and all of it at once.
      this.#length = ((chunk[at]! << 24) | (chunk[at + 1]! << 16) | (chunk[at + 2]! << 8) | chunk[at + 3]!) >>> 0
      this.#at = at + 4
      this.#prefixRead = 4
    }
    while (this.#prefixRead < this.#prefix) {
      const byte = this.#chunk[this.#at]
      if (byte === undefined) return false
      this.#at++
      this.#prefixRead++
      this.#length = this.#length * 256 + byte
    }
    if (this.#length > this.#maxFrame) {
      throw new DistError(
        'DIST_FRAME_SIZE',
        `A frame of ${this.#length} bytes was announced and the limit is ${this.#maxFrame}. Raise the message limit on this node, or look what speaks on that port.`,
      )
    }
    this.#missing = this.#length
    return true
  }

  #readBytes(): Buffer | readonly Buffer[] | null {
    const piece = this.#chunk.subarray(this.#at, this.#at + this.#missing)
    this.#at += piece.length
    const alone = piece.length === this.#length
    this.#missing -= piece.length
    if (alone) return this.#finish(piece)
    this.#keep(piece)
    return this.#missing === 0 ? this.#finish(this.#pieces.map(piece => (Buffer.isBuffer(piece) ? piece : piece.take()))) : null
  }

  #keep(piece: Buffer): void {
    if (piece.length >= sharedFrom) return void this.#pieces.push(piece)
    const last = this.#pieces.at(-1)
    if (last instanceof GrowingBuffer) return last.append(piece)
    const growing = new GrowingBuffer(piece.length + this.#missing)
    growing.append(piece)
    this.#pieces.push(growing)
  }

  #finish<T>(frame: T): T {
    this.#length = 0
    this.#prefixRead = 0
    if (this.#pieces.length > 0) this.#pieces = []
    return frame
  }
}

/** A frame in one piece. */
export const whole = (frame: Buffer | readonly Buffer[]): Buffer => (Buffer.isBuffer(frame) ? frame : Buffer.concat(frame))
