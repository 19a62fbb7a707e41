/**
 * `node.global` and `self.global`: OTP's `global`. A name is known on all visible nodes that are connected, and belongs to one process; a lock is
 * held by one requester on all nodes that were named.
 *
 * @example
 * ```ts
 * import { atom, Node, tuple } from 'beamlet'
 * import assert from 'node:assert/strict'
 *
 * await using node = await Node.start({ name: 'global-docs@127.0.0.1', cookie: 'secret' })
 * const clerk = node.spawn(async self => {
 *   for await (const _ of self);
 * })
 * assert.equal(await node.global.register('clerk', clerk), true)
 * assert.equal(node.global.whereis('clerk'), clerk)
 * assert.equal(await node.global.trans(tuple(atom('till'), clerk), () => 'alone'), 'alone')
 * ```
 */
import { atomOf, type Process, ProcessError } from '../../process/index.js'
import type { Tuple } from '../../term/index.js'
import { type Atom, atom, ExportFun, NodeError, Pid, type Sendable, type Term, tuple } from '../../term/index.js'
import { call, type CallOptions } from '../gen/gen.js'
import { delLock, serverName, setLock } from './lock-calls.js'
import { isLockId, type LockId } from './locks.js'
import { isNamed, namedMethod, type ResolveMethod } from './methods.js'
import type { GlobalService } from './service.js'

export interface RegisterOptions extends CallOptions {
  /**
   * Decides whose the name is when another partition joins that has given it, too. Default: 'randomExitName', and one of the two processes is
   * killed. A function runs on this node, for names of processes of this node; where it returns neither, nobody has the name, and where it throws,
   * the other process has it.
   */
  readonly resolve?: ResolveMethod | undefined
}

export interface LockOptions {
  /** Default: this node and all visible nodes */
  readonly nodes?: readonly (string | Atom)[] | undefined
  /** How often it is tried again when another has the lock. Default: for ever */
  readonly retries?: number | undefined
  /** Aborting it ends the attempts. */
  readonly signal?: AbortSignal | undefined
}

export interface SyncOptions extends CallOptions {
  /** Default: all visible nodes */
  readonly nodes?: readonly (string | Atom)[] | undefined
}

const never = (_term: unknown): _term is Term => false

type Run = <T>(work: (self: Process) => Promise<T>) => Promise<T>

/** Names and locks that are asked for in the node's own name: see each method. */
export class Global {
  protected readonly service: GlobalService
  protected readonly run: Run
  /** Holds the locks that are set in the node's name */
  #holder: Process | null = null

  /** @internal */
  constructor(service: GlobalService, run: Run) {
    this.service = service
    this.run = run
  }

  /**
   * `global:register_name/3`: on all nodes, or, when it is false, on none: somebody has the name, or the process has another. The process may be
   * of any node; when it ends, or its node is lost, nobody has the name.
   *
   * @param name any term; a string is a binary there
   * @throws ProcessError ERR_BADARG, ERR_TIMEOUT (default: none); NodeError ERR_NOT_PORTABLE for a function, elsewhere than in main; EtfError
   * for a name that is no term.
   */
  register(name: Sendable, pid: Pid, options: RegisterOptions = {}): Promise<boolean> {
    return this.#name('register', name, pid, options)
  }

  /** `global:re_register_name/3`: gives the name, on all nodes at once, whoever had it. @throws as `register` */
  async reRegister(name: Sendable, pid: Pid, options: RegisterOptions = {}): Promise<void> {
    await this.#name('re_register', name, pid, options)
  }

  /** `global:unregister_name/1`: from all nodes. @throws as `register` */
  async unregister(name: Sendable, options: CallOptions = {}): Promise<void> {
    await this.#ask(tuple(atom('registrar'), tuple(atom('unregister'), name)), options)
  }

  /** `global:whereis_name/1`, from what this node knows */
  whereis(name: Sendable): Pid | undefined {
    return this.service.whereis(this.service.processes.copy(name))
  }

  /** `global:registered_names/0` */
  registeredNames(): Term[] {
    return this.service.entries().map(([name]) => name)
  }

  /** `global:send/2`: to whoever has the name. @returns whom it was sent to @throws ProcessError ERR_NOT_REGISTERED; EtfError. */
  send(name: Sendable, message: Sendable): Pid {
    const pid = this.whereis(name)
    if (!pid) throw new ProcessError('ERR_NOT_REGISTERED', `No process is registered in global as ${JSON.stringify(String(name))}.`)
    this.sendTo(pid, message)
    return pid
  }

  /**
   * `global:set_lock/3`: a lock on a resource for a requester, {ResourceId, LockRequesterId}. It is held until `delLock`, or until this
   * node closes; from a process: until the process ends. One requester may set it several times, from several processes: each has to delete it.
   *
   * @returns false when another requester has it, after all retries
   * @throws ProcessError ERR_BADARG; the signal's reason.
   */
  setLock(id: Tuple<any>, options: LockOptions = {}): Promise<boolean> {
    return this.lock(this.holder(), id, options)
  }

