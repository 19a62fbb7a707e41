/** The types of genEvent: a reference knows the handlers that its manager has, what each is added with, and the calls that each takes. */
import type { Pid, Sendable, Sent, Term } from '../../term/index.js'
import type { Args, InitStop, NoReply, RefOptions, Reply, ServerStatus, Value } from './server-types.js'
import type { OwnProcess } from './own-process.js'
import type { Startable } from '../supervisor/types.js'

declare const brand: unique symbol
type MaybePromise<T> = T | Promise<T>

export class RemoveHandler {
  declare readonly [brand]: 'remove_handler'
}

export class SwapHandler<S> {
  readonly args1: Sendable
  readonly state: S
  readonly handler2: HandlerName
  readonly args2: Sendable

  constructor(args1: Sendable, state: S, handler2: HandlerName, args2: Sendable) {
    this.args1 = args1
    this.state = state
    this.handler2 = handler2
    this.args2 = args2
  }
}

/** `remove_handler`: the handler is done; its `terminate` is given `remove_handler`. From a call: `reply(value, removeHandler)`. */
export const removeHandler = new RemoveHandler()

/**
 * `{swap_handler, Args1, State, Handler2, Args2}`: `terminate(args1, state)` runs, then Handler2's `init({Args2, Result})`, with what it returned.
 * From a call: `reply(value, swapHandler(…))`.
 */
export const swapHandler = <S>(args1: Sendable, state: S, handler2: HandlerName, args2: Sendable): SwapHandler<S> =>
  new SwapHandler(args1, state, handler2, args2)

/** A handler of a manager: the name that the manager has for it, with an id when there may be several. Erlang: `Name`, `{Name, Id}` */
export type HandlerName<N extends string = string> = N | readonly [name: N, id: Sendable]

type After<S> = S | RemoveHandler | SwapHandler<S>
export type EventOut<S> = MaybePromise<After<S> | NoReply<S, any>>
export type EventCallOut<S> = MaybePromise<Reply<any, After<S>>>

export interface EventHandlerDefinition<A, S, C> {
  /** `import.meta.url`: where it is in a module of its own, what lets an upgrade of that find it */
  readonly module?: string | undefined
  /**
   * The first state, from what the handler is added with: one term, as in OTP. One that replaces another is given `{Args, Result}`. `stop(reason)`
   * is `{error, Reason}`: it is not added.
   */
  readonly init: (this: OwnProcess, args: A) => MaybePromise<S | InitStop | NoReply<S, any>>
  /** Every event; gives back the next state, `removeHandler`, or `swapHandler(…)` */
  readonly handleEvent: (this: OwnProcess, event: Term, state: NoInfer<S>) => EventOut<NoInfer<S>>
  /** `{add, 5}` calls `add(state, 5)`; the atom `get` calls `get(state)`. Each returns `reply(value, state)`. */
  readonly call?: C & Record<string, (this: OwnProcess, state: NoInfer<S>, ...args: any[]) => EventCallOut<NoInfer<S>>>
  /** A call that no entry of `call` takes. Without it such a call removes the handler, as in OTP. */
  readonly handleCall?: (this: OwnProcess, request: Term, state: NoInfer<S>) => EventCallOut<NoInfer<S>>
  /** Every other message. Without it, such a message is dropped with a warning to the logger. */
  readonly handleInfo?: (this: OwnProcess, message: Term, state: NoInfer<S>) => EventOut<NoInfer<S>>
  /**
   * Runs when it is removed: with what `deleteHandler` or a swap gave, `{stop, Reason}` when who supervises it has ended, `stop` when the manager
   * ends, `remove_handler`, or `{error, Term}`. What it returns is the result of `deleteHandler`; nothing is `ok`.
   */
  readonly terminate?: (this: OwnProcess, args: Term, state: NoInfer<S>) => unknown
  /** The state for the new code: `node.code.upgrade`, or `sys:change_code` of the manager with this handler's name as the module. */
  readonly codeChange?: (this: OwnProcess, oldVsn: Term, state: NoInfer<S>, extra: Term) => MaybePromise<NoInfer<S>>
  /** What `sys:get_status` and the report of a crash show: gives back what shall be shown otherwise. */
  readonly formatStatus?: (this: OwnProcess, status: ServerStatus) => Partial<ServerStatus>
}

