/**
 * What a node knows of one of its processes: the process control block. Whatever a process may never use is null until it is used, so that
 * an idle process costs little. The rules live beside it: links.ts, monitors.ts, aliases.ts, timers.ts.
 */
import type { Atom, Pid, Term } from '../term/index.js'
import type { Alias } from './aliases.js'
import type { Link } from './links.js'
import { Mailbox } from './mailbox.js'
import type { Monitor, Watcher } from './monitors.js'
import type { Runnable } from './scheduler.js'
import type { Timer } from './timers.js'

/** The code of a process: how it takes messages, and what it does at its end. */
export interface Runner {
  /** Messages or receives wait: serve them, taking one reduction each. */
  run(process: LocalProcess): void
  /** The process is dead for everybody; its code may still be at an `await`. */
  exited(process: LocalProcess, reason: Term): void
}

export class LocalProcess implements Runnable {
  readonly pid: Pid
  readonly mailbox = new Mailbox()
  groupLeader: Pid
  runner: Runner
  alive = true
  ready = false
  trapExit = false
  name: Atom | null = null
  links: Map<string | number, Link> | null = null
  /** What it monitors, by the number of the monitor's reference */
  monitors: Map<number, Monitor> | null = null
  /** Who monitors it */
  watchers: Map<string | number, Watcher> | null = null
  aliases: Map<number, Alias> | null = null
  /** The timers that would send to it */
  timers: Set<Timer> | null = null

  constructor(pid: Pid, groupLeader: Pid | null, runner: Runner) {
    this.pid = pid
    this.groupLeader = groupLeader ?? pid
    this.runner = runner
  }

  run(): void {
    if (this.alive) this.runner.run(this)
  }
}
