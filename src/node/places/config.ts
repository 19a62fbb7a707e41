/** What a place must know before its first signal. It travels on its command line, so there is no secret in it. */
import { flags } from '../../dist/flags.js'
import { FrameReader, maxHandshakeFrame } from '../../dist/frames.js'
import { AtomBudget, defaultLimits, type Limits } from '../../etf/index.js'
import { Connection, type ConnectionOptions } from '../../net/connection.js'
import type { EpmdMode } from '../../net/epmd.js'
import { TcpCarrier } from '../../net/tcp-carrier.js'
import type { Clock, PlaceId } from '../../process/index.js'
import { type Atom, atom } from '../../term/index.js'
import type { Socket } from 'node:net'

export interface PlaceConfig {
  /** `name@host` */
  readonly node: string
  readonly creation: number
  readonly hidden: boolean
  readonly place: PlaceId
  readonly kind: 'pool' | 'isolated'
  /** How many schedulers the pool has */
  readonly pool: number
  readonly netTickTime?: number | undefined
  /** On which other nodes dial in */
  readonly port: number | null
  /** Where EPMD is asked */
  readonly epmd: { readonly mode: EpmdMode; readonly port: number }
  readonly floats?: 'number' | 'exact' | undefined
  readonly limits?: Partial<Limits> | undefined
  readonly sendBufferLimit?: number | undefined
  readonly sendBufferMax?: number | undefined
  /** Milliseconds between two signs of life; 0: none */
  readonly pulse: number
  /** Does a thread tell who runs, on file descriptor 4? */
  readonly witness: boolean
  /** Modules that it imports before anything runs there */
  readonly setup: readonly string[]
  /** Loaded modules, by name */
  readonly modules: readonly (readonly [name: string, url: string])[]
}

/** Bytes: before as much waits in a place for main that the place has to end, the processes end that sent it. */
const defaultMax = 512 * 2 ** 20
export const backlogMax = ({ sendBufferMax = defaultMax }: Pick<PlaceConfig, 'sendBufferMax'>): number => sendBufferMax

/**
 * A socket between two places: no handshake, for one has started the other, and no ticks, for a place that computes is not dead.
 *
 * @param end whose end of it
 */
export function placeConnection(socket: Socket, config: PlaceConfig, clock: Clock, end: 'main' | 'place'): Connection {
  const name = atom(config.node) as Atom
  const { creation, floats, limits, sendBufferLimit } = config
  const sendBufferMax = backlogMax(config) * (end === 'main' ? 1 : 2)
  const both = flags.DIST_HDR_ATOM_CACHE | flags.FRAGMENTS | flags.NATIVE_RECORDS
  const agreement = { self: { name, creation }, peer: { name, creation, flags: both, theirFlags: both, visible: false } }
  const decoding = { floats, limits, atoms: new AtomBudget(limits?.atoms ?? defaultLimits.atoms) }
  const options: ConnectionOptions = { relay: true, netTickTime: Infinity, sendBufferLimit, sendBufferMax, decoding, clock }
  const carrier = new TcpCarrier(socket, clock, { prefix: 4 })
  return new Connection({ agreement, carrier, reader: new FrameReader(4, maxHandshakeFrame), incoming: false }, options)
}
