/**
 * From a Signal to its control message: which form goes to a peer with these flags. This is what OTP's erts_dsig_send_* choose
 * (erts/emulator/beam/dist.c).
 */
import { EtfError } from '../etf/error.js'
import { Writer } from '../etf/writer.js'
import { Atom, Pid, Reference, type Term, Tuple } from '../term/index.js'
import type { Abilities } from './abilities.js'
import { altactRowFor } from './altact.js'
import { controlMessages as form } from './control.js'
import type { Draft, Ends } from './control-fields.js'
import type { ControlRow } from './control-row.js'
import { DistError } from './errors.js'
import type { ExitSignal, Payload, SendSignal, Signal } from './signal.js'

export interface Outgoing {
  readonly control: Tuple<readonly Term[]>
  readonly payload: Payload | null
}

/**
 * The control message for a signal to a peer; null when OTP, too, sends nothing, for the peer cannot have what the signal names: an
 * alias without ALIAS, a monitor without DIST_MONITOR.
 *
 * @param can what the flags of the connection allow
 * @throws DistError DIST_SIGNAL for a signal that a real node would not take, or not survive.
 */
export function encodeControl(signal: Signal, can: Abilities, ends: Ends): Outgoing | null {
  checkSignal(signal, ends)
  const sent = withSendableToken(signal, can)
  const row = chooseRow(sent, can)
  if (row === null) return null
  const draft: Readonly<Draft> = sent
  const elements: Term[] = [row.code]
  for (const field of row.fields) elements.push(field.write(draft, ends))
  return { control: new Tuple(elements), payload: row.payload === null ? null : (draft[row.payload] as Payload) }
}

function chooseRow(signal: Signal, can: Abilities): ControlRow | null {
  switch (signal.op) {
    case 'send':
      return chooseSend(signal, can)
    case 'exit':
      return chooseExit(signal, can)
    case 'linkExit':
      if (can.exitPayload) return signal.token === undefined ? form.PAYLOAD_EXIT : form.PAYLOAD_EXIT_TT
      return signal.token === undefined ? form.EXIT : form.EXIT_TT
    case 'down':
      if (!can.monitors) return null
      return can.exitPayload ? form.PAYLOAD_MONITOR_P_EXIT : form.MONITOR_P_EXIT
    case 'monitor':
      return can.monitors ? form.MONITOR_P : null
    case 'demonitor':
      return can.monitors ? form.DEMONITOR_P : null
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

function chooseSend(signal: SendSignal, can: Abilities): ControlRow | null {
  const { to, from, token } = signal
  const alias = to instanceof Reference
  if ((alias || signal.priority === true) && from !== null && can.altact) return altactRowFor(signal)
  if (alias) {
    if (!can.aliases) return null
    return token === undefined ? form.ALIAS_SEND : form.ALIAS_SEND_TT
  }
  if (!(to instanceof Pid)) return token === undefined ? form.REG_SEND : form.REG_SEND_TT
  if (from !== null && can.senders) return token === undefined ? form.SEND_SENDER : form.SEND_SENDER_TT
  return token === undefined ? form.SEND : form.SEND_TT
}

function chooseExit(signal: ExitSignal, can: Abilities): ControlRow | null {
  const alias = signal.to instanceof Reference
  if (alias || signal.priority === true) {
    if (can.altact) return altactRowFor(signal)
    if (alias) return null
  }
  if (can.exitPayload) return signal.token === undefined ? form.PAYLOAD_EXIT2 : form.PAYLOAD_EXIT2_TT
  return signal.token === undefined ? form.EXIT2 : form.EXIT2_TT
}

/** A trace token that the peer would not take is left out: a message without one is better than none. */
function withSendableToken<S extends Signal>(signal: S, can: Abilities): S {
  const token = tokenOf(signal)
  if (token === undefined || takesToken(token, can)) return signal
  const { token: _left, ...rest } = signal as S & { token: Term }
  return rest as unknown as S
}

const tokenOf = (signal: Readonly<Draft>): Term | undefined => signal.token as Term | undefined

/** Without BIG_SEQTRACE_LABELS a peer takes only labels that are small on every BEAM, 28 bits; without NATIVE_RECORDS none with a record. */
function takesToken(token: Term, can: Abilities): boolean {
  const label: unknown = token instanceof Tuple ? token.elements[1] : 0
  if (typeof label === 'number' && Number.isInteger(label) && Math.abs(label) < 2 ** 27) return true
  if (!can.bigLabels) return false
  return can.records || label instanceof Atom || !holdsRecord(token)
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
  if (signal.op === 'send') {
    if (signal.from === null && !(signal.to instanceof Pid)) throw refused(signal, 'needs a sender, for it goes to a name or an alias')
  } else if (signal.op !== 'groupLeader') {
    const { from } = signal as Readonly<Draft>
    if (from instanceof Pid && from.node !== self) throw refused(signal, `must come from a pid of ${self}`)
  }
  if ((signal.op === 'unlink' || signal.op === 'unlinkAck') && (signal.id < 1n || signal.id >= 1n << 64n))
    throw refused(signal, 'needs an id from 1 to 2^64-1')
  const token = tokenOf(signal)
  if (token !== undefined && !(token instanceof Tuple) && !(Array.isArray(token) && token.length === 0))
    throw refused(signal, 'has a trace token that is neither a tuple nor []')
  if ((signal.op === 'linkExit' || signal.op === 'down') && signal.to.node !== peer) throw refused(signal, `must go to a pid of ${peer}`)
}

const refused = (signal: Signal, why: string): DistError => new DistError('DIST_SIGNAL', `The signal ${signal.op} ${why}.`)
