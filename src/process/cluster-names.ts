import type { Pid, Term } from '../term/index.js'
import type { Process } from './process.js'

/** Names that all nodes of a cluster know: OTP's `global` keeps them. */
export interface ClusterNames {
  /** From what is known here */
  whereis(name: Term): Pid | undefined
  /** False: somebody has the name. */
  register(self: Process, name: Term): Promise<boolean>
}
