/**
 * A gen_server's life: each handler is given the state that the one before returned.
 *
 * Source: gen_server.erl (loop, handle_msg, handle_common_reply, error_info, format_status).
 */
import { ErlangError, type LocalProcess, type Process, reason } from '../../process/index.js'
import { type Atom, atom, type Sendable, type Term, tuple } from '../../term/index.js'
import { type Cause, exitCause } from './cause.js'
import { formatStatus } from './format-status.js'
import { answersLater, type Caller, parseRequest, reply } from './gen.js'
import {
  asked,
  type CodeChange,
  GenRunner,
  type Handler,
  handlerOf,
  line,
  type OtpModule,
  moduleOf,
  stateTerm,
  statusHeader,
} from './runner.js'
import { type From, type GenServerDefinition, ignore, type Next, NoReply, Reply, Stop } from './server-types.js'
import { genServerModule } from './server-events.js'
import { log, serverReport } from '../logger/report.js'
import { nameOf } from './process-name.js'
import { tellEvent } from './sys.js'

export type Definition = GenServerDefinition<any[], any, any, any>

const genServer = atom('gen_server')
const timeout = atom('timeout')

/** What is to come when no message does, or before any does. */
interface Later {
  readonly next: Next
  stop: () => void
}

export class GenServerRunner extends GenRunner<Definition> {
  #state: unknown
  /** What is being handled */
  #message: Term | undefined
  #caller: Caller | null = null
  #later: Later | null = null
  /** Answers the caller of the call that ends it */
  #answer: (() => void) | null = null

  protected get otp(): OtpModule {
    return genServerModule
  }

  protected get module(): Atom {
    return moduleOf(this.definition.module, 'gen_server')
  }

  override exited(process: LocalProcess, why: Term): void {
    this.#later?.stop()
    super.exited(process, why)
  }

