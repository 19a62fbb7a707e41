import type { LocalEnd } from '../dist/peer.js'
import type { Atom } from '../term/index.js'
import type { Connection, ConnectionOptions } from './connection.js'

export interface DialOptions extends ConnectionOptions {
  readonly host: string
  readonly port: number
  readonly self: LocalEnd
  /** The node that must answer there */
  readonly peer: Atom
  readonly cookie: string
  /** Milliseconds for each network step, 7000 */
  readonly timeout?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Answer to `alive` (the peer still holds an older connection of ours): go on? True by default. */
  readonly whenAlive?: (() => boolean) | undefined
}

/** Connects and shakes hands. @throws NetError, DistError. */
export declare function dial(options: DialOptions): Promise<Connection>