/** A handler's definition, and the types that its manager's references have. */
export interface EventHandler<A, S, C> {
  readonly args: A
  readonly state: S
  readonly calls: C
}

export type EventHandlers = Readonly<Record<string, EventHandler<any, any, any>>>

export interface GenEvent<H extends EventHandlers> extends Startable<[], EventRef<H>> {
  readonly handlers: H
}

type Names<H> = keyof H & string
type Given<D> = D extends { readonly args: infer A } ? (unknown extends A ? [args?: Sendable] : [args: Sent<A>]) : never
type Table<D> = D extends { readonly calls: infer C } ? C : never
type CallNames<D> = keyof Table<D> & string
type CallOf<D, N extends string> = IsAny<Table<D>> extends true ? any : Table<D> extends Readonly<Record<N, infer F>> ? F : never
type IsAny<T> = 0 extends 1 & T ? true : false
/** Of a handler that is not known here, any term is taken and given. */
type Asked<F> = IsAny<F> extends true ? Sendable[] : Args<F>
type Answered<F> = IsAny<F> extends true ? Term : Value<F>

/**
 * A way to an event manager, TypeScript's or Erlang's, on any node. `call` waits 5000 ms by default, all others for ever. Whatever waits throws
 * ExitError with the manager's exit reason (`noproc` …), ProcessError ERR_TIMEOUT, or the signal's reason.
 */
export interface EventRef<H extends EventHandlers> {
  /** @throws ProcessError ERR_NOPROC when the reference is a name that nobody has, or one of another node */
  readonly pid: Pid
  with(options: RefOptions): EventRef<H>
  /** Tells all handlers, and waits for none. @throws ProcessError ERR_NOT_REGISTERED for a local name that nobody has */
  notify(event: Sendable): void
  /** Tells all handlers, and waits until each has taken it. */
  syncNotify(event: Sendable): Promise<void>
  /** @throws EventError `bad_module` when there is no such handler, `{'EXIT', Reason}` when it crashed */
  call<N extends Names<H>, R extends CallNames<H[N]>>(
    handler: HandlerName<N>,
    name: R,
    ...args: Asked<CallOf<H[N], R>>
  ): Promise<Answered<CallOf<H[N], R>>>
  /** Any request, for `handleCall`, or for a handler in Erlang. @throws as `call` does */
  request(handler: HandlerName<Names<H>>, request: Sendable): Promise<Term>
  /** @throws EventError with what its `init` gave instead of a state: the reason of `stop`, `{'EXIT', Reason}` */
  addHandler<N extends Names<H>>(handler: HandlerName<N>, ...args: Given<H[N]>): Promise<void>
  /**
   * As addHandler, and the calling process supervises it: it is removed when that process ends, and when it is removed, that process is told
   * `{gen_event_EXIT, Handler, Reason}`. The two are linked. @throws ProcessError ERR_BADARG without `with({ self })`
   */
  addSupHandler<N extends Names<H>>(handler: HandlerName<N>, ...args: Given<H[N]>): Promise<void>
  /** Resolves to what its `terminate` returned. @throws EventError `module_not_found`, `{'EXIT', Reason}` */
  deleteHandler(handler: HandlerName<Names<H>>, args?: Sendable): Promise<Term>
  /** Puts one in another's place, also when that is not there: its `init` is given `{Args, Result}`. @throws EventError as addHandler does */
  swapHandler(from: readonly [HandlerName<Names<H>>, Sendable], to: readonly [HandlerName<Names<H>>, Sendable]): Promise<void>
  /** As swapHandler, and the calling process supervises it, as with addSupHandler. */
  swapSupHandler(from: readonly [HandlerName<Names<H>>, Sendable], to: readonly [HandlerName<Names<H>>, Sendable]): Promise<void>
  /** The latest added first */
  whichHandlers(): Promise<HandlerName[]>
  /** Ends it and waits for its end. Default: with `normal`. @throws ExitError when it ended with another reason */
  stop(reason?: Term): Promise<void>
}
