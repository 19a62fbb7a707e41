/**
 * `self`: a process as its own code sees it. When the process has ended, everything here does nothing and never throws; a receive
 * never settles.
 */
import { type Atom, atom, equals, type Pid, Reference, type Sendable, type Term, Tuple } from '../term/index.js'
import { atomOf, type GlobalName, type To, type ViaName } from './address.js'
import type { AliasMode } from './aliases.js'
import type { Fate } from './body.js'
import { ExitError, ProcessError } from './errors.js'
import { LocalProcess, type Runner } from './local-process.js'
import type { MonitorOptions } from './monitors.js'
import type { Processes, SendOptions, SpawnOptions } from './processes.js'
import { type Pattern, type Pending, poll, receive, type ReceiveOptions, rejectAll, type Resolve, serve, step } from './receive.js'
import { SeqTrace } from './seq-trace.js'
import { type SpawnAtOptions, spawnAt } from './spawn-at.js'
import type { SpawnRequest, SpawnRequestOptions } from './spawn-requests.js'
import { stamp } from './trace.js'

/** The code of a process. Its promise is the process's life: when it settles, the process exits. */
export type Body<P extends Process = Process> = (self: P) => unknown

/** An exit reason: any term but a JavaScript string, which would arrive as a binary. Write `atom('shutdown')`. */
export type ExitReason<T> = T extends string ? never : T

/** A function of a module that the node has: loaded code, or Erlang's. */
export interface RemoteCode {
  readonly module: string | Atom
  readonly fun: string | Atom
  readonly args?: readonly Sendable[] | undefined
}

export class Process extends LocalProcess implements AsyncIterable<Term> {
  /** @internal */
  readonly host: Processes
  /** @internal The first of its receives that wait; of one that waits alone and takes any message, what resolves it */
  pending: Pending | Resolve | null = null
  /** @internal The promise of that one */
  promised: Promise<unknown> | null = null

  /** @internal Processes are made by `spawn`. */
  constructor(host: Processes, pid: Pid, groupLeader: Pid | null, runner: Runner) {
    super(pid, groupLeader, runner)
    this.host = host
  }

  /** @internal */
  get local(): LocalProcess {
    return this
  }

  /** Aborted when the process exits; pass it to whatever should end with the process. */
  get signal(): AbortSignal {
    const rare = this.made()
    if (!rare.abort) {
      rare.abort = new AbortController()
      if (!this.alive) rare.abort.abort(new ExitError(atom('noproc')))
    }
    return rare.abort.signal
  }

  /** True: exit signals arrive as messages {'EXIT', From, Reason}. False (default): they end the process. */
  get trapExit(): boolean {
    return this.traps
  }

  set trapExit(on: boolean) {
    this.host.setTrapExit(this, on)
  }

  /**
   * What people see of this process where it has no name, in observer and in reports, as `proc_lib:set_label/1` of OTP 27 sets it: any term.
   *
   * @throws EtfError when it is set to what is no term.
   */
  get label(): Term | undefined {
    return this.rare?.label
  }

  set label(label: Sendable | undefined) {
    this.made().label = label === undefined ? undefined : this.host.copy(label)
  }

  /**
   * Sends a message; it is taken before this returns. False: the way is busy (`node.drained(name)` waits for it); the message is sent all
   * the same.
   *
   * @throws EtfError when the term cannot be sent; ProcessError ERR_NOT_REGISTERED for a local or global name that nobody has; ERR_VIA, or what the module
   * throws, for one that a module keeps.
   */
  send(to: To | GlobalName | ViaName, message: Sendable, options?: SendOptions): boolean {
    if (!this.alive) return true
    return this.host.send(this, to, message, options)
  }

  /** The next message; with a pattern, the first that matches, however many wait before it. */
  receive(): Promise<Term>
  receive<T>(pattern: (x: unknown) => x is T, options?: ReceiveOptions): Promise<T>
  receive(pattern: undefined, options?: ReceiveOptions): Promise<Term>
  receive(pattern?: Pattern, options?: ReceiveOptions): Promise<Term> {
    return receive(this, pattern, options)
  }

  /** `receive … after 0`: a message that is there already, or undefined. */
  poll(): Term | undefined
  poll<T>(pattern: (x: unknown) => x is T): T | undefined
  poll(pattern?: Pattern): Term | undefined {
    return this.alive ? poll(this, pattern) : undefined
  }

  /** Every message, in order; it ends only with the process. Leaving the loop loses nothing. */
  [Symbol.asyncIterator](): AsyncIterator<Term, never> {
    return this
  }

