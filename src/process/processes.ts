/**
 * The processes of one place: their table, names, links, monitors, aliases and timers, and the rules by which they take Signals.
 * Knows no sockets: `route` takes every signal that leaves a process, and `deliver` takes those that come to one.
 */
import type { Address, ExitSignal, SendSignal, Signal, Payload } from '../dist/signal.js'
import { TermPayload } from '../dist/signal.js'
import { copy } from '../etf/index.js'
import { Atom, atom, Pid, Reference, type Sendable, type Term, tuple } from '../term/index.js'
import { addressOf, atomOf, type To } from './address.js'
import { Aliases } from './aliases.js'
import { BodyRunner } from './body.js'
import { type Clock, systemClock } from './clock.js'
import { ExitError, ProcessError } from './errors.js'
import type { Host } from './host.js'
import { Links } from './links.js'
import { LocalProcess, type Runner } from './local-process.js'
import { Monitors } from './monitors.js'
import { NodeMonitors } from './node-monitors.js'
import { type Body, Process } from './process.js'
import { ProcessTable } from './process-table.js'
import { kill, killed, normal, reasonOf } from './reason.js'
import { Registry } from './registry.js'
import { Scheduler } from './scheduler.js'
import { SpawnRequests } from './spawn-requests.js'
import { Timers } from './timers.js'
import { type Task, WorkList } from './work-list.js'

export interface SpawnOptions {
  /** Registered before the code runs; taken: the spawn throws ERR_NAME_TAKEN. */
  readonly name?: string | Atom | undefined
  /** @internal */
  readonly groupLeader?: Pid | undefined
  /** @internal */
  readonly link?: LocalProcess | undefined
  /** @internal */
  readonly monitor?: { readonly owner: LocalProcess; readonly ref: Reference } | undefined
}

export interface ProcessesOptions {
  readonly node: Atom
  readonly creation: number
  /** Where every signal goes first. False when the way is busy. */
  readonly route: (signal: Signal) => boolean
  readonly floats?: 'number' | 'exact' | undefined
  readonly clock?: Clock | undefined
  /** Makes the `self` that bodies see */
  readonly makeSelf?: ((host: Processes, local: LocalProcess) => Process) | undefined
  /** A node is of interest: connect to it when it is not connected. What cannot be connected is `lost`. */
  readonly reach?: ((node: Atom) => void) | undefined
  /** A process's code threw something other than an ExitError: the process ends, and whoever watches the node is told. */
  readonly crashed?: ((pid: Pid, reason: Term, thrown: unknown) => void) | undefined
}

/** Has no code of its own: the process that stands for the node. */
const idle: Runner = { run: process => process.mailbox.clear(), exited: () => {} }

export class Processes implements Host {
  readonly table: ProcessTable
  readonly registry = new Registry()
  readonly clock: Clock
  readonly scheduler = new Scheduler()
  readonly links: Links
  readonly aliases: Aliases
  readonly monitors: Monitors
  readonly nodeMonitors: NodeMonitors
  readonly timers: Timers
  readonly spawnRequests: SpawnRequests
  readonly route: (signal: Signal) => boolean
  /** The process in whose name the node itself speaks. It takes nothing and never ends. */
  readonly init: LocalProcess
  readonly #work = new WorkList()
  readonly #options: ProcessesOptions

  constructor(options: ProcessesOptions) {
    this.#options = options
    this.clock = options.clock ?? systemClock
    this.route = options.route
    this.table = new ProcessTable(options.node, options.creation)
    this.aliases = new Aliases(this.table)
    this.links = new Links(this)
    this.monitors = new Monitors(this, this.aliases)
    this.nodeMonitors = new NodeMonitors(this)
    this.timers = new Timers(this)
    this.spawnRequests = new SpawnRequests(this)
    this.init = this.table.add(pid => new LocalProcess(pid, null, idle))
  }

  /** Starts a process that is an async function. */
  spawn(body: Body, options: SpawnOptions = {}): Process {
    return this.start((self: Process) => new BodyRunner(self, body), options)
  }

  /** Starts a process and runs its code at once, up to its first `await`: for code of our own, in the caller's turn. */
  runNow(body: Body, options: SpawnOptions = {}): void {
    this.spawn(body, options).local.run()
  }

  /** Starts a process that takes its messages in any other way. */
  start(runner: (self: Process) => Runner, options: SpawnOptions = {}): Process {
    const name = options.name === undefined ? undefined : atomOf(options.name)
    if (name) this.registry.checkFree(name)
    const local = this.table.add(pid => new LocalProcess(pid, options.groupLeader ?? this.init.groupLeader, idle))
    const self = this.#options.makeSelf?.(this, local) ?? new Process(this, local)
    local.runner = runner(self)
    if (name) this.registry.register(name, local)
    if (options.link) {
      this.links.linked(options.link, local.pid)
      this.links.linked(local, options.link.pid)
    }
    if (options.monitor) {
      const { owner, ref } = options.monitor
      this.monitors.monitoring(owner, local.pid, ref)
      this.monitors.watched(local, owner.pid, ref, local.pid)
    }
    this.scheduler.ready(local)
    return self
  }

