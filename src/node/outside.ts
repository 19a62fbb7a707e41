/** What a place sees of everything that is not in it. Main has connections and places of its own; any other place has main. */
import type { Signal } from '../dist/signal.js'
import type { ConnectionStats } from '../net/connection.js'
import type { Atom, Pid, Reference, Sendable } from '../term/index.js'

export type NodesKind = 'visible' | 'hidden' | 'connected'

/** Other nodes */
export interface Nodes {
  /** False when the way is busy, or not there. @throws EtfError when a payload cannot be sent. */
  send(node: Atom, signal: Signal): boolean
  /** Sees to it that the node is connected, or found to be lost. */
  reach(node: Atom): void
  /** Resolves when the connection is up. @throws NodeError that says why it is not. */
  connect(node: Atom): Promise<void>
  /** False when there was nothing to disconnect. */
  disconnect(node: Atom): boolean
  /** Those that are connected */
  names(kind: NodesKind): string[]
  /** Resolves when nothing is held back for that node any more, or the connection is gone. */
  drained(node: Atom): Promise<void>
  /** Bytes that wait for connections that are being made, by the node's name */
  connecting(): Record<string, number>
  /** By the peer's name */
  connections(): Record<string, ConnectionStats>
  close(): Promise<void>
}

/** Where a process may be told to run: this thread, one of the schedulers, an OS process of its own. */
export type Placement = 'main' | 'pool' | 'isolated'

/** A function of a loaded module, as it goes to another place. */
export interface PlacedSpawn {
  readonly module: Atom
  readonly fun: Atom
  readonly args: readonly Sendable[]
  readonly name?: Atom | undefined
  readonly groupLeader: Pid
  /** Who is linked to it from its beginning */
  readonly link?: Pid | undefined
  /** Who watches it from its beginning */
  readonly monitor?: { readonly from: Pid; readonly ref: Reference } | undefined
}

/** Other places of this node */
export interface Places {
  /** False when the way is busy. */
  send(place: number, signal: Signal): boolean
  /** Starts a process elsewhere; its pid is there at once. @throws NodeError ERR_NO_PLACE; ProcessError ERR_SYSTEM_LIMIT. */
  spawn(on: Placement, spawn: PlacedSpawn): Pid
  /** Does that place run what is placed so? */
  isHere(on: Placement): boolean
  isAlive(pid: Pid): Promise<boolean>
  close(): Promise<void>
}
