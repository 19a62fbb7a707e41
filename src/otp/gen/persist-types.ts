/** The option `persist` of genServer: its state in a table that survives. */
import type { Received, Sendable, Term } from '../../term/index.js'
import type { ServerProcess } from './server-types.js'

/** What keeps states: any table of beamlet/store is one. */
export interface StateTable {
  get(key: any): Promise<unknown>
  /** Resolves when it is on the disk */
  put(key: any, value: any): Promise<void>
}

interface PersistOptions<A extends unknown[], S> {
  /** Asked at each start of the server. A table of an embedded store is main's. */
  readonly table: StateTable | ((this: ServerProcess) => StateTable | Promise<StateTable>)
  /** The row that is this server's: one for each that runs at a time. A function is given what the server was started with. */
  readonly key: Sendable | ((...args: A) => Sendable)
  /**
   * 'change' (default): each change is on the disk before anybody is answered who may have seen it. Milliseconds: so long after a change at the latest, and
   * at a usual end; answers do not wait, and a crash goes back to what was written.
   */
  readonly every?: 'change' | number | undefined
  /** The version of what is saved. Default: 0. What was saved by another one goes to `restore`, else to the server's `codeChange`. */
  readonly vsn?: Sendable | undefined
  /** What is saved of a state. Default: the state */
  readonly save?: ((state: S) => Sendable) | undefined
  /**
   * The state out of what was saved, as it arrives (text is a Buffer, an object a Map), and of what `init` has returned. Default: what was saved. What it
   * throws is why the server does not start; what was saved stays.
   */
  readonly restore?: ((this: ServerProcess, saved: Term, init: S, vsn: Term) => S | Promise<S>) | undefined
}

/** A state that comes back as another type needs `restore`. */
export type Persist<A extends unknown[], S> = PersistOptions<A, S> &
  (Received<S> extends S ? unknown : Required<Pick<PersistOptions<A, S>, 'restore'>>)
