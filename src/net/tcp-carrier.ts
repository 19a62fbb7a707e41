import type { Socket } from 'node:net'
import type { PrefixSize } from '../dist/frames.js'
import type { Clock } from '../process/clock.js'
import type { Carrier, CarrierHandlers } from './carrier.js'
import { NetError } from './errors.js'

/** A carrier over a socket of `node:net`. */
export class TcpCarrier implements Carrier {
  readonly prefix: PrefixSize
  readonly remoteAddress: string
  readonly #socket: Socket
  readonly #clock: Clock
  #handlers: CarrierHandlers | null = null
  #failure: NetError | undefined
  #over = false

  /** `socket` is connected. From here on it is the carrier's. */
  constructor(socket: Socket, clock: Clock, prefix: PrefixSize = 2) {
    this.#socket = socket
    this.#clock = clock
    this.prefix = prefix
    this.remoteAddress = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? '?'}`
    // A tick says whether the peer lives; TCP's own probes would only add traffic. And signals are not to wait for company.
    socket.setKeepAlive(false)
    socket.setNoDelay(true)
    socket.pause()
    socket.on('data', chunk => this.#handlers?.data(chunk))
    socket.on('error', cause => {
      this.#failure = new NetError('NET_SOCKET', `The connection to ${this.remoteAddress} broke: ${cause.message}.`, { cause })
    })
    socket.on('end', () => this.#ended())
    socket.on('close', () => this.#ended())
  }

  get pendingBytes(): number {
    return this.#socket.writableLength
  }

  read(handlers: CarrierHandlers): void {
    this.#handlers = handlers
    // A socket that broke while nobody read tells it again here.
    if (this.#socket.destroyed) queueMicrotask(() => this.#ended())
    else this.#socket.resume()
  }

  pause(): void {
    this.#socket.pause()
    this.#handlers = null
  }

  write(bytes: Buffer, taken?: () => void): void {
    // A write that fails is told as the socket's error.
    this.#socket.write(bytes, error => {
      if (!error && !this.#over) taken?.()
    })
  }

  end(grace: number): void {
    this.#leave()
    const cancel = this.#clock.after(grace, () => this.#socket.destroy())
    this.#socket.on('close', cancel)
    // The peer ends its half when it has read ours. A socket that is closed before would answer what still comes with a reset, and the
    // peer could lose our last words.
    this.#socket.resume().end()
  }

  destroy(): void {
    this.#leave()
    this.#socket.destroy()
  }

  afterReads(callback: () => void): void {
    // Timers run before the sockets that are ready are read, immediates after.
    setImmediate(() => {
      if (!this.#over) callback()
    })
  }

  #ended(): void {
    if (this.#over || this.#handlers === null) return
    const { ended } = this.#handlers
    this.destroy()
    ended(this.#failure)
  }

  #leave(): void {
    this.#over = true
    this.#handlers = null
  }
}