  protected begin(): void {
    const { init } = this.code
    this.invoke(init as Handler, this.life.args, out => {
      if (out === ignore) return this.ignored()
      if (out instanceof Stop) return this.stopsInInit(out.reason)
      if (!isNext(out)) return this.stopsInInit(badReturn(this.self, out, 'ok'))
      this.keep(out)
      const first = this.first(this.#state)
      if (!(first instanceof Promise)) return this.begun()
      const begin = (state: unknown): void => {
        this.#state = state
        this.begun()
      }
      first.then(state => this.self.local.alive && begin(state)).catch((thrown: unknown) => this.crash(thrown))
    })
  }

  /** The first state, out of what `init` has returned */
  protected first(state: unknown): unknown {
    return state
  }

  protected get state(): unknown {
    return this.#state
  }

  /** There is a new state, which may be the old one. */
  protected changed(): void {}

  protected override waiting(process: LocalProcess): boolean {
    return super.waiting(process) || this.continues || this.isDue
  }

  protected override get owes(): boolean {
    return this.continues
  }

  /** What a handler continues with comes before every message. */
  protected override take(process: LocalProcess): Term | undefined {
    if (!this.continues) {
      if (!this.isDue || !process.mailbox.empty) return super.take(process)
      this.onMessage(timeout)
      return undefined
    }
    const { next } = this.#later as Later
    this.#later = null
    this.onContinue(this.self.host.copy(next.continue as Sendable))
    return undefined
  }

  protected onMessage(message: Term): void {
    this.#later?.stop()
    this.#later = null
    if (this.sys !== null) tellEvent(this, atom('in'), message)
    const parsed = parseRequest(message)
    this.#message = parsed.request
    if (parsed.kind === 'call') return this.onCall(parsed.request, parsed.from)
    if (parsed.kind === 'cast') return this.onCast(parsed.request)
    const { info, handleInfo } = this.code
    if (info) this.invoke(info, [this.#state, message], out => this.tookCast(out))
    else if (handleInfo) this.invoke(handleInfo, [message, this.#state], out => this.tookCast(out))
    else {
      this.unexpected(message)
      this.idle()
    }
  }

  private onCall(request: Term, caller: Caller): void {
    this.#caller = caller
    const took = (out: unknown): void => this.tookCall(out, caller)
    const found = handlerOf(this.code.call, request)
    const { handleCall } = this.code
    if (found) this.invoke(found.handler, [this.#state, ...found.args], took)
    else if (handleCall) this.invoke(handleCall, [request, this.from(), this.#state], took)
    else this.crash(this.functionClause('handle_call', [request, tuple(caller.pid, caller.tag)]))
  }

  private onCast(request: Term): void {
    const found = handlerOf(this.code.cast, request)
    const { handleCast } = this.code
    if (found) this.invoke(found.handler, [this.#state, ...found.args], out => this.tookCast(out))
    else if (handleCast) this.invoke(handleCast, [request, this.#state], out => this.tookCast(out))
    else this.crash(this.functionClause('handle_cast', [request]))
  }

  private onContinue(what: Term): void {
    this.#message = tuple(atom('continue'), what)
    const { handleContinue } = this.code
    if (handleContinue) this.invoke(handleContinue, [what, this.#state], out => this.tookCast(out))
    else this.crash(this.undefined('handle_continue', [what]))
  }

  private tookCall(out: unknown, caller: Caller): void {
    const known = out instanceof Reply || out instanceof NoReply || out instanceof Stop
    if (!known || !isNext(out)) return this.badReturn(out)
    if (out instanceof Reply) {
      this.#state = out.state
      this.changed()
      this.reply(caller, out.value, out.state)
    } else if (out instanceof NoReply) answersLater(this.self, caller)
    // The caller of the last call is answered when `terminate` has run.
    if (out instanceof Stop && out.reply.length === 1) this.#answer = () => this.reply(caller, out.reply[0], out.state)
    this.took(out)
  }

  /** What a handler returned is the new state, or holds it. */
  private tookCast(out: unknown): void {
    if (out instanceof Reply || !isNext(out)) return this.badReturn(out)
    this.took(out)
  }

  private took(out: unknown): void {
    this.keep(out)
    if (out instanceof Stop) return this.end(exitCause(out.reason))
    if (this.sys !== null && !(out instanceof Reply)) tellEvent(this, atom('noreply'), stateTerm(this.self, this.#state))
    this.#message = undefined
    this.#caller = null
    this.idle()
  }

  private keep(out: unknown): void {
    const whole = out instanceof Reply || out instanceof NoReply || out instanceof Stop
    this.#state = whole ? out.state : out
    if (!(out instanceof Reply)) this.changed()
    if (!whole || out instanceof Stop || !out.next) return
    this.#later = { next: out.next, stop: () => {} }
    this.wait()
  }

  /** The time that a handler gave begins, or begins again. */
  private wait(): void {
    const later = this.#later
    const ms = later?.next.timeout
    if (!later || ms === undefined || ms === Infinity || ms === 0) return
    later.stop()
    later.stop = this.self.host.clock.after(ms, () => {
      const { local } = this.self
      if (this.#later !== later || !local.alive || this.stage !== 'idle' || !local.mailbox.empty || this.sys?.suspended === true) return
      this.onMessage(timeout)
    })
  }

  private get continues(): boolean {
    return this.#later !== null && this.#later.next.continue !== undefined && this.sys?.suspended !== true
  }

  /** No time at all: it comes at once, unless a message is there already. */
  private get isDue(): boolean {
    return this.#later !== null && this.#later.next.timeout === 0 && this.sys?.suspended !== true
  }

  protected override idle(): void {
    super.idle()
    // A system message stops the time, and what follows it starts it again.
    if (this.#later && this.stage === 'idle') this.wait()
  }

  private reply(caller: Caller, value: unknown, state: unknown): void {
    this.answer(caller, value as Sendable)
    if (this.sys === null) return
    tellEvent(this, atom('out'), this.self.host.copy(value as Sendable), tuple(caller.pid, caller.tag), stateTerm(this.self, state))
  }

  protected answer(caller: Caller, value: Sendable): void {
    reply(this.self, caller, value)
  }

  private badReturn(out: unknown): void {
    this.end(exitCause(badReturn(this.self, out)))
  }

  protected onEnd(cause: Cause): unknown {
    const answer = this.#answer
    if (!answer) return this.lastWords(cause)
    try {
      const out = this.lastWords(cause)
      if (out instanceof Promise) return out.finally(answer)
      answer()
      return out
    } catch (thrown) {
      answer()
      throw thrown
    }
  }

  /** What runs while it still lives, before the caller of its last call is answered */
  protected lastWords({ reason: why }: Cause): unknown {
    return this.code.terminate?.call(this.self as never, why, this.#state)
  }

  protected report(cause: Cause): void {
    const log = this.sys?.debug?.log ?? []
    const status = { reason: cause.error, state: stateTerm(this.self, this.#state), message: this.#message ?? [], log }
    serverReport(this.self, cause, this.format(status), this.#caller?.pid)
  }

  private unexpected(message: Term): void {
    log(this.self, 'warning', { module: 'gen_server', tag: 'warning_msg' }, () => ({
      label: tuple(genServer, atom('no_handle_info')),
      module: this.module,
      message,
    }))
  }

  systemGetState(): Term {
    return stateTerm(this.self, this.#state)
  }

  async systemReplaceState(fun: (state: Term) => Promise<Term>): Promise<Term> {
    const state = await fun(this.systemGetState())
    this.#state = state
    this.changed()
    return state
  }

  systemStatus(sysState: Atom, events: readonly Term[]): Term {
    const { state, log } = this.format({ state: this.systemGetState(), log: events })
    const header = statusHeader('Status for generic server', nameOf(this.self), this.parent, sysState, log as Term)
    const data = tuple(atom('data'), [line('State', state)])
    return this.self.host.copy([...header, data])
  }

  protected async upgraded(change: CodeChange): Promise<() => void> {
    const { oldVsn, extra, module } = change
    const definition = change.to(this.definition)
    const codeChange = asked(change, this.code, definition.code)?.codeChange
    if (!codeChange && module !== undefined) throw this.undefined('code_change', [oldVsn, this.systemGetState(), extra])
    const state: unknown = codeChange ? await codeChange.call(this.self as never, oldVsn, this.#state, extra) : this.#state
    return () => {
      this.definition = definition
      this.#state = state
      this.changed()
    }
  }

  private format(status: Status): Status {
    return formatStatus(this.self, this.module, this.code.formatStatus, status)
  }

  override from(): From {
    const caller = this.#caller
    if (!caller) return super.from()
    return { reply: (value: Sendable) => this.answer(caller, value) }
  }

  private functionClause(handler: string, args: readonly Term[]): ErlangError {
    return new ErlangError(atom('function_clause'), [tuple(this.module, atom(handler), [...args, this.systemGetState()], [])])
  }

  private undefined(handler: string, args: readonly Term[]): ErlangError {
    return new ErlangError(atom('undef'), [tuple(this.module, atom(handler), args, [])])
  }
}

/** What a status holds: see GenServerDefinition.formatStatus. */
type Status = Parameters<NonNullable<Definition['formatStatus']>>[0]

/** Is what follows it, if that is said, something that can follow? */
function isNext(out: unknown): boolean {
  if (!(out instanceof Reply || out instanceof NoReply) || out.next === undefined) return true
  const { timeout } = out.next
  return timeout === undefined || timeout === Infinity || (Number.isInteger(timeout) && timeout >= 0)
}

/** `{bad_return_value, What}`, with what the same return would be in Erlang. */
function badReturn(self: Process, out: unknown, noReply = 'noreply'): Term {
  const next = out instanceof Reply || out instanceof NoReply ? [out.next?.timeout] : []
  const state = out instanceof Reply || out instanceof NoReply ? [out.state, ...next] : []
  const erlang =
    out instanceof Reply ? [atom('reply'), out.value, ...state] : out instanceof NoReply ? [atom(noReply), ...state] : undefined
  const said = erlang ? tuple(...erlang.filter(part => part !== undefined).map(part => stateTerm(self, part))) : reason.termOf(out)
  return tuple(atom('bad_return_value'), said)
}
