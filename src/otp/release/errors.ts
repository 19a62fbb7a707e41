import { NodeError, type NodeErrorOptions, type Pid, type Term } from '../../term/index.js'
import type { Instruction, NotUndone } from './types.js'

export interface ReleaseFault {
  readonly node: string
  readonly step: number | null
  readonly instruction: Instruction | null
  readonly server: Pid | null
  readonly reason: Term
}

/**
 * Why a release is not installed. Codes, nothing having been changed: ERR_RELEASE_INSTRUCTION, ERR_RELEASE_CODE, ERR_RELEASE_OLD_CODE, ERR_RELEASE_BUSY. All
 * having been taken back, but for what is in `notUndone`: ERR_RELEASE_SUSPEND, ERR_RELEASE_CHANGE, ERR_RELEASE_LOAD, ERR_RELEASE_TREE, ERR_RELEASE_APPLY,
 * ERR_RELEASE_IN_USE, ERR_RELEASE_NODE_DOWN, ERR_RELEASE_ABORTED. docs/code.md has them.
 */
export class ReleaseError extends NodeError implements ReleaseFault {
  readonly node: string
  /** Which instruction of that node, from 1; null: none of them */
  readonly step: number | null
  readonly instruction: Instruction | null
  /** The process that refused; null: none */
  readonly server: Pid | null
  /** Why, as a term */
  readonly reason: Term
  /** What could not be taken back; empty: all is as it was. */
  readonly notUndone: readonly NotUndone[]

  constructor(code: string, says: string, fault: ReleaseFault, notUndone: readonly NotUndone[] = [], options: NodeErrorOptions = {}) {
    super(code, says, options)
    this.node = fault.node
    this.step = fault.step
    this.instruction = fault.instruction
    this.server = fault.server
    this.reason = fault.reason
    this.notUndone = notUndone
  }
}
