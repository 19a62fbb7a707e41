/** What a definition's `formatStatus` makes of a status. Source: gen.erl (format_status). */
import type { Process } from '../../process/index.js'
import type { Atom } from '../../term/index.js'
import type { ServerStatus } from './server-types.js'

type FormatStatus = (this: any, status: ServerStatus) => Partial<ServerStatus>

/** As it is when there is no `formatStatus`; when that fails, whoever looks at the status is told, as in OTP, and the process goes on. */
export function formatStatus(self: Process, module: Atom, format: FormatStatus | undefined, status: ServerStatus): ServerStatus {
  if (!format) return status
  try {
    const made = { ...status, ...format.call(self, status) }
    const known = Object.keys(made).every(key => key in status)
    return known ? made : { ...status, state: `${module.name}:format_status/1 returned a map with unknown keys` }
  } catch {
    return { ...status, state: `${module.name}:format_status/1 crashed` }
  }
}
