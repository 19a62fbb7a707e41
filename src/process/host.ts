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

export interface Host {
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
