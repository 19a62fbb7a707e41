/** A process that was started as proc_lib starts one: what others can be told of its start. */
import type { InitialCall, LocalProcess, Runner } from '../../process/index.js'
import type { Pid, Term } from '../../term/index.js'

export abstract class ProcLibRunner implements Runner {
  /** Null: the node itself started it. */
  abstract get starter(): Pid | null
  /** What `$initial_call` says of it */
  abstract get initialCall(): InitialCall
  /** The function that it is in, when that has a name */
  abstract get currentFunction(): InitialCall | null
  abstract run(process: LocalProcess): void
  abstract exited(process: LocalProcess, why: Term): void
}
