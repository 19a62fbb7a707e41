/** What tables and indexes may be called. */
import { StoreError } from './errors.js'

/** @throws StoreError STORE_OPTION */
export function checkName(name: string, what: string): void {
  if (typeof name === 'string' && name.length > 0 && [...name].length <= 255 && name.isWellFormed()) return
  throw new StoreError('STORE_OPTION', `A ${what} has a name of 1 to 255 characters, as an atom has.`)
}
