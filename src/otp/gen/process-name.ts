/** What a process is called in reports: its name without what keeps it, or its pid. Source: gen.erl (name). */
import type { Process } from '../../process/index.js'
import type { Term } from '../../term/index.js'
import type { FarName } from './server-name.js'

/** What runs a server may know such a name. */
interface Named {
  readonly farName?: FarName | undefined
}

export const farNameOf = ({ local }: Process): FarName | undefined => (local.runner as Named).farName

export const nameOf = (self: Process): Term => self.local.name ?? farNameOf(self)?.elements.at(-1) ?? self.pid
