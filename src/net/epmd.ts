/** The node's way to EPMD: the system's, an embedded one, whichever is there, or none. */
import type { EpmdEntry } from '../dist/epmd.js'
import type { EpmdCallOptions, EpmdName } from './epmd-client.js'
import type { EpmdRegistration, RegisterOptions } from './epmd-registration.js'
import type { EpmdServer, EpmdServerOptions } from './epmd-server.js'

export type { EpmdEntry } from '../dist/epmd.js'
export { EpmdError } from '../dist/epmd-error.js'
export type { EpmdCallOptions, EpmdName } from './epmd-client.js'
export type { EpmdRegistration, RegisterOptions, RegistrationEvents } from './epmd-registration.js'

export type EpmdMode = 'auto' | 'system' | 'embedded' | false

/** `port` is EPMD's. The rest matters where the embedded server is started. */
export interface OpenEpmdOptions extends EpmdServerOptions {}

export interface Epmd {
  readonly mode: EpmdMode
  /** EPMD's port, here and on every other host */
  readonly port: number
  /** The embedded server while this process runs it, else null. In mode 'auto' it may come later, when the one in use goes away. */
  readonly server: EpmdServer | null
  register(options: Omit<RegisterOptions, 'epmdPort' | 'host' | 'clock'>): Promise<EpmdRegistration>
  lookup(name: string, host: string, options?: Omit<EpmdCallOptions, 'epmdPort' | 'clock'>): Promise<EpmdEntry>
  names(host: string, options?: Omit<EpmdCallOptions, 'epmdPort' | 'clock'>): Promise<EpmdName[]>
  /** Closes the registrations made here, then the server if it runs here. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * - 'system': EPMD runs already, or the call fails.
 * - 'embedded': this process runs it, or the call fails (EPMD_PORT_IN_USE).
 * - 'auto': the one that answers on the port, else embedded. When it goes away, the first that notices takes its place.
 * - false: none. `register` gives a random creation, `lookup` and `names` reject with EPMD_OFF.
 *
 * @throws EpmdError EPMD_UNREACHABLE ('system'), EPMD_PORT_IN_USE, EPMD_LISTEN, EPMD_PORT, EPMD_FORMAT, EPMD_TIMEOUT.
 */
export declare function openEpmd(mode?: EpmdMode, options?: OpenEpmdOptions): Promise<Epmd>
