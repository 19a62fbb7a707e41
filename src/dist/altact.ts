/**
 * ALTACT_SIG_SEND: a message or an exit signal whose first field says what is special about it. From OTP 28 on it carries what goes to
 * an alias, and what has priority.
 *
 *     {37, Flags, From, To}    {37, Flags, From, To, Token}
 *
 * Flags may be a bignum, unknown bits are ignored, and later releases may append elements.
 * Source: erts/emulator/beam/dist.h (ERTS_DOP_ALTACT_SIG_FLG_*), dist.c (DOP_ALTACT_SIG_SEND).
 */
import { Pid, Reference, type Term } from '../term/index.js'
import * as f from './control-fields.js'
import { type ControlRow, row } from './control-row.js'

export const ALTACT_SIG_SEND = 37

export const altactFlag = { PRIO: 1, TOKEN: 2, ALIAS: 4, NAME: 8, EXIT: 16 } as const

const altactFlags: f.Field = {
  must: 'be an integer of at least 0',
  read(element, draft) {
    const bits = knownBits(element)
    if (bits === undefined) return false
    if (bits & altactFlag.PRIO) draft.priority = true
    return true
  },
  write: signal => flagsOf(signal),
}

function flagsOf({ op, to, priority, token }: Readonly<f.Draft>): number {
  return (
    (priority === true ? altactFlag.PRIO : 0) |
    (token === undefined ? 0 : altactFlag.TOKEN) |
    (to instanceof Reference ? altactFlag.ALIAS : to instanceof Pid ? 0 : altactFlag.NAME) |
    (op === 'exit' ? altactFlag.EXIT : 0)
  )
}

/** The low byte of the flags, which holds all known bits; undefined when the element is no such integer. */
function knownBits(element: Term | undefined): number | undefined {
  if (typeof element === 'bigint') return element < 0n ? undefined : Number(element & 0xffn)
  return f.isSmall(element) ? element % 256 : undefined
}

const contradiction: f.Field = {
  ...f.to,
  must: 'be meant by one of ALIAS and NAME, and by ALIAS or neither in an exit signal',
  read: () => false,
}

function makeRow(bits: number): ControlRow {
  const exit = (bits & altactFlag.EXIT) !== 0
  const alias = (bits & altactFlag.ALIAS) !== 0
  const name = (bits & altactFlag.NAME) !== 0
  const to = name && (alias || exit) ? contradiction : alias ? f.toAlias : name ? f.toName : f.to
  const fields = [altactFlags, exit ? f.peerFrom : f.from, to]
  if (bits & altactFlag.TOKEN) fields.push(f.token)
  return row(ALTACT_SIG_SEND, exit ? 'exit' : 'send', fields, exit ? 'reason' : 'message', true)
}

const rows = Array.from({ length: 32 }, (_, bits) => makeRow(bits))

/** The form that these flags make. Flags that are no flags are left for the form's first field to refuse. */
export const altactRow = (element: Term | undefined): ControlRow => rows[(knownBits(element) ?? 0) % 32] as ControlRow

/** The form in which this signal goes out. */
export const altactRowFor = (signal: Readonly<f.Draft>): ControlRow => rows[flagsOf(signal)] as ControlRow
