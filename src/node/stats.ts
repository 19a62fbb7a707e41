/** The sizes of a node's tables. What grows without end shows here. */
import type { ConnectionStats } from '../net/connection.js'
import type { Processes } from '../process/index.js'
import { atomCount } from '../term/index.js'
import type { Nodes } from './outside.js'

export interface NodeStats {
  readonly processes: number
  readonly names: number
  /** Links and monitors whose other end is on another node */
  readonly remoteLinks: number
  readonly remoteMonitors: number
  readonly aliases: number
  readonly timers: number
  /** Spawns on other nodes without a reply yet */
  readonly spawnRequests: number
  /** Processes that wait to run */
  readonly runQueue: number
  /** Atoms of this JavaScript program */
  readonly atoms: number
  /** Bytes that wait for connections that are being made, by the peer's name */
  readonly connecting: Readonly<Record<string, number>>
  /** Schedulers and isolated processes, beside main */
  readonly places: number
  /** Places that wait for an isolated process: none or one */
  readonly sparePlaces: number
  /** By the peer's name */
  readonly connections: Readonly<Record<string, ConnectionStats>>
}

export function statsOf(
  { table, registry, links, monitors, aliases, timers, spawnRequests, scheduler }: Processes,
  nodes: Pick<Nodes, 'connecting' | 'connections'>,
  { size = 0, spares = 0 }: { readonly size?: number; readonly spares?: number } = {},
): NodeStats {
  return {
    processes: table.count,
    names: registry.size,
    remoteLinks: links.size,
    remoteMonitors: monitors.size,
    aliases: aliases.size,
    timers: timers.size,
    spawnRequests: spawnRequests.size,
    runQueue: scheduler.length,
    atoms: atomCount(),
    connecting: nodes.connecting(),
    connections: nodes.connections(),
    places: size,
    sparePlaces: spares,
  }
}
