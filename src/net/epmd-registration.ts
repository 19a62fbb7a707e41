/**
 * A node's entry in EPMD lasts as long as the socket on which it asked for it. When EPMD dies the node lives on, and registers again every
 * 2 s until an EPMD is back; the creation that comes with it is ignored, for the node's pids carry the first one.
 * Source: erl_epmd.erl, `?RECONNECT_TIME` and `handle_info(reconnect, …)`.
 */
import type { Socket } from 'node:net'
import { EpmdError } from '../dist/epmd-error.js'
import * as wire from '../dist/epmd.js'
import { systemClock, type Clock } from '../process/clock.js'
import { checkName } from './epmd-client.js'
import { exchange, type Answer, type EpmdCallOptions } from './epmd-exchange.js'

const reconnectTime = 2000
/** Milliseconds that EPMD has to say goodbye */
const closeTime = 1000

export interface RegistrationEvents {
  /** EPMD is gone. The node lives on, but new peers cannot find it; it is registered again as soon as an EPMD is back. */
  lost?(): void
  /** Registered again. The creation that came with it is ignored: the node keeps its first one. */
  restored?(): void
  /** Registering again failed; the next attempt follows in 2 s. */
  failed?(error: EpmdError): void
}

export interface RegisterOptions extends EpmdCallOptions {
  /** The part of the node's name before the `@` */
  readonly name: string
  /** Where the node listens */
  readonly port: number
  readonly hidden?: boolean | undefined
  /** Distribution versions that the node speaks. 6 and 6. */
  readonly highest?: number | undefined
  readonly lowest?: number | undefined
  readonly extra?: Buffer | undefined
  /** EPMD registers nodes of its own machine only. 127.0.0.1 */
  readonly host?: string | undefined
  readonly events?: RegistrationEvents | undefined
}

/** A node's entry in EPMD, kept until `close`. */
export interface EpmdRegistration {
  readonly name: string
  /** 32 bits, never 0..3: what EPMD gave at the first registration (random without EPMD) */
  readonly creation: number
  /** False while EPMD is away */
  readonly registered: boolean
  /** Gives the name back. Resolves when EPMD has noticed, so that the name may be used again. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** One successful ALIVE2. */
export interface Alive {
  readonly creation: number
  readonly socket: Socket
}

const reply: Answer<wire.AliveReply> = { limit: wire.longestReply, read: wire.readAliveReply }

/**
 * Registers a node at the EPMD of this machine, and keeps it registered.
 *
 *     await using registration = await register({ name: 'ts', port: 4001, events: { lost: () => console.error('EPMD is away') } })
 *
 * @throws EpmdError EPMD_NAME_TAKEN, EPMD_NAME, EPMD_UNREACHABLE, EPMD_UNKNOWN_HOST, EPMD_TIMEOUT, EPMD_CLOSED, EPMD_FORMAT, EPMD_PORT,
 * EPMD_ABORTED.
 */
export function register(options: RegisterOptions): Promise<EpmdRegistration> {
  const { name, events = {}, clock = systemClock, signal } = options
  return keepRegistered(name, until => alive({ ...options, signal: until }), events, clock, signal)
}

/** One ALIVE2 request. @throws EpmdError as `register` does. */
export async function alive(options: RegisterOptions): Promise<Alive> {
  const { name, port, hidden = false, highest = 6, lowest = 6, extra = Buffer.alloc(0), host = '127.0.0.1' } = options
  checkName(name)
  const request = wire.encodeRequest({ op: 'alive2', entry: { name, port, hidden, highest, lowest, extra } })
  const { value, socket } = await exchange(host, request, reply, options)
  if (value.creation !== null) return { creation: value.creation, socket }
  socket.destroy()
  throw new EpmdError('EPMD_NAME_TAKEN', `A node '${name}' is registered at EPMD already: choose another name, or end that node.`)
}

/** Registers with `attempt`, again and again when the registration is lost. The first time, its error is the caller's. */
export async function keepRegistered(
  name: string,
  attempt: (signal: AbortSignal | undefined) => Promise<Alive>,
  events: RegistrationEvents,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<EpmdRegistration> {
  return new Registration(name, await attempt(signal), attempt, events, clock)
}

class Registration implements EpmdRegistration {
  readonly name: string
  readonly creation: number
  readonly #attempt: (signal: AbortSignal) => Promise<Alive>
  readonly #events: RegistrationEvents
  readonly #clock: Clock
  readonly #end = new AbortController()
  #socket: Socket | null = null
  #cancelRetry = (): void => {}
  #closed: Promise<void> | undefined

  constructor(name: string, first: Alive, attempt: (signal: AbortSignal) => Promise<Alive>, events: RegistrationEvents, clock: Clock) {
    this.name = name
    this.creation = first.creation
    this.#attempt = attempt
    this.#events = events
    this.#clock = clock
    this.#hold(first.socket)
  }

  get registered(): boolean {
    return this.#socket !== null
  }

  #hold(socket: Socket): void {
    this.#socket = socket
    // EPMD says nothing more; reading is how its end is noticed.
    socket.once('close', () => this.#lose()).resume()
    if (socket.closed) this.#lose()
  }

  #lose(): void {
    if (this.#socket === null) return
    this.#socket = null
    if (this.#end.signal.aborted) return
    this.#retryLater()
    this.#events.lost?.()
  }

  #retryLater(): void {
    this.#cancelRetry = this.#clock.after(reconnectTime, () => void this.#retry())
  }

  async #retry(): Promise<void> {
    try {
      const { socket } = await this.#attempt(this.#end.signal)
      if (this.#end.signal.aborted) return void socket.destroy()
      this.#hold(socket)
      this.#events.restored?.()
    } catch (error) {
      if (this.#end.signal.aborted) return
      this.#retryLater()
      // All that an attempt rejects with.
      this.#events.failed?.(error as EpmdError)
    }
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#end.abort()
    this.#cancelRetry()
    const socket = this.#socket
    if (socket === null) return
    const cancel = this.#clock.after(closeTime, () => socket.destroy())
    await new Promise<void>(resolve => {
      socket.once('close', resolve)
      socket.end()
    })
    cancel()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
