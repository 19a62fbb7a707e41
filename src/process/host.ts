/** What the rules of links, monitors, aliases and timers see of the processes they belong to. */
import type { Payload, Signal } from '../dist/signal.js'
import type { Pid, Sendable, Term } from '../term/index.js'
import type { Clock } from './clock.js'
import type { LocalProcess } from './local-process.js'
import type { ProcessTable } from './process-table.js'
import type { Registry } from './registry.js'

export interface Host {
  readonly table: ProcessTable
  readonly registry: Registry
  readonly clock: Clock
  /** Takes a signal to wherever `to` lives. False when the way there is busy. */
  route(signal: Signal): boolean
  /** What a receiver would get: `decode(encode(term))`. @throws EtfError */
  copy(term: Sendable): Term
  /** Puts a message into a living process's mailbox and wakes it. */
  message(process: LocalProcess, term: Term): void
  /** Ends a process: it is dead for everybody when this returns. */
  exit(process: LocalProcess, reason: Term): void
  /** An exit signal arrives: Erlang's rules decide what comes of it. */
  exitSignal(process: LocalProcess, from: Pid, reason: Payload, cause: 'link' | 'exit'): void
}
