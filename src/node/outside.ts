/** What a place sees of everything that is not in it. Main has connections and places of its own; any other place has main. */
import type { Signal, StartSignal } from '../dist/signal.js'
import type { ConnectionStats } from '../net/connection.js'
import type { Atom, Pid } from '../term/index.js'

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
  /** Those that are busy: told so, and not yet that they have drained */
  busy(): string[]
  /** Bytes that wait for connections that are being made, by the node's name */
  connecting(): Record<string, number>
  /** By the peer's name */
  connections(): Record<string, ConnectionStats>
  close(): Promise<void>
}

/** Where a process may be told to run: this thread, one of the schedulers, an OS process of its own. */
export type Placement = 'main' | 'pool' | 'isolated'

/** A function of a loaded module, as it goes to another place. */
export type PlacedSpawn = Omit<StartSignal, 'op' | 'to' | 'on'>

/** Other places of this node */
export interface Places {
  /** False when the way is busy. */
  send(place: number, signal: Signal): boolean
  /**
   * Starts a process elsewhere; its pid is there at once.
   *
   * @throws ProcessError ERR_NAME_TAKEN, ERR_SYSTEM_LIMIT; NodeError NODE_CLOSED; EtfError. From elsewhere than main what only main knows is
   * no error but the exit of the process.
   */
  spawn(on: Placement, spawn: PlacedSpawn): Pid
  /** Does this place run what is placed so? */
  isHere(on: Placement): boolean
  /** Shall the next process that is placed so run here? In a scheduler those for the pool take turns. */
  stays(on: Placement): boolean
  isAlive(pid: Pid): Promise<boolean>
  /** Resolves when nothing is held back for the place of that process any more; null: for no place. */
  drained(pid: Pid | null): Promise<void>
  close(): Promise<void>
}
