/** The types of genServer: handlers are inferred from their table, and what cannot arrive does not compile. */
import type { StartName } from './server-name.js'
import type { Process } from '../../process/index.js'
import type { Pid, Received, Sendable, Sent, Term } from '../../term/index.js'
import type { Persist } from './persist-types.js'
import type { OwnProcess } from './own-process.js'

declare const brand: unique symbol
type MaybePromise<T> = T | Promise<T>

/** Who called, for a reply that comes later. */
export interface From<V = any> {
  reply(value: V): void
  readonly [brand]?: V
}

/** `self` in a server's handlers. */
export interface ServerProcess extends OwnProcess {
  /** The caller of the call that is being handled, for `noreply` and a later `from.reply(value)`. */
  from<V = any>(): From<V>
}

/** What follows a handler: OTP's fourth element of `{reply, …}`. */
export interface Next {
  /** Milliseconds: when no message comes in that time, the message `timeout` does. */
  readonly timeout?: number | undefined
  /** `handleContinue` is called with it, before any message is taken. */
  readonly continue?: Sendable | undefined
  /** Accepted as OTP has it; a process of ours that waits costs no more without it. */
  readonly hibernate?: boolean | undefined
}

export class Reply<V, S> {
  declare readonly [brand]: 'reply'
  readonly value: V
  readonly state: S
  readonly next: Next | undefined

  constructor(value: V, state: S, next?: Next) {
    this.value = value
    this.state = state
    this.next = next
  }
}

export class NoReply<S, V = never> {
  declare readonly [brand]: 'noreply'
  declare readonly value: V
  readonly state: S
  readonly next: Next | undefined

  constructor(state: S, next?: Next) {
    this.state = state
    this.next = next
  }
}

export class Stop<S, V = never> {
  declare readonly [brand]: 'stop'
  declare readonly value: V
  readonly reason: Term
  readonly state: S
  /** The caller's reply, when there is one */
  readonly reply: readonly [V] | []

  constructor(reason: Term, state: S, reply: readonly [V] | []) {
    this.reason = reason
    this.state = state
    this.reply = reply
  }
}

export interface InitStop {
  readonly [brand]: 'init stop'
}

class Ignore {
  declare readonly [brand]: 'init stop'
}

/** From init: there shall be no such process, and that is no fault. Whoever starts it gets ERR_IGNORE, a supervisor keeps the child without a pid. */
export const ignore: InitStop = new Ignore()

/** `{reply, Value, State}`; with `next`, `{reply, Value, State, Timeout | {continue, Term} | hibernate}` */
export const reply = <V, S>(value: V, state: S, next?: Next): Reply<V, S> => new Reply(value, state, next)

/**
 * `{noreply, State}`: the caller is answered later, through `from.reply(value)`. With `next`, `{noreply, State, Timeout | {continue, Term} |
 * hibernate}`, and from init `{ok, State, …}`.
 */
export function noreply<S, V = never>(state: S, from?: From<V>, next?: Next): NoReply<S, V>
export function noreply<S>(state: S, next: Next): NoReply<S>
export function noreply(state: unknown, from?: From | Next, next?: Next): unknown {
  return new NoReply(state, next ?? (from && 'reply' in from ? undefined : from))
}

/** `{stop, Reason}` from init, `{stop, Reason, State}`, `{stop, Reason, Reply, State}`. */
export function stop(reason: Term): InitStop
export function stop<S>(reason: Term, state: S): Stop<S>
export function stop<S, V>(reason: Term, state: S, reply: V): Stop<S, V>
export function stop(...[reason, state, ...value]: [Term, unknown?, unknown?]): unknown {
  return new Stop(reason, state, value as [] | [unknown])
}

export type CallOut<S> = MaybePromise<Reply<any, S> | NoReply<S, any> | Stop<S, any>>
export type CastOut<S> = MaybePromise<S | NoReply<S, any> | Stop<S, any>>
type Calls<S> = Record<string, (this: ServerProcess, state: S, ...args: any[]) => CallOut<S>>
type Casts<S> = Record<string, (this: ServerProcess, state: S, ...args: any[]) => CastOut<S>>

/** Refuses a handler that declares what cannot arrive. */
type Arrives<C> = {
  [N in keyof C]: C[N] extends (s: any, ...a: infer A) => any
    ? Received<A> extends A
      ? unknown
      : 'a string arrives as a Buffer, an object as a Map'
    : unknown
}

