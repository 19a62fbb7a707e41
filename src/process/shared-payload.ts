import type { Payload } from '../dist/signal.js'
import type { Sendable, Term } from '../term/index.js'

/** A term that goes to several receivers, an exit reason say: each gets a copy of its own. */
export class SharedPayload implements Payload {
  readonly #term: Term
  readonly #host: { copy(term: Sendable): Term }

  constructor(term: Term, host: { copy(term: Sendable): Term }) {
    this.#term = term
    this.#host = host
  }

  read(): Term {
    return this.#host.copy(this.#term)
  }
}
