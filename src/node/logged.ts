import type { LogEvent, LogLevel, LogReport } from '../process/index.js'
import type { Term } from '../term/index.js'

/** A log event, whose text is made when somebody wants it. */
export class Logged implements LogEvent {
  readonly level: LogLevel
  readonly report: Term
  readonly meta: Term
  readonly #text: () => string
  #message: string | null = null

  constructor(event: LogReport, text: (event: LogReport) => string) {
    this.level = event.level
    this.report = event.report
    this.meta = event.meta
    this.#text = () => text(event)
  }

  get message(): string {
    return (this.#message ??= this.#text())
  }
}
