/**
 * Node names: `alive@host`. A short name has a host without a dot, a long one a full host name or an address; nodes of the two kinds cannot
 * talk to each other. Source: net_kernel.erl (`create_name`, `valid_name_head`, `validate_hostname`), dist.c (`is_node_name`),
 * inet_tcp_dist.erl (`splitnode`).
 *
 * On the wire a handshake carries the name in Latin-1, while EPMD and terms carry it in UTF-8. Alive names are ASCII, so that only the host
 * can tell the difference.
 */
import { lookup, lookupService } from 'node:dns/promises'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { NodeError } from '../term/index.js'

/**
 * NAME_FORMAT: not one name, one `@` and one host. NAME_CHARACTERS: a character that cannot be there. NAME_LENGTH: over 255 characters.
 * NAME_SHORT_LONG: a short name where a long one is needed, or the other way round. NAME_NO_DOMAIN: this machine does not know its full name.
 */
export class NodeNameError extends NodeError {}

export interface NodeName {
  /** `alive@host` */
  readonly full: string
  /** What EPMD registers: the part before the `@` */
  readonly alive: string
  readonly host: string
}

export type NameDomain = 'short' | 'long'

export interface OwnNodeName extends NodeName {
  readonly domain: NameDomain
}

/** Where a host name comes from, when none is given. */
export interface Host {
  hostname(): string
  /** The full name of that host, or undefined */
  fullName(hostname: string): Promise<string | undefined>
}

export interface OwnNameOptions {
  /** Default: long when the host has a dot or is an address, else short */
  readonly domain?: NameDomain | undefined
  readonly host?: Host | undefined
}

/**
 * The parts of a node's name: a peer's, or ours once it has a host.
 *
 *     parseNodeName('erl@127.0.0.1').alive    // 'erl'
 *
 * @throws NodeNameError NAME_FORMAT, NAME_CHARACTERS, NAME_LENGTH.
 */
export function parseNodeName(text: string): NodeName {
  const [alive = '', host = '', ...more] = text.split('@')
  if (alive === '' || host === '' || more.length > 0)
    throw new NodeNameError('NAME_FORMAT', `'${text}' is no node name: write name@host, with one @ and text on both sides.`)
  if (!/^[\w-]+$/.test(alive))
    throw new NodeNameError('NAME_CHARACTERS', `'${text}' is no node name: before the @ there may be letters A to Z, digits, _ and - only.`)
  // Latin-1 from '!' on: what net_kernel admits, and what a handshake can carry.
  if (!/^[!-\u00ff]+$/.test(host))
    throw new NodeNameError('NAME_CHARACTERS', `'${text}' is no node name: its host has a blank, or a character that is not in Latin-1.`)
  if (text.length > 255) throw new NodeNameError('NAME_LENGTH', `'${text.slice(0, 20)}…' is no node name: it has more than 255 characters.`)
  return { full: text, alive, host }
}

/**
 * Our own name. Without `@host` this host's name is appended, as `erl -sname` (by default) and `erl -name` (`domain: 'long'`) do.
 *
 *     await ownNodeName('ts')                      // ts@myhost, short
 *     await ownNodeName('ts@10.0.0.7')             // long
 *
 * @throws NodeNameError NAME_FORMAT, NAME_CHARACTERS, NAME_LENGTH, NAME_SHORT_LONG, NAME_NO_DOMAIN.
 */
export async function ownNodeName(text: string, options: OwnNameOptions = {}): Promise<OwnNodeName> {
  const { domain, host = thisHost } = options
  const name = parseNodeName(text.includes('@') ? text : `${text}@${domain === 'long' ? await fullHostName(host) : shortHostName(host)}`)
  if (domain === 'short' && isLongHost(name.host))
    throw new NodeNameError('NAME_SHORT_LONG', `'${text}' cannot be a short name: leave out what follows the first dot of its host.`)
  return { ...name, domain: domain ?? domainOf(name.host) }
}

/**
 * Can a node of that domain dial this peer? OTP's connector asks the same; the acceptor asks nothing.
 *
 * @throws NodeNameError NAME_SHORT_LONG.
 */
export function checkDomain(domain: NameDomain, peer: NodeName): void {
  if (domain === domainOf(peer.host)) return
  const [kind, remedy] =
    domain === 'short'
      ? ['short', 'Start it with a full host name (name@host.domain or an address) to reach long names.']
      : ['long', 'Start it with a short one (name@host without a dot) to reach short names.']
  throw new NodeNameError('NAME_SHORT_LONG', `'${peer.full}' is out of reach, for this node has a ${kind} name.`, { remedy })
}

/** The kind of name that a host makes. */
export const domainOf = (host: string): NameDomain => (isLongHost(host) ? 'long' : 'short')

/** An IPv6 address has no dot, and is a long name all the same. */
const isLongHost = (host: string): boolean => host.includes('.') || isIP(host) !== 0

const shortHostName = (host: Host): string => host.hostname().split('.')[0] || 'nohost'

async function fullHostName(host: Host): Promise<string> {
  const name = host.hostname()
  const full = name.includes('.') ? name : await host.fullName(name)
  if (full !== undefined && full.includes('.')) return full
  const remedy = 'write the host out (name@host.domain, or name@ and an address), or use a short name'
  throw new NodeNameError('NAME_NO_DOMAIN', `This machine, '${name}', does not know its full host name: ${remedy}.`)
}

/** As the operating system says; the full name is what its address resolves back to. */
const thisHost: Host = {
  hostname,
  async fullName(name) {
    try {
      const { address } = await lookup(name)
      const { hostname: full } = await lookupService(address, 0)
      return full.startsWith(`${name}.`) ? full : undefined
    } catch {
      // No address or no name for it: there is no full name.
      return undefined
    }
  },
}
