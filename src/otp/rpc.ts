/** `node.rpc` and `self.rpc`: calls of functions on other nodes. */
import { atomOf, type Process } from '../process/index.js'
import type { Atom, Sendable, Term } from '../term/index.js'
import * as erpc from './erpc.js'
import type { CallOptions } from './gen.js'

/** Runs work in the name of a process. */
type Run = <T>(work: (self: Process) => Promise<T>) => Promise<T>

export class Rpc {
  readonly #run: Run

  /** @internal */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * `erpc:call/5`: calls a function on a node and returns its value.
   *
   * @throws RpcError with the class and reason of what it raised there, or of why it could not be called (class `erpc`: `noconnection`,
   * `notsup`); ProcessError ERR_TIMEOUT (default 5000 ms); the signal's reason; EtfError when an argument cannot be sent.
   */
  async call(
    node: string | Atom,
    module: string | Atom,
    fun: string | Atom,
    args: readonly Sendable[] = [],
    options?: CallOptions,
  ): Promise<Term> {
    return this.#run(self => erpc.call(self, atomOf(node), atomOf(module), atomOf(fun), args, options))
  }

  /** `erpc:cast/4`: calls a function on a node and waits for nothing. @throws EtfError when an argument cannot be sent. */
  async cast(node: string | Atom, module: string | Atom, fun: string | Atom, args: readonly Sendable[] = []): Promise<void> {
    return this.#run(async self => erpc.cast(self, atomOf(node), atomOf(module), atomOf(fun), args))
  }
}
