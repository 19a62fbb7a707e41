/**
 * EPMD itself, for a machine on which none runs. Real `epmd -names`, BEAM nodes and other Beamlets use it like any other.
 *
 * It gives nothing to those who only hold sockets: a client has `requestTimeout` to ask and to take its answer, sends one bounded request,
 * and the oldest unfinished client makes room for a new one. A registered node may hold its socket for ever, for that is its registration;
 * only processes of this machine can register.
 */
import { randomInt } from 'node:crypto'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { EpmdError } from '../dist/epmd-error.js'
import { readRequest, type EpmdEntry, type EpmdRequest } from '../dist/epmd.js'
import { systemClock, type Clock } from '../process/clock.js'
import type { NodeError } from '../term/index.js'
import { epmdPort, isLocalPeer, listenAddresses } from './epmd-address.js'
import { answer } from './epmd-answer.js'
import { creationOf, EpmdDirectory, type Registered } from './epmd-directory.js'

export interface EpmdServerEvents {
  registered?(entry: EpmdEntry, creation: number): void
  unregistered?(entry: EpmdEntry): void
  /** A client broke the protocol or was too slow, and was dropped; or a socket failed. The server lives on. */
  fault?(error: NodeError, remoteAddress: string | undefined): void
  /** The server has ended: by `close`, or by a client's KILL. */
  closed?(): void
}

export interface EpmdServerOptions {
  /** Default: ERL_EPMD_PORT, else 4369. 0: any free one. */
  readonly port?: number | undefined
  /**
   * Addresses to listen at, as a list or separated by commas; `0.0.0.0` and `::` are all of a family. The loopback addresses are always
   * added. Default: ERL_EPMD_ADDRESS, else the loopback alone, so that other hosts see nothing.
   */
  readonly host?: string | readonly string[] | undefined
  /** Obey STOP, and KILL while nodes are registered, as `epmd -relaxed_command_check` does. False. */
  readonly relaxed?: boolean | undefined
  /** Milliseconds in which a client must have asked and taken its answer. 10,000. */
  readonly requestTimeout?: number | undefined
  /** Sockets that have not registered; the oldest is dropped for a further one. 1024. */
  readonly maxRequests?: number | undefined
  /** Registered nodes; further ones are refused. 4096. */
  readonly maxNodes?: number | undefined
  readonly events?: EpmdServerEvents | undefined
  readonly clock?: Clock | undefined
}

export class EpmdServer {
  readonly #directory: EpmdDirectory
  readonly #relaxed: boolean
  readonly #requestTimeout: number
  readonly #maxRequests: number
  readonly #events: EpmdServerEvents
  readonly #clock: Clock
  readonly #servers: Server[] = []
  /** Those that have not registered, oldest first, and how to cancel their time limit */
  readonly #asking = new Map<Socket, () => void>()
  readonly #nodes = new Map<Registered, Socket>()
  #port = 0
  #nextFd = 5
  #closed: Promise<void> | undefined

  private constructor(options: EpmdServerOptions) {
    const { relaxed = false, requestTimeout = 10_000, maxRequests = 1024, maxNodes = 4096, events = {}, clock = systemClock } = options
    this.#directory = new EpmdDirectory(maxNodes, () => randomInt(4, 2 ** 32))
    this.#relaxed = relaxed
    this.#requestTimeout = requestTimeout
    this.#maxRequests = maxRequests
    this.#events = events
    this.#clock = clock
  }

  /**
   *     const epmd = await EpmdServer.start({ port: 4369 })
   *
   * @throws EpmdError EPMD_PORT_IN_USE, EPMD_LISTEN, EPMD_PORT.
   */
  static async start(options: EpmdServerOptions = {}): Promise<EpmdServer> {
    const addresses = listenAddresses(options.host)
    const port = options.port === 0 ? 0 : epmdPort(options.port)
    for (;;) {
      const server = new EpmdServer(options)
      try {
        await server.#listen(addresses, port)
        return server
      } catch (error) {
        const boundSome = server.#servers.length > 0
        await server.#shut()
        // A port that is free in one family may be taken in the other: try the next free one.
        if (port !== 0 || !boundSome || (error as EpmdError).code !== 'EPMD_PORT_IN_USE') throw error
      }
    }
  }

  get port(): number {
    return this.#port
  }

