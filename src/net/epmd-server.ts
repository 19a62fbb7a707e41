import type { EpmdEntry } from '../dist/epmd.js'
import type { NodeError } from '../term/index.js'
import type { Clock } from './clock.js'

export interface EpmdServerEvents {
  registered?(entry: EpmdEntry, creation: number): void
  unregistered?(entry: EpmdEntry): void
  /** A client broke the protocol, or was too slow, and was dropped; or a socket could not be accepted. */
  fault?(error: NodeError, remoteAddress: string | undefined): void
  /** The server has ended: by `close`, or by a client's KILL. */
  closed?(): void
}

export interface EpmdServerOptions {
  /** Default: ERL_EPMD_PORT, else 4369. 0: any free one. */
  readonly port?: number | undefined
  /**
   * Addresses to listen at, as a list or separated by commas; `0.0.0.0` and `::` are all of them. The loopback addresses are always
   * added. Default: ERL_EPMD_ADDRESS, else the loopback alone, so that other hosts see nothing.
   */
  readonly host?: string | readonly string[] | undefined
  /** Obey STOP, and KILL while nodes are registered, as `epmd -relaxed_command_check` does. False. */
  readonly relaxed?: boolean | undefined
  /** Milliseconds in which a client must have asked and taken its answer. 10,000. */
  readonly requestTimeout?: number | undefined
  /** Sockets that have not registered; the oldest is dropped for a further one. 1024. */
  readonly maxRequests?: number | undefined
  /** Registered nodes; further ones are refused. 4096. */
  readonly maxNodes?: number | undefined
  readonly events?: EpmdServerEvents | undefined
  readonly clock?: Clock | undefined
}

/** EPMD itself, for a machine on which no Erlang is installed. */
export declare class EpmdServer {
  readonly port: number
  /** @throws EpmdError EPMD_PORT_IN_USE, EPMD_LISTEN, EPMD_PORT. */
  static start(options?: EpmdServerOptions): Promise<EpmdServer>
  /** Newest first, as EPMD lists them */
  nodes(): EpmdEntry[]
  /** Closes every socket: nodes that were registered look for another EPMD. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
