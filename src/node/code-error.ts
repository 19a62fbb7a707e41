/** What is wrong with code that is to be loaded. */
import { Atom, atom, NodeError, type Term } from '../term/index.js'

/** Codes: ERR_CODE_MODULE, ERR_CODE_NAME, ERR_CODE_RESERVED, ERR_CODE_IN_USE, ERR_CODE_NO_FILE, ERR_NOT_PORTABLE. */
export class CodeError extends NodeError {}

/** @throws CodeError ERR_CODE_NAME */
export function codeName(name: string | Atom): Atom {
  const made: Term = typeof name === 'string' ? atom(name) : name
  if (made instanceof Atom) return made
  throw new CodeError('ERR_CODE_NAME', `'${String(name)}' cannot name a module or a function: choose another.`)
}
