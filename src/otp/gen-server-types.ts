/** The types of genServer: handlers are inferred from their table, and what cannot arrive does not compile. */
import type { Process } from '../process/index.js'
import type { Atom, Pid, Received, Sent, Term } from '../term/index.js'

declare const brand: unique symbol
type MaybePromise<T> = T | Promise<T>

/** Who called, for a reply that comes later. */
export interface From<V = any> {
  reply(value: V): void
  readonly [brand]?: V
}

/** `self` in a server's handlers. */
export interface ServerProcess extends Process {
  /** The caller of the call that is being handled, for `noreply` and a later `from.reply(value)`. */
  from<V = any>(): From<V>
}

export class Reply<V, S> {
  declare readonly [brand]: 'reply'
  readonly value: V
  readonly state: S

  constructor(value: V, state: S) {
    this.value = value
    this.state = state
  }
}

export class NoReply<S, V = never> {
  declare readonly [brand]: 'noreply'
  declare readonly value: V
  readonly state: S

  constructor(state: S) {
    this.state = state
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

/** `{reply, Value, State}` */
export const reply = <V, S>(value: V, state: S): Reply<V, S> => new Reply(value, state)

/** `{noreply, State}`: the caller is answered later, through `from.reply(value)`. */
export const noreply = <S, V = never>(state: S, _from?: From<V>): NoReply<S, V> => new NoReply<S, V>(state)

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
  readonly init: (this: ServerProcess, ...args: A) => MaybePromise<S | InitStop>
  /** `{add, 5}` calls `add(state, 5)`; the atom `get` calls `get(state)` */
  readonly call?: C & Calls<NoInfer<S>> & Arrives<NoInfer<C>>
  readonly cast?: K & Casts<NoInfer<S>> & Arrives<NoInfer<K>>
  /** Every other message. Without it such a message is dropped. */
  readonly info?: (this: ServerProcess, state: S, message: Term) => CastOut<S>
  /** A call that no entry of `call` takes. Without it such a call ends the server, as in OTP. */
  readonly handleCall?: (this: ServerProcess, request: Term, from: From, state: S) => CallOut<S>
  readonly handleCast?: (this: ServerProcess, request: Term, state: S) => CastOut<S>
  readonly terminate?: (this: ServerProcess, reason: Term, state: S) => unknown
  readonly codeChange?: (oldVsn: Term, state: S, extra: Term) => MaybePromise<S>
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
  readonly name?: string | Atom | undefined
  readonly on?: 'main' | 'pool' | 'isolated' | undefined
} & ([] extends A ? { readonly args?: A } : { readonly args: A })

export type StartArguments<A extends unknown[]> = [] extends A ? [StartOptions<A>?] : [StartOptions<A>]
