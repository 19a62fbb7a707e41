import type { EpmdEntry } from '../dist/epmd.js'
import type { Clock } from './clock.js'

export interface EpmdCallOptions {
  /** EPMD's port. Default: ERL_EPMD_PORT, else 4369. */
  readonly epmdPort?: number | undefined
  /** Milliseconds for the whole exchange, name resolution included. 7000. */
  readonly timeout?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly clock?: Clock | undefined
}

/** A line of `epmd -names`. */
export interface EpmdName {
  readonly name: string
  readonly port: number
}

/**
 * Asks the EPMD of `host` where the node `name` (the part before the `@`) listens.
 *
 * @throws EpmdError EPMD_NO_SUCH_NODE, EPMD_UNREACHABLE, EPMD_UNKNOWN_HOST, EPMD_TIMEOUT, EPMD_CLOSED, EPMD_FORMAT, EPMD_NAME, EPMD_ABORTED.
 */
export declare function lookup(name: string, host: string, options?: EpmdCallOptions): Promise<EpmdEntry>

/** Every node that the EPMD of `host` knows. @throws EpmdError as `lookup` does, EPMD_NO_SUCH_NODE excepted. */
export declare function names(host: string, options?: EpmdCallOptions): Promise<EpmdName[]>
