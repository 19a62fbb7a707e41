/** The whole node as users see it: the kernel, with OTP's services and calls plugged in. */
import { Kernel } from './node/kernel.js'
import { applicationBuiltins } from './otp/application/builtins.js'
import { changeApplications } from './otp/application/application-upgrade.js'
import { Applications } from './otp/application/applications.js'
import { serveBuiltins } from './otp/rpc/builtins.js'
import { codeBuiltins } from './otp/rpc/code-builtins.js'
import { open } from './node/open.js'
import type { NodeOptions as KernelOptions } from './node/options.js'
import type { Parts } from './node/parts.js'
import { onlyMain } from './node/places/parts.js'
import type { NodeSpawnOptions, Portable } from './node/spawner.js'
import { watched } from './observer/index.js'
import { abcast, type CallOptions, call, cast, multiCall, type MultiCall, receiveResponse, sendRequest } from './otp/gen/gen.js'
import type { Server } from './otp/gen/server-name.js'
import {
  type GenServer,
  type GlobalName,
  type ServerName,
  type StartName,
  type ViaName,
  type ServerRef,
  type StartArguments,
  type StartOptions,
  refOf,
} from './otp/gen/gen-server.js'
import { GenRunner } from './otp/gen/runner.js'
import type { From } from './otp/gen/server-types.js'
import { Global, ProcessGlobal } from './otp/global/global.js'
import { globalBuiltins } from './otp/global/builtins.js'
import { GlobalService } from './otp/global/service.js'
import { netBuiltins } from './otp/rpc/net-builtins.js'
import { nodeBuiltins } from './otp/rpc/node-builtins.js'
import { processBuiltins, ProcessInfo } from './otp/process-info/process-info.js'
import { MonitorNodes, type MonitorNodesOptions } from './otp/monitor-nodes.js'
import { Drain } from './otp/drain/drain.js'
import { checkDrainOptions, type Drained, type DrainOptions } from './otp/drain/options.js'
import { Pg, PgScopes, ProcessPg } from './otp/pg/pg.js'
import { ProcessGroups } from './otp/process-info/groups.js'
import { ProcessRpc, Rpc } from './otp/rpc/rpc.js'
import { releaseBuiltins } from './otp/release/agent.js'
import { ReleaseHandler } from './otp/release/release-handler.js'
import { eventRef } from './otp/gen/event-ref.js'
import type { EventHandlers, EventRef, GenEvent } from './otp/gen/event-types.js'
import { startBehaviour } from './otp/gen/start.js'
import { supervisorRef } from './otp/supervisor/supervisor.js'
import type { Startable, SupervisorRef } from './otp/supervisor/types.js'
import { Io } from './otp/io/io.js'
import { type Logger, logTo } from './otp/logger/logger.js'
import type { IoDevice } from './otp/io/server.js'
import { startServices } from './otp/services.js'
import {
  atomOf,
  type Body,
  ErlangError,
  type MakeSelf,
  Process,
  type Processes,
  type RemoteCode,
  type SpawnAtOptions,
} from './process/index.js'
import { type Atom, atom, type Pid, type Reference, type Sendable, type Term } from './term/index.js'

export interface NodeOptions extends KernelOptions {
  /** Where text goes that processes print (the group leader `user`): a function or a Writable. Default: standard output */
  readonly output?: IoDevice['output']
  /** What processes read whose group leader is `user`: a Readable, `process.stdin` say, or any async iterable of text. Default: nothing, `eof` */
  readonly input?: IoDevice['input']
  /** Takes the log events, as `node.on('logger', logTo(logger))`: pino, winston, console … Default: nobody does */
  readonly logger?: Logger | undefined
}

export type { GlobalName, ServerName, StartName, ViaName }

/** The program of a place, beside this file: TypeScript where this is. */
const placeProgram = new URL(import.meta.url.endsWith('.ts') ? './place.ts' : './place.js', import.meta.url)

