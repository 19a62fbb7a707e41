/** What most processes never have. It is made when the first of it is needed, so that a process that waits costs little. */
import type { Atom, Term } from '../term/index.js'
import type { Alias } from './aliases.js'
import type { Few } from './few.js'
import type { Link } from './links.js'
import type { Message } from './mailbox.js'
import type { Monitor, Watcher } from './monitors.js'
import type { Timer } from './timers.js'
import type { Trace } from './trace.js'

export class Rare {
  trace: Trace | null = null
  /** The last of the messages with priority */
  urgent: Message | null = null
  name: Atom | null = null
  label: Term | undefined = undefined
  links: Few<Link> = null
  monitors: Few<Monitor> = null
  watchers: Few<Watcher> = null
  aliases: Map<number, Alias> | null = null
  timers: Set<Timer> | null = null
  abort: AbortController | null = null
}
