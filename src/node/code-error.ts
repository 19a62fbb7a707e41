/** What is wrong with code that is to be loaded. */
import { Atom, atom, NodeError, type Pid, type Term } from '../term/index.js'

/** Codes: ERR_CODE_MODULE, ERR_CODE_NAME, ERR_CODE_RESERVED, ERR_CODE_IN_USE, ERR_CODE_NO_FILE, ERR_CODE_UPGRADING, ERR_NOT_PORTABLE. */
export class CodeError extends NodeError {}

/** Codes: ERR_CODE_CHANGE, ERR_CODE_SUSPEND, ERR_CODE_SERVER. */
export class UpgradeError extends CodeError {
  /** Because of which the upgrade was taken back; null: a place did not answer */
  readonly server: Pid | null
  /** Why its `codeChange` refused, as an exit reason */
  readonly reason: Term | undefined

  constructor(code: string, says: string, server: Pid | null, reason?: Term) {
    super(code, says)
    this.server = server
    this.reason = reason
  }
}

/** @throws CodeError ERR_CODE_NAME */
export function codeName(name: string | Atom): Atom {
  const made: Term = typeof name === 'string' ? atom(name) : name
  if (made instanceof Atom) return made
  throw new CodeError('ERR_CODE_NAME', `'${String(name)}' cannot name a module or a function: choose another.`)
}