export interface GenServerDefinition<A extends unknown[], S, C, K> {
  /** `import.meta.url`: what lets the server start elsewhere than on main */
  readonly module?: string
  readonly init: (this: ServerProcess, ...args: A) => MaybePromise<S | InitStop | NoReply<S, any>>
  /** `{add, 5}` calls `add(state, 5)`; the atom `get` calls `get(state)` */
  readonly call?: C & Calls<NoInfer<S>> & Arrives<NoInfer<C>>
  readonly cast?: K & Casts<NoInfer<S>> & Arrives<NoInfer<K>>
  /** Every other message. Without it, and without `handleInfo`, such a message is dropped with a warning to the logger. */
  readonly info?: (this: ServerProcess, state: S, message: Term) => CastOut<S>
  /** A call that no entry of `call` takes. Without it such a call ends the server, as in OTP. */
  readonly handleCall?: (this: ServerProcess, request: Term, from: From, state: S) => CallOut<S>
  readonly handleCast?: (this: ServerProcess, request: Term, state: S) => CastOut<S>
  readonly handleInfo?: (this: ServerProcess, message: Term, state: S) => CastOut<S>
  /** What a handler said to `continue` with, before any message is taken */
  readonly handleContinue?: (this: ServerProcess, what: Term, state: S) => CastOut<S>
  /** Runs at the end, whatever the reason, unless the process is killed or is ended by a link while it does not trap exits. */
  readonly terminate?: (this: ServerProcess, reason: Term, state: S) => unknown
  /** `sys:change_code`: the state for the new code. What it throws refuses the change. */
  readonly codeChange?: (oldVsn: Term, state: S, extra: Term) => MaybePromise<S>
  /** Keeps the state in a table, from which the server starts again after a crash or a restart of the node: docs/otp.md. */
  readonly persist?: Persist<NoInfer<A>, NoInfer<S>>
  /** What `sys:get_status` and the report of an unusual end show: gives back what shall be shown otherwise. */
  readonly formatStatus?: (this: ServerProcess, status: ServerStatus) => Partial<ServerStatus>
}

/** What there is to show of a server. `reason` and `message` are there when it ends. */
export interface ServerStatus {
  readonly state: Sendable
  readonly log: Sendable
  readonly message?: Sendable
  readonly reason?: Sendable
}

/** A server's definition, and the types that its references have. */
export interface GenServer<A extends unknown[], S, C, K> {
  readonly args: A
  readonly state: S
  readonly calls: C
  readonly casts: K
}

export type Args<F> = F extends (s: any, ...a: infer A) => any ? { [K in keyof A]: Sent<A[K]> } : never

export type Value<F> = F extends (...a: any[]) => infer R
  ? Awaited<R> extends infer O
    ? O extends Reply<infer V, any>
      ? Received<V>
      : O extends NoReply<any, infer V>
        ? Received<V>
        : O extends Stop<any, infer V>
          ? Received<V>
          : never
    : never
  : never

export interface RefOptions {
  /** Milliseconds. Default: 5000 */
  readonly timeout?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** The process that calls. Default: a fresh one for each call */
  readonly self?: Process | undefined
}

/** A typed way to a server, wherever it runs. */
export interface ServerRef<D extends GenServer<any, any, any, any>> {
  /** @throws ProcessError ERR_NOPROC when the reference is a name that nobody has, or one of another node */
  readonly pid: Pid
  with(options: RefOptions): ServerRef<D>
  call<N extends keyof D['calls'] & string>(name: N, ...args: Args<D['calls'][N]>): Promise<Value<D['calls'][N]>>
  cast<N extends keyof D['casts'] & string>(name: N, ...args: Args<D['casts'][N]>): void
}

export type StartOptions<A extends unknown[]> = {
  /** Its registered name; or `{ global: name }`, which all nodes of the cluster know; or `{ via: [module, name] }`, which a module keeps */
  readonly name?: StartName | undefined
  readonly on?: 'main' | 'pool' | 'isolated' | undefined
} & ([] extends A ? { readonly args?: A } : { readonly args: A })

export type StartArguments<A extends unknown[]> = [] extends A ? [StartOptions<A>?] : [StartOptions<A>]
