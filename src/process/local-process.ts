/**
 * What a node knows of one of its processes: the process control block, and its mailbox. Nodes hold millions of these, so the flags share a
 * field, and what a process may never have is made when it is first needed: see Rare. The rules live beside it: links.ts, monitors.ts,
 * aliases.ts, timers.ts.
 */
import type { RegisteredName } from '../dist/signal.js'
import type { Atom, Pid, Term } from '../term/index.js'
import type { Alias } from './aliases.js'
import { all, type Few } from './few.js'
import type { Link } from './links.js'
import { Mailbox } from './mailbox.js'
import type { Monitor, Watcher } from './monitors.js'
import { Rare } from './rare.js'
import type { Runnable } from './scheduler.js'
import type { Timer } from './timers.js'

/** The code of a process: how it takes messages, and what it does at its end. */
export interface Runner {
  /** Messages or receives wait: serve them, taking one reduction each. */
  run(process: LocalProcess): void
  /** The process is dead for everybody; its code may still be at an `await`. */
  exited(process: LocalProcess, reason: Term): void
}

const living = 1
const waiting = 2
const trapping = 4
const stepping = 8

export class LocalProcess extends Mailbox implements Runnable {
  readonly pid: Pid
  groupLeader: Pid
  /** @internal */
  runner: Runner
  #flags = living

  /** @internal Processes are made by `spawn`. */
  constructor(pid: Pid, groupLeader: Pid | null, runner: Runner) {
    super()
    this.pid = pid
    this.groupLeader = groupLeader ?? pid
    this.runner = runner
  }

  /** @internal */
  get mailbox(): Mailbox {
    return this
  }

  /** @internal */
  get alive(): boolean {
    return (this.#flags & living) !== 0
  }

  set alive(on: boolean) {
    this.#flags = on ? this.#flags | living : this.#flags & ~living
  }

  /** @internal */
  get ready(): boolean {
    return (this.#flags & waiting) !== 0
  }

  set ready(on: boolean) {
    this.#flags = on ? this.#flags | waiting : this.#flags & ~waiting
  }

  /** @internal Do exit signals arrive as messages? */
  get traps(): boolean {
    return (this.#flags & trapping) !== 0
  }

  set traps(on: boolean) {
    this.#flags = on ? this.#flags | trapping : this.#flags & ~trapping
  }

  /** @internal Is what it waits for alone a step of `for await`? */
  get steps(): boolean {
    return (this.#flags & stepping) !== 0
  }

  set steps(on: boolean) {
    this.#flags = on ? this.#flags | stepping : this.#flags & ~stepping
  }

  /** @internal */
  get name(): Atom | null {
    return this.rare === null ? null : this.rare.name
  }

  set name(name: Atom | null) {
    if (name !== null || this.rare !== null) this.made().name = name
  }

  /** @internal */
  get links(): Few<Link> {
    return this.rare === null ? null : this.rare.links
  }

  set links(links: Few<Link>) {
    if (links !== null || this.rare !== null) this.made().links = links
  }

  /** @internal What it monitors, by the number of the monitor's reference */
  get monitors(): Few<Monitor> {
    return this.rare === null ? null : this.rare.monitors
  }

  set monitors(monitors: Few<Monitor>) {
    if (monitors !== null || this.rare !== null) this.made().monitors = monitors
  }

  /** @internal Who monitors it */
  get watchers(): Few<Watcher> {
    return this.rare === null ? null : this.rare.watchers
  }

  set watchers(watchers: Few<Watcher>) {
    if (watchers !== null || this.rare !== null) this.made().watchers = watchers
  }

  /** @internal Those to which it has an active link */
  get linked(): readonly Pid[] {
    return [...all(this.links)].flatMap(({ peer, unlinking }) => (unlinking === 0n ? [peer] : []))
  }

  /** @internal */
  get monitored(): readonly (Pid | RegisteredName)[] {
    return [...all(this.monitors)].map(({ target }) => target)
  }

  /** @internal */
  get monitoredBy(): readonly Pid[] {
    return [...all(this.watchers)].map(({ from }) => from)
  }

  /** @internal */
  get aliases(): Map<number, Alias> | null {
    return this.rare === null ? null : this.rare.aliases
  }

  set aliases(aliases: Map<number, Alias> | null) {
    if (aliases !== null || this.rare !== null) this.made().aliases = aliases
  }

  /** @internal The timers that would send to it */
  get timers(): Set<Timer> | null {
    return this.rare === null ? null : this.rare.timers
  }

  set timers(timers: Set<Timer>) {
    this.made().timers = timers
  }

  /** @internal */
  run(): void {
    if (this.alive) this.runner.run(this)
  }

  /** @internal */
  made(): Rare {
    return (this.rare ??= new Rare())
  }
}
