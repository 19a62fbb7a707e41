import type { Atom, Pid, Sendable, Term } from '../term/index.js'
import type { Process } from './process.js'

/** Names that all nodes of a cluster know: OTP's `global` keeps them. */
export interface ClusterNames {
  /** From what is known here */
  whereis(name: Term): Pid | undefined
  /** False: somebody has the name. */
  register(self: Process, name: Term): Promise<boolean>
}

/** Names that a module keeps: OTP's `{via, Module, Name}`. All throw as the module does, and ProcessError ERR_VIA where it is not there. */
export interface ViaNames {
  whereis(self: Process, module: Atom, name: Term): Pid | undefined
  /** False: somebody has the name. */
  register(self: Process, module: Atom, name: Term): Promise<boolean>
  unregister(self: Process, module: Atom, name: Term): unknown
  send(self: Process, module: Atom, name: Term, message: Sendable): void
}