  /** `global:del_lock/2`. What is not locked by whoever asks stays as it is. @throws ProcessError ERR_BADARG */
  async delLock(id: Tuple<any>, { nodes }: Pick<LockOptions, 'nodes'> = {}): Promise<void> {
    await delLock(this.holder(), this.#idOf(id), this.#nodes(nodes))
  }

  /**
   * `global:trans/4`: does work while the lock is set.
   *
   * @returns what `work` returns; the atom `aborted` when the lock is not to be had, after all retries
   * @throws what `work` throws; as `setLock`
   */
  trans<T>(id: Tuple<any>, work: () => T | Promise<T>, options: LockOptions = {}): Promise<T | Atom<'aborted'>> {
    return this.run(async self => {
      if (!(await this.lock(self, id, options))) return atom('aborted') as Atom<'aborted'>
      try {
        return await work()
      } finally {
        await delLock(self, this.#idOf(id), this.#nodes(options.nodes))
      }
    })
  }

  /** `global:sync/0`: resolves when the names of these nodes are known here. @throws ProcessError ERR_TIMEOUT (default: none); the signal's reason */
  async sync({ nodes, ...options }: SyncOptions = {}): Promise<void> {
    await this.#ask(tuple(atom('sync'), this.#nodes(nodes ?? this.service.kernel.nodes())), options)
  }

  /**
   * `global:disconnect/0`: disconnects from all visible nodes, in such a way that these stay connected with each other.
   *
   * @returns their names
   */
  async disconnect(options: CallOptions = {}): Promise<string[]> {
    return ((await this.#ask(atom('disconnect'), options)) as readonly Atom[]).map(({ name }) => name)
  }

  /** Who holds the locks */
  protected holder(): Process {
    // What comes to it are answers, which its calls take.
    return (this.#holder ??= this.service.processes.spawn(async self => void (await self.receive(never))))
  }

  protected sendTo(pid: Pid, message: Sendable): void {
    const { processes } = this.service
    processes.send(processes.init, pid, message)
  }

  protected async lock(self: Process, id: Tuple<any>, { nodes, retries = Infinity, signal }: LockOptions): Promise<boolean> {
    return setLock(self, this.service.server?.locks ?? null, this.#idOf(id), this.#nodes(nodes), retries, { signal })
  }

  async #name(how: 'register' | 're_register', name: Sendable, pid: Pid, { resolve, ...options }: RegisterOptions): Promise<boolean> {
    if (!(pid instanceof Pid)) throw new ProcessError('ERR_BADARG', 'A global name is given to a pid.')
    const method = this.#methodOf(resolve ?? 'randomExitName')
    try {
      const answer = await this.#ask(tuple(atom('registrar'), tuple(atom(how), name, pid, method)), options)
      return answer === atom('yes')
    } finally {
      this.service.methods.released(method)
    }
  }

  #methodOf(resolve: ResolveMethod): ExportFun {
    if (resolve instanceof ExportFun) return resolve
    if (isNamed(resolve)) return namedMethod(resolve)
    if (typeof resolve !== 'function')
      throw new ProcessError(
        'ERR_BADARG',
        "A name's resolve is 'randomExitName', 'randomNotifyName', 'notifyAllName', a function or an ExportFun.",
      )
    if (this.service.server) return this.service.methods.keep(resolve)
    const remedy = 'name one of the three methods, or give an ExportFun of a loaded module'
    throw new NodeError('ERR_NOT_PORTABLE', `A function that resolves conflicts of names runs in main: ${remedy}.`)
  }

  #ask(request: Sendable, options: CallOptions): Promise<Term> {
    return this.run(self => call(self, serverName, request, { timeout: Infinity, ...options }))
  }

  #idOf(id: unknown): LockId {
    if (isLockId(id)) return this.service.processes.copy(id) as LockId
    throw new ProcessError('ERR_BADARG', 'A lock is tuple(resource, requester).')
  }

  #nodes(nodes?: readonly (string | Atom)[]): Atom[] {
    const { kernel } = this.service
    return (nodes ?? [kernel.name, ...kernel.nodes()]).map(node => atomOf(node))
  }
}

/** `self.global`: as `node.global`. Locks belong to this process, and end with it. */
export class ProcessGlobal extends Global {
  readonly #self: Process

  /** @internal */
  constructor(service: GlobalService, self: Process) {
    super(service, work => work(self))
    this.#self = self
  }

  protected override holder(): Process {
    return this.#self
  }

  protected override sendTo(pid: Pid, message: Sendable): void {
    this.#self.send(pid, message)
  }
}
