/**
 * The processes of one place: their table, names, links, monitors, aliases and timers, and the rules by which they take Signals.
 * Knows no sockets: `route` takes every signal that leaves a process, and `deliver` takes those that come to one.
 */
import type { Address, ExitSignal, SendSignal, Signal } from '../dist/signal.js'
import { TermPayload } from '../dist/signal.js'
import { copy, type EtfError } from '../etf/index.js'
import { Atom, atom, equals, Pid, Reference, type Sendable, type Term, tuple } from '../term/index.js'
import { addressOf, atomOf, type GlobalName, isFarName, type To, type ViaName } from './address.js'
import { Aliases } from './aliases.js'
import { type Begun, BodyRunner } from './body.js'
import { type Clock, systemClock } from './clock.js'
import type { ClusterNames, ViaNames } from './cluster-names.js'
import { ExitError, ProcessError } from './errors.js'
import type { Activity, ExitCause, Host } from './host.js'
import { Links } from './links.js'
import type { LocalProcess, Runner } from './local-process.js'
import type { LogSink } from './log-event.js'
import { Monitors } from './monitors.js'
import { NodeMonitors } from './node-monitors.js'
import { type Body, Process } from './process.js'
import { type PlaceId, ProcessTable } from './process-table.js'
import { kill, killed, normal, reasonOf } from './reason.js'
import { type NameChanges, Registry } from './registry.js'
import { Scheduler } from './scheduler.js'
import { SpawnRequests } from './spawn-requests.js'
import type { Tap } from './tap.js'
import { Timers } from './timers.js'
import { type Arrived, inherited, tokenOf, type TraceToken, traced } from './trace.js'
import { type Task, WorkList } from './work-list.js'

export interface SpawnOptions {
  /** Registered before the code runs; taken: the spawn throws ERR_NAME_TAKEN, or outside of main the process exits `{already_started, Pid}`. */
  readonly name?: string | Atom | undefined
  /** @internal A pid of this place that was given out elsewhere */
  readonly pid?: Pid | undefined
  /** @internal Whose code spawned it */
  readonly parent?: Pid | undefined
  /** @internal The function that it is, where it has a name */
  readonly begun?: Begun | undefined
  /** @internal */
  readonly groupLeader?: Pid | undefined
  /** @internal */
  readonly link?: LocalProcess | undefined
  /** @internal */
  readonly monitor?: { readonly owner: LocalProcess; readonly ref: Reference } | undefined
  /** @internal The trace that it takes part in */
  readonly token?: TraceToken | null | undefined
}

export interface SendOptions {
  /** By an alias that takes priority messages, it overtakes messages without priority; otherwise it is an ordinary one. */
  readonly priority?: boolean | undefined
}

/** Names are main's to give: what a process elsewhere must ask for. */
export interface Names {
  /** Rejects with the ProcessError that `Registry.claim` throws. */
  claim(name: Atom, pid: Pid): Promise<void>
  /** Rejects with ERR_NOT_REGISTERED. */
  unregister(name: Atom): Promise<void>
}

/** Makes a process as its own code sees it. */
export type MakeSelf = (host: Processes, pid: Pid, groupLeader: Pid | null, runner: Runner) => Process

export interface ProcessesOptions {
  readonly node: Atom
  readonly creation: number
  /** Default: main */
  readonly place?: PlaceId | undefined
  /** Who gives names; without it, this place does. */
  readonly names?: Names | undefined
  readonly named?: NameChanges | undefined
  /** A process whose pid was given out elsewhere has ended. */
  readonly ended?: ((pid: Pid) => void) | undefined
  /** A process has changed its mind about exit signals. */
  readonly trapping?: ((pid: Pid, on: boolean) => void) | undefined
  /** Where every signal goes first. False when the way is busy. */
  readonly route: (signal: Signal) => boolean
  readonly floats?: 'number' | 'exact' | undefined
  readonly clock?: Clock | undefined
  /** Makes the `self` that bodies see */
  readonly makeSelf?: MakeSelf | undefined
  /** A node is of interest: connect to it when it is not connected. What cannot be connected is `lost`. */
  readonly reach?: ((node: Atom) => void) | undefined
  /** A process's code threw something other than an ExitError: the process ends, and whoever watches the node is told. */
  readonly crashed?: ((process: LocalProcess, reason: Term, thrown: unknown, reported: boolean) => void) | undefined
  /** Takes the reports of processes. Default: nobody does. */
  readonly logger?: LogSink | undefined
  /** What was accepted could not be sent later, and nobody waits for it. */
  readonly failed?: ((error: EtfError) => void) | undefined
}

