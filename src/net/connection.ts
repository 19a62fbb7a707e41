/**
 * A connection to one peer: Signals in, Signals out, over one carrier.
 *
 * In: chunk → frame → Signal → the `signal` handler, at once. Out: all that is sent in one turn of the event loop leaves in one write.
 * Its end is told once, with the reason under OTP's name; what the peer does wrong ends this connection and nothing else.
 */
import { ChannelDecoder } from '../dist/channel-decoder.js'
import { ChannelEncoder } from '../dist/channel-encoder.js'
import { type FrameReader, maxChannelFrame, tickFrame } from '../dist/frames.js'
import type { Agreement } from '../dist/handshake.js'
import { instead } from '../dist/instead.js'
import type { Peer } from '../dist/peer.js'
import type { Signal } from '../dist/signal.js'
import type { DecoderOptions } from '../etf/decoder.js'
import { type Clock, systemClock } from '../process/clock.js'
import { type Atom, NodeError } from '../term/index.js'
import type { Carrier } from './carrier.js'
import { NetError } from './errors.js'
import { Ticker } from './ticker.js'

/** Why a connection ended: `reason` is what OTP calls it in a nodedown message. */
export interface ConnectionDown {
  /** 'connection_closed' | 'net_tick_timeout' | 'disconnect' | 'send_buffer_overflow' | whatever `close` was given */
  readonly reason: string
  /** The fault, where there was one: a DistError or EtfError when the peer broke the protocol, a NetError when the socket failed. */
  readonly error?: NodeError | undefined
}

/** None of them may throw. */
export interface ConnectionHandlers {
  signal(signal: Signal, connection: Connection): void
  /** Once, after the last signal. */
  closed(connection: Connection, down: ConnectionDown): void
  /** More than `sendBufferLimit` bytes wait to be sent. */
  busy?(connection: Connection): void
  /** Half of it or less waits. Follows each `busy`, unless the connection closes. */
  drain?(connection: Connection): void
}

export interface ConnectionOptions {
  /** Seconds: a peer that says nothing for so long (and at most a quarter more) is down. 60. */
  readonly netTickTime?: number | undefined
  /** Ticks in that time, 4..1000. 4. */
  readonly netTickIntensity?: number | undefined
  /** Bytes that may wait before `send` says false. 1 MiB. */
  readonly sendBufferLimit?: number | undefined
  /** Bytes that may wait before the connection closes with `send_buffer_overflow`. 512 MiB. */
  readonly sendBufferMax?: number | undefined
  /** How payloads are read, and their limits; `limits.size` bounds a message, `atoms` is to be shared by a node's connections. */
  readonly decoding?: DecoderOptions | undefined
  /** Bytes of fragmented messages from the peer that are incomplete, 256 MiB */
  readonly maxUnfinished?: number | undefined
  readonly clock?: Clock | undefined
  /** To a place of this node, not to another node: see dist/relay.ts. */
  readonly relay?: boolean | undefined
}

export interface ConnectionStats {
  readonly bytesIn: number
  readonly bytesOut: number
  readonly signalsIn: number
  readonly signalsOut: number
  /** Waiting to be sent */
  readonly bufferedBytes: number
  /** Held for fragmented messages that are incomplete */
  readonly unfinishedBytes: number
}

/** What a handshake leaves behind. */
export interface Established {
  readonly agreement: Agreement
  readonly carrier: Carrier
  readonly reader: FrameReader
  /** True when the peer dialled */
  readonly incoming: boolean
}

const MiB = 1024 * 1024

/** Bytes of fragments that may wait in the carrier: what a small message sent now waits for. */
const fragmentWindow = 256 * 1024

/** How much may gather in a turn before it is written at once. */
const earlyFlush = 256 * 1024

/** Milliseconds for what was accepted to go out after `close` */
const lastWords = 5000

