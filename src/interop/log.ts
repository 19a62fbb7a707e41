/** What a BEAM node's logger said, and what of it a test had reason to expect. */
import type { Atom, Term, Tuple } from '../term/index.js'

export type Level = 'emergency' | 'alert' | 'critical' | 'error' | 'warning' | 'notice' | 'info' | 'debug'

export interface LogEvent {
  readonly level: Level
  /** As the default formatter prints the message, without time and level */
  readonly text: string
  /** The report itself (a map or a key list), null for an event that was a string or a format */
  readonly report: Term | null
  /** `pid`, `gl`, `time`, `mfa`, `domain` …, by atom */
  readonly meta: Term
}

/** A text it contains, a pattern that matches its text, or a judgement of one's own. */
export type LogPattern = string | RegExp | ((event: LogEvent) => boolean)

const grave = new Set<Level>(['emergency', 'alert', 'critical', 'error', 'warning'])

const matches = (pattern: LogPattern, event: LogEvent): boolean =>
  typeof pattern === 'function' ? pattern(event) : typeof pattern === 'string' ? event.text.includes(pattern) : pattern.test(event.text)

/** @internal The term that the agent sends, `{Level, Text, Report, Meta}`. */
export function logEvent(term: Term): LogEvent {
  const [level, text, report, meta] = (term as Tuple<[Atom<Level>, Buffer, Term, Term]>).elements
  return { level: level.name, text: text.toString(), report: report instanceof Map || Array.isArray(report) ? report : null, meta }
}

export class Log implements Iterable<LogEvent> {
  readonly #events: LogEvent[] = []
  readonly #expected: LogPattern[] = []
  readonly #listeners = new Set<(event: LogEvent) => void>()

  /** @internal */
  add(event: LogEvent): void {
    this.#events.push(event)
    for (const listener of this.#listeners) listener(event)
  }

  [Symbol.iterator](): Iterator<LogEvent> {
    return this.#events[Symbol.iterator]()
  }

  find(pattern: LogPattern): LogEvent | undefined {
    return this.#events.find(event => matches(pattern, event))
  }

  /** Warnings and errors that match, past and future, are part of the test. */
  expect(pattern: LogPattern): void {
    this.#expected.push(pattern)
  }

  /** Warnings, errors and worse that nobody expected. */
  unexpected(): LogEvent[] {
    return this.#events.filter(event => grave.has(event.level) && !this.#expected.some(pattern => matches(pattern, event)))
  }

  /** Calls back for each event from now on; the answer ends that. */
  listen(listener: (event: LogEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
