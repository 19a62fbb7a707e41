/** The types of supervisor: the arguments of a child are those that its `start` takes. */
import type { StartName } from '../gen/server-name.js'
import type { Process } from '../../process/index.js'
import type { Pid, Sendable, Term } from '../../term/index.js'

declare const brand: unique symbol

/** A definition that `node.start` takes: `A` its arguments, `R` the reference that comes of it. */
export interface Startable<A extends unknown[], R> {
  readonly args: A
  readonly [brand]?: R
}

/** `restForOne`: those that started after it end and start again, too. `simpleOneForOne`: many of one kind. `dynamic`: as Elixir's DynamicSupervisor. */
export type Strategy = 'oneForOne' | 'oneForAll' | 'restForOne' | 'simpleOneForOne' | 'dynamic'
export type AutoShutdown = 'never' | 'anySignificant' | 'allSignificant'

/**
 * Starts a child; runs as the supervisor's process, which links to what it returns: a pid of any node, a reference, or as in Erlang `{ok, Pid}`,
 * `{ok, Pid, Info}`, `ignore`, `{error, Reason}`.
 */
export type ChildFunction = (this: any, ...args: any[]) => unknown

/** A function of a loaded module, which starts a child as a ChildFunction does. */
export interface ChildCode {
  readonly module: string
  readonly fun: string
  readonly args?: readonly Sendable[] | undefined
}

type ArgsOf<T> = T extends { readonly args: infer A extends unknown[] } ? A : T extends (...args: infer A) => any ? A : readonly Sendable[]

interface Common<T> {
  /** A string is an atom here: Erlang names the child so. */
  readonly id: string | Term
  readonly start: T
  /** The name that a behaviour's process is registered with */
  readonly name?: StartName | undefined
  /** Where a behaviour's process runs */
  readonly on?: 'main' | 'pool' | 'isolated' | undefined
  /** Default: 'permanent' */
  readonly restart?: 'permanent' | 'transient' | 'temporary' | undefined
  readonly significant?: boolean | undefined
  /** Milliseconds that it has to end. Default: 5000, 'infinity' for a supervisor */
  readonly shutdown?: number | 'infinity' | 'brutalKill' | undefined
  /** Default: what `start` is */
  readonly type?: 'worker' | 'supervisor' | undefined
  readonly modules?: readonly string[] | 'dynamic' | undefined
}

export type ChildSpec<T> = Common<T> & ([] extends ArgsOf<T> ? { readonly args?: ArgsOf<T> } : { readonly args: ArgsOf<T> })

export interface AnyChildSpec extends Common<any> {
  readonly args?: readonly unknown[] | undefined
}

export interface SupervisorFlags {
  /** Default: 'oneForOne' */
  readonly strategy?: Strategy | undefined
  /** More restarts than this within `period` end the supervisor. Default: 1 */
  readonly intensity?: number | undefined
  /** Seconds. Default: 5 */
  readonly period?: number | undefined
  /** Default: 'never' */
  readonly autoShutdown?: AutoShutdown | undefined
  /** `import.meta.url`: what lets it start elsewhere than on main */
  readonly module?: string | undefined
}

export interface SupervisorDefinition<S extends readonly unknown[]> extends SupervisorFlags {
  /** In the order in which they start. With `simpleOneForOne` exactly one, which all are made after; with `dynamic` none. */
  readonly children?: { readonly [K in keyof S]: ChildSpec<S[K]> } | undefined
}

export interface SupervisorInit extends SupervisorFlags {
  readonly children?: readonly AnyChildSpec[] | undefined
}

export interface ChildInfo {
  readonly id: Term
  /** Null: it does not run */
  readonly pid: Pid | 'restarting' | null
  readonly type: 'worker' | 'supervisor'
  readonly modules: readonly string[] | 'dynamic'
}

export interface ChildCounts {
  readonly specs: number
  readonly active: number
  readonly supervisors: number
  readonly workers: number
}

/** A way to a supervisor, wherever it runs: TypeScript's or Erlang's. */
export interface SupervisorRef {
  readonly pid: Pid
  with(options: {
    readonly timeout?: number | undefined
    readonly signal?: AbortSignal | undefined
    readonly self?: Process | undefined
  }): SupervisorRef
  /**
   * Starts a child: a specification, or for `simpleOneForOne` the arguments that are added. Null: its start said `ignore`.
   *
   * @throws SupervisorError with OTP's reason: `already_present`, `{already_started, Pid}`, that of the start …
   */
  startChild<T>(spec: ChildSpec<T>): Promise<Pid | null>
  startChild(args: readonly Sendable[]): Promise<Pid | null>
  /** @throws SupervisorError `running`, `restarting`, `not_found`, `simple_one_for_one`, or that of the start */
  restartChild(id: string | Term): Promise<Pid | null>
  /** @throws SupervisorError `not_found`, `simple_one_for_one` */
  terminateChild(id: string | Term): Promise<void>
  /** @throws SupervisorError `running`, `restarting`, `not_found`, `simple_one_for_one` */
  deleteChild(id: string | Term): Promise<void>
  whichChildren(): Promise<ChildInfo[]>
  countChildren(): Promise<ChildCounts>
}
