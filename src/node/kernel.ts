/**
 * A node without OTP's services: processes, connections, and the router between them.
 *
 * I am a signal: `route` looks at where I go. To this node, and the process table takes me; to another, and its connection encodes me in
 * this turn, or an outbox keeps me until there is one.
 */
import type { Signal } from '../dist/signal.js'
import type { Limits } from '../etf/index.js'
import type { Epmd } from '../net/epmd.js'
import {
  atomOf,
  type Body,
  type Clock,
  type MakeSelf,
  Process,
  Processes,
  ProcessError,
  systemClock,
  type To,
  type LocalProcess,
  type GlobalName,
  type LogReport,
  type ViaName,
} from '../process/index.js'
import { Atom, atom, format, hostNode, type NodeError, Pid, Reference, type Sendable, type Term } from '../term/index.js'
import { Code } from './code.js'
import { Events, type NodeEvents } from './events.js'
import { Logged } from './logged.js'
import { Main } from './main.js'
import type { Nodes, NodesKind, Places } from './outside.js'
import { isHidden } from './options.js'
import type { Parts } from './parts.js'
import { schedulerDefaults } from './places/defaults.js'
import { Uplink } from './places/uplink.js'
import { RemoteSpawn } from './remote-spawn.js'
import { type NodeSpawnOptions, type Portable, Spawner } from './spawner.js'
import { type NodeStats, statsOf } from './stats.js'

export class Kernel<P extends Process = Process> {
  /** What other nodes can call and spawn here */
  readonly code: Code<P> = new Code<P>(() => ({ processes: this.processes, elsewhere: this.main?.schedulers.code ?? null }))
  /** @internal */
  readonly processes: Processes
  /** @internal */
  readonly spawner: Spawner
  /** @internal Null elsewhere than in main */
  readonly main: Main | null
  /** @internal Null in main */
  readonly uplink: Uplink | null
  /** @internal */
  readonly remoteSpawn: RemoteSpawn
  /** @internal What main asks of every place on behalf of the layers above, by a name that nothing else has: see Census */
  readonly inquiries = new Map<string, (...args: readonly any[]) => Sendable | Promise<Sendable>>()
  /** @internal What main tells a place on behalf of the layers above, as it is taken there: see `tellPlaces` */
  readonly notices = new Map<string, (...args: readonly any[]) => void>()
  /** @internal In main: what each new place is told so first */
  readonly greetings: (() => readonly (readonly [what: string, ...args: Sendable[]])[])[] = []
  /** @internal */
  readonly events = new Events()
  readonly #parts: Parts
  readonly #self: Atom
  readonly #nodes: Nodes
  readonly #places: Places
  readonly #unhost: () => void
  #closing: Promise<void> | null = null

