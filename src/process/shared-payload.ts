import { type DownSignal, type ExitSignal, type LinkExitSignal, type Payload, TermPayload } from '../dist/signal.js'
import { EtfError } from '../etf/index.js'
import { LocalTerm, type Sendable, type Term } from '../term/index.js'
import type { Host } from './host.js'
import { described } from './reason.js'

/**
 * A reason that goes to several receivers: each gets a copy of its own. What is no term for others is told as the text that describes it,
 * for whoever waits must be told.
 */
export class SharedPayload implements Payload {
  readonly #term: Term
  readonly #host: { copy(term: Sendable): Term }

  constructor(term: Term, host: { copy(term: Sendable): Term }) {
    this.#term = term
    this.#host = host
  }

  read(): Term {
    try {
      // A LocalTerm may be copied, but it is no part of a message.
      return this.#host.copy(this.#term instanceof LocalTerm ? [this.#term] : this.#term)
    } catch (error) {
      if (!(error instanceof EtfError)) throw error
      return described(this.#term)
    }
  }
}

/** Sends a signal with a reason. One that this node's limits do not let out, or the peer would not take, is told as the text that describes it. */
export function routeReason(host: Pick<Host, 'route'>, signal: ExitSignal | LinkExitSignal | DownSignal): void {
  try {
    host.route(signal)
  } catch (error) {
    if (!(error instanceof EtfError)) throw error
    host.route({ ...signal, reason: new TermPayload(described(signal.reason.read())) })
  }
}
