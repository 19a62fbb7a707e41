/**
 * A node without OTP's services: processes, connections, and the router between them.
 *
 * I am a signal: `route` looks at where I go. To this node, and the process table takes me; to another, and its connection encodes me in
 * this turn, or an outbox keeps me until there is one.
 */
import type { Signal } from '../dist/signal.js'
import { EtfError } from '../etf/index.js'
import type { Connection } from '../net/connection.js'
import type { Epmd } from '../net/epmd.js'
import type { Attempt } from '../net/listener.js'
import { atomOf, type Body, type Clock, type MakeSelf, Process, Processes, ProcessError, systemClock, type To } from '../process/index.js'
import { Atom, atom, hostNode, type NodeError, Pid, Reference, type Sendable, type Term } from '../term/index.js'
import { Code } from './code.js'
import { Events, type NodeEvents } from './events.js'
import { LongTurns } from './long-turns.js'
import { dialNode, localEnd, netSetupTime, type Parts } from './parts.js'
import type { Nodes, NodesKind, Places } from './outside.js'
import { Peers } from './peers.js'
import { placeNode, schedulerDefaults } from './places/defaults.js'
import { nameOf, Schedulers } from './places/schedulers.js'
import { Uplink } from './places/uplink.js'
import { RemoteSpawn } from './remote-spawn.js'
import { type NodeSpawnOptions, type Portable, Spawner } from './spawner.js'
import { type NodeStats, statsOf } from './stats.js'

/** Attempts that ended as they should: in favour of another connection, or because this node closes. */
const settled = new Set(['DIST_NOK', 'DIST_ALIVE', 'NET_ABORTED'])

