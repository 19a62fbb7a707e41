/**
 * Where a node listens: what the option `resolve` says of it, else what EPMD says.
 *
 * A number is `-erl_epmd_port`: every node listens on this port of its host. A function stands where `-epmd_module` stands on the BEAM
 * (`address_please/3`, `listen_port_please/2`).
 */
import type { Epmd, EpmdEntry } from '../net/epmd.js'
import type { Clock } from '../process/index.js'
import { NodeError } from '../term/index.js'
import type { NodeName } from './node-name.js'

/** RESOLVE_PORT: no port from 1 to 65535. RESOLVE_ANSWER: no answer of a known form. RESOLVE_FAILED: the function threw (`cause`), or never answered. */
export class ResolveError extends NodeError {}

/** What a resolver says: a port, with or without another host to dial; a host whose EPMD is asked; nothing, and EPMD is asked. */
export type Resolved = number | { readonly host?: string | undefined; readonly port?: number | undefined } | undefined

/** The port of every node, or a function that is asked for each attempt. */
export type Resolver = number | ((node: NodeName) => Resolved | Promise<Resolved>)

export interface Address {
  readonly host: string
  readonly port: number
  /** What EPMD said, if it was asked */
  readonly entry?: EpmdEntry | undefined
}

export interface LocateOptions {
  readonly resolve?: Resolver | undefined
  readonly epmd: Epmd
  readonly clock: Clock
  /** Milliseconds for the function, and for EPMD */
  readonly timeout: number
  readonly signal: AbortSignal
}

/** @throws ResolveError; EpmdError as `lookup` does, EPMD_OFF when there is neither a resolver's answer nor an EPMD. */
export async function locate(node: NodeName, options: LocateOptions): Promise<Address> {
  const { resolve, epmd, timeout, signal } = options
  const said = typeof resolve === 'function' ? await answer(resolve, node, options) : resolve
  const { host = node.host, port } = typeof said === 'number' ? { port: said } : (said ?? {})
  if (port !== undefined) return { host, port: checkPort(port, `for ${node.full}`) }
  const entry = await epmd.lookup(node.alive, host, { timeout, signal })
  return { host, port: entry.port, entry }
}

/** @throws ResolveError RESOLVE_PORT. */
export function checkPort(port: number, of: string): number {
  if (Number.isInteger(port) && port > 0 && port < 65536) return port
  throw new ResolveError('RESOLVE_PORT', `The option resolve gives ${port} ${of}, which is no port: ports are numbers from 1 to 65535.`)
}

async function answer(resolve: Exclude<Resolver, number>, node: NodeName, { clock, timeout }: LocateOptions): Promise<Resolved> {
  let cancel = (): void => {}
  const late = new Promise<never>((_, reject) => {
    cancel = clock.after(timeout, () => reject(failed(node, `did not answer within ${timeout} ms`)))
  })
  const asked = (async () => resolve(node))().catch((cause: unknown) => {
    throw failed(node, `threw ${cause instanceof Error ? cause.message : String(cause)}`, cause)
  })
  try {
    return check(await Promise.race([asked, late]), node)
  } finally {
    cancel()
  }
}

function check(said: unknown, node: NodeName): Resolved {
  if (said === undefined || typeof said === 'number') return said
  if (typeof said === 'object' && said !== null && !Array.isArray(said)) {
    const { host, port } = said as Readonly<Record<string, unknown>>
    const hostFits = host === undefined || (typeof host === 'string' && host !== '')
    if (hostFits && (port === undefined || typeof port === 'number')) return said
  }
  const forms = 'a port, { host, port } or undefined'
  throw new ResolveError('RESOLVE_ANSWER', `The function resolve said something else than ${forms} of ${node.full}.`)
}

const failed = (node: NodeName, how: string, cause?: unknown): ResolveError =>
  new ResolveError('RESOLVE_FAILED', `The function resolve ${how} when it was asked for ${node.full}.`, { cause })
