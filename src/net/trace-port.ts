/**
 * A port of TCP from which whoever connects reads a stream of events: the trace port `ip` of OTP, which `etop` and `ttb` read.
 *
 *   → client     0 Size:32 Term     one event, in the external format
 *                1 Count:32         so many were lost here, for the client was too slow
 *
 * One client reads at a time. Until it comes, and while it is slow, a bounded number of events waits.
 *
 * Source: trace_ip_drv.c of runtime_tools; etop_tr.erl (get_data), dbg.erl (read_ip).
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { listenError } from './listener.js'

export interface TracePortOptions {
  /** 0: any free one */
  readonly port: number
  /** Events that may wait for the client; so may 64 MiB of them, at most. */
  readonly queue: number
  /** May it read? It has given no cookie. */
  welcome(client: Pick<Socket, 'remoteAddress' | 'localAddress'>): boolean
}

export class TracePort {
  readonly port: number
  readonly #server: Server
  readonly #options: TracePortOptions
  #client: Socket | null = null
  /** What no client has read yet */
  #kept: Buffer[] = []
  #waiting = 0
  #waitingBytes = 0
  #dropped = 0

  private constructor(server: Server, options: TracePortOptions) {
    this.#server = server
    this.#options = options
    this.port = (server.address() as AddressInfo).port
    server.on('connection', socket => this.#onClient(socket))
    // A client that could not be accepted may try again.
    server.on('error', () => {})
  }

  /** Resolves when it listens, on every address. @throws NetError NET_LISTEN when the port cannot be had. */
  static async open(options: TracePortOptions): Promise<TracePort> {
    const server = createServer({ noDelay: true })
    await new Promise<void>((resolve, reject) => {
      server.once('error', cause => reject(listenError(cause, undefined, options.port)))
      server.listen({ port: options.port }, () => {
        server.removeAllListeners('error')
        resolve()
      })
    })
    return new TracePort(server, options)
  }

  /** @param event a term in the external format */
  send(event: Buffer): void {
    if (this.#waiting >= this.#options.queue || this.#waitingBytes > mostBytes) return void this.#dropped++
    if (this.#dropped > 0) this.#take(frame(1, this.#dropped))
    this.#dropped = 0
    this.#take(Buffer.concat([frame(0, event.length), event]))
  }

  /** Idempotent. */
  close(): void {
    this.#client?.destroy()
    this.#server.close()
  }

  #take(bytes: Buffer): void {
    this.#waiting++
    this.#waitingBytes += bytes.length
    if (this.#client) this.#write(this.#client, bytes)
    else this.#kept.push(bytes)
  }

  #write(client: Socket, bytes: Buffer): void {
    client.write(bytes, () => {
      this.#waiting--
      this.#waitingBytes -= bytes.length
    })
  }

  #onClient(socket: Socket): void {
    socket.on('error', () => {}) // Its end, which `close` tells.
    if (this.#client || !this.#options.welcome(socket)) return void socket.destroy()
    this.#client = socket
    for (const bytes of this.#kept) this.#write(socket, bytes)
    this.#kept = []
    // What a client says is nothing that a trace port takes.
    socket.resume().on('close', () => (this.#client = null))
  }
}

const mostBytes = 64 * 2 ** 20

function frame(what: 0 | 1, size: number): Buffer {
  const bytes = Buffer.alloc(5, what)
  bytes.writeUInt32BE(size, 1)
  return bytes
}