  /** @internal A step of `for await` */
  next(): Promise<IteratorResult<Term, never>> {
    return step(this)
  }

  /** With `priority`, its exit message overtakes those without, when this process traps exits. The last call counts. */
  link(pid: Pid, options: { readonly priority?: boolean | undefined } = {}): void {
    if (this.alive) this.host.links.link(this, pid, options.priority)
  }

  /** Afterwards no exit of that process reaches this one by a link; one that came already stays in the mailbox. */
  unlink(pid: Pid): void {
    if (this.alive) this.host.links.unlink(this, pid)
  }

  /** The message {'DOWN', Ref, process, Pid | {Name, Node}, Reason} comes once. */
  monitor(to: Pid | Atom | string | { readonly name: string | Atom; readonly node: string | Atom }, options?: MonitorOptions): Reference {
    const ref = this.makeRef()
    if (!this.alive) return ref
    const target = this.host.address(to)
    if (target instanceof Reference) throw new ProcessError('ERR_BADARG', 'A monitor watches a pid or a name, not a reference.')
    this.host.monitors.monitor(this, target, ref, options)
    return ref
  }

  /** `flush` also takes the DOWN message out of the mailbox when it came already. False: there was no such monitor. */
  demonitor(ref: Reference, options: { readonly flush?: boolean | undefined } = {}): boolean {
    if (!this.alive) return false
    const found = this.host.monitors.demonitor(this, ref)
    if (!found && options.flush) {
      const isDown = (term: unknown): boolean => term instanceof Tuple && term.length === 5 && equals(term.elements[1], ref)
      this.take(isDown, 0)
    }
    return found
  }

  /** With `on`, a message {nodedown, Node} comes when the connection to that node is lost; each `true` wants a `false`. */
  monitorNode(name: string | Atom, on: boolean): void {
    if (this.alive) this.host.monitorNode(this, atomOf(name), on)
  }

  /**
   * A reference by which this process receives until `unalias`; `reply`: until its first message. With `priority`, what is sent to it with
   * priority overtakes ordinary messages.
   */
  alias(options: { readonly reply?: boolean | undefined; readonly priority?: boolean | undefined } = {}): Reference {
    const ref = this.makeRef()
    const mode: AliasMode = options.reply ? 'reply' : 'explicit_unalias'
    if (this.alive) this.host.aliases.add(this, ref, mode, options.priority)
    return ref
  }

  unalias(ref: Reference): boolean {
    return this.alive && this.host.aliases.remove(this, ref)
  }

  makeRef(): Reference {
    return this.host.table.makeRef()
  }

  /** Starts a process with this one's group leader. Its pid is there at once, its code runs later. */
  spawn(body: Body<this>, options: SpawnOptions = {}): Pid {
    return this.child(body, options)
  }

  /** Spawns and links in one step. */
  spawnLink(body: Body<this>, options: SpawnOptions = {}): Pid {
    return this.child(body, { ...options, link: this })
  }

  /** Spawns and monitors in one step. */
  spawnMonitor(body: Body<this>, options: SpawnOptions = {}): [pid: Pid, ref: Reference] {
    const ref = this.makeRef()
    return [this.child(body, { ...options, monitor: { owner: this, ref } }), ref]
  }

  /**
   * Asks a node, this one too, to spawn a process, and returns at once. The message {spawn_reply, Ref, ok, Pid} or {spawn_reply, Ref, error,
   * Reason} comes when the node has answered; Reason is `noconnection`, `notsup`, `badopt` or `system_limit`.
   *
   * @throws EtfError when an argument cannot be sent.
   */
  spawnRequest(code: RemoteCode & { readonly node: string | Atom }, options: SpawnRequestOptions = {}): Reference {
    const ref = this.makeRef()
    if (this.alive) this.host.spawnRequests.request(this, ref, { ...options, ...requested(code.node, code) })
    return ref
  }

  /**
   * Forgets a request: no reply comes, and a process that comes of it is not monitored, and exits with `abandoned` if it was to be linked.
   * False: the reply has come already, or this process asked for no such thing.
   */
  spawnRequestAbandon(ref: Reference): boolean {
    return this.alive && this.host.spawnRequests.abandon(this, ref)
  }

  /**
   * Spawns a process on a node: resolves to its pid when it is there. An abort or a timeout (in milliseconds; default: none) abandons it.
   *
   * @throws SpawnError ERR_SPAWN with the node's `reason`; ProcessError ERR_TIMEOUT; the signal's reason; EtfError when an argument cannot
   * be sent.
   */
  async spawnAt(node: string | Atom, code: RemoteCode, options: SpawnAtOptions = {}): Promise<Pid> {
    return (await spawnFrom(this, node, code, options))[0]
  }

