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

/** A frame up to this long gets its room at once: a fragment of OTP's, and its header. */
const roomAtOnce = 128 * 1024

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
 * A frame that lies in one chunk is a slice of it. The rules may change between two frames (`become`), and what has been pushed is
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
  #partial: GrowingBuffer | null = null

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
    return this.#readPrefix() ? this.#readBytes() : null
  }

  #readPrefix(): boolean {
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
    return true
  }

  #readBytes(): Buffer | null {
    const missing = this.#length - (this.#partial?.length ?? 0)
    const piece = this.#chunk.subarray(this.#at, this.#at + missing)
    this.#at += piece.length
    if (piece.length === missing && this.#partial === null) return this.#finish(piece)
    this.#partial ??= new GrowingBuffer(this.#length, roomAtOnce)
    this.#partial.append(piece)
    return piece.length === missing ? this.#finish(this.#partial.take()) : null
  }

  #finish(bytes: Buffer): Buffer {
    this.#length = 0
    this.#prefixRead = 0
    this.#partial = null
    return bytes
  }
}
