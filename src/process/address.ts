/** What names a receiver, as users write it, and the Address that it stands for. */
import type { Address } from '../dist/signal.js'
import { Atom, atom, Pid, Reference, type Sendable } from '../term/index.js'
import { ProcessError } from './errors.js'

/** Where a message may go: a pid, an alias, the name of a process of this node, or a name on any node. */
export type To = Pid | Reference | Atom | string | { readonly name: string | Atom; readonly node: string | Atom }

/** `{global, Name}`: a name that all nodes of the cluster know. Any term; a string is a binary there. */
export interface GlobalName {
  readonly global: Sendable
}

/**
 * `{via, Module, Name}`: a name that a module keeps, which `node.code.load` has loaded here: its registerName, unregisterName, whereisName and send
 * (docs/otp.md). The name is any term; a string is a binary there.
 */
export interface ViaName {
  readonly via: readonly [module: string | Atom, name: Sendable]
}

/** Is it kept elsewhere than in the registry of a node? */
export const isFarName = (to: unknown): to is GlobalName | ViaName =>
  typeof to === 'object' && to !== null && ('via' in to || 'global' in to)

/** The atom of a name. @throws ProcessError ERR_NAME for true, false and nil, which name nothing. */
export const atomOf = (name: string | Atom): Atom => {
  const made = typeof name === 'string' ? atom(name) : name
  if (made instanceof Atom) return made
  throw new ProcessError('ERR_NAME', `'${String(name)}' cannot be a name: choose another.`)
}

/** What a name or a pair of names addresses; `here` is the node of a bare name. */
export function addressOf(to: To, here: Atom): Address {
  if (to instanceof Pid || to instanceof Reference) return to
  if (typeof to === 'string' || to instanceof Atom) return { name: atomOf(to), node: here }
  if (to && typeof to === 'object' && 'name' in to && 'node' in to) return { name: atomOf(to.name), node: atomOf(to.node) }
  throw new ProcessError('ERR_BADARG', 'A message goes to a pid, an alias, a name, or { name, node }.')
}