/** What a message does to its receiver's trace token */
const arrived = ({ token, timer }: SendSignal): Arrived => (token !== undefined ? tokenOf(token) : timer === true ? undefined : null)

const silent: LogSink = { wanted: () => false, tell: () => {} }

/** Has no code of its own: the process that stands for the node. */
const idle: Runner = { run: process => process.mailbox.clear(), exited: () => {} }

export class Processes implements Host {
  readonly table: ProcessTable
  readonly registry: Registry
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
  readonly init: Process
  readonly logger: LogSink
  /** Null until somebody keeps them */
  clusterNames: ClusterNames | null = null
  /** Null until somebody can ask the modules that keep them */
  viaNames: ViaNames | null = null
  /** How a message goes to a name that is in no registry of a node */
  sendNamed: (from: Process, to: GlobalName | ViaName, message: Sendable) => void = () => {}
  /** Who looks on at what processes do here */
  tap: Tap | null = null
  activity: Activity | null = null
  readonly #work: WorkList
  readonly #options: ProcessesOptions
  readonly #makeSelf: MakeSelf

  constructor(options: ProcessesOptions) {
    this.#options = options
    this.clock = options.clock ?? systemClock
    this.#work = new WorkList(this.clock)
    this.route = options.route
    this.logger = options.logger ?? silent
    this.table = new ProcessTable(options.node, options.creation, options.place)
    const { named = {} } = options
    this.registry = new Registry(this.table, {
      given: (name, pid) => {
        this.tap?.named(pid, 'register', name)
        named.given?.(name, pid)
      },
      freed: (name, pid) => {
        this.tap?.named(pid, 'unregister', name)
        named.freed?.(name, pid)
      },
    })
    this.aliases = new Aliases(this.table)
    this.links = new Links(this)
    this.monitors = new Monitors(this, this.aliases)
    this.nodeMonitors = new NodeMonitors(this)
    this.timers = new Timers(this)
    this.spawnRequests = new SpawnRequests(this)
    this.#makeSelf = options.makeSelf ?? ((...given) => new Process(...given))
    this.init = this.#makeSelf(this, this.table.newPid(), null, idle)
    this.table.add(this.init)
  }

  /** Starts a process that is an async function. */
  spawn(body: Body, options: SpawnOptions = {}): Process {
    return this.#start(new BodyRunner(body, options.begun), options)
  }

  /** Starts a process and runs its code at once, up to its first `await`: for code of our own, in the caller's turn. */
  runNow(body: Body, options: SpawnOptions = {}): void {
    this.spawn(body, options).run()
  }

  /** Starts a process that takes its messages in any other way. */
  start(runner: (self: Process) => Runner, options: SpawnOptions = {}): Process {
    return this.#start(runner, options)
  }

  #start(runner: Runner | ((self: Process) => Runner), options: SpawnOptions): Process {
    const name = options.name === undefined ? undefined : atomOf(options.name)
    if (name && !this.#options.names) this.registry.checkFree(name)
    const made = typeof runner === 'function' ? idle : runner
    const local = this.#makeSelf(this, options.pid ?? this.table.newPid(), options.groupLeader ?? this.init.groupLeader, made)
    // Before it has its name: where that must be asked for, this runner waits for it.
    if (typeof runner === 'function') local.runner = runner(local)
    this.table.add(local)
    if (name) this.#name(name, local)
    if (options.token) local.mailbox.trace = inherited(options.token)
    this.tap?.spawned(options.parent ?? options.link?.pid ?? this.init.pid, local.pid, options.begun?.initialCall ?? null)
    if (options.link) {
      this.links.linked(options.link, local.pid)
      this.tap?.linked(options.link, 'link', local.pid)
      this.links.linked(local, options.link.pid)
      this.tap?.linked(local, 'getting_linked', options.link.pid)
    }
    if (options.monitor) {
      const { owner, ref } = options.monitor
      this.monitors.monitoring(owner, local.pid, ref)
      this.monitors.watched(local, owner.pid, ref, local.pid)
    }
    this.scheduler.ready(local)
    this.activity?.came(local, null)
    return local
  }

