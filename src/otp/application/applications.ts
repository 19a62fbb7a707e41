/** A node's applications, in OTP's words. */
import { atomOf } from '../../process/index.js'
import type { Tuple } from '../../term/index.js'
import { type Atom, atom, equals, type Pid, type Sendable, type Term, text, tuple } from '../../term/index.js'
import { ApplicationError, codeOf } from './application.js'
import { type EnvBefore, envOf, tellConfigChange } from './config-change.js'
import { ApplicationController, type Controlled } from './controller.js'
import { namesOf } from './application-keys.js'
import { noSuchFile } from './loaded-applications.js'
import type { Application, ApplicationCode, ApplicationInfo, ApplicationKey, Env, EnvOf, RestartType, StartType } from './types.js'
import type { ProcessGroups } from '../process-info/groups.js'
import { ownApplications } from './own-applications.js'

/** An application's definition, or its name */
export type ApplicationName<E extends Env = Env> = string | Atom | Application<E>

export interface SetEnvOptions {
  /** It stays when the application is loaded anew. Default: false */
  readonly persistent?: boolean | undefined
}

export class Applications {
  /** @internal */
  readonly controller: ApplicationController
  readonly #node: Controlled
  readonly #groups: ProcessGroups

  /** @internal Use `node.applications`. */
  constructor(node: Controlled & { readonly netTickTime: number }, groups: ProcessGroups) {
    this.#node = node
    this.#groups = groups
    this.controller = new ApplicationController(node, groups)
    for (const code of ownApplications(node)) this.controller.addOwn(code)
  }

  /**
   * Loads an application, and those that it includes: their configuration and keys are there.
   *
   * @throws ApplicationError `{already_loaded, Name}`, or for the name of an included one that is not loaded; EtfError for an `env` that is none
   */
  load(app: Application<any>): void {
    const code = this.#codeOf(app)
    if (this.controller.loaded.get(code.name)) throw new ApplicationError(tuple(atom('already_loaded'), code.name))
    this.controller.loaded.load(code)
  }

  /** Unloads an application, and those that it includes. @throws ApplicationError `{running, Name}`, `{not_loaded, Name}` */
  unload(app: ApplicationName<any>): void {
    this.controller.unload(nameOf(app))
  }

