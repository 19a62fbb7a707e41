import type { AcceptStatus, LocalEnd } from '../dist/peer.js'
import type { NodeError } from '../term/index.js'
import type { Connection, ConnectionOptions } from './connection.js'

/** One peer that dialled us and is shaking hands. The same object goes to every callback about it. */
export interface Attempt {
  readonly remoteAddress: string
  /** Null until it has told its name. No Atom: it has proved nothing yet, and atoms stay for ever. */
  readonly peer: string | null
  /** The flags it offers; 0 until it has told its name */
  readonly flags: bigint
  /** Drops it; `failed` is told NET_ABORTED. */
  abort(): void
}

export interface ListenOptions extends ConnectionOptions {
  /** Default: every address */
  readonly host?: string | undefined
  /** Default 0: any free one */
  readonly port?: number | undefined
  /** Asked for each handshake, so that a creation that EPMD gives later counts. */
  self(): LocalEnd
  cookieFor(peer: string): string
  /** The connection table's decision about a peer that has told its name. */
  status(attempt: Attempt): AcceptStatus
  /** A handshake succeeded. Attach handlers now or later: nothing is lost. */
  connection(connection: Connection, attempt: Attempt): void
  /** A handshake failed: DistError or NetError. When `attempt.peer` was given a `status`, it is void now. */
  failed(error: NodeError, attempt: Attempt): void
  /** Milliseconds for each network step, 7000 */
  readonly timeout?: number | undefined
  /** Handshakes in progress; further sockets are closed at once. 1024 */
  readonly maxHandshakes?: number | undefined
}

export interface Listener {
  readonly port: number
  readonly address: string
  /** Stops listening and drops handshakes in progress; connections live on. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Resolves when it listens. @throws NetError NET_LISTEN when the address cannot be had. */
export declare function listen(options: ListenOptions): Promise<Listener>