export class Connection {
  readonly peer: Peer
  /** This end's name: given by the peer if it was asked for one */
  readonly self: Atom
  readonly selfCreation: number
  readonly remoteAddress: string
  /** True when the peer dialled */
  readonly incoming: boolean
  readonly #carrier: Carrier
  readonly #reader: FrameReader
  readonly #decoder: ChannelDecoder
  readonly #encoder: ChannelEncoder
  readonly #ticker: Ticker
  readonly #relay: boolean
  readonly #limit: number
  readonly #max: number
  #handlers: ConnectionHandlers | null = null
  #down: ConnectionDown | null = null
  #flushing = false
  #busy = false
  #bytesIn = 0
  #bytesOut = 0
  #signalsIn = 0
  #signalsOut = 0

  /** The carrier is paused, at the first byte after the handshake. */
  constructor({ agreement, carrier, reader, incoming }: Established, options: ConnectionOptions = {}) {
    this.peer = agreement.peer
    this.self = agreement.self.name
    this.selfCreation = agreement.self.creation
    this.remoteAddress = carrier.remoteAddress
    this.incoming = incoming
    this.#carrier = carrier
    this.#reader = reader
    this.#relay = options.relay ?? false
    this.#limit = options.sendBufferLimit ?? MiB
    this.#max = options.sendBufferMax ?? 512 * MiB

    const size = options.decoding?.limits?.size
    reader.become(4, size === undefined ? maxChannelFrame : size + 64 * 1024)
    const ends = { self: this.self, peer: this.peer.name }
    const { decoding, maxUnfinished, relay } = options
    const { flags } = this.peer
    this.#decoder = new ChannelDecoder({ ends, flags, relay, decoding, maxUnfinished, fault: error => this.fault(error) })
    this.#encoder = new ChannelEncoder({ ends, flags, relay, limits: decoding?.limits })

    const intensity = options.netTickIntensity ?? 4
    this.#ticker = new Ticker({
      clock: options.clock ?? systemClock,
      interval: ((options.netTickTime ?? 60) * 1000) / intensity,
      intensity,
      hidden: !this.peer.visible,
      tick: () => this.#write([tickFrame]),
      afterReads: callback => carrier.afterReads(callback),
      dead: () => this.#end({ reason: 'net_tick_timeout' }, false),
    })
  }

  /** From now on the handlers are told, beginning after this turn's microtasks; signals that came before were kept. Once only. */
  attach(handlers: ConnectionHandlers): void {
    if (this.#handlers !== null) throw new NetError('NET_ATTACHED', 'The connection has its handlers already: attach once.')
    this.#handlers = handlers
    queueMicrotask(() => this.#start(handlers))
  }

  #start(handlers: ConnectionHandlers): void {
    if (this.#down !== null) return handlers.closed(this, this.#down)
    this.#readFrames()
    if (this.#down !== null) return
    this.#carrier.read({
      data: chunk => this.#data(chunk),
      ended: error => this.#end({ reason: 'connection_closed', error }, false),
    })
  }

  // ── in ─────────────────────────────────────────────────────────────────────

  #data(chunk: Buffer): void {
    this.#ticker.heard()
    // Under load many chunks are read in a turn. What the one before has led to does not wait for all of them.
    if (this.#encoder.ready > 0) this.#flush()
    this.#bytesIn += chunk.length
    this.#reader.push(chunk)
    this.#readFrames()
  }

  #readFrames(): void {
    // A handler may close the connection: then the rest is not read.
    while (this.#down === null) {
      const signal = this.#nextSignal()
      if (signal === undefined) return
      this.#signalsIn++
      this.#handlers?.signal(signal, this)
    }
  }

  /** Undefined when more bytes are needed, or when what came ended the connection. */
  #nextSignal(): Signal | undefined {
    try {
      for (;;) {
        const frame = this.#reader.nextPieces()
        if (frame === null) return undefined
        const signal = this.#decoder.decode(frame)
        if (signal !== null) return signal
      }
    } catch (error) {
      if (!(error instanceof NodeError)) throw error
      this.fault(error)
      return undefined
    }
  }

  /** The receiver of a signal found its payload broken (EtfError from `read`): the peer's fault, and the end of this connection. */
  fault(error: NodeError): void {
    this.#end({ reason: 'connection_closed', error }, false)
  }

  // ── out ────────────────────────────────────────────────────────────────────

  /**
   * Sends in this turn's one write. False: more than `sendBufferLimit` bytes wait (the signal is accepted all the same), or the connection
   * is closed (it is not).
   *
   * @throws EtfError when a payload cannot be encoded, DistError DIST_SIGNAL when the signal cannot be sent to anybody: nothing of it is
   * sent, and the connection lives on.
   */
  send(signal: Signal): boolean {
    if (this.#down !== null) return false
    const other = this.#relay ? null : instead(signal, this.peer)
    if (other !== null) return this.#answer(other.answer)
    this.#encoder.encode(signal)
    this.#signalsOut++
    this.#flushSoon()
    return this.#withinLimit()
  }

  #flushSoon(): void {
    if (this.#encoder.ready >= earlyFlush) this.#flush()
    if (this.#flushing) return
    this.#flushing = true
    setImmediate(() => {
      this.#flushing = false
      if (this.#down === null) this.#flush()
    })
  }

  #flush(): void {
    this.#write(this.#encoder.take(fragmentWindow - this.#carrier.pendingBytes))
  }

  #write(pieces: readonly Buffer[]): void {
    if (pieces.length === 0) return
    this.#ticker.wrote()
    for (const { length } of pieces) this.#bytesOut += length
    this.#carrier.write(pieces, () => this.#taken())
  }

  /** The machine has taken what was written: fragments go on, and who was told to wait may send. */
  #taken(): void {
    if (this.#down !== null) return
    if (this.#encoder.length > 0) this.#flush()
    if (!this.#busy || this.bufferedBytes > this.#limit / 2) return
    this.#busy = false
    this.#handlers?.drain?.(this)
  }

  #withinLimit(): boolean {
    const waiting = this.bufferedBytes
    if (waiting <= this.#limit) return true
    if (waiting > this.#max) {
      const error = new NetError(
        'NET_SEND_BUFFER',
        `More than ${this.#max} bytes wait for the node ${this.peer.name}, which reads too slowly. Mind what send returns, or raise sendBufferMax.`,
      )
      this.#end({ reason: 'send_buffer_overflow', error }, false)
    } else if (!this.#busy) {
      this.#busy = true
      this.#handlers?.busy?.(this)
    }
    return false
  }

  /** Delivers what the peer would have answered. */
  #answer(signal: Signal | null): boolean {
    queueMicrotask(() => {
      if (signal !== null && this.#down === null) this.#handlers?.signal(signal, this)
    })
    return true
  }

  // ── the end ────────────────────────────────────────────────────────────────

  /** Sends what was accepted, then closes; the `closed` handler is told this reason before `close` returns. Idempotent. */
  close(reason = 'disconnect'): void {
    this.#end({ reason }, true)
  }

  #end(down: ConnectionDown, graceful: boolean): void {
    if (this.#down !== null) return
    if (graceful) {
      this.#write(this.#encoder.take(Infinity))
    }
    this.#down = down
    this.#ticker.stop()
    if (graceful) this.#carrier.end(lastWords)
    else this.#carrier.destroy()
    this.#handlers?.closed(this, down)
  }

  get isClosed(): boolean {
    return this.#down !== null
  }

  /** More than `sendBufferLimit` bytes wait; ends with `drain`. */
  get isBusy(): boolean {
    return this.#busy
  }

  /** Bytes of all that was ever sent, waiting or gone */
  get acceptedBytes(): number {
    return this.#bytesOut + this.#encoder.length
  }

  /** Bytes that wait to be sent */
  get bufferedBytes(): number {
    return this.#encoder.length + this.#carrier.pendingBytes
  }

  get stats(): ConnectionStats {
    return {
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      signalsIn: this.#signalsIn,
      signalsOut: this.#signalsOut,
      bufferedBytes: this.bufferedBytes,
      unfinishedBytes: this.#decoder.unfinishedBytes,
    }
  }
}
