/** What goes wrong in and around processes. An exit reason is a term; these carry one across a JavaScript `throw`. */
import { format, NodeError, type Term } from '../term/index.js'

/** A wrong use of a process. Codes begin with `ERR_`; each method names its own. */
export class ProcessError extends NodeError {}

/**
 * Thrown inside a process it ends the process with its bare `reason`; a `receive` that was pending when its process died rejects with it,
 * and so does a call whose server exits. Code ERR_EXIT.
 */
export class ExitError extends NodeError {
  readonly reason: Term

  constructor(reason: Term, message = `The process exited with reason ${format(reason)}.`, options?: ErrorOptions) {
    super('ERR_EXIT', message, options)
    this.reason = reason
  }
}

/** Thrown inside a process it is an Erlang error: the process exits with `{Reason, Stacktrace}`. Code ERR_ERLANG. */
export class ErlangError extends NodeError {
  readonly reason: Term
  /** An Erlang stack trace, `[{Module, Function, ArityOrArgs, Location}]`; undefined: where it was thrown */
  readonly stacktrace: Term | undefined

  constructor(reason: Term, stacktrace?: Term) {
    super('ERR_ERLANG', `Erlang error: ${format(reason)}.`)
    this.reason = reason
    this.stacktrace = stacktrace
  }
}
