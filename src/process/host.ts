/** What the rules of links, monitors, aliases and timers see of the processes they belong to. */
import type { Payload, Signal } from '../dist/signal.js'
import type { EtfError } from '../etf/index.js'
import type { Pid, Sendable, Term } from '../term/index.js'
import type { Clock } from './clock.js'
import type { LocalProcess } from './local-process.js'
import type { ProcessTable } from './process-table.js'
import type { Registry } from './registry.js'
import type { Tap } from './tap.js'
import type { Arrived } from './trace.js'

export interface ExitCause {
  readonly from: Pid
  readonly reason: Payload
  readonly cause: 'link' | 'exit'
  readonly token?: Term | undefined
  readonly priority?: boolean
}

/** Told of what begins and ends work, while somebody waits until nothing runs any more. */
export interface Activity {
  /** A message has come to a process of this place; null: a process has been started. */
  came(process: LocalProcess, message: Term | null): void
  /** A message has been handled, a call answered or given up by its caller, or a process has ended. */
  done(): void
}

export interface Host {
  readonly activity: Activity | null
  readonly table: ProcessTable
  readonly registry: Registry
  readonly clock: Clock
  readonly tap: Tap | null
  /** Takes a signal to wherever `to` lives. False when the way there is busy. */
  route(signal: Signal): boolean
  /** What a receiver would get: `decode(encode(term))`. @throws EtfError */
  copy(term: Sendable): Term
  /** Puts a message into a living process's mailbox and wakes it. With `priority` it overtakes those without. */
  message(process: LocalProcess, term: Term, token?: Arrived, priority?: boolean): void
  /** What was accepted could not be sent later, and nobody waits for it. */
  failed(error: EtfError): void
  /** Ends a process: it is dead for everybody when this returns. */
  exit(process: LocalProcess, reason: Term): void
  /** An exit signal arrives: Erlang's rules decide what comes of it. */
  exitSignal(process: LocalProcess, signal: ExitCause): void
}