/** Whose processes they are: here, and not in each of them. */
const nodes = new WeakMap<Processes, Node>()

/** A process of a Node: as `Process`, with the node's calls made from it. */
export class NodeProcess extends Process {
  get node(): Node {
    return nodes.get(this.host) as Node
  }

  /** Remote calls, made from this process */
  get rpc(): ProcessRpc {
    return new ProcessRpc(this, this.node)
  }

  /** @internal In a call's handler of a behaviour: who called. @throws ErlangError badarg anywhere else. */
  from<V = any>(): From<V> {
    if (this.runner instanceof GenRunner) return this.runner.from()
    throw new ErlangError(atom('badarg'))
  }

  /** Printing and reading, as Erlang's `io` does: by default on this process's group leader */
  get io(): Io {
    return new Io({ run: work => this.node.run(work), leader: () => this.groupLeader, self: this })
  }

  /** Process groups, and messages to this process when they change */
  get pg(): ProcessPg {
    return new ProcessPg(this.node.pgScopes, this)
  }

  /** Names that all nodes know, and locks of this process on several of them */
  get global(): ProcessGlobal {
    return new ProcessGlobal(this.node.globalService, this)
  }

  /**
   * `net_kernel:monitor_nodes/2`: from now on a message comes for each node that connects or is lost, `{nodeup | nodedown, Node}`, and with options, though
   * empty ones, `{nodeup | nodedown, Node, Info}`; `false` ends what was asked for with the same options. `nodeup` comes before, and `nodedown` after, all
   * else that comes over that connection.
   *
   * @throws ProcessError ERR_BADARG
   */
  monitorNodes(on: boolean, options?: MonitorNodesOptions): void {
    this.node.nodesMonitored.set(this, on, options)
  }

  /**
   * Starts a process with this one's group leader: an async function, or a function of a loaded module, which may run in another place. Its
   * pid is there at once, its code runs later.
   *
   * @throws as Node.spawn. Where only main knows that it cannot be (`system_limit`, a name that is taken, a function that is not there), and this
   * is another place, that is how the process exits.
   */
  override spawn(code: Body<this> | Portable, options: NodeSpawnOptions = {}): Pid {
    return super.spawn(code as Body<this>, options)
  }

  /** Spawns and links in one step. @throws as `spawn` */
  override spawnLink(code: Body<this> | Portable, options: NodeSpawnOptions = {}): Pid {
    return super.spawnLink(code as Body<this>, options)
  }

  /** Spawns and monitors in one step. @throws as `spawn` */
  override spawnMonitor(code: Body<this> | Portable, options: NodeSpawnOptions = {}): [pid: Pid, ref: Reference] {
    return super.spawnMonitor(code as Body<this>, options)
  }

  protected override startChild(code: Body<this> | Portable, options: NodeSpawnOptions): Pid {
    return this.node.spawner.spawn(code, options)
  }

  /**
   * Leaves this function for one of a module's current version, as a fully qualified call at the end of an Erlang function does: so a process that has
   * run for long moves to code that was loaded meanwhile. `return self.tailCall({ module: 'calc', fun: 'loop', args: [state] })`; the arguments are
   * passed as they are.
   *
   * @throws ErlangError `undef` when there is no such function now.
   */
  tailCall({
    module,
    fun,
    args = [],
  }: {
    readonly module: string | Atom
    readonly fun: string | Atom
    readonly args?: readonly unknown[]
  }): unknown {
    return this.node.code.goOn(this, atomOf(module), atomOf(fun), args)
  }

  /** Calls a gen_server: see Node.call. */
  call(to: Server, request: Sendable, options?: CallOptions): Promise<Term> {
    return call(this, to, request, options)
  }

  /** Casts to a gen_server: see Node.cast. */
  cast(to: Server, request: Sendable): void {
    cast(this, to, request)
  }

