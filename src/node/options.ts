/** What a node can be told at its start. */
import type { Limits } from '../etf/index.js'
import type { EpmdMode } from '../net/epmd.js'
import type { TlsOptions } from '../net/tls-options.js'
import type { Clock } from '../process/index.js'
import type { SchedulerOptions } from './places/defaults.js'
import type { NameDomain } from './node-name.js'
import type { Resolver } from './resolve.js'

export interface NodeOptions {
  /** `name@host`, or a bare name, to which this host's name is appended. A dot in the host makes it a long name. */
  readonly name: string
  /**
   * With the name `undefined@host`: the node that gives this one its name, as to `erl -name undefined@host`. It is dialled before the node is there, and
   * its connection is the life of the name. Such a node is hidden, and nobody can dial it.
   */
  readonly namedBy?: string | undefined
  /** Which host name a bare name gets, as `erl -sname` (default) or `erl -name` ('long') */
  readonly nameDomain?: NameDomain | undefined
  /** Default: BEAMLET_COOKIE, RELEASE_COOKIE, then ~/.erlang.cookie */
  readonly cookie?: string | undefined
  /** Other cookies for single peers, by their names: `{ 'x@host': 'other' }`. Both directions. */
  readonly cookies?: Readonly<Record<string, string>> | undefined
  /** Nodes or hosts that may connect, as `net_kernel:allow/1`. Default: all */
  readonly allow?: readonly string[] | undefined
  /**
   * As kernel's dist_auto_connect. true (default): a send, link or monitor connects. 'never': only `connect` does. 'once': as true, but not
   * again after the connection is lost, until `connect` or the peer makes a new one.
   */
  readonly distAutoConnect?: 'never' | 'once' | true | undefined
  /**
   * Not shown by `nodes()` on other nodes, and outside of `global`. Default: false, as on the BEAM; a node that nobody can dial (`listen: false`), or
   * that was given its name, is always hidden.
   */
  readonly hidden?: boolean | undefined
  /**
   * As kernel's connect_all: a visible node that connects to one of a cluster connects to all of them, and has the names of `global`. Default: true
   */
  readonly connectAll?: boolean | undefined
  /**
   * As kernel's prevent_overlapping_partitions: when two nodes of a cluster lose each other, the others let go of one of them. All nodes of the
   * cluster must have it, or none. Default: true
   */
  readonly preventOverlappingPartitions?: boolean | undefined
  /**
   * 'auto' (default): the system's EPMD when it answers, else one of our own. 'system', 'embedded': the one or the other, or no node.
   * false: none; then peers must be told the port.
   */
  readonly epmd?: EpmdMode | undefined
  /** EPMD's port. Default: ERL_EPMD_PORT, then 4369 */
  readonly epmdPort?: number | undefined
  /**
   * Where other nodes listen, for clusters without EPMD. A number: every node, and this one, on this port (`-erl_epmd_port`). A function of
   * `{ full, alive, host }`: gives a port, `{ host, port }`, or undefined to ask EPMD.
   */
  readonly resolve?: Resolver | undefined
  /** Where other nodes dial in. Default: every address, any free port. false: this node only dials, and tells EPMD nothing. */
  readonly listen?: { readonly host?: string | undefined; readonly port?: number | undefined } | false | undefined
  /** TLS for all connections, as `-proto_dist inet_tls`: see docs/tls.md. Default: none, and nodes that speak it are refused. */
  readonly tls?: TlsOptions | undefined
  /** Seconds in which a silent peer is found dead, as the BEAM's net_ticktime. Default: 60 */
  readonly netTickTime?: number | undefined
  /** Ticks in that time, 4 to 1000. Default: 4 */
  readonly netTickIntensity?: number | undefined
  /** Milliseconds for each step of a handshake and of a look-up. Default: 7000 */
  readonly netSetupTime?: number | undefined
  /** 'exact' keeps 1.0 apart from 1 by decoding every float as a Float. Default: 'number' */
  readonly floats?: 'number' | 'exact' | undefined
  /** What a message from a peer may ask for: see docs/limits.md for each limit and what happens beyond it */
  readonly limits?: Partial<Limits> | undefined
  /** Bytes of fragmented messages from one peer that are incomplete; beyond it its connection closes. Default: 256 MiB */
  readonly maxUnfinished?: number | undefined
  /** Handshakes in progress of peers that dial in; further sockets are closed at once. Default: 1024 */
  readonly maxHandshakes?: number | undefined
  /** Bytes that may wait for one peer before `send` returns false. Default: 1 MiB */
  readonly sendBufferLimit?: number | undefined
  /** Bytes that may wait for one peer before its connection closes with `send_buffer_overflow`. Default: 512 MiB */
  readonly sendBufferMax?: number | undefined
  /** Places beside main: the pool's schedulers, and isolated processes. They start when they are first needed; with this option, the pool at once. */
  readonly schedulers?: SchedulerOptions | undefined
  /**
   * Milliseconds: a process that holds its thread for longer, and all others with it, is told by a `long_schedule` event. Default: 500. 0: no such event.
   */
  readonly longSchedule?: number | undefined
  /** For tests: time */
  readonly clock?: Clock | undefined
}

/** As `-dist_listen false` implies `-hidden`: other visible nodes would dial it in vain. */
export const isHidden = ({ hidden, listen }: Pick<NodeOptions, 'hidden' | 'listen'>): boolean => listen === false || hidden === true