  /**
   * @internal Use `Node.start`.
   * @param entry the program of the other places
   */
  constructor(parts: Parts, entry: URL) {
    const { options, place } = parts
    const clock: Clock = options.clock ?? systemClock
    this.#parts = parts
    this.#self = atom(parts.name.full) as Atom
    this.#unhost = hostNode(this.#self)
    const uplink = place ? new Uplink(this, place.connection, place.config) : null
    this.uplink = uplink
    this.processes = new Processes({
      node: this.#self,
      creation: parts.creation,
      place: place?.config.place,
      names: uplink?.names,
      named: {
        given: (name, pid) => this.main?.schedulers.tell('given', name, pid),
        freed: name => this.main?.schedulers.tell('freed', name),
      },
      ended: pid => this.main?.schedulers.ended(pid),
      ...uplink?.hooks,
      route: this.route,
      floats: options.floats,
      clock,
      makeSelf: (...given) => this.makeSelf(...given),
      reach: node => this.#nodes.reach(node),
      crashed: (process, reason, error, reported) => this.#crashed(process, reason, error, reported),
      logger: uplink
        ? uplink.logger
        : {
            wanted: () => this.events.listens('logger'),
            tell: report => void this.events.emit('logger', new Logged(report, this.logText)),
          },
      failed: error => this.tellError(error),
    })
    this.spawner = new Spawner(this.processes, this.code, () => this.#places)
    this.remoteSpawn = new RemoteSpawn(this.processes, this.code, this.spawner)
    this.main = uplink ? null : new Main(this, parts, clock, entry)
    this.#nodes = this.main?.peers ?? (uplink as Uplink).nodes
    this.#places = this.main?.schedulers ?? (uplink as Uplink).places
  }

  /** `name@host` */
  get name(): string {
    return this.#self.name
  }

  /** 1..2^32-1: what separates this node from an earlier one of its name */
  get creation(): number {
    return this.#parts.creation
  }

  get cookie(): string {
    return this.#parts.cookies.own
  }

  get hidden(): boolean {
    return isHidden(this.#parts.options)
  }

  /** As kernel's connect_all */
  get connectAll(): boolean {
    return this.#parts.options.connectAll ?? true
  }

  /** As kernel's prevent_overlapping_partitions */
  get preventOverlappingPartitions(): boolean {
    return this.#parts.options.preventOverlappingPartitions ?? true
  }

  /** @internal */
  get isClosing(): boolean {
    return this.#closing !== null
  }

  /** Seconds in which a silent peer is found dead */
  get netTickTime(): number {
    return this.#parts.options.netTickTime ?? 60
  }

  /** @internal What decoding is limited to, as far as it was said */
  get limits(): Partial<Limits> {
    return this.#parts.options.limits ?? {}
  }

  /** @internal Bytes that may wait for a peer before it is busy */
  get sendBufferLimit(): number {
    return this.#parts.options.sendBufferLimit ?? 2 ** 20
  }

  /** @internal How many schedulers the pool has when all are started */
  get poolSize(): number {
    return schedulerDefaults(this.#parts.options.schedulers).count
  }

  /** The port on which other nodes dial in; null when they cannot */
  get port(): number | null {
    return this.uplink ? this.uplink.config.port : (this.#parts.listener?.port ?? null)
  }

  /** Node names and EPMD's answers, as this node gets them */
  get epmd(): Epmd {
    return this.#parts.epmd
  }

  on<K extends keyof NodeEvents>(event: K, listener: (...args: NodeEvents[K]) => void): this {
    this.events.on(event, listener)
    return this
  }

  once<K extends keyof NodeEvents>(event: K, listener: (...args: NodeEvents[K]) => void): this {
    this.events.once(event, listener)
    return this
  }

  off<K extends keyof NodeEvents>(event: K, listener: (...args: NodeEvents[K]) => void): this {
    this.events.off(event, listener)
    return this
  }

  /**
   * Connects to a node; at once when it is connected already.
   *
   * @throws NodeError with a code and a sentence that says what to do: EPMD_UNREACHABLE, EPMD_NO_SUCH_NODE, NAME_SHORT_LONG,
   * DIST_BAD_COOKIE, DIST_FLAGS, DIST_NOT_ALLOWED, NET_… and others.
   */
  async connect(name: string | Atom): Promise<void> {
    await this.#nodes.connect(atomOf(name))
  }

  /** Ends the connection to a node, or the attempt at one. False: there was none. */
  disconnect(name: string | Atom): boolean {
    return this.#nodes.disconnect(atomOf(name))
  }

  /** The cookie that counts for that node, in both directions, as `erlang:get_cookie/1`: by default this node's own. */
  getCookie(name: string | Atom): string {
    return this.#parts.cookies.of(atomOf(name).name)
  }

  /**
   * Sets the cookie for one peer, as `erlang:set_cookie/2`; for this node's name, that of all others. It counts from the next handshake on.
   *
   * @throws NodeNameError; CookieError COOKIE_FORMAT.
   */
  setCookie(name: string | Atom, cookie: string): void {
    const peer = atomOf(name).name
    if (this.uplink) this.uplink.setCookie(peer, cookie)
    else this.#parts.cookies.set(peer, cookie, this.name)
  }

  /**
   * From now on only these, and those that were allowed before, may connect, as `net_kernel:allow/1`: nodes by their names, and for those that
   * dial in also hosts. Connections that are up stay. An empty list changes nothing: as long as nobody is named, everybody may.
   *
   * @throws NodeNameError NAME_FORMAT.
   */
  allow(entries: readonly string[]): void {
    if (this.uplink) this.uplink.allow(entries)
    else this.#parts.allowed.add(entries)
  }

  /** Who may connect: see `allow`. Empty: everybody. */
  allowed(): string[] {
    return this.#parts.allowed.entries
  }

  /** The names of the nodes that are connected: by default the visible ones, as `nodes()` in Erlang. */
  nodes(kind: NodesKind = 'visible'): string[] {
    return this.#nodes.names(kind)
  }

  /**
   * Resolves when no more than half of `sendBufferLimit` waits for that node, or its connection, or the attempt at it, is gone. For a process of
   * this node: for the place in which it runs; for this node's name, for any of its places.
   */
  drained(to: string | Atom | Pid): Promise<void> {
    const node = to instanceof Pid ? to.node : atomOf(to)
    if (node !== this.#self) return this.#nodes.drained(node)
    return this.#places.drained(to instanceof Pid ? to : null)
  }

  /**
   * Starts a process: an async function, or a function of a loaded module. Its pid is there at once, its code runs later.
   *
   * @throws ProcessError ERR_NAME_TAKEN, ERR_SYSTEM_LIMIT; NodeError ERR_NOT_PORTABLE for a closure, or a module that was loaded as closures,
   * in another place; EtfError for arguments that cannot be sent.
   */
  spawn(code: Body<P> | Portable, options: NodeSpawnOptions = {}): Pid {
    return this.spawner.spawn(code, options)
  }

  /**
   * Sends a message in the node's own name. False: the way is busy (`drained` waits for it); the message is sent all the same.
   *
   * @throws EtfError when the term cannot be sent; ProcessError ERR_NOT_REGISTERED for a local or global name that nobody has; ERR_VIA, or what the module
   * throws, for one that a module keeps.
   */
  send(to: To | GlobalName | ViaName, message: Sendable): boolean {
    return this.processes.send(this.processes.init, to, message)
  }

  /** Sends an exit signal, to any node. */
  exit(pid: Pid, reason: Term): void {
    this.processes.sendExit(this.processes.init, pid, reason)
  }

  whereis(name: string | Atom): Pid | undefined {
    return this.processes.registry.pidOf(atomOf(name))
  }

  /** @throws ProcessError ERR_NAME_TAKEN, ERR_ALREADY_REGISTERED, ERR_NAME, ERR_NOPROC (ended, or not of this node) */
  async register(name: string | Atom, pid: Pid): Promise<void> {
    if (this.#placeOf(pid) === this.processes.table.place) return this.processes.register(atomOf(name), pid)
    if (!(await this.isAlive(pid)))
      throw new ProcessError('ERR_NOPROC', `'${String(name)}' cannot be registered: ${String(pid)} is no living process of this node.`)
    if (this.uplink) await this.uplink.names.claim(atomOf(name), pid)
    else this.processes.registry.claim(atomOf(name), pid)
  }

  /** @throws ProcessError ERR_NOT_REGISTERED */
  async unregister(name: string | Atom): Promise<void> {
    if (this.uplink) await this.uplink.names.unregister(atomOf(name))
    else this.processes.registry.unregister(atomOf(name))
  }

  /** Registered names on this node */
  registered(): string[] {
    return this.processes.registry.names().map(name => name.name)
  }

  /** Does a process of this node live? */
  async isAlive(pid: Pid): Promise<boolean> {
    if (this.#placeOf(pid) !== this.processes.table.place) return this.#places.isAlive(pid)
    return this.processes.table.find(pid) !== undefined
  }

  /** The sizes of all tables. What grows without end shows here. */
  stats(): NodeStats {
    return statsOf(this.processes, this.#nodes, this.main?.schedulers)
  }

  /**
   * Ends every process with `shutdown`, closes every connection after what was accepted is sent, stops listening and leaves EPMD.
   * Idempotent.
   */
  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Where every signal goes first. */
  readonly route = (signal: Signal): boolean => {
    const { to } = signal
    const node = 'node' in to ? to.node : to
    if (node !== this.#self) return this.#nodes.send(node, signal)
    const place = this.#placeOf(to)
    if (place !== this.processes.table.place) return this.#places.send(place, signal)
    if (signal.op === 'spawnRequest') this.remoteSpawn.onRequest(signal)
    else this.processes.deliver(signal)
    return true
  }

  /** In which place does it live? What is of another node, or of an earlier life of this one, is answered for here. */
  #placeOf(to: Signal['to']): number {
    const { table, registry } = this.processes
    if (to instanceof Pid || to instanceof Reference) return table.owns(to) ? table.locate(to) : table.place
    const pid = to instanceof Atom ? undefined : registry.pidOf(to.name)
    // Main knows each name first, and answers for the node.
    return pid ? table.locate(pid) : 0
  }

  /** @internal The text of a log event. The services know how OTP prints it. */
  logText: (report: LogReport) => string = ({ report }) => format(report)

  /** @internal Tells the logger of a process that crashed, and reported nothing itself. */
  logCrash: (process: P, reason: Term) => void = () => {}

  /** @internal In main: a notice to all other places */
  tellPlaces(what: string, ...args: readonly Sendable[]): void {
    this.main?.schedulers.tell(what, ...args)
  }

  /** @internal What fails without a caller. */
  tellError(error: NodeError): void {
    if (!this.events.emit('error', error)) console.error(`Node ${this.name}: ${error.message}`)
  }

  /** @internal What a client of the embedded EPMD did, or what befell its listener. A client that breaks its own connection harms nobody. */
  epmdFault(error: NodeError, remoteAddress = '?'): void {
    if (error.code === 'EPMD_LISTEN') this.tellError(error)
    else if (error.code !== 'EPMD_CLOSED') this.events.emit('protocol', null, { code: error.code, error, remoteAddress })
  }

  /** Makes the `self` of a new process. */
  protected makeSelf(...given: Parameters<MakeSelf>): P {
    return new Process(...given) as P
  }

  #crashed(process: LocalProcess, reason: Term, error: unknown, reported: boolean): void {
    const { pid } = process
    if (!reported) this.logCrash(process as P, reason)
    if (this.uplink) this.uplink.crashed(pid, reason, error)
    else if (!this.events.emit('crash', pid, { reason, error }))
      console.error(`Error in process ${String(pid)} on node ${this.name}:`, error)
  }

  async #close(): Promise<void> {
    await this.main?.closeDoor()
    await this.processes.close()
    await this.#places.close()
    await this.#nodes.close()
    if (this.main) await this.#parts.epmd.close()
    this.#unhost()
  }
}
