import type { EpmdError } from '../dist/epmd-error.js'
import type { EpmdCallOptions } from './epmd-client.js'

export interface RegistrationEvents {
  /** EPMD is gone. The node lives on, but new peers cannot find it; it is registered again as soon as an EPMD is back. */
  lost?(): void
  /** Registered again. The creation that came with it is ignored, as OTP does: the node keeps its first one. */
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
  /** EPMD registers local nodes only. 127.0.0.1 */
  readonly host?: string | undefined
  readonly events?: RegistrationEvents | undefined
}

/** A node's entry in EPMD. It lasts as long as its socket does. */
export interface EpmdRegistration {
  readonly name: string
  /** 32 bits, never 0..3: what EPMD gave at the first registration (random without EPMD) */
  readonly creation: number
  /** False while EPMD is away */
  readonly registered: boolean
  /** Gives the name back. Resolves when the socket is closed. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Registers a node. @throws EpmdError EPMD_NAME_TAKEN, or as `lookup` does. */
export declare function register(options: RegisterOptions): Promise<EpmdRegistration>
