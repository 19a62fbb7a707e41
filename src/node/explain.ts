/** Why a node cannot be had: what the attempt says, and what another look finds out. */
import { DistError } from '../dist/errors.js'
import type { Epmd, EpmdEntry } from '../net/epmd.js'
import { NetError } from '../net/errors.js'
import { NodeError } from '../term/index.js'
import type { NodeName } from './node-name.js'

export interface Attempted {
  readonly peer: NodeName
  /** Whose EPMD was asked */
  readonly host: string
  /** What EPMD told; undefined when it was not asked (option resolve) */
  readonly entry: EpmdEntry | undefined
  /** Was there a socket before it failed? */
  readonly connected: boolean
  readonly epmd: Pick<Epmd, 'lookup'>
  /** Where this node's cookie is from, as `findCookie` says */
  readonly cookieFrom: string
  readonly signal?: AbortSignal | undefined
}

/** The error with all that is known about it: of the same class and code, or as it was. */
export async function explain(error: unknown, attempted: Attempted): Promise<unknown> {
  if (!(error instanceof NodeError)) return error
  const { host, entry, connected, cookieFrom } = attempted
  if (error.code === 'DIST_BAD_COOKIE') {
    const remedy = `This node's is from ${cookieFrom}. Give both nodes the same one: option cookie, --cookie, or ~/.erlang.cookie.`
    return new DistError(error.code, error.says, { cause: error.cause, remedy })
  }
  if (entry === undefined) return error
  switch (error.code) {
    case 'NET_REFUSED':
      return refused(error, entry, attempted)
    case 'NET_TIMEOUT':
    case 'NET_UNREACHABLE': {
      if (connected) return error
      const remedy = `EPMD answers at ${host}, so a firewall lets EPMD's port through and not ${entry.port}. ${fixedPort}`
      return new NetError(error.code, error.says, { cause: error.cause, remedy })
    }
  }
  return error
}

const fixedPort = 'Open it; on the BEAM, inet_dist_listen_min and inet_dist_listen_max of kernel make it a port that is known beforehand.'

/** Nobody listens where EPMD said. The node may have ended in between: then EPMD knows it by now. */
async function refused(error: NodeError, entry: EpmdEntry, { peer, host, epmd, signal }: Attempted): Promise<NetError> {
  const because = (says: string, remedy: string): NetError => new NetError('NET_REFUSED', says, { cause: error.cause, remedy })
  let now: EpmdEntry | undefined
  try {
    now = await epmd.lookup(peer.alive, host, { timeout: 1000, signal })
  } catch (cause) {
    const gone = cause instanceof NodeError && cause.code === 'EPMD_NO_SUCH_NODE'
    if (gone) return because(`${error.says} EPMD has forgotten ${peer.full} by now: it has just ended.`, 'Start it again.')
  }
  if (now !== undefined && now.port !== entry.port)
    return because(`${error.says} EPMD tells port ${now.port} by now: the node has just been restarted.`, 'Try again.')
  return because(
    `${error.says} EPMD still tells that port.`,
    `The node is about to end, or its port is not open from here: a container that publishes EPMD's port only, or a firewall. ${fixedPort}`,
  )
}
