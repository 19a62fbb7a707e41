/** What loading code takes and tells, and what it needs of others. */
import type { Processes, Runner } from '../process/index.js'
import type { Atom, Pid, Sendable } from '../term/index.js'
import type { Functions } from './code-version.js'
import type { Placement } from './outside.js'

export interface LoadOptions {
  /** Where what other nodes spawn and call of it runs: 'main' (default), 'pool' or 'isolated'. What this node spawns says so itself. */
  readonly on?: Placement | undefined
  /** What happens to processes that still run the version before the current one, for which there is no room: they are killed, or nothing is loaded. */
  readonly purge?: 'kill' | 'soft' | undefined
}

export interface UpgradeOptions extends LoadOptions {
  /** What `codeChange` is given as its last argument. Default: `[]`, as in OTP */
  readonly extra?: Sendable | undefined
  /** Milliseconds that all servers together have to come to an end of what they handle, and to change. Default: 5000 */
  readonly timeout?: number | undefined
}

/** Whose `codeChange` makes a state: of the version that comes, of the one that is left, which goes `down`; or it stays as it is. */
export type Change = 'up' | 'down' | 'soft'

export interface MoveOptions extends UpgradeOptions {
  readonly change: Change
}

export interface Upgraded extends Pick<VersionInfo, 'number' | 'vsn' | 'url'> {
  /** The servers that moved to it */
  readonly servers: readonly Pid[]
}

export interface VersionInfo {
  /** 1 for the first of its module, 2 for the next … */
  readonly number: number
  /** What it exports as `vsn`, else its number */
  readonly vsn: Sendable
  /** null: it was loaded as functions */
  readonly url: string | null
  readonly current: boolean
  /** How many processes run it, in all places */
  readonly processes: number
  /** How many servers, supervisors and event managers have their definition of it, in all places: a purge leaves them alone, as on the BEAM. */
  readonly definitions: number
  /**
   * Bytes of text that were read for it: its own, and of the files that were read anew with it. Node.js keeps that, and what it made of it, in each place
   * and for as long as the program runs, also when the version is gone. 0 when it was loaded as functions.
   */
  readonly bytes: number
}

export type Age = 'current' | 'old'

/** What Code needs of its node */
export interface CodeHost {
  readonly processes: Processes
  /** The other places of the node, where this is main */
  readonly elsewhere: {
    /** A module is there, from a URL; null: not from there any more. */
    load(name: string, url: string | null): Promise<void>
    /** What was imported by that URL is the current version again. */
    restore(name: string, url: string): Promise<void>
    /** How many processes there run it? */
    users(name: string, age: Age): Promise<number>
    /** Ends those that run the old version; `current` is the number of the one that is no old one. */
    purge(name: string, current: number): Promise<void>
  } | null
}

/** Moves servers to other versions: the layer above knows what they are. */
export interface Mover {
  /** A file has been imported by this URL. */
  arrived(url: string, exported: Functions): Promise<void>
  /** Does a program that was imported by this URL define something? */
  knows(url: string): boolean
  /** When it did, as Date.now(); undefined: it does not */
  since(url: string): number | undefined
  /** A server begins. */
  began(runner: Runner): void
  /** How many have their definition of what was imported by this URL, in all places? */
  users(url: string): Promise<number>
  /** Moves all of a module to its `next` version, in all places, and makes that the current one. @throws UpgradeError; then all is as it was */
  move(name: Atom, version: { readonly url: string; readonly source: string }, options: MoveOptions): Promise<Pid[]>
}
