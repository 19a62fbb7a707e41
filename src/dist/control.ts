/**
 * Control messages: the tuple before each payload, and the Signal it is. One table drives both directions; spec/control-messages.json
 * is the same table with its sources, and a test holds the two equal.
 *
 * Source: erl_dist_protocol, "Protocol between Connected Nodes"; erts/emulator/beam/dist.h (DOP_*) and dist.c (erts_net_message).
 */
import { type Term, Tuple } from '../term/index.js'
import { ALTACT_SIG_SEND, altactRow } from './altact.js'
import * as f from './control-fields.js'
import { type ControlRow, type PayloadKey, row } from './control-row.js'
import { DistError } from './errors.js'

/** Every control message with one form. ALTACT_SIG_SEND (37) has a form for each set of its flags: altact.ts. */
export const controlMessages = {
  LINK: row(1, 'link', [f.peerFrom, f.ownTo]),
  SEND: row(2, 'send', [f.noSender, f.to], 'message'),
  EXIT: row(3, 'linkExit', [f.peerFrom, f.ownTo, f.reason]),
  REG_SEND: row(6, 'send', [f.from, f.unused, f.toName], 'message'),
  GROUP_LEADER: row(7, 'groupLeader', [f.from, f.to]),
  EXIT2: row(8, 'exit', [f.peerFrom, f.ownTo, f.reason]),
  SEND_TT: row(12, 'send', [f.noSender, f.to, f.token], 'message'),
  EXIT_TT: row(13, 'linkExit', [f.peerFrom, f.ownTo, f.token, f.reason]),
  REG_SEND_TT: row(16, 'send', [f.from, f.unused, f.toName, f.token], 'message'),
  EXIT2_TT: row(18, 'exit', [f.peerFrom, f.ownTo, f.token, f.reason]),
  MONITOR_P: row(19, 'monitor', [f.peerFrom, f.toPidOrName, f.ref]),
  DEMONITOR_P: row(20, 'demonitor', [f.peerFrom, f.toPidOrName, f.ref]),
  MONITOR_P_EXIT: row(21, 'down', [f.fromPidOrName, f.ownTo, f.ref, f.reason]),
  SEND_SENDER: row(22, 'send', [f.from, f.to], 'message'),
  SEND_SENDER_TT: row(23, 'send', [f.from, f.to, f.token], 'message'),
  PAYLOAD_EXIT: row(24, 'linkExit', [f.peerFrom, f.ownTo], 'reason'),
  PAYLOAD_EXIT_TT: row(25, 'linkExit', [f.peerFrom, f.ownTo, f.token], 'reason'),
  PAYLOAD_EXIT2: row(26, 'exit', [f.peerFrom, f.ownTo], 'reason'),
  PAYLOAD_EXIT2_TT: row(27, 'exit', [f.peerFrom, f.ownTo, f.token], 'reason'),
  PAYLOAD_MONITOR_P_EXIT: row(28, 'down', [f.fromPidOrName, f.ownTo, f.ref], 'reason'),
  SPAWN_REQUEST: row(29, 'spawnRequest', [f.ref, f.peerFrom, f.groupLeader, f.moduleFunArity, f.options], 'args'),
  SPAWN_REQUEST_TT: row(30, 'spawnRequest', [f.ref, f.peerFrom, f.groupLeader, f.moduleFunArity, f.options, f.token], 'args'),
  SPAWN_REPLY: row(31, 'spawnReply', [f.ref, f.ownTo, f.spawnFlags, f.pidOrError]),
  SPAWN_REPLY_TT: row(32, 'spawnReply', [f.ref, f.ownTo, f.spawnFlags, f.pidOrError, f.token]),
  ALIAS_SEND: row(33, 'send', [f.from, f.toAlias], 'message'),
  ALIAS_SEND_TT: row(34, 'send', [f.from, f.toAlias, f.token], 'message'),
  UNLINK_ID: row(35, 'unlink', [f.unlinkId, f.peerFrom, f.ownTo]),
  UNLINK_ID_ACK: row(36, 'unlinkAck', [f.unlinkId, f.peerFrom, f.ownTo]),
} as const

export type ControlName = keyof typeof controlMessages

/** Gone since OTP 26, where UNLINK_ID became mandatory: OTP closes the connection, and so do we. */
export const UNLINK = 4

const rowByCode: (ControlRow | undefined)[] = []
const nameByCode: string[] = []
for (const [name, row] of Object.entries(controlMessages)) {
  rowByCode[row.code] = row
  nameByCode[row.code] = name
}
nameByCode[ALTACT_SIG_SEND] = 'ALTACT_SIG_SEND'

/** What a control tuple says: a Signal that still lacks its payload. */
export interface Control {
  readonly name: string
  readonly signal: f.Draft
  readonly payload: PayloadKey | null
}

/**
 * @throws DistError DIST_PROTOCOL_CONTROL: no control tuple. DIST_PROTOCOL_OPCODE: an unknown one. DIST_PROTOCOL_ARITY,
 * DIST_PROTOCOL_FIELD: a known one with something wrong in it.
 */
export function decodeControl(term: Term, ends: f.Ends): Control {
  const elements: readonly Term[] = term instanceof Tuple ? term.elements : []
  const code = elements[0]
  if (!f.isSmall(code)) {
    throw new DistError('DIST_PROTOCOL_CONTROL', `The node ${ends.peer} sent a control message that is no tuple with an integer first.`)
  }
  const row = code === ALTACT_SIG_SEND ? altactRow(elements[1]) : rowByCode[code]
  if (row === undefined) {
    const why = code === UNLINK ? 'UNLINK is gone since OTP 26: UNLINK_ID takes its place' : 'it is unknown here, and was not negotiated'
    throw new DistError('DIST_PROTOCOL_OPCODE', `The node ${ends.peer} sent control message ${code}: ${why}.`)
  }
  return read(row, nameByCode[code] as string, elements, ends)
}

function read(row: ControlRow, name: string, elements: readonly Term[], ends: f.Ends): Control {
  const { fields } = row
  const arity = fields.length + 1
  if (row.open ? elements.length < arity : elements.length !== arity) {
    throw new DistError('DIST_PROTOCOL_ARITY', `The node ${ends.peer} sent ${name} with ${elements.length} elements in place of ${arity}.`)
  }
  const signal: f.Draft = { op: row.op }
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] as f.Field
    if (!field.read(elements[i + 1] as Term, signal, ends)) {
      throw new DistError('DIST_PROTOCOL_FIELD', `The node ${ends.peer} sent ${name} whose element ${i + 2} must ${field.must}.`)
    }
  }
  return { name, signal, payload: row.payload }
}
