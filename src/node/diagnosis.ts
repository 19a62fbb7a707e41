/** What a diagnosis says: its steps as data, each with what was found and, where it failed, what to do. */
import { expandFlags, flagNames, flags, mandatoryFlags, offeredFlags } from '../dist/flags.js'
import { releaseOf } from '../dist/flag-release.js'
import type { Peer } from '../dist/peer.js'
import type { EpmdEntry, EpmdName } from '../net/epmd.js'
import type { TlsFact } from '../net/tls-fact.js'
import { NodeError } from '../term/index.js'
import type { OwnNodeName } from './node-name.js'

/** The steps on the way to a node, in their order. */
export const diagnosisSteps = ['name', 'host', 'epmd', 'port', 'tls', 'handshake', 'flags', 'cookie', 'visibility', 'ping'] as const

/** The steps of a look at this machine. */
export const machineSteps = ['host', 'epmd', 'cookie', 'listen'] as const

export type DiagnosisStepName = (typeof diagnosisSteps)[number] | (typeof machineSteps)[number]

export interface DiagnosisStep {
  readonly step: DiagnosisStepName
  readonly ok: boolean
  /** What was found, in sentences */
  readonly says: string
  /** Of a step that failed: the error's code, and what to do */
  readonly code?: string | undefined
  readonly remedy?: string | undefined
  /** How long this step took */
  readonly milliseconds: number
  /** The same as data; which members there are depends on the step. Never the cookie. */
  readonly details: Readonly<Record<string, unknown>>
  /** Of a step that failed: the error, which is what `connect` throws */
  readonly error?: NodeError | undefined
}

/** What a step found; its name and its time are for the one who takes it. */
export type Found = Pick<DiagnosisStep, 'says' | 'details'>

/** @throws what is no NodeError: a fault of ours is no finding. */
export function failed(step: DiagnosisStepName, error: unknown, milliseconds: number, details: Found['details'] = {}): DiagnosisStep {
  if (!(error instanceof NodeError)) throw error
  const registered = 'registered' in error ? { registered: error.registered } : {}
  const { code, says, remedy } = error
  return { step, ok: false, says, code, remedy, milliseconds, details: { ...details, ...registered }, error }
}

export function nameFound(node: string, { full, domain }: OwnNodeName): Found {
  return { says: `${node} has a ${domain} name, and so has this node, ${full}.`, details: { node, self: full, domain } }
}

export function hostFound(host: string, addresses: readonly string[]): Found {
  const says = addresses.length === 1 && addresses[0] === host ? `${host} is an address.` : `${host} is ${listed(addresses)}.`
  return { says, details: { host, addresses } }
}

export function epmdFound(host: string, epmdPort: number, { name, port, hidden, lowest, highest }: EpmdEntry): Found {
  const type = hidden ? 'hidden' : 'normal'
  const says = `EPMD at ${host}:${epmdPort} knows ${name}: a ${type} node at port ${port}, of protocol ${lowest} to ${highest}.`
  return { says, details: { host, epmdPort, port, type, lowest, highest } }
}

/** The option resolve told where the node is. */
export function resolvedFound(host: string, port: number): Found {
  return { says: `EPMD is not asked: the option resolve tells ${host}:${port}.`, details: { host, port, epmdPort: null } }
}

/** Nobody looks the host up in a node's name when the option resolve may tell another. */
export const hostUnasked = (host: string): Found => ({ says: `${host} is left to the option resolve.`, details: { host, addresses: [] } })

export const portFound = (address: string): Found => ({ says: `${address} takes the connection.`, details: { address } })

/** TLS is up. What is wrong with a certificate that is refused, the error says. */
export function tlsFound({ of: _, protocol, cipher, subject, issuer, hosts, validTo, authorized }: TlsFact): Found {
  const until = validTo === null ? '' : `, valid until ${validTo.toISOString().slice(0, 10)}`
  const unchecked = authorized ? '' : '; nobody has checked it (verify_none)'
  const certificate = `the certificate of ${subject} is for ${hosts ?? 'no host'}, from ${issuer}${until}${unchecked}`
  const says = `${protocol} with ${cipher}; ${subject === null ? 'there is no certificate' : certificate}.`
  return { says, details: { tls: true, protocol, cipher, subject, issuer, hosts, validTo: validTo?.toISOString() ?? null, authorized } }
}

export const noTls: Found = { says: 'The connection is a plain one, without TLS.', details: { tls: false } }

export function handshakeFound(name: string, creation: number, status: string): Found {
  return { says: `${name} answers ${status}; its creation is ${creation}.`, details: { name, creation, status } }
}

/** Null when a mandatory one is missing: what there is to say then, the handshake's error says. */
export function flagsFound(theirs: bigint, visible: boolean): Found | null {
  const ours = offeredFlags({ visible })
  if (mandatoryFlags[26] & ~theirs) return null
  const offered = flagNames(theirs)
  const missing = flagNames(ours & ~theirs & ~flags.PUBLISHED & ~flags.MANDATORY_25_DIGEST)
  const but = missing.length === 0 ? '' : ` but ${missing.join(', ')}`
  const says = `${offered.length} flags, as ${releaseOf(theirs)} has them: all that must be, and all that Beamlet uses${but}.`
  return { says, details: { offered, used: flagNames(expandFlags(ours) & theirs), missing, release: releaseOf(theirs) } }
}

export const cookieFound = (from: string): Found => ({ says: `The cookies agree; this node's is from ${from}.`, details: { from } })

/** @param hidden is this node? */
export function visibilityFound({ name, visible, theirFlags }: Peer, hidden: boolean): Found {
  const theirs = (theirFlags & flags.PUBLISHED) === 0n
  const whose = !theirs ? 'this node is' : hidden ? 'both nodes are' : `${name.name} is`
  const says = visible
    ? 'The connection is visible: nodes() lists each node at the other.'
    : `The connection is hidden, for ${whose}: nodes() does not list it, nodes(hidden) does.`
  return { says, details: { visible, hidden, theirs: theirs ? 'hidden' : 'visible' } }
}

export const pingFound: Found = { says: 'A ping is answered: pong.', details: { answer: 'pong' } }

export function machineFound(short: string, long: string | undefined, addresses: readonly string[]): Found {
  const name = long === undefined ? `${short}; it has no long name, so long names need an address` : `${short}, and in full ${long}`
  return { says: `This host is ${name}. ${short} is ${listed(addresses)}.`, details: { short, long: long ?? null, addresses } }
}

/** @param names null: no EPMD runs */
export function localEpmdFound(epmdPort: number, names: readonly EpmdName[] | null): Found {
  const where = `at port ${epmdPort}`
  const details = { epmdPort, running: names !== null, registered: names ?? [] }
  if (names === null) return { says: `No EPMD runs ${where}: the first node that needs it starts it, erl and Beamlet alike.`, details }
  const nodes = names.map(({ name, port }) => `${name} at port ${port}`)
  return { says: `EPMD runs ${where} and knows ${nodes.length === 0 ? 'no node' : listed(nodes)}.`, details }
}

export const ownCookieFound = (from: string): Found => ({ says: `A cookie is there, from ${from}.`, details: { from } })

export const listenFound: Found = { says: 'A port can be had for others to dial.', details: {} }

/** a, b and c */
const listed = (items: readonly string[]): string =>
  items.length < 2 ? (items[0] ?? 'nothing') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`