  /** Names a new process. Where the name must be asked for, the process waits for it. */
  #name(name: Atom, local: LocalProcess): void {
    if (!this.#options.names) return this.registry.register(name, local)
    const { runner } = local
    local.runner = { run: () => {}, exited: (process, reason) => runner.exited(process, reason) }
    const run = (): void => {
      local.runner = runner
      this.scheduler.ready(local)
    }
    const taken = (): void => this.exit(local, tuple(atom('already_started'), this.registry.pidOf(name) ?? atom('undefined')))
    this.#claim(this.#options.names, name, local).then(run, taken)
  }

  /** Here it has the name at once, unless that is known to be another's: what is sent by it goes the way of what is sent to its pid. */
  async #claim(names: Names, name: Atom, { pid }: LocalProcess): Promise<void> {
    if (!this.registry.pidOf(name)) this.registry.told(name, pid)
    try {
      await names.claim(name, pid)
    } catch (error) {
      this.registry.refused(name, pid)
      throw error
    }
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
      case 'notice':
      case 'start':
      case 'spawnRequest':
        throw new ProcessError('ERR_BADARG', `A ${signal.op} goes to a node, not to a process.`)
    }
  }

  send(from: LocalProcess, to: To | GlobalName | ViaName, term: Sendable, options?: SendOptions): boolean {
    if (to instanceof Pid && options === undefined && this.tap === null && from.mailbox.trace === null && this.#sendHere(to, term))
      return true
    if (!(to instanceof Pid) && isFarName(to)) {
      this.sendNamed(from as Process, to, term)
      return true
    }
    const target = this.address(to)
    this.tap?.sent(from, to, term)
    if (
      !(target instanceof Pid) &&
      !(target instanceof Reference) &&
      target.node === this.table.node &&
      !this.registry.pidOf(target.name)
    ) {
      if (typeof to === 'string' || to instanceof Atom) {
        throw new ProcessError('ERR_NOT_REGISTERED', `No process of this node is registered as '${target.name.name}'.`)
      }
    }
    // Across the network a term is encoded at once, and nobody else sees it; here the receiver gets a copy of its own.
    const message = new TermPayload(target.node === this.table.node ? this.copy(term) : (term as Term))
    const signal: SendSignal = { op: 'send', from: from.pid, to: target, message }
    if (from.mailbox.trace === null && options === undefined) return this.route(signal)
    return this.route(traced(options?.priority ? { ...signal, priority: true } : signal, from))
  }

  /** Most messages go by pid to a process of this place: no signal is made for them. False: it is elsewhere, or was. */
  #sendHere(to: Pid, term: Sendable): boolean {
    const process = this.table.find(to)
    if (!process) return false
    this.message(process, this.copy(term), null)
    return true
  }

  /** `exit/2`, which carries no trace token. The reason is taken before this returns. */
  sendExit(from: LocalProcess, to: Pid | Reference, reason: Sendable, { priority = false }: SendOptions = {}): void {
    const signal: ExitSignal = { op: 'exit', from: from.pid, to, reason: new TermPayload(this.copy(reason)) }
    this.route(priority ? { ...signal, priority } : signal)
  }

  /** Gives a process of this place a name. @throws ProcessError as Registry.register, and ERR_NOPROC. */
  async register(name: Atom, pid: Pid): Promise<void> {
    const process = this.table.find(pid)
    if (!process)
      throw new ProcessError('ERR_NOPROC', `'${name.name}' cannot be registered: ${String(pid)} is no living process of this node.`)
    if (!this.#options.names) return this.registry.register(name, process)
    this.registry.check(name, process)
    await this.#claim(this.#options.names, name, process)
  }

  address(to: To): Address {
    return addressOf(to, this.table.node)
  }

  copy(term: Sendable): Term {
    return copy(term, { floats: this.#options.floats })
  }

  message(process: LocalProcess, term: Term, token?: Arrived, priority?: boolean): void {
    if (!process.alive) return
    if (priority === true) process.mailbox.pushPriority(term, this.table.references, token)
    else process.mailbox.push(term, this.table.references, token)
    this.tap?.received(process, term)
    this.activity?.came(process, term)
    this.scheduler.ready(process)
  }

  exitSignal(process: LocalProcess, { from, reason: payload, cause, token, priority }: ExitCause): void {
    const reason = payload.read()
    if (cause === 'exit' && reason === kill) return this.exit(process, killed)
    if (process.traps) return this.message(process, tuple(atom('EXIT'), from, reason), tokenOf(token), priority)
    if (reason === normal && !(cause === 'exit' && this.table.find(from) === process)) return
    this.exit(process, reason)
  }

  exit(process: LocalProcess, reason: Term): void {
    if (!process.alive || process === this.init) return
    this.tap?.exited(process, reason)
    process.alive = false
    this.table.remove(process)
    this.registry.exited(process)
    this.aliases.exited(process)
    if (process.timers) this.timers.exited(process.timers)
    this.nodeMonitors.exited(process)
    this.spawnRequests.exited(process, reason)
    process.mailbox.clear()
    if (process.links || process.watchers || process.monitors) this.#work.push(this.#exits(process, reason))
    process.runner.exited(process, reason)
    if (this.table.isGiven(process.pid)) this.#options.ended?.(process.pid)
    this.activity?.done()
  }

  /** A process's code threw. @param reported the logger has been told of it */
  crash(process: LocalProcess, thrown: unknown, reported = false): void {
    if (!process.alive) return
    const reason = reasonOf(thrown)
    this.exit(process, reason)
    if (!(thrown instanceof ExitError)) this.#options.crashed?.(process, reason, thrown, reported)
  }

  failed(error: EtfError): void {
    this.#options.failed?.(error)
  }

  setTrapExit(process: LocalProcess, on: boolean): void {
    process.traps = on
    this.#options.trapping?.(process.pid, on)
  }

  monitorNode(process: LocalProcess, node: Atom, on: boolean): void {
    this.nodeMonitors.set(process, node, on)
    if (on) this.#options.reach?.(node)
  }

  /** The connection to a node is lost. Every link, monitor and pending spawn over it ends, then `{nodedown, Node}` is told, then `done`. */
  lost(node: Atom, done: () => void): void {
    // What the node held is taken out at once: what is linked over the next connection must not break with this one.
    const last = [this.spawnRequests.lost(node), this.nodeMonitors.lost(node), done]
    this.#work.push(this.#lost(this.links.lost(node), this.monitors.lost(node), last))
  }

  /** Does work that may be long in slices, behind what is being done so. */
  later(task: Task): void {
    this.#work.push(task)
  }

  /** Kills all whose group leader that is, but not itself. Returns how many there were. */
  endGroup(leader: Pid): number {
    const members = [...this.table].filter(({ pid, groupLeader }) => !equals(pid, leader) && equals(groupLeader, leader))
    for (const member of members) this.exit(member, killed)
    return members.length
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

  *#lost(links: Task, monitors: Task, last: readonly (() => void)[]): Generator<void, void, undefined> {
    yield* { [Symbol.iterator]: () => links }
    yield* { [Symbol.iterator]: () => monitors }
    for (const tell of last) tell()
  }

  #onSend(signal: SendSignal): void {
    const { to } = signal
    if (to instanceof Reference) return this.#onAlias(to, signal)
    const process = to instanceof Pid ? this.table.find(to) : this.registry.whereis(to.name)
    if (process) this.message(process, signal.message.read(), arrived(signal))
  }

  #onAlias(ref: Reference, signal: SendSignal): void {
    const alias = this.aliases.find(ref)
    if (!alias) return
    const term = signal.message.read()
    if (alias.mode === 'reply') this.aliases.remove(alias.process, ref)
    if (alias.mode === 'reply_demonitor') this.monitors.demonitor(alias.process, ref)
    this.message(alias.process, term, arrived(signal), alias.priority && signal.priority === true)
  }

  #onExit({ from, to, reason, token, priority }: ExitSignal): void {
    const alias = to instanceof Reference ? this.aliases.find(to) : undefined
    const process = to instanceof Pid ? this.table.find(to) : alias?.process
    if (process) this.exitSignal(process, { from, reason, cause: 'exit', token, priority: alias?.priority === true && priority === true })
  }
}
