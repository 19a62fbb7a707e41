/** What a handshake agrees on. */
import type { Atom } from '../term/index.js'

/** One end as it presents itself in the handshake. */
export interface LocalEnd {
  /** `name@host`; the host alone when `flags` has NAME_ME, which asks the acceptor for a name. */
  readonly name: Atom
  /** 32 bits, from EPMD or random; 0 when asking for a name */
  readonly creation: number
  /** What this end offers: `offeredFlags({ visible })` */
  readonly flags: bigint
}

/** The other end, once connected. */
export interface Peer {
  readonly name: Atom
  readonly creation: number
  /** What both ends offer: the only flags that hold on the channel */
  readonly flags: bigint
  readonly theirFlags: bigint
  /** Both ends set PUBLISHED */
  readonly visible: boolean
}

/**
 * What an acceptor says to a peer that has told its name. `named` gives one to a peer that asked with NAME_ME: no Atom, for that peer has proved
 * nothing yet.
 */
export type AcceptStatus =
  'ok' | 'ok_simultaneous' | 'nok' | 'not_allowed' | 'alive' | { readonly named: string; readonly creation: number }