  /** `spawnAt`, and links in one step. */
  async spawnLinkAt(node: string | Atom, code: RemoteCode, options: SpawnAtOptions = {}): Promise<Pid> {
    return (await spawnFrom(this, node, code, options, { link: true }))[0]
  }

  /** `spawnAt`, and monitors in one step. */
  async spawnMonitorAt(node: string | Atom, code: RemoteCode, options: SpawnAtOptions = {}): Promise<[pid: Pid, ref: Reference]> {
    return spawnFrom(this, node, code, options, { monitor: true })
  }

  /** The trace token that this process's signals carry: see SeqTrace. */
  get seqTrace(): SeqTrace {
    return new SeqTrace(this, term => this.host.copy(term))
  }

  /**
   * `exit(reason)` ends this process: it throws ExitError, as Erlang's exit/1 raises, so call it where the process's own code runs and
   * not in a timer's callback. `exit(to, reason)` sends an exit signal to a pid or an alias, also to this process, and returns.
   */
  exit(to: Pid | Reference, reason: Term, options?: SendOptions): void
  exit<T extends Sendable>(reason: ExitReason<T>): never
  exit(...args: [reason: Term] | [to: Pid | Reference, reason: Term, options?: SendOptions | undefined]): void {
    if (args.length === 1) throw new ExitError(this.host.copy(args[0]))
    const [to, reason, options] = args
    if (this.alive) this.host.sendExit(this, to, reason, options)
  }

  /** `group_leader(Leader, Pid)`: from now on that process, on any node, prints there. For this process, assign `self.groupLeader`. */
  setGroupLeader(leader: Pid, pid: Pid): void {
    if (this.alive) this.host.route({ op: 'groupLeader', from: leader, to: pid })
  }

  /** Gives this process a name. @throws ProcessError ERR_NAME_TAKEN, ERR_ALREADY_REGISTERED, ERR_NAME */
  async register(name: string | Atom): Promise<void> {
    if (this.alive) await this.host.register(atomOf(name), this.pid)
  }

  /** Sends `message` in `ms` milliseconds, unless `to` has ended by then, or `cancelTimer` comes first. */
  sendAfter(ms: number, to: To, message: Sendable): Reference {
    if (!this.alive) return this.makeRef()
    if (!(ms >= 0)) throw new ProcessError('ERR_BADARG', `A timer's time is a number of milliseconds from 0 up, not ${ms}.`)
    return this.host.timers.start(this.pid, ms, this.host.address(to), this.host.copy(message))
  }

  /** The milliseconds that were left; false when the timer has fired or is unknown here. */
  cancelTimer(ref: Reference): number | false {
    return this.host.timers.cancel(ref)
  }

  /** @internal */
  exited(reason: Term): void {
    rejectAll(this, reason)
    this.rare?.abort?.abort(new ExitError(reason))
  }

  /** @internal The body's promise has settled: the trap of the proxies that it has been given. */
  apply(fate: Fate, _this: unknown, [thrown]: [unknown]): void {
    fate(this, thrown)
  }

  /** @internal Messages wait, or receives: brings them together. */
  serve(): void {
    serve(this)
  }

  private child(body: Body<this>, options: SpawnOptions): Pid {
    // A dead process's children are born dead: it may do nothing any more.
    if (!this.alive) return this.pid
    return this.startChild(body, { groupLeader: this.groupLeader, token: stamp(this), parent: this.pid, ...options })
  }

  /** Starts what `spawn` was given. */
  protected startChild(body: Body<this>, options: SpawnOptions): Pid {
    return this.host.spawn(body as Body, options).pid
  }
}

async function spawnFrom(
  parent: Process,
  node: string | Atom,
  code: RemoteCode,
  { timeout, signal, ...tuning }: SpawnAtOptions,
  tie: Pick<SpawnRequestOptions, 'link' | 'monitor'> = {},
): Promise<[Pid, Reference]> {
  if (!parent.alive) return new Promise(() => {})
  return spawnAt(parent, { ...tuning, ...tie, ...requested(node, code) }, { timeout, signal })
}

const requested = (node: string | Atom, { module, fun, args = [] }: RemoteCode): SpawnRequest => ({
  node: atomOf(node),
  module: atomOf(module),
  fun: atomOf(fun),
  args,
})
