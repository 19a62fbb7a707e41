/**
 * The controller of applications: which run, in which order they start and stop, and what their ends mean for the node. What it answers to messages:
 * controller-server.ts.
 *
 * Source: application_controller.erl (check_start_cond, handle_application_started, stop_appl, handle_info, terminate).
 */
import { type Process, ProcessError } from '../../process/index.js'
import type { Pid } from '../../term/index.js'
import { type Atom, atom, equals, format, match, any, NodeError, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'
import { ApplicationError } from './application.js'
import { namesOf } from './application-keys.js'
import { controllerServer } from './controller-server.js'
import { startMaster } from './master.js'
import { reportExited, reportStarted } from './reports.js'
import type { ApplicationCode, RestartType, StartType } from './types.js'
import { LoadedApplications } from './loaded-applications.js'
import { askMaster } from './master-call.js'
import type { ProcessGroups } from '../process-info/groups.js'
import type { Starting } from '../gen/start.js'

/** Null: it is a library, which has no processes */
type Master = Pid | null

const undef = atom('undefined')
const killed = atom('killed')
export const restartTypes: readonly string[] = ['permanent', 'transient', 'temporary'] satisfies RestartType[]

export interface Controlled extends Starting {
  tellError(error: NodeError): void
  close(): Promise<void>
}

export class ApplicationController {
  readonly loaded: LoadedApplications
  readonly #node: Controlled
  readonly #groups: ProcessGroups
  readonly #self: Process
  /** In the order of their starts */
  readonly #running = new Map<Atom, Master>()
  /** Also those of applications that are starting, or stopping */
  readonly #masters = new Map<Atom, Pid>()
  /** Also those that have ended by themselves */
  readonly #started = new Map<Atom, RestartType>()
  readonly #starting = new Map<Atom, { readonly type: RestartType; readonly done: Promise<void> }>()
  /** Those that are part of the node, and stay */
  readonly #own = new Set<Atom>()
  readonly #stopping = new Map<Atom, Promise<void>>()
  #closing: Promise<number> | null = null

  constructor(node: Controlled, groups: ProcessGroups) {
    this.#node = node
    this.#groups = groups
    const { processes } = node
    this.loaded = new LoadedApplications(processes)
    const definition = controllerServer({
      which: () => this.which(),
      info: () => this.info(),
      startType: name => this.startType(name),
      ended: (pid, why) => this.#onExit(pid, why),
    })
    const life = { args: [], parent: null, started: () => {}, failed: () => {} }
    this.#self = processes.start(self => definition.runner(self, life), { name: 'application_controller' })
    const ended = (): void => {
      if (!this.#closing) this.#takeDown(killed, 'The process application_controller was ended')
    }
    this.#self.signal.addEventListener('abort', ended, { once: true })
  }

  /** Library applications that are part of the node */
  addOwn(code: ApplicationCode): void {
    this.loaded.load(code)
    this.#own.add(code.name)
    this.#running.set(code.name, null)
    this.#started.set(code.name, 'permanent')
  }

  get pid(): Pid {
    return this.#self.pid
  }

  isRunning(name: Atom): boolean {
    return this.#running.has(name)
  }

  /** The latest first */
  running(): Atom[] {
    return [...this.#running.keys()].toReversed()
  }

  isStarted(name: Atom): boolean {
    return this.#started.has(name)
  }

  /** `[{Name, Description, Vsn}]`, the latest first */
  which(): Term[] {
    return this.running().map(name => this.loaded.describe(name))
  }

  master(name: Atom): Pid | undefined {
    return this.#masters.get(name)
  }

  /** Whose master that is */
  withMaster(leader: Pid): Atom | undefined {
    return [...this.#masters].find(([, master]) => equals(master, leader))?.[0]
  }

  /** @throws ApplicationError `{running, Name}` also of an included one that somebody has started by itself, `{not_loaded, Name}` */
  unload(name: Atom): void {
    const running = this.loaded.included(name).find(each => this.#running.has(each))
    if (running) throw new ApplicationError(tuple(atom('running'), running), ' Stop it first.')
    if (!this.loaded.get(name)) throw notLoaded(name)
    this.loaded.unload(name)
  }

  /** Resolves when it is started. Whoever starts it meanwhile waits for the same. @throws ApplicationError; NodeError NODE_CLOSED */
  async start(name: Atom, type: RestartType): Promise<void> {
    await this.#stopping.get(name)
    const before = this.#starting.get(name)
    if (before) return before.done
    const code = this.#check(name, type)
    const done = this.#start(code, type)
    this.#starting.set(name, { type, done })
    try {
      await done
    } finally {
      this.#starting.delete(name)
    }
  }

  #check(name: Atom, type: RestartType): ApplicationCode {
    if (!this.#self.local.alive || this.#closing)
      throw new NodeError('NODE_CLOSED', 'This node closes, and starts no application any more.')
    if (!restartTypes.includes(type)) throw new ApplicationError(tuple(atom('invalid_restart_type'), atom(type)))
    const code = this.loaded.get(name)
    if (!code) throw notLoaded(name)
    if (this.#running.has(name)) throw new ApplicationError(tuple(atom('already_started'), name))
    const needs = (has: ReadonlyMap<Atom, unknown>, what: string): void => {
      const missing = namesOf(code.definition.applications).find(needed => !has.has(needed))
      if (missing) throw new ApplicationError(tuple(atom(what), missing), ' Start it first, or use ensureAllStarted.')
    }
    needs(this.#started, 'not_started')
    needs(this.#running, 'not_running')
    return code
  }

  async #start(code: ApplicationCode, type: RestartType): Promise<void> {
    const { name } = code
    const started = (master: Master): void => {
      this.#running.set(name, master)
      this.#started.set(name, type)
      reportStarted(this.#self, name)
    }
    if (code.definition.start === undefined) return started(null)
    const why = await startMaster({
      node: this.#node,
      controller: this.#self,
      code,
      loaded: this.loaded,
      spawned: master => this.#masters.set(name, master),
      started,
      groups: this.#groups,
    })
    if (why === null) return
    this.#masters.delete(name)
    if (this.#closing) throw new ApplicationError(why)
    reportExited(this.#self, name, why, type)
    const [first] = why instanceof Tuple ? (why.elements as readonly Term[]) : []
    const endedWell = type === 'transient' && first instanceof Tuple && equals(first, tuple(atom('EXIT'), atom('normal')))
    if (type !== 'temporary' && !endedWell)
      this.#takeDown(tuple(atom('application_start_failure'), name, why), `The ${type} application '${name.name}' did not start`)
    throw new ApplicationError(why)
  }

  /** Resolves when all its processes have ended. @throws ApplicationError `{not_started, Name}` */
  async stop(name: Atom): Promise<void> {
    await this.#stopping.get(name)
    const type = this.#started.get(name)
    if (!type) throw new ApplicationError(tuple(atom('not_started'), name))
    if (this.#own.has(name)) throw new ApplicationError(atom('not_allowed'), ' It is part of the node: close that.')
    const done = this.#stop(name, type)
    this.#stopping.set(name, done)
    try {
      await done
    } finally {
      this.#stopping.delete(name)
    }
  }

  async #stop(name: Atom, type: RestartType): Promise<void> {
    const master = this.#running.get(name)
    if (master) {
      this.#self.unlink(master)
      await this.#node.run(self => askMaster(self, master, 'stop'))
    }
    if (this.#running.has(name)) reportExited(this.#self, name, atom('stopped'), type)
    this.#running.delete(name)
    this.#started.delete(name)
    this.#masters.delete(name)
  }

  /**
   * Ends all, the latest first. Idempotent.
   *
   * @param deadline by the node's clock: what lives on then is killed
   * @returns how many were killed
   */
  close(deadline = Infinity): Promise<number> {
    return (this.#closing ??= this.#close(deadline))
  }

  async #close(deadline: number): Promise<number> {
    const configured = this.loaded.env(atom('kernel') as Atom, 'shutdown_timeout')
    let killed = 0
    for (const [name, master] of [...this.#running].toReversed()) {
      const left = Math.max(0, deadline - this.#node.processes.clock.now())
      if (master) killed += await this.#shutDown(master, Math.min(typeof configured === 'number' ? configured : Infinity, left))
      this.#running.delete(name)
    }
    return killed
  }

  #shutDown(master: Pid, timeout: number): Promise<number> {
    return this.#node.run(async self => {
      const ref = self.monitor(master)
      const isDown = match([any, ref, any, any, any])
      this.#self.unlink(master)
      this.#self.exit(master, atom('shutdown'))
      try {
        await self.receive(isDown, { timeout })
        return 0
      } catch (error) {
        if (!(error instanceof ProcessError && error.code === 'ERR_TIMEOUT')) throw error
        self.exit(master, atom('kill'))
        await self.receive(isDown)
        await this.#groups.end(master)
        return 1
      }
    })
  }

  /** A master has ended that was not told to. */
  #onExit(master: Pid, why: Term): void {
    const name = this.withMaster(master)
    if (!name || !this.#running.has(name) || this.#closing || this.#stopping.has(name)) return
    this.#running.delete(name)
    this.#masters.delete(name)
    const type = this.#started.get(name) as RestartType
    reportExited(this.#self, name, why, type)
    if (type === 'temporary' || (type === 'transient' && why === atom('normal'))) return
    this.#takeDown(tuple(atom('application_terminated'), name, why), `The ${type} application '${name.name}' has ended`)
  }

  /** The node goes, as a BEAM does: its controller ends. */
  #takeDown(why: Term, what: string): void {
    this.#node.tellError(new NodeError('ERR_APPLICATION_DOWN', `${what}, so this node closes: ${format(why)}.`))
    void this.#node.close().catch((cause: unknown) => {
      this.#node.tellError(new NodeError('ERR_APPLICATION_DOWN', 'This node did not close as it should.', { cause }))
    })
  }

  /** `application:info/0` */
  info(): Sendable {
    const pair = (key: string, value: Sendable): Sendable => tuple(atom(key), value)
    const latest = <V>(map: ReadonlyMap<Atom, V>): [Atom, V][] => [...map].toReversed()
    return [
      pair('loaded', this.loaded.list()),
      pair('loading', []),
      pair(
        'started',
        latest(this.#started).map(([name, type]) => tuple(name, atom(type))),
      ),
      pair('start_p_false', []),
      pair(
        'running',
        latest(this.#running).map(([name, master]) => tuple(name, master ?? undef)),
      ),
      pair(
        'starting',
        latest(this.#starting).map(([name, { type }]) => tuple(name, atom(type), atom('normal'), undef)),
      ),
    ]
  }

  /** `normal` while it starts */
  startType(name: Term): Atom<StartType | 'local'> {
    return atom(this.#starting.has(name as Atom) ? 'normal' : 'local')
  }
}

const notLoaded = (name: Atom): ApplicationError => new ApplicationError(tuple(atom('not_loaded'), name), ' Load its definition first.')