  async #listen(addresses: readonly string[], port: number): Promise<void> {
    this.#port = port
    for (const address of addresses) {
      const server = createServer({ noDelay: true }, socket => this.#accept(socket))
      if (!(await listening(server, address, this.#port))) continue
      server.on('error', error =>
        this.#fault('EPMD_LISTEN', 'The embedded EPMD could not accept a connection; it goes on.', undefined, error),
      )
      this.#servers.push(server)
      this.#port = (server.address() as AddressInfo).port
    }
    if (this.#servers.length === 0)
      throw new EpmdError('EPMD_LISTEN', 'The embedded EPMD found no address to listen at: this machine has no loopback address.')
  }

  /** Newest first, as EPMD lists them */
  nodes(): EpmdEntry[] {
    return this.#directory.active().map(({ entry }) => entry)
  }

  #accept(socket: Socket): void {
    const fd = this.#nextFd++
    let bytes = Buffer.alloc(0)
    this.#makeRoom()
    const timedOut = `A client of the embedded EPMD had not asked and taken its answer after ${this.#requestTimeout} ms; it was dropped.`
    const cancel = this.#clock.after(this.#requestTimeout, () => {
      this.#fault('EPMD_TIMEOUT', timedOut, socket)
      socket.destroy()
    })
    this.#asking.set(socket, cancel)
    socket.on('error', error => {
      // How a registered node's socket ends does not matter.
      if (this.#asking.has(socket)) this.#fault('EPMD_CLOSED', 'A client of the embedded EPMD broke its connection.', socket, error)
    })
    socket.on('close', () => this.#stopAsking(socket))
    socket.on('data', piece => {
      bytes = Buffer.concat([bytes, piece])
      this.#read(socket, fd, bytes)
    })
  }

  #makeRoom(): void {
    const [oldest] = this.#asking.keys()
    if (oldest === undefined || this.#asking.size < this.#maxRequests) return
    this.#fault(
      'EPMD_TIMEOUT',
      `The embedded EPMD serves ${this.#maxRequests} clients at a time; the oldest was dropped for a new one.`,
      oldest,
    )
    this.#stopAsking(oldest)
    oldest.destroy()
  }

  #stopAsking(socket: Socket): void {
    this.#asking.get(socket)?.()
    this.#asking.delete(socket)
  }

  #read(socket: Socket, fd: number, bytes: Buffer): void {
    let request: EpmdRequest | undefined
    try {
      request = readRequest(bytes)
    } catch (error) {
      // Bytes after a request end the registration that it made: epmd does the same.
      this.#events.fault?.(error as EpmdError, socket.remoteAddress)
      socket.destroy()
    }
    if (request) this.#answer(socket, fd, request)
  }

  #answer(socket: Socket, fd: number, request: EpmdRequest): void {
    const asker = { local: isLocalPeer(socket.remoteAddress, socket.localAddress), fd }
    const said = answer(request, asker, { directory: this.#directory, port: this.port, relaxed: this.#relaxed })
    if (said.next === 'keep') return this.#keep(socket, said.bytes, said.registered)
    if (said.next === 'drop') this.#drop(said.registered)
    if (said.bytes === null) socket.destroy()
    else if (said.next === 'shutdown') this.#killed(socket, said.bytes)
    else socket.end(said.bytes)
  }

  #drop(registered: Registered): void {
    this.#nodes.get(registered)?.destroy()
    this.#release(registered)
  }

  /** Who killed us gets its answer; by then nobody listens any more. */
  #killed(socket: Socket, bytes: Buffer): void {
    this.#stopAsking(socket)
    socket.end(bytes, () => socket.destroy())
    void this.close()
  }

  #keep(socket: Socket, bytes: Buffer, registered: Registered): void {
    this.#stopAsking(socket)
    this.#nodes.set(registered, socket)
    socket.on('end', () => this.#release(registered))
    socket.on('close', () => this.#release(registered))
    socket.write(bytes)
    this.#events.registered?.(registered.entry, creationOf(registered))
  }

  #release(registered: Registered): void {
    this.#nodes.delete(registered)
    if (this.#directory.release(registered)) this.#events.unregistered?.(registered.entry)
  }

  #fault(code: string, sentence: string, socket: Socket | undefined, cause?: Error): void {
    this.#events.fault?.(new EpmdError(code, sentence, cause && { cause }), socket?.remoteAddress)
  }

  /** Closes every socket: nodes that were registered look for another EPMD. Idempotent. */
  close(): Promise<void> {
    return (this.#closed ??= this.#shut().then(() => this.#events.closed?.()))
  }

  async #shut(): Promise<void> {
    const closed = this.#servers.map(server => new Promise<unknown>(resolve => server.close(resolve)))
    for (const socket of this.#asking.keys()) socket.destroy()
    for (const registered of this.#nodes.keys()) this.#drop(registered)
    await Promise.all(closed)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** A machine may lack IPv6, or even IPv4: then their loopback addresses are left out. */
const absent = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL'])
const optional = new Set(['127.0.0.1', '::1'])

/** False: this machine lacks that loopback address. @throws EpmdError EPMD_PORT_IN_USE, EPMD_LISTEN. */
function listening(server: Server, host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (optional.has(host) && absent.has(error.code ?? '')) resolve(false)
      else reject(refusal(error, host, port))
    })
    server.listen({ host, port, exclusive: true, ipv6Only: host.includes(':') }, () => {
      server.removeAllListeners('error')
      resolve(true)
    })
  })
}

function refusal(cause: NodeJS.ErrnoException, host: string, port: number): EpmdError {
  if (cause.code === 'EADDRINUSE') {
    const remedy = "use that one with epmd: 'system' (or 'auto'), or choose another port with ERL_EPMD_PORT"
    return new EpmdError(
      'EPMD_PORT_IN_USE',
      `An embedded EPMD cannot have ${host}:${port}, for a program listens there, most likely an EPMD: ${remedy}.`,
      { cause },
    )
  }
  return new EpmdError(
    'EPMD_LISTEN',
    `An embedded EPMD cannot listen at ${host}:${port} (${cause.code}): choose an address of this machine.`,
    { cause },
  )
}
