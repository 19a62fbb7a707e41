/** What a node tells whoever listens. */
import { EventEmitter } from 'node:events'
import type { LogEvent } from '../process/index.js'
import type { NodeError, Pid, Term } from '../term/index.js'
import type { Placement } from './outside.js'

export interface NodeUp {
  /** The peer does not show in `nodes()`: it, or this node, is hidden. */
  readonly hidden: boolean
}

export interface NodeDown extends NodeUp {
  /** As OTP names it: connection_closed, net_tick_timeout, disconnect, send_buffer_overflow … */
  readonly reason: string
  readonly error?: NodeError | undefined
}

export interface ProtocolFault {
  readonly code: string
  readonly error: NodeError
  readonly remoteAddress: string
}

export interface Crash {
  readonly reason: Term
  /** What was thrown */
  readonly error: unknown
}

/** Who holds a thread for longer than `longSchedule`, as `erlang:system_monitor/2` has it. */
export interface LongSchedule {
  /** Milliseconds, so far when it still runs */
  readonly timeout: number
  /** It goes on, so main cannot say more: another place is told of while it computes, main afterwards. */
  readonly running: boolean
  readonly on: Placement
  /** The number of the place, 0 for main */
  readonly place: number
  /** The process's registered name, where it has one */
  readonly name: string | undefined
}

/** A node begins to drain. */
export interface Draining {
  /** Milliseconds that all of it may take */
  readonly timeout: number
  /** Aborted when there is no time any more to wait for what is given to `waitUntil` */
  readonly signal: AbortSignal
  /** The node keeps its global names, and ends nothing, until this has settled: so another can take over from it meanwhile. Call it in the listener. */
  waitUntil(work: PromiseLike<unknown>): void
}

export interface NodeEvents {
  /** `node.drain` has begun: its processes are in no group (pg) any more, and have their global names still. */
  draining: [draining: Draining]
  /** A connection is up, before anything that comes over it */
  nodeup: [name: string, info: NodeUp]
  /** A connection is lost, after everything that came over it */
  nodedown: [name: string, info: NodeDown]
  /**
   * A peer broke the protocol or failed the handshake, or a client of the embedded EPMD did; `name` is null before it has told it. It costs
   * that connection alone.
   */
  protocol: [name: string | null, fault: ProtocolFault]
  /** More than `sendBufferLimit` bytes wait for that node, or for the connection to it */
  busy: [name: string]
  /**
   * Follows each `busy`: no more than half of that waits, or the connection, or the attempt at it, is gone. Where there was a connection,
   * `nodedown` comes next.
   */
  drain: [name: string]
  /** A place is lost: a scheduler, or an isolated process before its end; `reason` is what its processes exited with. */
  placedown: [place: { readonly kind: 'pool' | 'isolated'; readonly number: number; readonly reason: Term }]
  /**
   * A process has held its thread for longer than the option `longSchedule`, and all others there with it: once for each time. In another place than
   * main it is told while it goes on. `pid` is null where it was not a process's turn, but a callback of a timer or a socket, say, or where the place is
   * stopped.
   */
  long_schedule: [pid: Pid | null, info: LongSchedule]
  /** A process ended because its code threw something other than an ExitError. Without a listener it is printed. */
  crash: [pid: Pid, crash: Crash]
  /** What OTP's logger would be given: crash reports, supervisor reports, progress reports, the last words of a server. */
  logger: [event: LogEvent]
  /**
   * Something failed that nobody waits for: the registration at EPMD, which goes on trying, or NODE_OVERFLOW, messages that were lost before
   * a connection was up. Without a listener it is printed.
   */
  error: [error: NodeError]
}

/** Node's emitter with two differences: nobody need listen for `error`, and a listener that throws harms only itself. */
export class Events {
  readonly #emitter = new EventEmitter()

  on<K extends keyof NodeEvents>(event: K, listener: (...args: NodeEvents[K]) => void): void {
    this.#emitter.on(event, listener as (...args: unknown[]) => void)
  }

  once<K extends keyof NodeEvents>(event: K, listener: (...args: NodeEvents[K]) => void): void {
    this.#emitter.once(event, listener as (...args: unknown[]) => void)
  }

  off<K extends keyof NodeEvents>(event: K, listener: (...args: NodeEvents[K]) => void): void {
    this.#emitter.off(event, listener as (...args: unknown[]) => void)
  }

  listens(event: keyof NodeEvents): boolean {
    return this.#emitter.listenerCount(event) > 0
  }

  /** False when nobody listens. */
  emit<K extends keyof NodeEvents>(event: K, ...args: NodeEvents[K]): boolean {
    const listeners = this.#emitter.rawListeners(event)
    for (const listener of listeners) {
      try {
        Reflect.apply(listener, undefined, args)
      } catch (error) {
        // It is the listener's own: it becomes an uncaught exception, as it would had the listener been called by Node.
        queueMicrotask(() => {
          throw error
        })
      }
    }
    return listeners.length > 0
  }
}
