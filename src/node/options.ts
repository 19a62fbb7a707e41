/** What a node can be told at its start. */
import type { Limits } from '../etf/index.js'
import type { EpmdMode } from '../net/epmd.js'
import type { Clock } from '../process/index.js'

export interface NodeOptions {
  /** `name@host`, or a bare name, to which this host's name is appended. A dot in the host makes it a long name. */
  readonly name: string
  /** Default: BEAMLET_COOKIE, then ~/.erlang.cookie */
  readonly cookie?: string | undefined
  /** Not shown by `nodes()` on other nodes, and outside of `global`. Default: true */
  readonly hidden?: boolean | undefined
  /** 'auto' (default): the system's EPMD when it answers, else one of our own. false: none; then peers must be told the port. */
  readonly epmd?: EpmdMode | undefined
  /** EPMD's port. Default: ERL_EPMD_PORT, then 4369 */
  readonly epmdPort?: number | undefined
  /** Where other nodes dial in. Default: every address, any free port. false: this node only dials, and tells EPMD nothing. */
  readonly listen?: { readonly host?: string | undefined; readonly port?: number | undefined } | false | undefined
  /** Seconds in which a silent peer is found dead, as the BEAM's net_ticktime. Default: 60 */
  readonly netTickTime?: number | undefined
  /** Ticks in that time. Default: 4 */
  readonly netTickIntensity?: number | undefined
  /** Milliseconds for each step of a handshake and of a look-up. Default: 7000 */
  readonly netSetupTime?: number | undefined
  /** 'exact' keeps 1.0 apart from 1 by decoding every float as a Float. Default: 'number' */
  readonly floats?: 'number' | 'exact' | undefined
  /** What a message from a peer may ask for */
  readonly limits?: Partial<Limits> | undefined
  /** Bytes that may wait for one peer before `send` returns false. Default: 1 MiB */
  readonly sendBufferLimit?: number | undefined
  /** Bytes that may wait for one peer before its connection closes with `send_buffer_overflow`. Default: 512 MiB */
  readonly sendBufferMax?: number | undefined
  /** For tests: time */
  readonly clock?: Clock | undefined
}