export class Kernel<P extends Process = Process> {
  /** What other nodes can call and spawn here */
  readonly code: Code<P> = new Code<P>(async (name, url) => this.#schedulers?.load(name, url))
  /** @internal */
  readonly processes: Processes
  /** @internal */
  readonly spawner: Spawner
  /** @internal Null elsewhere than in main */
  readonly peers: Peers | null
  /** @internal Null in main */
  readonly uplink: Uplink | null
  /** @internal */
  readonly remoteSpawn: RemoteSpawn
  /** @internal */
  readonly events = new Events()
  readonly #parts: Parts
  readonly #self: Atom
  readonly #nodes: Nodes
  readonly #places: Places
  readonly #schedulers: Schedulers | null
  readonly #longTurns: LongTurns | null
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
        given: (name, pid) => this.#schedulers?.tell('given', name, pid),
        freed: name => this.#schedulers?.tell('freed', name),
      },
      ended: pid => this.#schedulers?.ended(pid),
      ...uplink?.hooks,
      route: this.route,
      floats: options.floats,
      clock,
      makeSelf: (...given) => this.makeSelf(...given),
      reach: node => this.#nodes.reach(node),
      crashed: (pid, reason, error) => this.#crashed(pid, reason, error),
      logger: uplink
        ? uplink.logger
        : { wanted: () => this.events.listens('logger'), tell: event => void this.events.emit('logger', event) },
      failed: error => this.tellError(error),
    })
    this.spawner = new Spawner(this.processes, this.code, () => this.#places)
    this.remoteSpawn = new RemoteSpawn(this.processes, this.code, this.spawner)
    if (uplink) {
      this.peers = null
      this.#schedulers = null
      this.#longTurns = null
      this.#nodes = uplink.nodes
      this.#places = uplink.places
      return
    }
    const peers = new Peers({
      sendBufferLimit: options.sendBufferLimit ?? 2 ** 20,
      sendBufferMax: options.sendBufferMax ?? 512 * 2 ** 20,
      limits: options.limits,
      self: this.#self,
      clock,
      setupTime: options.netSetupTime ?? netSetupTime,
      events: this.events,
      autoConnect: options.distAutoConnect ?? true,
      allowed: parts.allowed,
      dial: (node, signal) => dialNode(parts, node, signal, localEnd(parts)),
      deliver: (signal, connection) => this.#deliver(signal, connection),
      lost: (node, done) => {
        this.#schedulers?.nodeLost(node)
        this.processes.lost(node, done)
      },
      tellError: error => this.tellError(error),
    })
    this.peers = this.#nodes = peers
    const longSchedule = options.longSchedule ?? 500
    this.#longTurns = longSchedule > 0 ? new LongTurns(longSchedule, (pid, ms) => this.#onLongTurn(pid, ms)) : null
    this.processes.scheduler.watch = this.#longTurns?.began ?? null
    this.#schedulers = this.#places = new Schedulers({
      schedulers: schedulerDefaults(options.schedulers),
      longSchedule,
      entry,
      processes: this.processes,
      code: this.code,
      spawner: this.spawner,
      nodes: peers,
      clock,
      node: placeNode(parts),
      route: this.route,
      emit: (event, ...args) => this.events.emit(event, ...args),
      fault: (node, error) => peers.fault(node, error),
    })
    this.events.on('busy', name => this.#schedulers?.tell('busy', atom(name)))
    this.events.on('drain', name => this.#schedulers?.tell('drain', atom(name)))
    this.events.on('nodeup', (name, { hidden }) => this.#schedulers?.tell('nodeup', atom(name), hidden))
    this.events.on('nodedown', (name, { hidden, reason }) => this.#schedulers?.tell('nodedown', atom(name), reason, hidden))
  }

  /** @internal Starts the pool, when it was asked for. @throws PlaceError with why a scheduler did not start. */
  async startSchedulers(): Promise<void> {
    if (this.#parts.options.schedulers) await this.#schedulers?.start()
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
    return this.#parts.options.hidden ?? true
  }

  /** Seconds in which a silent peer is found dead */
  get netTickTime(): number {
    return this.#parts.options.netTickTime ?? 60
  }

  /** The port on which other nodes dial in; null when they cannot */
  get port(): number | null {
    return this.#parts.listener?.port ?? null
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
    this.#parts.cookies.set(atomOf(name).name, cookie, this.name)
  }

  /**
   * From now on only these, and those that were allowed before, may connect, as `net_kernel:allow/1`: nodes by their names, and for those that
   * dial in also hosts. Connections that are up stay. An empty list changes nothing: as long as nobody is named, everybody may.
   *
   * @throws NodeNameError NAME_FORMAT.
   */
  allow(entries: readonly string[]): void {
    this.#parts.allowed.add(entries)
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
   * @throws EtfError when the term cannot be sent; ProcessError ERR_NOT_REGISTERED for a local name that nobody has.
   */
  send(to: To, message: Sendable): boolean {
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
    return statsOf(this.processes, this.#nodes, this.#schedulers?.size ?? 0)
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

  /** @internal For the listener: a peer has told its name. */
  readonly incoming = {
    self: () => localEnd(this.#parts),
    status: (attempt: Attempt) => this.#main.status(attempt),
    connection: (connection: Connection): void => this.#main.accepted(connection),
    failed: (error: NodeError, { peer, remoteAddress, silent }: Attempt): void => {
      if (settled.has(error.code)) return
      // Who comes and goes without a word probes the port, or is a BEAM that found out in time that the other attempt goes on.
      if (error.code === 'DIST_CLOSED' && (silent || this.#main.knows(peer))) return
      this.events.emit('protocol', peer, { code: error.code, error, remoteAddress })
    },
  }

  #deliver(signal: Signal, connection: Connection): void {
    const { to } = signal
    // A peer that sends to a third node's process does what no node does; nobody here is harmed.
    if (('node' in to ? to.node : to) !== this.#self) return
    try {
      this.route(signal)
    } catch (error) {
      // Payloads are decoded where their receiver lives, so only here does a broken one show.
      if (!(error instanceof EtfError)) throw error
      connection.fault(error)
    }
  }

  /** Only main listens. */
  get #main(): Peers {
    return this.peers as Peers
  }

  #crashed(pid: Pid, reason: Term, error: unknown): void {
    if (this.uplink) this.uplink.crashed(pid, reason, error)
    else if (!this.events.emit('crash', pid, { reason, error }))
      console.error(`Error in process ${String(pid)} on node ${this.name}:`, error)
  }

  #onLongTurn(pid: Pid | null, timeout: number): void {
    const name = pid ? nameOf(this.processes, pid) : undefined
    this.events.emit('long_schedule', pid, { timeout, running: false, on: 'main', place: 0, name })
  }

  async #close(): Promise<void> {
    this.#longTurns?.close()
    if (!this.uplink) await this.#parts.listener?.close()
    await this.processes.close()
    await this.#places.close()
    await this.#nodes.close()
    if (!this.uplink) await this.#parts.epmd.close()
    this.#unhost()
  }
}
