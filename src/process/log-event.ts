/** What a process tells the logger. */
import type { Term } from '../term/index.js'

export type LogLevel = 'emergency' | 'alert' | 'critical' | 'error' | 'warning' | 'notice' | 'info' | 'debug'

export interface LogEvent {
  readonly level: LogLevel
  /** A report: a map, with the keys that OTP gives it */
  readonly report: Term
  /** A map: `pid`, `gl`, `time` (microseconds since 1970), `domain` … */
  readonly meta: Term
}

/** Where log events go. */
export interface LogSink {
  /** Does anybody listen? */
  wanted(): boolean
  tell(event: LogEvent): void
}
