/** What goes wrong in a test with a real BEAM node. */
import { type Atom, NodeError, type Term } from '../term/index.js'

/**
 * The harness could not do its part. Codes:
 *
 * - `ERR_INTEROP_NO_OTP`: that release is not on this machine
 * - `ERR_INTEROP_START`: the program ended, or said nothing, before it was ready
 * - `ERR_INTEROP_EXITED`: the node ended while a request was under way, or before it was made
 * - `ERR_INTEROP_TIMEOUT`: no answer in time
 */
export class InteropError extends NodeError {}

export type ExceptionClass = 'error' | 'exit' | 'throw'

/** An exception on the BEAM: what `catch Class:Reason:Stack` bound there. The message is what its shell would print. */
export class BeamError extends NodeError {
  readonly class: ExceptionClass
  readonly reason: Term
  /** `[{Module, Function, Arity | Args, Location}]` */
  readonly erlangStack: Term

  constructor(thrown: { readonly class: Atom<ExceptionClass>; readonly reason: Term; readonly stack: Term; readonly text: string }) {
    super('ERR_INTEROP_EXCEPTION', `The BEAM answered with an ${thrown.text}`)
    this.class = thrown.class.name
    this.reason = thrown.reason
    this.erlangStack = thrown.stack
  }
}