  /**
   * Starts an application, and loads it before when that was not done. When it ends by itself, a `temporary` one (the default) is reported, and so is a
   * `transient` one that ends with `normal`; otherwise, and whenever a `permanent` one ends or does not start, the node closes: ERR_APPLICATION_DOWN is
   * told by an `error` event.
   *
   * @throws ApplicationError with OTP's reason: `{already_started, Name}`, `{not_started, Needed}`, that of its start; NodeError NODE_CLOSED.
   */
  async start(app: ApplicationName<any>, type: RestartType = 'temporary'): Promise<void> {
    await this.controller.start(this.#ensureLoaded(app), type)
  }

  /** As `start`; one that is started already is as it should be. */
  async ensureStarted(app: ApplicationName<any>, type: RestartType = 'temporary'): Promise<void> {
    try {
      await this.start(app, type)
    } catch (error) {
      if (!isAlreadyStarted(error, nameOf(app))) throw error
    }
  }

  /**
   * Starts applications, each after those that it depends on. Resolves to the names of those that were started, in order. When one does not start, those are
   * stopped again.
   *
   * @throws ApplicationError `{Name, Reason}`
   */
  async ensureAllStarted(apps: ApplicationName<any> | readonly ApplicationName<any>[], type: RestartType = 'temporary'): Promise<string[]> {
    const started: Atom[] = []
    try {
      for (const app of Array.isArray(apps) ? (apps as readonly ApplicationName[]) : [apps as ApplicationName])
        await this.#ensure(app, type, started, [])
    } catch (error) {
      for (const name of started.toReversed()) if (this.controller.isStarted(name)) await this.controller.stop(name)
      throw error
    }
    return started.map(({ name }) => name)
  }

  /** Ends an application's processes, the last started first. Resolves when all have ended. @throws ApplicationError `{not_started, Name}` */
  async stop(app: ApplicationName<any>): Promise<void> {
    await this.controller.stop(nameOf(app))
  }

  /** Those that run, the latest first: `kernel` and `stdlib` are always among them, as on a BEAM node. */
  whichApplications(): ApplicationInfo[] {
    return this.controller.which().map(infoOf)
  }

  loadedApplications(): ApplicationInfo[] {
    return this.controller.loaded.list().map(infoOf)
  }

  /** An entry of an application's configuration; undefined: there is none. */
  getEnv<const E extends Env, K extends keyof E & string>(app: Application<E>, key: K): EnvOf<E, K> | undefined
  getEnv(app: ApplicationName, key: string): Term | undefined
  getEnv(app: ApplicationName, key: string): Term | undefined {
    return this.controller.loaded.env(nameOf(app), key)
  }

  getAllEnv(app: ApplicationName<any>): Record<string, Term> {
    return Object.fromEntries(this.controller.loaded.allEnv(nameOf(app)))
  }

  /** Sets an entry, also of an application that is not loaded yet. @throws EtfError for what is no term; NodeError ERR_NOT_DISTRIBUTED for kernel's `distributed` */
  setEnv(app: ApplicationName<any>, key: string, value: Sendable, { persistent = false }: SetEnvOptions = {}): void {
    this.controller.loaded.setEnv(nameOf(app), key, value, persistent)
  }

  unsetEnv(app: ApplicationName<any>, key: string, { persistent = false }: SetEnvOptions = {}): void {
    this.controller.loaded.unsetEnv(nameOf(app), key, persistent)
  }

  /**
   * The configurations of the applications that run, for `configChange` when they have been changed: OTP's `application_controller:prep_config_change/0`.
   * An upgrade does all this by itself (docs/code.md).
   */
  prepConfigChange(): EnvBefore {
    return envOf(this.controller.running(), this.controller.loaded)
  }

  /**
   * Gives applications that are loaded other definitions: their version, keys and configuration change, and they go on as they run. Others are passed by.
   * It is OTP's `application_controller:change_application_data/2`, and tells nobody: `configChange` does.
   *
   * @param config of applications, by their names: stays when one is loaded anew, as what is set with `persistent`, and takes the place of that. Default:
   * what is persistent stays
   * @throws ApplicationError `{bad_application, _}`; EtfError; NodeError ERR_NOT_DISTRIBUTED. Then nothing has changed.
   */
  changeApplicationData(apps: readonly Application<any>[], config?: Readonly<Record<string, Env>>): void {
    this.controller.loaded.change(
      apps.map(app => this.#codeOf(app)),
      config,
    )
  }

  /**
   * Tells the applications that run, the latest first, what has changed in their configurations since: `configChange` of their definitions. OTP's
   * `application_controller:config_change/1`; `setEnv` alone tells nobody.
   *
   * @throws ApplicationError with the list of what went wrong, when all have been told
   */
  async configChange(before: EnvBefore): Promise<void> {
    const { controller } = this
    const errors = await tellConfigChange(this.#node, controller.running(), controller.loaded, before)
    if (errors.length > 0) throw new ApplicationError(errors, ' All others were told, and the configuration has changed.')
  }

  /** What the application says of itself, as Erlang's term; undefined: it is not loaded. */
  getKey(app: ApplicationName<any>, key: ApplicationKey): Term | undefined {
    return this.controller.loaded.key(nameOf(app), key)
  }

  /** How it is being started; `local` when it is not. An included application is started by the one that includes it. */
  startType(app: ApplicationName<any>): StartType | 'local' {
    return this.controller.startType(nameOf(app)).name
  }

  /** The application that a process of this node belongs to, by its group leader; or that a module belongs to. */
  async getApplication(of: Pid | string): Promise<string | undefined> {
    return (typeof of === 'string' ? this.controller.loaded.withModule(atomOf(of)) : await this.#ofProcess(of))?.name
  }

  async #ofProcess(pid: Pid): Promise<Atom | undefined> {
    const leader = await this.#groups.leaderOf(pid)
    return leader && this.controller.withMaster(leader)
  }

  #codeOf(app: Application<any>): ApplicationCode {
    const code = codeOf(app)
    if (code) return code
    throw new ApplicationError(tuple(atom('bad_application'), this.#node.processes.copy(String(app))), ' Give what application() returned.')
  }

  #ensureLoaded(app: ApplicationName<any>): Atom {
    const name = nameOf(app)
    if (this.controller.loaded.get(name)) return name
    if (!codeOf(app)) throw noSuchFile(name)
    this.load(app as Application)
    return name
  }

  async #ensure(app: ApplicationName<any>, type: RestartType, started: Atom[], path: readonly Atom[]): Promise<void> {
    const name = nameOf(app)
    if (this.controller.isRunning(name)) return
    try {
      if (path.includes(name)) throw new ApplicationError(tuple(atom('circular_dependency'), [...path, name]))
      const code = this.controller.loaded.get(this.#ensureLoaded(app)) as ApplicationCode
      const definitions = code.definition.applications ?? []
      for (const [index, needed] of namesOf(definitions).entries())
        await this.#ensure(definitions[index] ?? needed, type, started, [...path, name])
      await this.controller.start(name, type)
      started.push(name)
    } catch (error) {
      if (isAlreadyStarted(error, name)) return
      if (!(error instanceof ApplicationError) || error instanceof NotAllStarted) throw error
      throw new NotAllStarted(tuple(name, error.reason))
    }
  }
}

/** Which of them did not start is said. */
class NotAllStarted extends ApplicationError {}

function nameOf(app: ApplicationName<any>): Atom {
  return codeOf(app)?.name ?? atomOf(app as string | Atom)
}

const isAlreadyStarted = (error: unknown, name: Atom): boolean =>
  error instanceof ApplicationError && equals(error.reason, tuple(atom('already_started'), name))

const infoOf = (info: Term): ApplicationInfo => {
  const [name, description, vsn] = (info as Tuple<[Atom, Term, Term]>).elements
  return { name: name.name, description: text(description), vsn: text(vsn) }
}
