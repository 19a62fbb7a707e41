/** The types of application: what starts it says what its other callbacks are given. */
import type { Atom, Pid, Received, Sendable, Term } from '../../term/index.js'
import type { OwnProcess } from '../gen/own-process.js'
import type { Startable } from '../supervisor/types.js'

declare const brand: unique symbol

/** What its end means for the node: see Applications.start. */
export type RestartType = 'permanent' | 'transient' | 'temporary'

/** OTP's others, takeover and failover, belong to distributed applications. */
export type StartType = 'normal'

/** Its configuration: a name is an atom in Erlang. */
export type Env = Readonly<Record<string, Sendable>>

/** The process at its top: a reference or a pid, or as in Erlang `{ok, Pid}`, `{ok, Pid, State}`, `{error, Reason}` */
export type Root = Pid | { readonly pid: Pid } | Term

/** What `start` returns: its top process, and a state for `prepStop` and `stop` when there is one. */
export type Started<S> = Root | { readonly supervisor: Pid | { readonly pid: Pid }; readonly state: S }

type MaybePromise<T> = T | Promise<T>

export interface ApplicationDefinition<E extends Env, S> {
  readonly name: string
  /** Default: '' */
  readonly vsn?: string | undefined
  /** Default: '' */
  readonly description?: string | undefined
  /** Those that must have been started before it: their names, or their definitions, which `ensureAllStarted` then starts */
  readonly applications?: readonly (string | Application<any>)[] | undefined
  /**
   * Applications that are part of it: their names, or their definitions, which are loaded with it. They are not started: its own supervisor starts what
   * theirs would, and their processes belong to it.
   */
  readonly includedApplications?: readonly (string | Application<any>)[] | undefined
  /** Names of modules that belong to it, for `application:get_application(Module)` */
  readonly modules?: readonly string[] | undefined
  /** Names that its processes register */
  readonly registered?: readonly string[] | undefined
  readonly env?: E | undefined
  /** `import.meta.url`: the Erlang module that its callbacks stand for, in reports. Default: its name */
  readonly module?: string | undefined
  /**
   * Starts it: a supervisor, or a function that runs in a process of its own, links to what it returns, and may be async. Without it, it is a
   * library: nothing runs.
   */
  readonly start?: Startable<[], any> | ((this: OwnProcess, type: StartType) => MaybePromise<Started<S>>) | undefined
  /** In their order, with their arguments: `startPhase` is called for each, when `start` has returned. */
  readonly startPhases?: Readonly<Record<string, Sendable>> | undefined
  /**
   * Its start phases are those of its included applications, too: `startPhase` of each that has the phase is called, the including one first. OTP's
   * `{mod, {application_starter, [Module, Args]}}`. Default: false
   */
  readonly applicationStarter?: boolean | undefined
  /** `undefined` or `ok`: go on; `{error, Reason}`: it does not start. */
  readonly startPhase?: ((this: OwnProcess, phase: string, type: StartType, args: Term) => unknown) | undefined
  /**
   * Its configuration has changed while it runs, by an upgrade or by `node.applications.configChange`: these entries have other values, these are new, and
   * these are gone. It runs in a process of its own. `undefined` or `ok`: all is well; `{error, Reason}`, or what it throws, is told to whoever made the change.
   */
  readonly configChange?:
    ((this: OwnProcess, changed: Record<string, Term>, added: Record<string, Term>, removed: readonly string[]) => unknown) | undefined
  /** Runs before its processes are told to end; what it returns is the state from then on, unless that is undefined. */
  readonly prepStop?: ((this: OwnProcess, state: S) => MaybePromise<S | void>) | undefined
  /** Runs when its processes have ended. */
  readonly stop?: ((this: OwnProcess, state: S) => unknown) | undefined
}

/** What `application` makes of a definition. */
export interface Application<E extends Env = Env> {
  readonly name: string
  readonly [brand]?: E
}

/** An entry of its configuration, as it is read */
export type EnvOf<E extends Env, K> = K extends keyof E ? Received<E[K]> : Term

/** `{Name, Description, Vsn}` */
export interface ApplicationInfo {
  readonly name: string
  readonly description: string
  readonly vsn: string
}

/** What `application:get_key/2` tells */
export type ApplicationKey =
  | 'description'
  | 'id'
  | 'vsn'
  | 'modules'
  | 'maxP'
  | 'maxT'
  | 'registered'
  | 'included_applications'
  | 'optional_applications'
  | 'applications'
  | 'env'
  | 'mod'
  | 'start_phases'

/** What the controller and the masters see of a definition */
export interface ApplicationCode {
  readonly name: Atom
  readonly module: Atom
  readonly definition: ApplicationDefinition<any, any>
}
