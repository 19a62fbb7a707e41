/** The types of genStatem: calls and casts are inferred from the tables of all states. */
import type { Persist } from './persist-types.js'
import type { Pid, Sendable, Term } from '../../term/index.js'
import type { Args, From, InitStop, NoReply, Reply, RefOptions, Stop, Value } from './server-types.js'
import type { OwnProcess } from './own-process.js'

type MaybePromise<T> = T | Promise<T>

/** Milliseconds, with what the event holds, or `cancel` */
export type After = number | readonly [ms: number, content: Sendable] | 'cancel'

/** What a transition does besides. Each is OTP's action of that name. */
export interface Actions {
  /** The event comes again when the state has changed. */
  readonly postpone?: boolean | undefined
  /** Events that come before all that wait: `['internal', content]` … */
  readonly nextEvents?: readonly (readonly ['internal' | 'cast' | 'info', Sendable])[] | undefined
  /** Ends with the state */
  readonly stateTimeout?: After | undefined
  /** Ends with the next event */
  readonly timeout?: After | undefined
  /** By name; they end when they are cancelled or set again. */
  readonly timeouts?: Readonly<Record<string, After>> | undefined
  readonly replies?: readonly (readonly [from: From, value: Sendable])[] | undefined
  /** Accepted as OTP has it, without effect */
  readonly hibernate?: boolean | undefined
}

export class Transition<S, D> {
  readonly kind: 'next' | 'keep' | 'repeat'
  readonly state: S
  readonly data: D
  readonly actions: Actions

  constructor(kind: 'next' | 'keep' | 'repeat', state: S, data: D, actions: Actions) {
    this.kind = kind
    this.state = state
    this.data = data
    this.actions = actions
  }
}

/** `{next_state, State, Data, Actions}`; from init `{ok, State, Data, Actions}` */
export const next = <const S extends Sendable, D>(state: S, data: D, actions: Actions = {}): Transition<S, D> =>
  new Transition('next', state, data, actions)

/** `{keep_state, Data, Actions}` */
export const keep = <D>(data: D, actions: Actions = {}): Transition<never, D> =>
  new Transition<never, D>('keep', undefined as never, data, actions)

/** `{repeat_state, Data, Actions}`: as if the state had been left and entered again */
export const repeat = <D>(data: D, actions: Actions = {}): Transition<never, D> =>
  new Transition<never, D>('repeat', undefined as never, data, actions)

export interface StatemProcess extends OwnProcess {
  /** The caller of the call that is being handled, for a later `from.reply(value)` */
  from<V = any>(): From<V>
}

/** An event, as `handleEvent` gets it */
export type Event =
  | { readonly type: 'call'; readonly content: Term; readonly from: From }
  | { readonly type: 'cast' | 'info' | 'internal' | 'stateTimeout' | 'eventTimeout'; readonly content: Term }
  | { readonly type: 'timeout'; readonly name: string; readonly content: Term }
  | { readonly type: 'enter'; readonly content: Term }

type Out<D> = MaybePromise<Transition<any, D> | Stop<D, any>>
type CallOut<D> = MaybePromise<Transition<any, D> | Stop<D, any> | Reply<any, Transition<any, D>> | NoReply<Transition<any, D>, any>>

/** What a state takes. An event that it does not take goes to `handleEvent`, and without one ends the process. */
export interface State<D> {
  readonly call?: Record<string, (this: StatemProcess, data: D, ...args: any[]) => CallOut<D>>
  readonly cast?: Record<string, (this: StatemProcess, data: D, ...args: any[]) => Out<D>>
  readonly info?: (this: StatemProcess, data: D, message: Term) => Out<D>
  readonly internal?: (this: StatemProcess, data: D, content: Term) => Out<D>
  /** The state's own time is up. */
  readonly stateTimeout?: (this: StatemProcess, data: D, content: Term) => Out<D>
  /** No event came in time. */
  readonly eventTimeout?: (this: StatemProcess, data: D, content: Term) => Out<D>
  /** By name */
  readonly timeouts?: Record<string, (this: StatemProcess, data: D, content: Term) => Out<D>>
  /** The state is entered, from that one; from itself at the beginning. It cannot be left here. */
  readonly enter?: (this: StatemProcess, data: D, from: Term) => Out<D>
}

export interface GenStatemDefinition<A extends unknown[], D, St> {
  readonly module?: string | undefined
  readonly init: (this: StatemProcess, ...args: A) => MaybePromise<Transition<any, D> | InitStop>
  /** `state_functions`: what each state takes, by its name */
  readonly states?: St & Record<string, State<NoInfer<D>>>
  /** `handle_event_function`: every event, or all that a state does not take; a state may then be any term. */
  readonly handleEvent?: (this: StatemProcess, event: Event, state: Term, data: NoInfer<D>) => CallOut<NoInfer<D>>
  readonly terminate?: (this: StatemProcess, reason: Term, state: Term, data: NoInfer<D>) => unknown
  readonly codeChange?: (oldVsn: Term, state: Term, data: NoInfer<D>, extra: Term) => MaybePromise<Transition<any, D>>
  /** Its state and data are kept in a table, and it starts from them: see docs/otp.md, "State that survives". `save` and `restore` are of the data. */
  readonly persist?: Persist<NoInfer<A>, NoInfer<D>>
}

type TablesOf<St, K extends 'call' | 'cast'> = { [N in keyof St]: St[N] extends { readonly [P in K]: infer C } ? C : never }[keyof St]
type NamesOf<T> = T extends unknown ? keyof T & string : never
type HandlerOf<T, N extends string> = T extends Readonly<Record<N, infer F>> ? F : never

export interface StatemRef<St> {
  readonly pid: Pid
  with(options: RefOptions): StatemRef<St>
  call<N extends NamesOf<TablesOf<St, 'call'>>>(
    name: N,
    ...args: Args<HandlerOf<TablesOf<St, 'call'>, N>>
  ): Promise<StatemValue<HandlerOf<TablesOf<St, 'call'>, N>>>
  cast<N extends NamesOf<TablesOf<St, 'cast'>>>(name: N, ...args: Args<HandlerOf<TablesOf<St, 'cast'>, N>>): void
}

/** What its callers get; a transition alone answers nobody. */
type StatemValue<F> = Value<F>
