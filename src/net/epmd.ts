/**
 * The node's way to EPMD: the system's, an embedded one, whichever is there, or none.
 *
 * In mode 'auto' the first Beamlet on a machine without EPMD serves the others, and BEAM nodes too. When it ends, each node that was
 * registered there tries again after 2 s, as OTP does; the first Beamlet among them finds nobody listening and takes the server's place,
 * the others find the port taken and register at the new one.
 */
import { randomInt } from 'node:crypto'
import { EpmdError } from '../dist/epmd-error.js'
import type { EpmdEntry, EpmdName } from '../dist/epmd.js'
import { systemClock, type Clock } from '../process/clock.js'
import { epmdPort } from './epmd-address.js'
import { lookup, names } from './epmd-client.js'
import type { EpmdCallOptions } from './epmd-exchange.js'
import { alive, keepRegistered, type EpmdRegistration, type RegisterOptions } from './epmd-registration.js'
import { EpmdServer, type EpmdServerOptions } from './epmd-server.js'

export type { EpmdEntry, EpmdName } from '../dist/epmd.js'
export type { EpmdCallOptions } from './epmd-exchange.js'
export type { EpmdRegistration, RegisterOptions, RegistrationEvents } from './epmd-registration.js'
export type { EpmdServerEvents, EpmdServerOptions } from './epmd-server.js'

export type EpmdMode = 'auto' | 'system' | 'embedded' | false

/** `port` is EPMD's; most of the rest matters only where the embedded server is started. */
export interface OpenEpmdOptions extends EpmdServerOptions {
  /** Nothing will be registered, so no EPMD need run on this machine: in modes 'auto' and 'system' none is asked or started. False. */
  readonly lookupsOnly?: boolean | undefined
}

export interface Epmd {
  readonly mode: EpmdMode
  /** EPMD's port, here and on every other host */
  readonly port: number
  /** The embedded server while this process runs it, else null. In mode 'auto' it may come later, when the one in use goes away. */
  readonly server: EpmdServer | null
  /** @throws EpmdError EPMD_NAME_TAKEN, or as `lookup` does. */
  register(options: Omit<RegisterOptions, 'epmdPort' | 'host' | 'clock'>): Promise<EpmdRegistration>
  lookup(name: string, host: string, options?: Omit<EpmdCallOptions, 'epmdPort' | 'clock'>): Promise<EpmdEntry>
  names(host: string, options?: Omit<EpmdCallOptions, 'epmdPort' | 'clock'>): Promise<readonly EpmdName[]>
  /** Closes the registrations made here, then the server if it runs here. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * - 'system': an EPMD runs already, or the call fails.
 * - 'embedded': this process runs it, or the call fails (EPMD_PORT_IN_USE).
 * - 'auto': the one that answers on the port, else embedded. When it goes away, the first that notices takes its place.
 * - false: none. `register` gives a random creation, `lookup` and `names` reject with EPMD_OFF.
 *
 *     await using epmd = await openEpmd('auto')
 *     const { creation } = await epmd.register({ name: 'ts', port: 4001 })
 *
 * @throws EpmdError EPMD_UNREACHABLE ('system'), EPMD_PORT_IN_USE, EPMD_LISTEN, EPMD_PORT; EPMD_FORMAT, EPMD_CLOSED or EPMD_TIMEOUT when
 * what listens on the port is no EPMD.
 */
export async function openEpmd(mode: EpmdMode = 'auto', options: OpenEpmdOptions = {}): Promise<Epmd> {
  if (mode === false) return new NoEpmd(options.port ?? 0)
  const epmd = new LocalEpmd(mode, options)
  try {
    if (mode === 'embedded' || !options.lookupsOnly) await epmd.open()
  } catch (error) {
    await epmd.close()
    throw error
  }
  return epmd
}

/** The way to an EPMD that somebody else keeps: look-ups, as `openEpmd` has them, and whatever `register` does. */
export function epmdClient(mode: EpmdMode, port: number, register: Epmd['register']): Epmd {
  const asked = mode === false ? new NoEpmd(port) : new LocalEpmd(mode, { port, lookupsOnly: true })
  return {
    mode,
    port,
    server: null,
    register,
    lookup: (...args) => asked.lookup(...args),
    names: (...args) => asked.names(...args),
    close: nothing,
    [Symbol.asyncDispose]: nothing,
  }
}

class LocalEpmd implements Epmd {
  readonly mode: 'auto' | 'system' | 'embedded'
  readonly #options: OpenEpmdOptions
  readonly #clock: Clock
  readonly #registrations = new Set<EpmdRegistration>()
  #port: number
  #server: EpmdServer | null = null
  #starting: Promise<void> | undefined
  #closed: Promise<void> | undefined

