import type { Socket } from 'node:net'
import type { PrefixSize } from '../dist/frames.js'
import type { Clock } from '../process/clock.js'
import type { Carrier, CarrierHandlers } from './carrier.js'
import { NetError } from './errors.js'

/** `address:port` of the other end */
export const addressOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress ?? '?'}:${remotePort ?? '?'}`

export interface TcpCarrierOptions {
  /** Bytes in the length of a handshake frame. 2 */
  readonly prefix?: PrefixSize | undefined
  /** What an error of the socket means; without one, an end before the first byte, where that is worth a word. */
  readonly explain?: ((cause: Error | undefined) => NetError) | undefined
}

/** A carrier over a socket of `node:net`, or of `node:tls`. */
export class TcpCarrier implements Carrier {
  readonly prefix: PrefixSize
  readonly remoteAddress: string
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #explain: TcpCarrierOptions['explain']
  #handlers: CarrierHandlers | null = null
  #failure: NetError | undefined
  #heard = false
  #over = false

  /** `socket` is connected. From here on it is the carrier's. */
  constructor(socket: Socket, clock: Clock, { prefix = 2, explain }: TcpCarrierOptions = {}) {
    this.#socket = socket
    this.#clock = clock
    this.#explain = explain
    this.prefix = prefix
    this.remoteAddress = addressOf(socket)
    // A tick says whether the peer lives; TCP's own probes would only add traffic. And signals are not to wait for company.
    socket.setKeepAlive(false)
    socket.setNoDelay(true)
    socket.pause()
    socket.on('data', chunk => {
      this.#heard = true
      this.#handlers?.data(chunk)
    })
    socket.on('error', cause => {
      this.#failure =
        explain?.(cause) ?? new NetError('NET_SOCKET', `The connection to ${this.remoteAddress} broke: ${cause.message}.`, { cause })
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

  write(bytes: Buffer | readonly Buffer[], taken?: () => void): void {
    const socket = this.#socket
    // A write that fails is told as the socket's error.
    const done = (error: Error | null | undefined): void => {
      if (!error && !this.#over) taken?.()
    }
    if (Buffer.isBuffer(bytes)) return void socket.write(bytes, done)
    // All that is written while it is corked goes into one writev.
    socket.cork()
    for (const [index, piece] of bytes.entries()) socket.write(piece, index === bytes.length - 1 ? done : undefined)
    socket.uncork()
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
    const failure = this.#failure ?? (this.#heard ? undefined : this.#explain?.(undefined))
    this.destroy()
    ended(failure)
  }

  #leave(): void {
    this.#over = true
    this.#handlers = null
  }
}
