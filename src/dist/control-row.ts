import type { Field } from './control-fields.js'
import type { Signal } from './signal.js'

/** Where a Signal keeps what follows its control message. */
export type PayloadKey = 'message' | 'reason' | 'args'

/** One form of a control message. */
export interface ControlRow {
  readonly code: number
  readonly op: Signal['op']
  /** After the code, in wire order */
  readonly fields: readonly Field[]
  /** What follows the control message, if anything does */
  readonly payload: PayloadKey | null
  /** May have more elements, which are ignored */
  readonly open: boolean
}

export function row(code: number, op: Signal['op'], fields: readonly Field[], payload: PayloadKey | null = null, open = false): ControlRow {
  return { code, op, fields, payload, open }
}