  /** Sends a request to a gen_server and returns at once: `receiveResponse` waits for its reply. @throws as `call` does when it cannot be sent */
  sendRequest(to: Server, request: Sendable): Reference {
    return sendRequest(this, to, request)
  }

  /** The reply to a request that `sendRequest` sent, at any later time. @throws as `call` does */
  receiveResponse(request: Reference, options?: CallOptions): Promise<Term> {
    return receiveResponse(this, request, options)
  }

  /** Calls the servers of one name on several nodes: see Node.multiCall. */
  multiCall(nodes: readonly (string | Atom)[], name: string | Atom, request: Sendable, options?: CallOptions): Promise<MultiCall> {
    return multiCall(this, nodes, name, request, options)
  }

  /** Casts to the servers of one name on several nodes: see Node.abcast. */
  abcast(nodes: readonly (string | Atom)[], name: string | Atom, request: Sendable): void {
    abcast(this, nodes, name, request)
  }

  /** Starts a server with this process's group leader: see Node.start. */
  start<A extends unknown[], S, C, K>(
    definition: GenServer<A, S, C, K>,
    ...options: StartArguments<A>
  ): Promise<ServerRef<GenServer<A, S, C, K>>>
  start<A extends unknown[], R>(definition: Startable<A, R>, ...options: StartArguments<A>): Promise<R>
  start(definition: Startable<any, unknown>, ...options: [StartOptions<unknown[]>?]): Promise<any> {
    return startBehaviour(this.node, definition, options[0], undefined, this.groupLeader)
  }

  /** Starts a server that is linked to this process: as `start`, and each ends with the other's crash. */
  startLink<A extends unknown[], S, C, K>(
    definition: GenServer<A, S, C, K>,
    ...options: StartArguments<A>
  ): Promise<ServerRef<GenServer<A, S, C, K>>>
  startLink<A extends unknown[], R>(definition: Startable<A, R>, ...options: StartArguments<A>): Promise<R>
  startLink(definition: Startable<any, unknown>, ...options: [StartOptions<unknown[]>?]): Promise<any> {
    return startBehaviour(this.node, definition, options[0], this)
  }

  /** A typed reference to a server, whose calls come from this process. */
  ref<D extends GenServer<any, any, any, any>>(to: ServerName): ServerRef<D> {
    return refOf<D>(this.node, to, { self: this })
  }
}

declare module './otp/gen/own-process.js' {
  interface OwnProcess extends NodeProcess {}
}

/**
 * A node of an Erlang cluster.
 *
 * @example
 * ```ts
 * import { any, atom, equals, isPid, match, Node, tuple } from 'beamlet'
 * import assert from 'node:assert/strict'
 *
 * await using node = await Node.start({ name: 'docs@127.0.0.1', cookie: 'secret' })
 * const echo = node.spawn(async self => {
 *   const [from, text] = (await self.receive(match([isPid, any]))).elements
 *   self.send(from, tuple(atom('echo'), text))
 * })
 * await node.run(async self => {
 *   self.send(echo, tuple(self.pid, 'hello'))
 *   assert.ok(equals(await self.receive(), tuple(atom('echo'), Buffer.from('hello'))))
 * })
 * ```
 */
export class Node extends Kernel<NodeProcess> {
  /** Calls of functions on other nodes, or this one */
  readonly rpc: Rpc = new Rpc(this)
  /** Printing and reading, as Erlang's `io` does: by default where the node prints */
  readonly io: Io = new Io({ run: work => this.run(work), leader: () => this.processes.init.groupLeader })
  /** Code of several nodes, changed one after the other, all or none: OTP's `release_handler` */
  readonly releaseHandler: ReleaseHandler = new ReleaseHandler(work => this.run(work))
  /** @internal */
  readonly pgScopes: PgScopes
  /** @internal */
  readonly nodesMonitored: MonitorNodes
  /** Process groups: OTP's `pg`, in its default scope */
  readonly pg: Pg
  /** @internal */
  readonly globalService: GlobalService
  /** Names that all nodes know, and locks on several of them: OTP's `global` */
  readonly global: Global
  /** Null elsewhere than in main */
  readonly #applications: Applications | null
  readonly #drain: Drain
  #drained: Promise<Drained> | null = null
  #toldToClose = (): void => {}
  #closed: Promise<void> | null = null

