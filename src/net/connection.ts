/** A connection to one peer: Signals in, Signals out, over one socket. */
import type { Peer } from '../dist/peer.js'
import type { Signal } from '../dist/signal.js'
import type { NodeError } from '../term/index.js'
import type { Clock } from '../process/clock.js'

/** Why a connection ended: `reason` is what OTP calls it in a nodedown message. */
export interface ConnectionDown {
  /** 'connection_closed' | 'net_tick_timeout' | 'disconnect' | 'send_buffer_overflow' | … */
  readonly reason: string
  /** The fault, where there was one: a DistError or EtfError when the peer broke the protocol, a NetError when the socket failed. */
  readonly error?: NodeError | undefined
}

/** Handlers run in the turn in which their cause was read. None of them may throw. */
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
  /** Seconds: a peer that says nothing for so long (give or take a quarter) is down. 60. */
  readonly netTickTime?: number | undefined
  /** Ticks in that time, 4..1000. 4. */
  readonly netTickIntensity?: number | undefined
  /** Bytes that may wait before `send` says false. 1 MiB. */
  readonly sendBufferLimit?: number | undefined
  /** Bytes that may wait before the connection closes with `send_buffer_overflow`. 512 MiB. */
  readonly sendBufferMax?: number | undefined
  readonly clock?: Clock | undefined
}

export interface ConnectionStats {
  readonly bytesIn: number
  readonly bytesOut: number
  readonly signalsIn: number
  readonly signalsOut: number
  readonly bufferedBytes: number
}

export declare class Connection {
  readonly peer: Peer
  readonly remoteAddress: string
  /** True when the peer dialled */
  readonly incoming: boolean

  /** Signals that came before are delivered first, in order. Once only. */
  attach(handlers: ConnectionHandlers): void

  /**
   * Sends in this turn's one socket write. False: more than `sendBufferLimit` bytes wait (the signal is accepted all the same), or the
   * connection is closed.
   *
   * @throws EtfError when a payload cannot be encoded: nothing of the signal is sent, the connection lives on.
   */
  send(signal: Signal): boolean

  /** Sends what was accepted, then closes; `closed` is told this reason. Idempotent. */
  close(reason?: string): void

  /** The receiver of a signal found its payload broken (EtfError from `read`): the peer's fault, and the end of this connection. */
  fault(error: NodeError): void

  get isClosed(): boolean
  get isBusy(): boolean
  get bufferedBytes(): number
  get stats(): ConnectionStats
}