  constructor(mode: 'auto' | 'system' | 'embedded', options: OpenEpmdOptions) {
    this.mode = mode
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#port = options.port === 0 ? 0 : epmdPort(options.port)
  }

  get port(): number {
    return this.#port
  }

  get server(): EpmdServer | null {
    return this.#server
  }

  async open(): Promise<void> {
    if (this.mode === 'embedded' || this.#port === 0) await this.#serve()
    else await this.#reach(() => this.names('127.0.0.1'))
  }

  /** Asks the local EPMD, and becomes it when there is none. */
  async #reach<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      const away = error instanceof EpmdError && error.code === 'EPMD_UNREACHABLE'
      if (!away || this.mode === 'system' || this.#closed !== undefined) throw error
    }
    await this.#serve()
    return ask()
  }

  #serve(): Promise<void> {
    return (this.#starting ??= this.#start().finally(() => (this.#starting = undefined)))
  }

  async #start(): Promise<void> {
    if (this.#server) return
    const events = this.#options.events ?? {}
    const closed = (): void => {
      this.#server = null
      events.closed?.()
    }
    try {
      this.#server = await EpmdServer.start({ ...this.#options, port: this.#port, events: { ...events, closed } })
    } catch (error) {
      // Another was faster: in mode 'auto' its server is as good as ours.
      if (this.mode === 'auto' && error instanceof EpmdError && error.code === 'EPMD_PORT_IN_USE') return
      throw error
    }
    this.#port = this.#server.port
    if (this.#closed !== undefined) await this.#server.close()
  }

  async register(options: Omit<RegisterOptions, 'epmdPort' | 'host' | 'clock'>): Promise<EpmdRegistration> {
    const { name, events = {}, signal } = options
    const attempt = (until: AbortSignal | undefined) =>
      this.#reach(() => alive({ ...options, epmdPort: this.#port, clock: this.#clock, signal: until }))
    const registration = await keepRegistered(name, attempt, events, this.#clock, signal)
    if (this.#closed !== undefined) await registration.close()
    else this.#registrations.add(registration)
    return registration
  }

  lookup(name: string, host: string, options: Omit<EpmdCallOptions, 'epmdPort' | 'clock'> = {}): Promise<EpmdEntry> {
    return lookup(name, host, { ...options, epmdPort: this.#port, clock: this.#clock })
  }

  names(host: string, options: Omit<EpmdCallOptions, 'epmdPort' | 'clock'> = {}): Promise<readonly EpmdName[]> {
    return names(host, { ...options, epmdPort: this.#port, clock: this.#clock })
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#registrations].map(registration => registration.close()))
    // A server that is being started is closed by its starter, which sees `#closed`.
    await this.#starting?.catch(() => undefined)
    await this.#server?.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** A node that peers reach on a port they know beforehand. */
class NoEpmd implements Epmd {
  readonly mode = false
  readonly port: number
  readonly server = null

  constructor(port: number) {
    this.port = port
  }

  register({ name }: { readonly name: string }): Promise<EpmdRegistration> {
    return Promise.resolve({ name, creation: randomInt(4, 2 ** 32), registered: false, close: nothing, [Symbol.asyncDispose]: nothing })
  }

  lookup(name: string): Promise<EpmdEntry> {
    return Promise.reject(off(`look up '${name}'`))
  }

  names(): Promise<readonly EpmdName[]> {
    return Promise.reject(off('list nodes'))
  }

  close(): Promise<void> {
    return nothing()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return nothing()
  }
}

const nothing = (): Promise<void> => Promise.resolve()

const off = (what: string): EpmdError =>
  new EpmdError(
    'EPMD_OFF',
    `This node runs without EPMD (epmd: false), so it cannot ${what}: give the peer's port, or start the node with epmd: 'auto'.`,
  )
