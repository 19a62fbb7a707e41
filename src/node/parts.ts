/** What a node is made of before it has processes, and what it does with that: present itself, and dial. */
import { offeredFlags } from '../dist/flags.js'
import type { LocalEnd } from '../dist/peer.js'
import type { Connection, ConnectionOptions } from '../net/connection.js'
import { dial, type DialFact } from '../net/dial.js'
import type { Epmd } from '../net/epmd.js'
import type { Listener } from '../net/listener.js'
import type { Tls } from '../net/tls.js'
import { systemClock } from '../process/index.js'
import { type Atom, atom } from '../term/index.js'
import type { Allowed } from './allowed.js'
import type { Cookies } from './cookies.js'
import { explain } from './explain.js'
import { checkDomain, type NameDomain, type NodeName, parseNodeName } from './node-name.js'
import { isHidden, type NodeOptions } from './options.js'
import type { PlaceConfig } from './places/config.js'
import { type Address, locate } from './resolve.js'

/** Milliseconds, as the BEAM's net_setuptime of 7 s */
export const netSetupTime = 7000

/** What a node is made of, once it listens and EPMD has given it a creation: see `open`. */
export interface Parts {
  readonly options: NodeOptions
  readonly name: NodeName & { readonly domain: NameDomain }
  readonly cookies: Cookies
  readonly allowed: Allowed
  readonly creation: number
  readonly epmd: Epmd
  /** For each connection, whoever dialled */
  readonly connection: ConnectionOptions
  /** null: plain connections */
  readonly tls: Tls | null
  /** null: nobody can dial in */
  readonly listener: Listener | null
  /** Where this is not main: the way to it, and what it said at the start */
  readonly place?: { readonly connection: Connection; readonly config: PlaceConfig } | undefined
  /** For a diagnosis, which looks on while the node connects */
  readonly probe?: Probe | undefined
}

export interface Probe {
  /** Told what is found out on the way to a node, as it comes. What this throws ends the attempt. */
  learned(fact: NodeFact): void
  /** The peer holds a connection to a node of our name: go on, and end that one? */
  whenAlive(): boolean
}

export type NodeFact = ({ readonly of: 'located' } & Address) | DialFact

/** How a node presents itself in a handshake. */
export function localEnd({ name, creation, options }: Pick<Parts, 'name' | 'creation' | 'options'>): LocalEnd {
  return { name: atom(name.full) as Atom, creation, flags: offeredFlags({ visible: !isHidden(options) }) }
}

/** Looks a node up and connects to it. @throws NodeError: NAME_…, RESOLVE_…, EPMD_…, NET_…, DIST_… */
export async function dialNode(parts: Omit<Parts, 'creation'>, node: Atom, signal: AbortSignal, self: LocalEnd): Promise<Connection> {
  const { name, epmd, cookies, options, connection, tls, probe } = parts
  const { resolve, clock = systemClock, netSetupTime: timeout = netSetupTime } = options
  const peer = parseNodeName(node.name)
  checkDomain(name.domain, peer)
  const address = await locate(peer, { resolve, epmd, clock, timeout, signal })
  const { host, port, entry } = address
  probe?.learned({ of: 'located', ...address })
  const cookie = cookies.of(peer.full)
  let connected = false
  const learned = (fact: DialFact): void => {
    connected ||= fact.of === 'connected'
    probe?.learned(fact)
  }
  try {
    return await dial({ ...connection, host, port, self, peer: node, cookie, tls, timeout, signal, learned, whenAlive: probe?.whenAlive })
  } catch (error) {
    throw await explain(error, { peer, host, entry, connected, epmd, cookieFrom: cookies.from(peer.full), signal })
  }
}
