/** Takes the connections that others make to this node: each socket shakes hands by itself, and costs nothing but itself when it fails. */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { accept, type Introduction } from '../dist/handshake.js'
import type { AcceptStatus, LocalEnd } from '../dist/peer.js'
import { systemClock } from '../process/clock.js'
import type { NodeError } from '../term/index.js'
import { Connection, type ConnectionOptions, type Established } from './connection.js'
import { NetError } from './errors.js'
import { machineSecrets } from './secrets.js'
import { setupTime, shake } from './shake.js'
import { addressOf, TcpCarrier } from './tcp-carrier.js'
import type { Tls } from './tls.js'

/** One peer that dialled us and is shaking hands. The same object goes to every callback about it. */
export interface Attempt {
  readonly remoteAddress: string
  /** Null until it has told its name. No Atom: it has proved nothing yet, and atoms stay for ever. */
  readonly peer: string | null
  /** The flags it offers; 0 until it has told its name */
  readonly flags: bigint
  /** It has said nothing at all yet. */
  readonly silent: boolean
  /** Drops it; `failed` is told NET_ABORTED. */
  abort(): void
}

export interface ListenOptions extends ConnectionOptions {
  /** Default: every address */
  readonly host?: string | undefined
  /** Default 0: any free one */
  readonly port?: number | undefined
  /** Without it, plain connections */
  readonly tls?: Tls | null | undefined
  /** Asked for each handshake, so that a creation that EPMD gives later counts. */
  self(): LocalEnd
  cookieFor(peer: string): string
  /** The connection table's decision about a peer that has told its name. */
  status(attempt: Attempt): AcceptStatus
  /** A handshake succeeded. Attach handlers now or later: nothing is lost. */
  connection(connection: Connection, attempt: Attempt): void
  /** A handshake failed: DistError or NetError. When `attempt.peer` was given a `status`, it is void now. */
  failed(error: NodeError, attempt: Attempt): void
  /** Milliseconds for each network step, 7000 */
  readonly timeout?: number | undefined
  /** Handshakes in progress; further sockets are closed at once. 1024 */
  readonly maxHandshakes?: number | undefined
}

export interface Listener {
  readonly port: number
  readonly address: string
  /** Stops listening and drops handshakes in progress; connections live on. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Resolves when it listens. @throws NetError NET_LISTEN when the address cannot be had. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { host, port = 0, maxHandshakes = 1024 } = options
  const attempts = new Set<IncomingAttempt>()
  const server = createServer({ noDelay: true }, socket => {
    const attempt = new IncomingAttempt(socket)
    if (attempts.size >= maxHandshakes) {
      socket.on('error', () => {}).destroy() // The peer may have gone already; either way it is refused.
      return options.failed(
        new NetError('NET_HANDSHAKES', `More than ${maxHandshakes} handshakes are in progress: this one was refused.`),
        attempt,
      )
    }
    attempts.add(attempt)
    void attempt.run(socket, options).finally(() => attempts.delete(attempt))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', cause => reject(listenError(cause, host, port)))
    server.listen({ port, host }, () => {
      server.removeAllListeners('error')
      resolve()
    })
  })
  // A socket that could not be accepted is the peer's to try again; the server goes on.
  server.on('error', () => {})

  const address = server.address() as AddressInfo
  let closed: Promise<void> | undefined
  const close = (): Promise<void> =>
    (closed ??= new Promise(resolve => {
      for (const attempt of attempts) attempt.abort()
      // The server's own callback would wait for the connections; the port is free as soon as its handle is closed.
      server.close()
      setImmediate(resolve)
    }))
  return { port: address.port, address: address.address, close, [Symbol.asyncDispose]: close }
}

class IncomingAttempt implements Attempt {
  readonly remoteAddress: string
  peer: string | null = null
  flags = 0n
  readonly #socket: Socket
  readonly #aborting = new AbortController()

  constructor(socket: Socket) {
    this.#socket = socket
    this.remoteAddress = addressOf(socket)
  }

  get silent(): boolean {
    return this.#socket.bytesRead === 0
  }

  abort(): void {
    this.#aborting.abort()
  }

  async run(socket: Socket, options: ListenOptions): Promise<void> {
    const { tls, clock = systemClock, timeout = setupTime } = options
    let established: Established
    const limits = { clock, timeout, signal: this.#aborting.signal }
    const status = (introduction: Introduction): AcceptStatus => {
      this.peer = introduction.name
      this.flags = introduction.flags
      return options.status(this)
    }
    const handshake = accept({ self: options.self(), status, cookieFor: peer => options.cookieFor(peer), ...machineSecrets })
    try {
      const carrier = tls ? await tls.accept(socket, limits) : new TcpCarrier(socket, clock)
      established = { ...(await shake(carrier, handshake, limits)), carrier, incoming: true }
    } catch (error) {
      return options.failed(error as NodeError, this)
    }
    options.connection(new Connection(established, options), this)
  }
}

export function listenError(cause: NodeJS.ErrnoException, host: string | undefined, port: number): NetError {
  const where = `${host ?? 'every address'}, port ${port}`
  const why = cause.code === 'EADDRINUSE' ? 'another program has it: choose another, or 0 for any' : cause.message
  return new NetError('NET_LISTEN', `Cannot listen at ${where}: ${why}.`, { cause })
}
