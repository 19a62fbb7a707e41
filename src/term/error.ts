/**
 * The base of every error that Beamlet throws. `code` is stable and stands in the message too; the message is a sentence
 * that says what to do. Each layer has one subclass of its own.
 */
export class NodeError extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(`${message} [${code}]`, options)
    this.code = code
  }

  override get name(): string {
    return this.constructor.name
  }
}

/** A value or a text that is no Erlang term. Codes begin with `ERR_TERM_`. */
export class TermError extends NodeError {}
