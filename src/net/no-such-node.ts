/** What is said of a node that EPMD does not know: by then it is worth another question which nodes it does know. */
import { EpmdError } from '../dist/epmd-error.js'
import type { EpmdName } from '../dist/epmd.js'
import { nearNames } from './near-names.js'

/** EPMD_NO_SUCH_NODE */
export class NoSuchNodeError extends EpmdError {
  /** Which nodes that EPMD knows; undefined when it did not say */
  readonly registered: readonly EpmdName[] | undefined

  /** @param elsewhere the usual port, when another EPMD there knows the node */
  constructor(name: string, where: string, registered: readonly EpmdName[] | undefined, elsewhere?: number) {
    super('EPMD_NO_SUCH_NODE', `${where} knows no node '${name}'${listed(registered)}.`, { remedy: remedy(name, registered, elsewhere) })
    this.registered = registered
  }
}

/** Names in a sentence */
const longestList = 10

function listed(registered: readonly EpmdName[] | undefined): string {
  if (registered === undefined) return ''
  const names = registered.map(({ name }) => name).sort()
  const more = names.length > longestList ? ` and ${names.length - longestList} more` : ''
  return names.length === 0 ? ', and no other either' : `; it knows ${names.slice(0, longestList).join(', ')}${more}`
}

function remedy(name: string, registered: readonly EpmdName[] | undefined, elsewhere: number | undefined): string {
  if (elsewhere !== undefined) return useThatPort(elsewhere)
  const near = nearNames(name, registered?.map(entry => entry.name) ?? [])
  if (near.length > 0) return `Did you mean ${near.slice(0, 3).join(' or ')}?`
  return 'Start the node; if it runs, look at its name, and whether it uses another EPMD port (ERL_EPMD_PORT) or none.'
}

export const useThatPort = (port: number): string =>
  `The EPMD at port ${port} of that host knows the node: use that one (ERL_EPMD_PORT=${port}).`
