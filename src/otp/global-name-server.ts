/**
 * The registered process `global_name_server` of a visible node, in the smallest mode that harms nobody: a peer's `init_connect` is answered
 * with `in_sync`, so that the peer does not wait for an exchange of names, and no lock is ever held. Source: global.erl, protocol 8.
 *
 * Answering more than this without answering all of it freezes `global` in the peer's whole partition.
 */
import type { Process } from '../process/index.js'
import { Atom, atom, Tuple, tuple } from '../term/index.js'
import { castOf, parseRequest } from './gen.js'

const name = atom('global_name_server')

export async function globalNameServer(self: Process): Promise<void> {
  for await (const message of self) {
    const { kind, request } = parseRequest(message)
    if (kind !== 'cast' || !(request instanceof Tuple) || request.tag !== 'init_connect') continue
    const [, , node] = request.elements
    if (node instanceof Atom) self.send({ name, node }, castOf(tuple(atom('in_sync'), self.pid.node, true)))
  }
}
