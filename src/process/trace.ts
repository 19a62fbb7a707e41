/**
 * Sequential tracing: a token that a process takes over from each message it receives, and that its own signals carry on, so that what one
 * request leads to can be followed through the cluster. The token is {Flags, Label, Serial, From, Last}: `From` has sent it as signal number
 * `Serial`, after it had received number `Last`.
 *
 *   a message is sent   Serial is the sender's next number, From the sender
 *   it is received      the receiver's token is that of the message; its next number is greater
 *   one without a token is received   the receiver's token is gone; timers and DOWN messages leave it as it is
 *
 * Source: seq_trace(3); erts/emulator/beam/erl_bif_trace.c (seq_trace_update_serial); the rest was seen on real nodes.
 */
import type { Signal } from '../dist/signal.js'
import { Atom, Pid, type Term, Tuple, tuple } from '../term/index.js'
import type { LocalProcess } from './local-process.js'

export type TraceToken = Tuple<readonly [flags: number, label: Term, serial: number, from: Pid | Atom, last: number]>

/** What a process keeps of tracing, from its first token on */
export interface Trace {
  token: TraceToken | null
  /** The number of the last signal, sent or received */
  clock: number
  /** The number of the last that was received */
  last: number
}

/** A message's token; null: a process without one has sent it; undefined: it is of no process, and changes nothing. */
export type Arrived = TraceToken | null | undefined

/** The token that a signal from this process carries; undefined when it has none. */
export function stamp({ pid, mailbox: { trace } }: LocalProcess): TraceToken | undefined {
  if (!trace?.token) return undefined
  const [flags, label] = trace.token.elements
  trace.token = tuple(flags, label, ++trace.clock, pid, trace.last)
  return trace.token
}

/** The signal with the token of the process that sends it, if that has one. */
export function traced<S extends Extract<Signal, { token?: Term }>>(signal: S, process: LocalProcess): S {
  const token = stamp(process)
  return token ? { ...signal, token } : signal
}

/** The token of a signal, as its receiver takes it: a peer may have sent any tuple. */
export function tokenOf(token: Term | undefined): TraceToken | null {
  if (!(token instanceof Tuple) || token.length !== 5) return null
  const [flags, , serial, from, last] = token.elements as readonly Term[]
  const sound = isCount(flags) && isCount(serial) && isCount(last) && (from instanceof Pid || from instanceof Atom)
  return sound ? (token as unknown as TraceToken) : null
}

export const isCount = (term: unknown): term is number => Number.isSafeInteger(term) && (term as number) >= 0

/** A message with this token has been received. */
export function received(trace: Trace | null, token: TraceToken | null): Trace | null {
  if (!token) {
    if (trace) trace.token = null
    return trace
  }
  const serial = token.elements[2]
  return { token, clock: Math.max(serial, trace?.clock ?? 0), last: serial }
}

/** The trace of a process that was spawned with this token: its numbers go on as after a message. */
export const inherited = (token: TraceToken): Trace => received(null, token) as Trace
