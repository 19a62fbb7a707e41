/**
 * A node that is given its name: `Node.start({ name: 'undefined@host', namedBy: 'erl@host' })`, as `erl -name undefined@host`.
 *
 * It dials that node first, asks for a name (NAME_ME), and is from then on who it was called: every pid has that name, and the creation
 * that came with it. Nobody can dial it, and it is hidden. The name belongs to the node that gave it and is given away again once the connection is
 * lost; on the BEAM net_kernel then starts anew, without its name and all its connections. A Beamlet node does not change its
 * name, for its pids would be another's; it stays without connections and says so (NODE_NAME_LOST).
 *
 * Source: net_kernel.erl (`delete_connection`, `restart_distr`), dist_util.erl (`handshake_we_started`).
 */
import { flags, offeredFlags } from '../dist/flags.js'
import type { Connection } from '../net/connection.js'
import { atom, type Atom } from '../term/index.js'
import { NodeNameError, parseNodeName } from './node-name.js'
import type { NodeOptions } from './options.js'
import { dialNode, type Parts } from './parts.js'

/** Is the node to be given its name? @throws NodeNameError NAME_NAMED_BY when the options contradict each other. */
export function wantsName(alive: string, { namedBy, listen, hidden }: NodeOptions): boolean {
  if (alive !== 'undefined' && namedBy === undefined) return false
  const wrong =
    alive !== 'undefined'
      ? 'a node with a name of its own asks nobody for one: leave out namedBy, or call it undefined@host'
      : namedBy === undefined
        ? "'undefined' asks for a name: say with namedBy which node gives it, or choose another name"
        : listen
          ? 'nobody can dial a node that was given its name: leave out listen'
          : hidden === false
            ? 'a node that was given its name is always hidden: leave out hidden'
            : null
  if (wrong !== null) throw new NodeNameError('NAME_NAMED_BY', `The node cannot be named: ${wrong}.`)
  return true
}

/** Connects to the node that gives names, under the name that it gave. @throws NodeError as `connect` does, DIST_NOT_ALLOWED when it gives none. */
export function askForName(parts: Omit<Parts, 'creation'>): Promise<Connection> {
  const { name, options } = parts
  const giver = parseNodeName(options.namedBy as string).full
  const self = { name: atom(name.host) as Atom, creation: 0, flags: offeredFlags({ visible: false }) | flags.NAME_ME }
  // No step of it is without a time limit, so nobody need give it up.
  return dialNode(parts, atom(giver) as Atom, new AbortController().signal, self)
}
