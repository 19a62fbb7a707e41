/** Dials a node and shakes hands: from a host and a port to a Connection. */
import { connect as connectSocket, type Socket } from 'node:net'
import { initiate } from '../dist/handshake.js'
import type { LocalEnd } from '../dist/peer.js'
import { type Clock, systemClock } from '../process/clock.js'
import type { Atom } from '../term/index.js'
import { Connection, type ConnectionOptions } from './connection.js'
import { NetError } from './errors.js'
import { machineSecrets } from './secrets.js'
import { setupTime, shake } from './shake.js'
import { TcpCarrier } from './tcp-carrier.js'

export interface DialOptions extends ConnectionOptions {
  readonly host: string
  readonly port: number
  readonly self: LocalEnd
  /** The node that must answer there */
  readonly peer: Atom
  readonly cookie: string
  /** Milliseconds for each network step, 7000 */
  readonly timeout?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** The peer still holds an older connection of ours: go on, and let it drop that one? Default: yes. */
  readonly whenAlive?: (() => boolean) | undefined
}

/**
 * Connects and shakes hands.
 *
 * @throws NetError NET_UNKNOWN_HOST, NET_REFUSED, NET_UNREACHABLE, NET_TIMEOUT, NET_ABORTED, NET_SOCKET; DistError as `initiate` does.
 */
export async function dial(options: DialOptions): Promise<Connection> {
  const { self, peer, cookie, signal, whenAlive, clock = systemClock, timeout = setupTime } = options
  const socket = await connect(options, clock, timeout)
  const carrier = new TcpCarrier(socket, clock)
  const handshake = initiate({ self, peer, cookie, whenAlive, ...machineSecrets })
  const { agreement, reader } = await shake(carrier, handshake, { clock, timeout, signal })
  return new Connection({ agreement, carrier, reader, incoming: false }, options)
}

function connect({ host, port, signal }: DialOptions, clock: Clock, timeout: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(aborted(signal))
    const socket = connectSocket({ host, port, noDelay: true })
    const settle = (): void => {
      cancelTimer()
      signal?.removeEventListener('abort', onAbort)
      socket.removeAllListeners()
    }
    const fail = (error: NetError): void => {
      settle()
      // An error of a socket that is given up says nothing new.
      socket.on('error', () => {}).destroy()
      reject(error)
    }
    const onAbort = (): void => fail(aborted(signal))
    const cancelTimer = clock.after(timeout, () =>
      fail(
        new NetError(
          'NET_TIMEOUT',
          `No connection to ${host}:${port} within ${timeout} ms. The host is down, or a firewall drops the packets.`,
        ),
      ),
    )
    signal?.addEventListener('abort', onAbort)
    socket.once('error', cause => fail(connectError(cause, host, port)))
    socket.once('connect', () => {
      settle()
      resolve(socket)
    })
  })
}

const aborted = (signal: AbortSignal | undefined): NetError =>
  new NetError('NET_ABORTED', 'The connection attempt was given up.', { cause: signal?.reason })

function connectError(cause: NodeJS.ErrnoException, host: string, port: number): NetError {
  switch (cause.code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new NetError('NET_UNKNOWN_HOST', `The host ${host} is unknown: look at the part after the @, and at DNS or /etc/hosts.`, {
        cause,
      })
    case 'ECONNREFUSED':
      return new NetError('NET_REFUSED', `Nothing listens at ${host}:${port}: the node has ended, or EPMD tells an old port.`, { cause })
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return new NetError('NET_UNREACHABLE', `There is no way to ${host}:${port}: look at the network and its firewalls.`, { cause })
  }
  return new NetError('NET_SOCKET', `The connection to ${host}:${port} failed: ${cause.message}.`, { cause })
}
