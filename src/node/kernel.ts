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
import {
  atomOf,
  type Body,
  type Clock,
  type LocalProcess,
  Process,
  Processes,
  type SpawnOptions,
  systemClock,
  type To,
} from '../process/index.js'
import { type Atom, atom, hostNode, NodeError, type Pid, type Sendable, type Term } from '../term/index.js'
import { Code } from './code.js'
import { Events, type NodeEvents } from './events.js'
import { dialNode, localEnd, netSetupTime, type Parts } from './parts.js'
import { type NodesKind, Peers } from './peers.js'
import { RemoteSpawn } from './remote-spawn.js'
import { type NodeStats, statsOf } from './stats.js'

/** A function of a loaded module, called with these arguments: the one kind of process that any place can run. */
export interface Portable {
  readonly module: string | Atom
  readonly fun: string | Atom
  readonly args?: readonly Sendable[] | undefined
}

export interface NodeSpawnOptions extends SpawnOptions {
  /** 'main' (default): this thread */
  readonly on?: 'main' | 'pool' | 'isolated' | undefined
}

/**
 * Attempts that ended as they should: in favour of another connection, or because this node closes. A peer that closes its attempt while its
 * connection is up has found out about that one.
 */
const settled = new Set(['DIST_NOK', 'DIST_ALIVE', 'NET_ABORTED'])

export class Kernel<P extends Process = Process> {
  /** What other nodes can call and spawn here */
  readonly code = new Code<P>()
  /** @internal */
  readonly processes: Processes
  /** @internal */
  readonly peers: Peers
  /** @internal */
  readonly remoteSpawn: RemoteSpawn
  /** @internal */
  readonly events = new Events()
  readonly #parts: Parts
  readonly #self: Atom
  readonly #unhost: () => void
  #closing: Promise<void> | null = null

  /** @internal Use `Node.start`. */
  constructor(parts: Parts) {
    const { options } = parts
    const clock: Clock = options.clock ?? systemClock
    this.#parts = parts
    this.#self = atom(parts.name.full) as Atom
    this.#unhost = hostNode(this.#self)
    this.processes = new Processes({
      node: this.#self,
      creation: parts.creation,
      route: this.route,
      floats: options.floats,
      clock,
      makeSelf: (host, local) => this.makeSelf(host, local),
      reach: node => this.peers.reach(node),
      crashed: (pid, reason, error) => this.#crashed(pid, reason, error),
    })
    this.remoteSpawn = new RemoteSpawn(this.processes, this.code)
    this.peers = new Peers({
      sendBufferLimit: options.sendBufferLimit ?? 2 ** 20,
      sendBufferMax: options.sendBufferMax ?? 512 * 2 ** 20,
      self: this.#self,
      clock,
      setupTime: options.netSetupTime ?? netSetupTime,
      events: this.events,
      dial: (node, signal) => dialNode(parts, node, signal),
      deliver: (signal, connection) => this.#deliver(signal, connection),
      lost: (node, done) => this.processes.lost(node, done),
    })
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
    return this.#parts.cookie
  }

  get hidden(): boolean {
    return this.#parts.options.hidden ?? true
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
    await this.peers.connect(atomOf(name))
  }

  /** Ends the connection to a node, or the attempt at one. False: there was none. */
  disconnect(name: string | Atom): boolean {
    return this.peers.disconnect(atomOf(name))
  }

  /** The names of the nodes that are connected: by default the visible ones, as `nodes()` in Erlang. */
  nodes(kind: NodesKind = 'visible'): string[] {
    return this.peers.up(kind).map(({ peer }) => peer.name.name)
  }

  /** Resolves when a busy connection has room again, or is gone. */
  drained(name: string | Atom): Promise<void> {
    return this.peers.drained(atomOf(name))
  }

  /**
   * Starts a process: an async function, or a function of a loaded module. Its pid is there at once, its code runs later.
   *
   * @throws ProcessError ERR_NAME_TAKEN; NodeError ERR_NOT_PORTABLE for a closure elsewhere than on main, ERR_NO_PLACE.
   */
  spawn(code: Body<P> | Portable, options: NodeSpawnOptions = {}): Pid {
    if (options.on !== undefined && options.on !== 'main') {
      if (typeof code === 'function') {
        const remedy = 'spawn { module, fun, args } of a module loaded from a URL'
        throw new NodeError('ERR_NOT_PORTABLE', `A closure runs on main only, because it shares main's heap: ${remedy}.`)
      }
      throw new NodeError('ERR_NO_PLACE', `This node has no place '${options.on}': use 'main'.`)
    }
    return this.processes.spawn(typeof code === 'function' ? (code as Body) : this.#portable(code), options).pid
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
    return this.processes.registry.whereis(atomOf(name))?.pid
  }

  /** @throws ProcessError ERR_NAME_TAKEN, ERR_ALREADY_REGISTERED, ERR_NAME, ERR_NOPROC (ended, or not of this node) */
  async register(name: string | Atom, pid: Pid): Promise<void> {
    this.processes.register(atomOf(name), pid)
  }

  /** @throws ProcessError ERR_NOT_REGISTERED */
  async unregister(name: string | Atom): Promise<void> {
    this.processes.registry.unregister(atomOf(name))
  }

  /** Registered names on this node */
  registered(): string[] {
    return this.processes.registry.names().map(name => name.name)
  }

  /** Does a process of this node live? */
  async isAlive(pid: Pid): Promise<boolean> {
    return this.processes.table.find(pid) !== undefined
  }

  /** The sizes of all tables. What grows without end shows here. */
  stats(): NodeStats {
    return statsOf(this.processes, this.peers)
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
    if (node !== this.#self) return this.peers.send(node, signal)
    if (signal.op === 'spawnRequest') this.remoteSpawn.onRequest(signal)
    else this.processes.deliver(signal)
    return true
  }

  /** @internal What fails without a caller, and will be tried again. */
  tellError(error: NodeError): void {
    if (!this.events.emit('error', error)) console.error(`Node ${this.name}: ${error.message}`)
  }

  /** Makes the `self` of a new process. */
  protected makeSelf(host: Processes, local: LocalProcess): P {
    return new Process(host, local) as P
  }

  /** @internal For the listener: a peer has told its name. */
  readonly incoming = {
    self: () => localEnd(this.#parts),
    status: (attempt: Attempt) => this.peers.status(attempt.peer as string),
    connection: (connection: Connection): void => this.peers.accepted(connection),
    failed: (error: NodeError, { peer, remoteAddress }: Attempt): void => {
      if (settled.has(error.code) || (error.code === 'DIST_CLOSED' && this.peers.isUp(peer))) return
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

  #portable({ module, fun, args = [] }: Portable): Body {
    const terms = this.processes.copy(args) as Term[]
    return self => this.code.apply(self as P, atomOf(module), atomOf(fun), terms)
  }

  #crashed(pid: Pid, reason: Term, error: unknown): void {
    if (!this.events.emit('crash', pid, { reason, error })) console.error(`Error in process ${String(pid)} on node ${this.name}:`, error)
  }

  async #close(): Promise<void> {
    const { listener, epmd } = this.#parts
    await listener?.close()
    await this.processes.close()
    await this.peers.close()
    await epmd.close()
    this.#unhost()
  }
}
