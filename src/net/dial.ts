/** Dials a node and shakes hands: from a host and a port to a Connection. */
import { connect as connectSocket, type Socket } from 'node:net'
import { type HandshakeFact, initiate } from '../dist/handshake.js'
import type { LocalEnd } from '../dist/peer.js'
import { systemClock } from '../process/clock.js'
import type { Atom } from '../term/index.js'
import { Connection, type ConnectionOptions } from './connection.js'
import { NetError } from './errors.js'
import { machineSecrets } from './secrets.js'
import { setupTime, shake } from './shake.js'
import { reasonOf, unknownHost } from './host.js'
import { step, type StepLimits } from './step.js'
import { addressOf, TcpCarrier } from './tcp-carrier.js'
import type { Tls } from './tls.js'
import type { TlsFact } from './tls-fact.js'

export interface DialOptions extends ConnectionOptions {
  readonly host: string
  readonly port: number
  readonly self: LocalEnd
  /** The node that must answer there */
  readonly peer: Atom
  readonly cookie: string
  /** Without it, a plain connection */
  readonly tls?: Tls | null | undefined
  /** Milliseconds for each network step, 7000 */
  readonly timeout?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** The peer still holds an older connection of ours: go on, and let it drop that one? Default: yes. */
  readonly whenAlive?: (() => boolean) | undefined
  /** Told what is found out on the way, as it comes. What this throws ends the attempt. */
  readonly learned?: ((fact: DialFact) => void) | undefined
}

export type DialFact = { readonly of: 'connected'; readonly address: string } | TlsFact | HandshakeFact

/**
 * Connects and shakes hands.
 *
 * @throws NetError NET_UNKNOWN_HOST, NET_REFUSED, NET_UNREACHABLE, NET_TIMEOUT, NET_ABORTED, NET_SOCKET, NET_TLS_…;
 * DistError as `initiate` does.
 */
export async function dial(options: DialOptions): Promise<Connection> {
  const { self, peer, cookie, tls, signal, whenAlive, learned, clock = systemClock, timeout = setupTime } = options
  const limits = { clock, timeout, signal }
  const socket = await connect(options, limits)
  learned?.({ of: 'connected', address: addressOf(socket) })
  const carrier = tls ? await tls.connect(socket, hostIn(peer), limits, learned) : new TcpCarrier(socket, clock)
  const handshake = initiate({ self, peer, cookie, whenAlive, learned, ...machineSecrets })
  const { agreement, reader } = await shake(carrier, handshake, limits)
  return new Connection({ agreement, carrier, reader, incoming: false }, options)
}

/** The host in a node's name, which its certificate is for, wherever it is found. */
const hostIn = (node: Atom): string => node.name.slice(node.name.indexOf('@') + 1)

async function connect({ host, port }: DialOptions, limits: StepLimits): Promise<Socket> {
  const socket = connectSocket({ host, port, noDelay: true })
  const late = (): NetError =>
    new NetError('NET_TIMEOUT', `No connection to ${host}:${port} within ${limits.timeout} ms.`, {
      remedy: 'The host is down, or a firewall drops the packets: look at both.',
    })
  try {
    await step<void>(limits, late, (done, failed) => {
      socket.once('error', cause => failed(connectError(cause, host, port)))
      socket.once('connect', done)
    })
    return socket.removeAllListeners()
  } catch (error) {
    // An error of a socket that is given up says nothing new.
    socket.on('error', () => {}).destroy()
    throw error
  }
}

function connectError(cause: NodeJS.ErrnoException, host: string, port: number): NetError {
  switch (cause.code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new NetError('NET_UNKNOWN_HOST', ...unknownHost(host, cause))
    case 'ECONNREFUSED':
      return new NetError('NET_REFUSED', `Nothing listens at ${host}:${port}.`, {
        cause,
        remedy: 'The node has ended, or that is not its port: look whether it runs, and where it listens.',
      })
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return new NetError('NET_UNREACHABLE', `There is no way to ${host}:${port} (${cause.code}).`, {
        cause,
        remedy: 'Look at the routes and firewalls between here and there.',
      })
  }
  return new NetError('NET_SOCKET', `The connection to ${host}:${port} failed: ${reasonOf(cause)}.`, { cause })
}