  /** Takes a signal whose `to` lives here. @throws EtfError when its payload is no term: then nothing has changed. */
  deliver(signal: Signal): void {
    switch (signal.op) {
      case 'send':
        return this.#onSend(signal)
      case 'link':
        return this.links.onLink(signal)
      case 'unlink':
        return this.links.onUnlink(signal)
      case 'unlinkAck':
        return this.links.onUnlinkAck(signal)
      case 'linkExit':
        return this.links.onLinkExit(signal)
      case 'exit':
        return this.#onExit(signal)
      case 'monitor':
        return this.monitors.onMonitor(signal)
      case 'demonitor':
        return this.monitors.onDemonitor(signal)
      case 'down':
        return this.monitors.onDown(signal)
      case 'groupLeader': {
        const process = this.table.find(signal.to)
        if (process) process.groupLeader = signal.from
        return
      }
      case 'spawnReply':
        return this.spawnRequests.onReply(signal)
      case 'spawnRequest':
        throw new ProcessError('ERR_BADARG', 'A spawn request goes to a node, not to a process.')
    }
  }

  send(from: LocalProcess, to: To, term: Sendable): boolean {
    const target = this.address(to)
    if (
      !(target instanceof Pid) &&
      !(target instanceof Reference) &&
      target.node === this.table.node &&
      !this.registry.whereis(target.name)
    ) {
      if (typeof to === 'string' || to instanceof Atom) {
        throw new ProcessError('ERR_NOT_REGISTERED', `No process of this node is registered as '${target.name.name}'.`)
      }
    }
    // Across the network a term is encoded at once, and nobody else sees it; here the receiver gets a copy of its own.
    const message = new TermPayload(target.node === this.table.node ? this.copy(term) : (term as Term))
    return this.route({ op: 'send', from: from.pid, to: target, message })
  }

  /** `exit/2`. The reason is taken before this returns. */
  sendExit(from: LocalProcess, pid: Pid, reason: Sendable): void {
    this.route({ op: 'exit', from: from.pid, to: pid, reason: new TermPayload(this.copy(reason)) })
  }

  /** Gives a process of this node a name. @throws ProcessError as Registry.register, and ERR_NOPROC. */
  register(name: Atom, pid: Pid): void {
    const process = this.table.find(pid)
    if (!process)
      throw new ProcessError('ERR_NOPROC', `'${name.name}' cannot be registered: ${String(pid)} is no living process of this node.`)
    this.registry.register(name, process)
  }

  address(to: To): Address {
    return addressOf(to, this.table.node)
  }

  copy(term: Sendable): Term {
    return copy(term, { floats: this.#options.floats })
  }

  message(process: LocalProcess, term: Term): void {
    if (!process.alive) return
    process.mailbox.push(term, this.table.references)
    this.scheduler.ready(process)
  }

  exitSignal(process: LocalProcess, from: Pid, payload: Payload, cause: 'link' | 'exit'): void {
    const reason = payload.read()
    if (cause === 'exit' && reason === kill) return this.exit(process, killed)
    if (process.trapExit) return this.message(process, tuple(atom('EXIT'), from, reason))
    if (reason === normal && !(cause === 'exit' && this.table.find(from) === process)) return
    this.exit(process, reason)
  }

  exit(process: LocalProcess, reason: Term): void {
    if (!process.alive || process === this.init) return
    process.alive = false
    this.table.remove(process)
    this.registry.exited(process)
    this.aliases.exited(process)
    if (process.timers) this.timers.exited(process.timers)
    this.nodeMonitors.exited(process)
    process.mailbox.clear()
    if (process.links || process.watchers || process.monitors) this.#work.push(this.#exits(process, reason))
    process.runner.exited(process, reason)
  }

  /** A process's code threw. */
  crash(process: LocalProcess, thrown: unknown): void {
    if (!process.alive) return
    const reason = reasonOf(thrown)
    this.exit(process, reason)
    if (!(thrown instanceof ExitError)) this.#options.crashed?.(process.pid, reason, thrown)
  }

  monitorNode(process: LocalProcess, node: Atom, on: boolean): void {
    this.nodeMonitors.set(process, node, on)
    if (on) this.#options.reach?.(node)
  }

  /** The connection to a node is lost. Every link, monitor and pending spawn over it ends, then `{nodedown, Node}` is told, then `done`. */
  lost(node: Atom, done: () => void): void {
    // What the node held is taken out at once: what is linked over the next connection must not break with this one.
    this.#work.push(this.#lost(node, this.links.lost(node), this.monitors.lost(node), done))
  }

  /** Ends every process, as the node closes; resolves when everybody who watched them has been told. */
  close(): Promise<void> {
    for (const process of [...this.table]) this.exit(process, atom('shutdown'))
    this.timers.close()
    return this.#work.idle()
  }

  *#exits(process: LocalProcess, reason: Term): Generator<void, void, undefined> {
    yield* this.links.exits(process, reason)
    yield* this.monitors.exits(process, reason)
  }

  *#lost(node: Atom, links: Task, monitors: Task, done: () => void): Generator<void, void, undefined> {
    yield* { [Symbol.iterator]: () => links }
    yield* { [Symbol.iterator]: () => monitors }
    this.spawnRequests.lost(node)
    this.nodeMonitors.lost(node)
    done()
  }

  #onSend({ to, message }: SendSignal): void {
    if (to instanceof Reference) return this.#onAlias(to, message)
    const process = to instanceof Pid ? this.table.find(to) : this.registry.whereis(to.name)
    if (process) this.message(process, message.read())
  }

  #onAlias(ref: Reference, message: Payload): void {
    const alias = this.aliases.find(ref)
    if (!alias) return
    const term = message.read()
    if (alias.mode === 'reply') this.aliases.remove(alias.process, ref)
    if (alias.mode === 'reply_demonitor') this.monitors.demonitor(alias.process, ref)
    this.message(alias.process, term)
  }

  #onExit({ from, to, reason }: ExitSignal): void {
    const process = to instanceof Pid ? this.table.find(to) : this.aliases.find(to)?.process
    if (process) this.exitSignal(process, from, reason, 'exit')
  }
}