  /**
   * Starts a node: it listens, registers at EPMD and serves what other nodes expect of one.
   *
   * @throws NodeError with a code and a sentence that says what to do: NAME_…, COOKIE_…, EPMD_NAME_TAKEN and other EPMD_…, NET_LISTEN.
   */
  static async start(options: NodeOptions): Promise<Node> {
    const node = await open(options, parts => new Node(parts))
    try {
      await node.main?.start()
    } catch (error) {
      await node.close()
      throw error
    }
    return node
  }

  /** @internal Use `Node.start`. */
  constructor(parts: Parts) {
    super(parts, placeProgram)
    nodes.set(this.processes, this)
    const { output = (text: string) => void process.stdout.write(text), input, logger } = parts.options as NodeOptions
    if (logger) this.on('logger', logTo(logger))
    const upgrades = startServices(this, { output, input })
    this.nodesMonitored = new MonitorNodes(this)
    this.pgScopes = new PgScopes(this)
    this.pg = new Pg(this.pgScopes)
    this.globalService = new GlobalService(this)
    this.global = new Global(this.globalService, work => this.run(work))
    const info = new ProcessInfo(this)
    const groups = new ProcessGroups(this, info)
    this.#applications = this.uplink ? null : new Applications(this, groups)
    const looks = watched(this, info)
    this.#drain = new Drain({
      kernel: this,
      pgScopes: this.pgScopes,
      global: this.global,
      globalService: this.globalService,
      controller: this.#applications?.controller ?? null,
      run: work => this.run(work),
    })
    if (this.#applications) {
      const applications = this.#applications
      upgrades.changeApplications = (name, url) => changeApplications(applications, this.code, name, url)
      const own = [
        nodeBuiltins(this, this.pgScopes),
        netBuiltins(this),
        processBuiltins(this, info),
        codeBuiltins(this),
        releaseBuiltins(this),
      ]
      serveBuiltins(this, ...own, globalBuiltins(this.globalService), applicationBuiltins(this.#applications, groups), ...looks)
    }
  }

  /** OTP's applications: load, start and stop them, and ask about them. @throws NodeError ERR_ONLY_MAIN in another place */
  get applications(): Applications {
    return this.#applications ?? onlyMain('the applications')
  }

  /**
   * Closes the node so that nobody loses a call: its processes leave their groups (pg) and global names, what runs is let run to its end, applications
   * and servers end in order, then the node closes. What lasts longer than `timeout` is ended. Not to be confused with `drained`, which is
   * about what waits to be sent. docs/drain.md says what runs. A second call waits for the first.
   *
   * @throws ProcessError ERR_BADARG for an option that cannot be; NodeError ERR_ONLY_MAIN in another place
   */
  drain(options: DrainOptions = {}): Promise<Drained> {
    if (this.uplink) onlyMain('how to drain the node')
    checkDrainOptions(options)
    return (this.#drained ??= this.#drainAndClose(options))
  }

  async #drainAndClose(options: DrainOptions): Promise<Drained> {
    const closed = new Promise<Drained>(resolve => (this.#toldToClose = () => resolve({ ended: 0 })))
    const drained = this.#closed ? { ended: 0 } : await Promise.race([this.#drain.run(options), closed])
    await this.close()
    return drained
  }

  /** Stops its applications, the latest first, then closes: see Kernel.close. Idempotent. */
  override close(): Promise<void> {
    this.#toldToClose()
    return (this.#closed ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#drain.cancel()
    await this.#applications?.controller.close()
    await super.close()
  }

  /**
   * Calls a gen_server on any node, in TypeScript, Erlang or Elixir, from a fresh process that exits `normal` when the call settles.
   *
   * @throws ExitError with the server's exit reason (`noproc`, `noconnection` …); ProcessError ERR_TIMEOUT (default 5000 ms); the
   * signal's reason; EtfError when the request cannot be sent.
   */
  call(to: Server, request: Sendable, options?: CallOptions): Promise<Term> {
    return this.run(self => call(self, to, request, options))
  }

  /** Casts to a gen_server. A name that nobody has takes it in silence, as in OTP. */
  cast(to: Server, request: Sendable): void {
    cast(this.processes.init, to, request)
  }

  /**
   * `gen_server:multi_call/4`: calls the servers of one name on several nodes at once, and gathers the answers. `timeout` is for ever by default.
   *
   * @throws the signal's reason; EtfError when the request cannot be sent.
   */
  multiCall(nodes: readonly (string | Atom)[], name: string | Atom, request: Sendable, options?: CallOptions): Promise<MultiCall> {
    return this.run(self => multiCall(self, nodes, name, request, options))
  }

  /** `gen_server:abcast/3`: casts to the servers of one name on several nodes. */
  abcast(nodes: readonly (string | Atom)[], name: string | Atom, request: Sendable): void {
    abcast(this.processes.init, nodes, name, request)
  }

  /**
   * Starts a server and returns a typed reference to it once its `init` has returned.
   *
   * @throws ExitError with the reason that `init` stopped or crashed with; ProcessError ERR_NAME_TAKEN.
   */
  start<A extends unknown[], S, C, K>(
    definition: GenServer<A, S, C, K>,
    ...options: StartArguments<A>
  ): Promise<ServerRef<GenServer<A, S, C, K>>>
  start<A extends unknown[], R>(definition: Startable<A, R>, ...options: StartArguments<A>): Promise<R>
  start(definition: Startable<any, unknown>, ...options: [StartOptions<unknown[]>?]): Promise<any> {
    return startBehaviour(this, definition, options[0])
  }

  /** A typed reference to a server: `node.ref<typeof counter>({ name: 'counter', node: 'x@y' })`. */
  ref<D extends GenServer<any, any, any, any>>(to: ServerName): ServerRef<D> {
    return refOf<D>(this, to)
  }

  /** A way to a supervisor, TypeScript's or Erlang's, on any node. */
  supervisorRef(to: ServerName): SupervisorRef {
    return supervisorRef(this, to)
  }

  /** A way to an event manager, TypeScript's or Erlang's, on any node: `node.eventRef<typeof events>({ name: 'events', node: 'x@y' })`. */
  eventRef<D extends GenEvent<any> = GenEvent<EventHandlers>>(to: ServerName): EventRef<D['handlers']> {
    return eventRef(this, to)
  }

  /** Spawns a process on a node, for code that is no process: see Process.spawnAt. */
  spawnAt(node: string | Atom, code: RemoteCode, options?: SpawnAtOptions): Promise<Pid> {
    return this.run(self => self.spawnAt(node, code, options))
  }

  /** Does that process live? Asks its node when that is another. @throws RpcError when that node cannot be asked. */
  override async isAlive(pid: Pid): Promise<boolean> {
    if (pid.node.name === this.name) return super.isAlive(pid)
    return (await this.rpc.call(pid.node.name, 'erlang', 'is_process_alive', [pid])) === true
  }

  protected override makeSelf(...given: Parameters<MakeSelf>): NodeProcess {
    return new NodeProcess(...given)
  }

  /**
   * Runs `work` in a process of its own, at once, and gives back what it returns or throws. The process exits `normal` either way: for
   * code that is no process but needs one, to receive, link or monitor.
   */
  run<T>(work: (self: NodeProcess) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const body: Body = self => work(self as NodeProcess).then(resolve, reject)
      this.processes.runNow(body)
    })
  }
}
