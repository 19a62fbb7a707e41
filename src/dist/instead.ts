/**
 * Signals that must not go to this peer, though they are sound: it could not take them, or would close the connection. What it would
 * have answered is answered here.
 *
 * - A spawn request to a node without SPAWN: OTP answers its own process `notsup`.
 * - What concerns links of a pid of an earlier creation: OTP closes the connection for an EXIT, UNLINK_ID or UNLINK_ID_ACK to one (seen
 *   on 25, 27 and 29; erts_net_message in dist.c). There is no such process, so there is no link either.
 */
import { type Atom, atom } from '../term/index.js'
import { flags } from './flags.js'
import type { Peer } from './peer.js'
import type { Signal, SpawnRequestSignal } from './signal.js'

/** What OTP answers a process whose spawn request the peer does not understand. */
export const notsup = ({ ref, from }: SpawnRequestSignal): Signal => ({
  op: 'spawnReply',
  ref,
  to: from,
  link: false,
  monitor: false,
  result: atom('notsup') as Atom,
})

/** Null: send it. Otherwise do not, and deliver `answer` if there is one. */
export function instead(signal: Signal, peer: Peer): { readonly answer: Signal | null } | null {
  switch (signal.op) {
    case 'spawnRequest':
      return peer.flags & flags.SPAWN ? null : { answer: notsup(signal) }
    case 'unlink': {
      const { id, from, to } = signal
      return to.creation === peer.creation ? null : { answer: { op: 'unlinkAck', id, from: to, to: from } }
    }
    case 'unlinkAck':
    case 'linkExit':
      return signal.to.creation === peer.creation ? null : { answer: null }
    default:
      return null
  }
}
