/** What a node is made of before it has processes, and what it does with that: present itself, and dial. */
import { offeredFlags } from '../dist/flags.js'
import type { LocalEnd } from '../dist/peer.js'
import type { Connection, ConnectionOptions } from '../net/connection.js'
import { dial } from '../net/dial.js'
import type { Epmd } from '../net/epmd.js'
import type { Listener } from '../net/listener.js'
import { type Atom, atom } from '../term/index.js'
import { checkDomain, type NameDomain, type NodeName, parseNodeName } from './node-name.js'
import type { NodeOptions } from './options.js'

/** Milliseconds, as the BEAM's net_setuptime of 7 s */
export const netSetupTime = 7000

/** What a node is made of, once it listens and EPMD has given it a creation: see `open`. */
export interface Parts {
  readonly options: NodeOptions
  readonly name: NodeName & { readonly domain: NameDomain }
  readonly cookie: string
  readonly creation: number
  readonly epmd: Epmd
  /** For each connection, whoever dialled */
  readonly connection: ConnectionOptions
  /** null: nobody can dial in */
  readonly listener: Listener | null
}

/** How a node presents itself in a handshake. */
export function localEnd({ name, creation, options }: Pick<Parts, 'name' | 'creation' | 'options'>): LocalEnd {
  return { name: atom(name.full) as Atom, creation, flags: offeredFlags({ visible: options.hidden === false }) }
}

/** Looks a node up and connects to it. @throws NodeError: NAME_…, EPMD_…, NET_…, DIST_… */
export async function dialNode(parts: Parts, node: Atom, signal: AbortSignal): Promise<Connection> {
  const { name, epmd, cookie, options, connection } = parts
  const timeout = options.netSetupTime ?? netSetupTime
  const peer = parseNodeName(node.name)
  checkDomain(name.domain, peer)
  const { port } = await epmd.lookup(peer.alive, peer.host, { timeout, signal })
  return dial({ ...connection, host: peer.host, port, self: localEnd(parts), peer: node, cookie, timeout, signal })
}
