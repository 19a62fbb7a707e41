/**
 * What somebody is told who looks on at the processes of a place: `Processes.tap`. Nobody does as a rule, and then it costs nothing.
 *
 * Source: the manual of erlang, trace/3.
 */
import type { Atom, Pid, Sendable, Term } from '../term/index.js'
import type { To } from './address.js'
import type { InitialCall } from './body.js'
import type { LocalProcess } from './local-process.js'

export interface Tap {
  sent(from: LocalProcess, to: To, message: Sendable): void
  /** It is in the mailbox from now on. */
  received(process: LocalProcess, message: Term): void
  /** @param call null: a closure */
  spawned(parent: Pid, child: Pid, call: InitialCall | null): void
  exited(process: LocalProcess, reason: Term): void
  linked(process: LocalProcess, what: 'link' | 'unlink' | 'getting_linked' | 'getting_unlinked', peer: Pid): void
  named(pid: Pid, what: 'register' | 'unregister', name: Atom): void
}
