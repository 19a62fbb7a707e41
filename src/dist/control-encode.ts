/**
 * From a Signal to its control message: which form goes to a peer with these flags. This is what OTP's erts_dsig_send_* choose
 * (erts/emulator/beam/dist.c).
 */
import { EtfError } from '../etf/error.js'
import { Writer } from '../etf/writer.js'
import { Atom, Pid, Reference, type Term, Tuple } from '../term/index.js'
import { altactRowFor } from './altact.js'
import { controlMessages as form } from './control.js'
import type { Draft, Ends } from './control-fields.js'
import type { ControlRow } from './control-row.js'
import { DistError } from './errors.js'
import { flags } from './flags.js'
import type { ExitSignal, Payload, SendSignal, Signal } from './signal.js'

export interface Outgoing {
  readonly control: Tuple<readonly Term[]>
  readonly payload: Payload | null
}

/**
 * The control message for a signal to a peer; null when OTP, too, sends nothing, for the peer cannot have what the signal names: an
 * alias without ALIAS, a monitor without DIST_MONITOR.
 *
 * @param negotiated the flags of the connection
 * @throws DistError DIST_SIGNAL for a signal that a real node would not take, or not survive.
 */
export function encodeControl(signal: Signal, negotiated: bigint, ends: Ends): Outgoing | null {
  checkSignal(signal, ends)
  const sent = withSendableToken(signal, negotiated)
  const row = chooseRow(sent, negotiated)
  if (row === null) return null
  const draft: Readonly<Draft> = sent
  const elements: Term[] = [row.code]
  for (const field of row.fields) elements.push(field.write(draft, ends))
  return { control: new Tuple(elements), payload: row.payload === null ? null : (draft[row.payload] as Payload) }
}

function chooseRow(signal: Signal, negotiated: bigint): ControlRow | null {
  const has = (flag: bigint): boolean => (negotiated & flag) !== 0n
  const monitors = has(flags.DIST_MONITOR) && has(flags.DIST_MONITOR_NAME)
  switch (signal.op) {
    case 'send':
      return chooseSend(signal, has)
    case 'exit':
      return chooseExit(signal, has)
    case 'linkExit':
      if (has(flags.EXIT_PAYLOAD)) return signal.token === undefined ? form.PAYLOAD_EXIT : form.PAYLOAD_EXIT_TT
      return signal.token === undefined ? form.EXIT : form.EXIT_TT
    case 'down':
      if (!monitors) return null
      return has(flags.EXIT_PAYLOAD) ? form.PAYLOAD_MONITOR_P_EXIT : form.MONITOR_P_EXIT
    case 'monitor':
      return monitors ? form.MONITOR_P : null
    case 'demonitor':
      return monitors ? form.DEMONITOR_P : null
    case 'link':
      return form.LINK
    case 'unlink':
      return form.UNLINK_ID
    case 'unlinkAck':
      return form.UNLINK_ID_ACK
    case 'groupLeader':
      return form.GROUP_LEADER
    case 'spawnRequest':
      return signal.token === undefined ? form.SPAWN_REQUEST : form.SPAWN_REQUEST_TT
    case 'spawnReply':
      return signal.token === undefined ? form.SPAWN_REPLY : form.SPAWN_REPLY_TT
    case 'start':
    case 'notice':
      return null
  }
}

function chooseSend(signal: SendSignal, has: (flag: bigint) => boolean): ControlRow | null {
  const { to, from, token } = signal
  const alias = to instanceof Reference
  if ((alias || signal.priority === true) && from !== null && has(flags.ALTACT_SIG)) return altactRowFor(signal)
  if (alias) {
    if (!has(flags.ALIAS)) return null
    return token === undefined ? form.ALIAS_SEND : form.ALIAS_SEND_TT
  }
  if (!(to instanceof Pid)) return token === undefined ? form.REG_SEND : form.REG_SEND_TT
  if (from !== null && has(flags.SEND_SENDER)) return token === undefined ? form.SEND_SENDER : form.SEND_SENDER_TT
  return token === undefined ? form.SEND : form.SEND_TT
}

function chooseExit(signal: ExitSignal, has: (flag: bigint) => boolean): ControlRow | null {
  const alias = signal.to instanceof Reference
  if (alias || signal.priority === true) {
    if (has(flags.ALTACT_SIG)) return altactRowFor(signal)
    if (alias) return null
  }
  if (has(flags.EXIT_PAYLOAD)) return signal.token === undefined ? form.PAYLOAD_EXIT2 : form.PAYLOAD_EXIT2_TT
  return signal.token === undefined ? form.EXIT2 : form.EXIT2_TT
}

/** A trace token that the peer would not take is left out: a message without one is better than none. */
function withSendableToken<S extends Signal>(signal: S, negotiated: bigint): S {
  if (!('token' in signal) || signal.token === undefined || takesToken(signal.token, negotiated)) return signal
  const { token: _left, ...rest } = signal
  return rest as S
}

/** Without BIG_SEQTRACE_LABELS a peer takes only labels that are small on every BEAM, 28 bits; without NATIVE_RECORDS none with a record. */
function takesToken(token: Term, negotiated: bigint): boolean {
  const label: unknown = token instanceof Tuple ? token.elements[1] : 0
  if (typeof label === 'number' && Number.isInteger(label) && Math.abs(label) < 2 ** 27) return true
  if (!(negotiated & flags.BIG_SEQTRACE_LABELS)) return false
  return (negotiated & flags.NATIVE_RECORDS) !== 0n || label instanceof Atom || !holdsRecord(token)
}

function holdsRecord(term: Term): boolean {
  try {
    new Writer({ records: false, slab: 256 }).term(term)
    return false
  } catch (error) {
    // Whatever else is wrong with it, the encoder of the message will say.
    return error instanceof EtfError && error.code === 'ETF_RECORD'
  }
}

/** What real nodes close the connection for, or crash of: better an error here. */
function checkSignal(signal: Signal, { self, peer }: Ends): void {
  const from: unknown = 'from' in signal ? signal.from : undefined
  switch (signal.op) {
    case 'send':
      if (from === null && !(signal.to instanceof Pid)) throw refused(signal, 'needs a sender, for it goes to a name or an alias')
      break
    case 'groupLeader':
      break
    default:
      if (from instanceof Pid && from.node !== self) throw refused(signal, `must come from a pid of ${self}`)
  }
  if ('id' in signal && (signal.id < 1n || signal.id >= 1n << 64n)) throw refused(signal, 'needs an id from 1 to 2^64-1')
  if (
    'token' in signal &&
    signal.token !== undefined &&
    !(signal.token instanceof Tuple) &&
    !(Array.isArray(signal.token) && signal.token.length === 0)
  ) {
    throw refused(signal, 'has a trace token that is neither a tuple nor []')
  }
  if ((signal.op === 'linkExit' || signal.op === 'down') && signal.to.node !== peer) throw refused(signal, `must go to a pid of ${peer}`)
}

const refused = (signal: Signal, why: string): DistError => new DistError('DIST_SIGNAL', `The signal ${signal.op} ${why}.`)
