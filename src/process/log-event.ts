/** What a process tells the logger. */
import type { Term } from '../term/index.js'

export type LogLevel = 'emergency' | 'alert' | 'critical' | 'error' | 'warning' | 'notice' | 'info' | 'debug'

export const logLevels: readonly LogLevel[] = ['emergency', 'alert', 'critical', 'error', 'warning', 'notice', 'info', 'debug']

export interface LogEvent {
  readonly level: LogLevel
  /** A report: a map, with the keys that OTP gives it, or a list of pairs; null for an event that is text */
  readonly report: Term
  /** A map: `pid`, `gl`, `time` (microseconds since 1970), `domain`, `mfa`, `file`, `line` … */
  readonly meta: Term
  /** The text, on one line or more, as OTP's default handler prints it without its header */
  readonly message: string
}

/** An event before it is text */
export interface LogReport {
  readonly level: LogLevel
  readonly report: Term
  /** Of an event that is text, and of a report that its own function prints: what io_lib:format takes */
  readonly format?: readonly [format: Term, args: Term] | undefined
  readonly meta: Term
}

/** Where log events go. */
export interface LogSink {
  /** Does anybody listen? */
  wanted(): boolean
  tell(event: LogReport): void
}
