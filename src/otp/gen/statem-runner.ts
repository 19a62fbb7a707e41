/**
 * A gen_statem's life: events come from messages, time-outs and transitions; those that are postponed come again when the state has changed.
 *
 * Source: gen_statem.erl (loop_state_callback, loop_state_transition, loop_timeouts, loop_next_events).
 */
import { ErlangError, type LocalProcess, reason } from '../../process/index.js'
import { Atom, atom, equals, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'
import { type Cause, exitCause } from './cause.js'
import { answersLater, type Caller, parseRequest, reply } from './gen.js'
import { asked, type CodeChange, GenRunner, type Handler, line, type OtpModule, moduleOf, stateTerm, statusHeader } from './runner.js'
import { type From, ignore, NoReply, Reply, Stop } from './server-types.js'
import { genStatemModule } from './statem-events.js'
import { type After, type Event, type GenStatemDefinition, type State, Transition } from './statem-types.js'
import { log } from '../logger/report.js'
import { nameOf } from './process-name.js'
import { tellEvent } from './sys.js'

export type StatemDefinition = GenStatemDefinition<any[], any, any>

interface Queued {
  readonly type: 'call' | 'cast' | 'info' | 'internal' | 'stateTimeout' | 'eventTimeout' | 'timeout' | 'enter'
  readonly content: Term
  readonly caller?: Caller
  readonly name?: string
}

/** In the mailbox: a timer's time is up. Nobody else can send it. */
class Due {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

const genStatem = atom('gen_statem') as Atom
const stateTimer = 'state'
const eventTimer = 'event'

export class GenStatemRunner extends GenRunner<StatemDefinition> {
  #state: Term = null
  #data: unknown
  #queue: Queued[] = []
  #postponed: Queued[] = []
  /** By their names; generic ones begin with a colon. */
  readonly #timers = new Map<string, { readonly stop: () => void; readonly due: Due; readonly content: Term }>()
  #event: Queued | null = null

  protected get otp(): OtpModule {
    return genStatemModule
  }

  protected get module(): Atom {
    return moduleOf(this.definition.module, 'gen_statem')
  }

  override exited(process: LocalProcess, why: Term): void {
    for (const { stop } of this.#timers.values()) stop()
    super.exited(process, why)
  }

  protected begin(): void {
    this.invoke(this.code.init as Handler, this.life.args, out => {
      if (out === ignore) return this.ignored()
      if (out instanceof Stop) return this.stopsInInit(out.reason)
      if (!(out instanceof Transition)) return this.stopsInInit(tuple(atom('bad_return_from_init'), reason.termOf(out)))
      this.first(this.#stateOf(out.state), out.data, (state, data, isRestored = false) => {
        this.#data = data
        this.#state = state
        this.begun(() => {
          // They are of the state that it would have begun in.
          if (!isRestored) this.#act(out)
          this.#enter(this.#state)
        })
      })
    })
  }

  /** After `init`: it begins in this state, with these data, or in others. */
  protected first(state: Term, data: unknown, begin: (state: Term, data: unknown, isRestored?: boolean) => void): void {
    begin(state, data)
  }

  /** It is about to have this state and these data; whoever is answered from now on may have seen them. */
  protected becomes(_state: Term, _data: unknown): void {}

  /** Says it to who called. */
  protected answer(caller: Caller, value: Sendable): void {
    reply(this.self, caller, value)
  }

  /** As a handler says it */
  protected stateOf(state: unknown): Term {
    return this.#stateOf(state)
  }

  protected override get owes(): boolean {
    return this.#queue.length > 0 && this.sys?.suspended !== true
  }

  protected override waiting(process: LocalProcess): boolean {
    return this.owes || super.waiting(process)
  }

  protected override take(process: LocalProcess): Term | undefined {
    const event = this.#queue.shift()
    if (!event) return super.take(process)
    this.#handle(event)
    return undefined
  }

  protected onMessage(message: Term): void {
    if ((message as unknown) instanceof Due) return this.#onDue(message as unknown as Due)
    const parsed = parseRequest(message)
    const { kind: type, request: content } = parsed
    const event: Queued = parsed.kind === 'call' ? { type, content, caller: parsed.from } : { type, content }
    if (this.sys !== null) tellEvent(this, atom('in'), eventTerm(event), this.#state)
    this.#handle(event)
  }

  #handle(event: Queued): void {
    this.#event = event
    if (event.type !== 'enter') this.#stopTimer(eventTimer)
    this.#dispatch(event, out => this.#took(event, out))
  }

  #dispatch(event: Queued, took: (out: unknown) => void): void {
    const { states, handleEvent } = this.code
    const name = this.#state instanceof Atom ? this.#state.name : ''
    const state: State<any> | undefined = states && Object.hasOwn(states, name) ? states[name] : undefined
    const found = state && handlerFor(state, event)
    if (found) return this.invoke(found.handler, [this.#data, ...found.args], took)
    if (handleEvent) return this.invoke(handleEvent, [this.#asEvent(event), this.#state, this.#data], took)
    const args = [...(eventTerm(event) as Tuple).elements, stateTerm(this.self, this.#data)] as Term[]
    // A state is a function of that name in Erlang, which may not be there.
    this.crash(new ErlangError(atom(state ? 'function_clause' : 'undef'), [tuple(this.module, this.#state, args, [])]))
  }

  #asEvent({ type, content, caller, name }: Queued): Event {
    if (caller) return { type: 'call', content, from: this.#fromOf(caller) }
    return { type, content, ...(name === undefined ? {} : { name }) } as Event
  }

  #took(event: Queued, out: unknown): void {
    const whole = out instanceof Reply || out instanceof NoReply ? (out.state as unknown) : out
    if (whole instanceof Transition) this.becomes(whole.kind === 'next' ? this.#stateOf(whole.state) : this.#state, whole.data)
    else if (out instanceof Stop) this.becomes(this.#state, out.state)
    if (out instanceof Reply && event.caller) this.#reply(event.caller, out.value)
    else if (event.caller && !(out instanceof Stop)) answersLater(this.self, event.caller)
    if (out instanceof Stop) {
      const { caller } = event
      this.#data = out.state
      // Before `terminate`, as in OTP; a gen_server answers after it.
      if (caller && out.reply.length === 1) this.#reply(caller, out.reply[0])
      return this.end(exitCause(out.reason))
    }
    if (!(whole instanceof Transition)) {
      return this.crash(new ErlangError(tuple(atom('bad_return_from_state_function'), stateTerm(this.self, out)), []))
    }
    const before = this.#state
    const after = whole.kind === 'next' ? this.#stateOf(whole.state) : before
    this.#data = whole.data
    const changes = !equals(before, after)
    const kept = whole.actions.postpone === true ? 'postpone' : 'consume'
    if (this.sys !== null) tellEvent(this, atom(kept), eventTerm(event), before, after)
    if (kept === 'postpone') this.#postponed.push(event)
    this.#state = after
    if (changes || whole.kind === 'repeat') {
      if (changes) this.#stopTimer(stateTimer)
      this.#queue.unshift(...this.#postponed.splice(0))
    }
    this.#act(whole)
    if (changes || whole.kind === 'repeat') this.#enter(before)
    else this.#settled()
  }

  /** The state's `enter` runs before any other event. */
  #enter(before: Term): void {
    const { states } = this.code
    const enter = this.#state instanceof Atom ? (states?.[this.#state.name] as State<any> | undefined)?.enter : undefined
    if (!enter) return this.#settled()
    if (this.sys !== null) tellEvent(this, atom('enter'), this.module, this.#state)
    this.#event = { type: 'enter', content: before }
    this.invoke(enter, [this.#data, before], out => {
      if (out instanceof Stop) return this.#took(this.#event as Queued, out)
      const stays = out instanceof Transition && (out.kind === 'keep' || equals(this.#stateOf(out.state), this.#state))
      if (!stays)
        return this.crash(new ErlangError(tuple(atom('bad_state_enter_return_from_state_function'), stateTerm(this.self, out)), []))
      this.#data = (out as Transition<any, any>).data
      this.becomes(this.#state, this.#data)
      this.#act(out as Transition<any, any>)
      this.#settled()
    })
  }

  #settled(): void {
    this.#event = null
    this.idle()
  }

  #act({ actions }: Transition<any, any>): void {
    const { nextEvents = [], stateTimeout, timeout, timeouts = {}, replies = [] } = actions
    for (const [from, value] of replies) from.reply(value)
    this.#queue.unshift(...nextEvents.map(([type, content]) => ({ type, content: this.self.host.copy(content) })))
    if (stateTimeout !== undefined) this.#startTimer(stateTimer, stateTimeout)
    if (timeout !== undefined) this.#startTimer(eventTimer, timeout)
    for (const [name, after] of Object.entries(timeouts)) this.#startTimer(`:${name}`, after)
  }

  #startTimer(name: string, after: After): void {
    this.#stopTimer(name)
    this.#queue = this.#queue.filter(event => timerOf(event) !== name)
    if (after === 'cancel') return
    const [ms, content = name.startsWith(':') ? atom(name.slice(1)) : atom(name === stateTimer ? 'state_timeout' : 'timeout')] =
      typeof after === 'number' ? [after] : after
    if (ms === Infinity) return
    const event = timerEvent(name, this.self.host.copy(content))
    // What is due at once comes after the events that wait here, and before messages.
    if (ms === 0) return void this.#queue.push(event)
    // What came before the time was up comes first, and may end the timer.
    const due = new Due(name)
    const stop = this.self.host.clock.after(ms, () => this.self.host.message(this.self.local, due as unknown as Term))
    this.#timers.set(name, { stop, due, content: event.content })
  }

  #onDue(due: Due): void {
    const timer = this.#timers.get(due.name)
    if (timer?.due !== due) return this.idle()
    this.#timers.delete(due.name)
    this.#handle(timerEvent(due.name, timer.content))
  }

  #stopTimer(name: string): void {
    this.#timers.get(name)?.stop()
    this.#timers.delete(name)
    if (name === eventTimer && this.#queue.length > 0) this.#queue = this.#queue.filter(event => timerOf(event) !== eventTimer)
  }

  #stateOf(state: unknown): Term {
    return typeof state === 'string' ? atom(state) : this.self.host.copy(state as Sendable)
  }

  #reply(caller: Caller, value: unknown): void {
    this.answer(caller, value as Sendable)
    if (this.sys !== null) tellEvent(this, atom('out'), this.self.host.copy(value as Sendable), tuple(caller.pid, caller.tag))
  }

  #fromOf(caller: Caller): From {
    return { reply: value => this.#reply(caller, value) }
  }

  override from(): From {
    const caller = this.#event?.caller
    return caller ? this.#fromOf(caller) : super.from()
  }

  /** Of an error `terminate` is told no stack trace. */
  protected onEnd({ error }: Cause): unknown {
    return this.code.terminate?.call(this.self as never, error, this.#state, this.#data)
  }

  protected override startFault({ error }: Cause): Term {
    return error
  }

  protected report({ class: kind, error, stack }: Cause): void {
    log(this.self, 'error', { module: 'gen_statem', tag: 'error' }, () => ({
      label: tuple(genStatem, atom('terminate')),
      name: nameOf(this.self),
      queue: [...(this.#event ? [eventTerm(this.#event)] : []), ...this.#queue.map(eventTerm)],
      postponed: this.#postponed.map(eventTerm),
      modules: [this.module],
      callback_mode: this.#mode,
      state_enter: true,
      state: this.systemGetState(),
      timeouts: this.#timeouts(),
      log: this.sys?.debug?.log ?? [],
      reason: tuple(atom(kind), error, stack ?? []),
      client_info: atom('undefined'),
      process_label: atom('undefined'),
    }))
  }

  get #mode(): Term {
    return atom(this.code.states ? 'state_functions' : 'handle_event_function')
  }

  #timeouts(): Term {
    const of = (name: string): Term =>
      name.startsWith(':') ? tuple(atom('timeout'), atom(name.slice(1))) : atom(name === stateTimer ? 'state_timeout' : 'timeout')
    return tuple(
      this.#timers.size,
      [...this.#timers].map(([name, { content }]) => tuple(of(name), content)),
    )
  }

  systemGetState(): Term {
    return tuple(this.#state, stateTerm(this.self, this.#data))
  }

  async systemReplaceState(fun: (state: Term) => Promise<Term>): Promise<Term> {
    const replaced = await fun(this.systemGetState())
    if (!(replaced instanceof Tuple) || replaced.length !== 2) throw new ErlangError(tuple(atom('badmatch'), replaced), [])
    ;[this.#state, this.#data] = replaced.elements as unknown as [Term, unknown]
    this.becomes(this.#state, this.#data)
    return replaced
  }

  systemStatus(sysState: Atom, events: readonly Term[]): Term {
    const [header] = statusHeader('Status for state machine', nameOf(this.self), this.parent, sysState, events as Term)
    const lines = [
      line('Status', sysState),
      line('Parent', this.parent),
      line('Modules', [this.module]),
      line('Time-outs', this.#timeouts()),
      line('Logged Events', events as Term),
      line('Postponed', this.#postponed.map(eventTerm)),
    ]
    return this.self.host.copy([
      header as Sendable,
      tuple(atom('data'), lines),
      tuple(atom('data'), [line('State', this.systemGetState())]),
    ])
  }

  protected async upgraded(change: CodeChange): Promise<() => void> {
    const { oldVsn, extra, module } = change
    const definition = change.to(this.definition)
    const codeChange = asked(change, this.code, definition.code)?.codeChange
    if (!codeChange) {
      const args = [oldVsn, this.#state, stateTerm(this.self, this.#data), extra]
      if (module !== undefined) throw new ErlangError(atom('undef'), [tuple(this.module, atom('code_change'), args, [])])
      return () => (this.definition = definition)
    }
    const { kind, state, data } = await codeChange.call(this.self as never, oldVsn, this.#state, this.#data, extra)
    const next = kind === 'next' ? this.#stateOf(state) : this.#state
    return () => {
      this.definition = definition
      this.#state = next
      this.#data = data
      this.becomes(next, data)
    }
  }
}

const eventTerm = ({ type, content, caller, name }: Queued): Term => {
  const types: Partial<Record<Queued['type'], Term>> = { stateTimeout: atom('state_timeout'), eventTimeout: atom('timeout') }
  if (caller) return tuple(tuple(atom('call'), tuple(caller.pid, caller.tag)), content)
  return tuple(name === undefined ? (types[type] ?? atom(type)) : tuple(atom('timeout'), atom(name)), content)
}

const timerEvent = (name: string, content: Term): Queued =>
  name.startsWith(':')
    ? { type: 'timeout', name: name.slice(1), content }
    : { type: name === stateTimer ? 'stateTimeout' : 'eventTimeout', content }

/** The timer that an event is of */
function timerOf({ type, name }: Queued): string | null {
  if (type === 'timeout') return `:${name}`
  return type === 'stateTimeout' ? stateTimer : type === 'eventTimeout' ? eventTimer : null
}

/** The handler of a state for an event. Too few arguments are no match. */
function handlerFor(state: State<any>, { type, content, name }: Queued): { handler: Handler; args: readonly Term[] } | null {
  if (type === 'call' || type === 'cast') {
    const table = state[type]
    const tag: unknown = content instanceof Tuple ? content.elements[0] : content
    if (!table || !(tag instanceof Atom) || !Object.hasOwn(table, tag.name)) return null
    const handler = table[tag.name] as Handler
    const args = content instanceof Tuple ? content.elements.slice(1) : []
    return handler.length - 1 <= args.length ? { handler, args } : null
  }
  const handler = type === 'timeout' ? state.timeouts?.[name as string] : type === 'enter' ? undefined : state[type]
  return handler ? { handler, args: [content] } : null
}
