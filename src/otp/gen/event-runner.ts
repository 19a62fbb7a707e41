/**
 * A gen_event's life: each message goes to one of its handlers or to all, one after the other. A handler that fails is removed and reported, and
 * harms nobody else.
 *
 *   {notify, Event}                  all handlers
 *   {Label, From, Request}           sync_notify, call, add_handler, delete_handler, swap_handler, which_handlers …: answered as a call
 *   {'EXIT', Pid, Reason}            the handlers that Pid supervises are removed
 *   manager → supervisor of a handler    {gen_event_EXIT, Handler, Reason}
 *
 * Source: gen_event.erl (handle_msg, server_update, do_swap, do_terminate, report_error).
 */
import { ErlangError, ExitError, type InitialCall, type Process, reason } from '../../process/index.js'
import { Atom, atom, compare, equals, Pid, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'
import { type Cause, exitCause } from './cause.js'
import { formatStatus } from './format-status.js'
import { type Caller, callerOf, reply } from './gen.js'
import { genEventModule } from './event-events.js'
import { type EventHandlerDefinition, type HandlerName, RemoveHandler, SwapHandler } from './event-types.js'
import { latestOf } from './latest.js'
import {
  asked,
  type CodeChange,
  type Coded,
  type Defined,
  GenRunner,
  type Handler,
  handlerOf,
  line,
  moduleOf,
  type OtpModule,
  stateTerm,
  statusHeader,
} from './runner.js'
import { NoReply, Reply, type ServerStatus, Stop } from './server-types.js'
import { log } from '../logger/report.js'
import { nameOf } from './process-name.js'
import { tellEvent } from './sys.js'

export type HandlerDefinition = EventHandlerDefinition<any, any, any>

/** A handler that can be added */
export interface KnownHandler extends Defined {
  readonly code: HandlerDefinition
}

export type Known = Readonly<Record<string, KnownHandler>>

interface Installed {
  readonly module: Atom
  /** False: none */
  readonly id: Term
  readonly known: KnownHandler
  readonly state: unknown
  readonly supervisor: Pid | null
}

/** What came instead of what should: a fault as `catch` gives it, or a return that is none. */
class Other {
  readonly term: Term

  constructor(term: Term) {
    this.term = term
  }
}

const genEvent = atom('gen_event') as Atom
const ok = atom('ok')
const error = (why: Term): Tuple => tuple(atom('error'), why)

export class GenEventRunner extends GenRunner<Known> {
  #handlers: readonly Installed[] = []
  /** Who asked for the end */
  #stopper: Caller | null = null

  protected get otp(): OtpModule {
    return genEventModule
  }

  override get initialCall(): InitialCall {
    return tuple(genEvent, atom('init_it') as Atom, 6)
  }

  protected get module(): Atom {
    return moduleOf(this.definition.module, 'gen_event')
  }

  protected begin(): void {
    this.self.trapExit = true
    this.begun()
  }

  protected onMessage(message: Term): void {
    if (this.sys !== null) tellEvent(this, atom('in'), message)
    this.invoke(
      () => this.#handle(message),
      [],
      () => (this.#stopper ? this.end(exitCause(reason.normal)) : this.idle()),
    )
  }

  async #handle(message: Term): Promise<void> {
    const [tag, from, request] = message instanceof Tuple ? (message.elements as readonly Term[]) : []
    const length = message instanceof Tuple ? message.length : 0
    if (length === 2 && tag === atom('notify')) return this.#notify('handleEvent', from as Term)
    if (length === 3 && tag === atom('EXIT')) return this.#exit(from as Term, request as Term, message)
    const caller = length === 3 ? callerOf(from as Term) : null
    const answered = caller && this.#request(request as Term, caller)
    if (!answered) return this.#notify('handleInfo', message)
    const value = await answered
    if (!this.#stopper) reply(this.self, caller, value)
  }

  /** The answer; null: it is no request of a gen_event. */
  #request(request: Term, caller: Caller): Promise<Term> | null {
    const parts: readonly Term[] = request instanceof Tuple ? request.elements : [request]
    const [what, first = null, second = null, third = null, fourth = null, fifth = null] = parts
    switch (what instanceof Atom ? `${what.name}/${parts.length - 1}` : '') {
      case 'sync_notify/1':
        return this.#notify('handleEvent', first).then(() => ok)
      case 'call/2':
        return this.#call(first, second)
      case 'add_handler/2':
        return this.#add(first, second, null)
      case 'add_sup_handler/3':
        return this.#add(first, second, supervisorIn(third))
      case 'delete_handler/2':
        return this.#delete(first, second)
      case 'swap_handler/4':
        return this.#replace(first, second, third, fourth, null)
      case 'swap_sup_handler/5':
        return this.#replace(first, second, third, fourth, supervisorIn(fifth))
      case 'which_handlers/0':
        return Promise.resolve(this.#handlers.map(nameTerm))
      case 'get_modules/0':
        return Promise.resolve([...new Set(this.#handlers.map(({ module }) => module))].sort(compare))
      case 'stop/0':
        this.#stopper = caller
        return Promise.resolve(ok)
      default:
        return null
    }
  }

  async #notify(kind: 'handleEvent' | 'handleInfo', event: Term): Promise<void> {
    const kept: Installed[] = []
    for (const handler of this.#handlers) {
      const { [kind]: callback } = handler.known.code
      if (!callback) this.#unexpected(handler, event)
      const after = callback ? await this.#next(handler, await this.#catch(callback, [event, handler.state]), event) : handler
      if (after) kept.push(after)
    }
    this.#handlers = kept
  }

  async #call(name: Term, request: Term): Promise<Term> {
    const handler = this.#find(name)
    if (!handler) return error(atom('bad_module'))
    const { call, handleCall } = handler.known.code
    const found = handlerOf(call, request)
    const out = await (found
      ? this.#catch(found.handler, [handler.state, ...found.args])
      : this.#catch(handleCall ?? noClause(handler, request), [request, handler.state]))
    const fault = out instanceof Reply ? null : out instanceof Other ? out : new Other(stateTerm(this.self, out))
    const value = fault ? error(fault.term) : stateTerm(this.self, (out as Reply<unknown, unknown>).value)
    const after = await this.#next(handler, fault ?? (out as Reply<unknown, unknown>).state, request)
    this.#handlers = this.#handlers.flatMap(each => (each === handler ? (after ?? []) : each))
    return value
  }

  /** The handler after a callback has returned `out`; null: it is no more. */
  async #next(handler: Installed, out: unknown, last: Term): Promise<Installed | null> {
    if (out instanceof SwapHandler) return this.#swap(handler, out)
    if (out instanceof RemoveHandler) {
      await this.#terminate(handler, atom('remove_handler'), handler.state, atom('remove'), reason.normal)
      return null
    }
    const odd = out instanceof Reply || out instanceof Stop
    if (odd || out instanceof Other) {
      const why = odd ? stateTerm(this.self, out) : out.term
      await this.#terminate(handler, error(why), handler.state, last, why)
      return null
    }
    return { ...handler, state: out instanceof NoReply ? (out.state as unknown) : out }
  }

  /** A callback had another take its place. */
  async #swap(handler: Installed, { args1, state, handler2, args2 }: SwapHandler<unknown>): Promise<Installed | null> {
    const { supervisor } = handler
    const [first, name, second] = [args1, handlerTerm(handler2), args2].map(part => this.self.host.copy(part)) as [Term, Term, Term]
    const swapped = tuple(atom('swapped'), name, supervisor ?? false)
    const result = await this.#terminate(handler, first, state, atom('swapped'), swapped)
    const made = await this.#init(name, tuple(second, result), supervisor)
    if (!(made instanceof Other)) return made
    // OTP, too, tells it thus.
    this.#removed({ ...named(name), supervisor }, atom('crash'), error(made.term), nameOf(this.self), false)
    return null
  }

  async #add(name: Term, args: Term, supervisor: Pid | null): Promise<Term> {
    if (supervisor) this.self.link(supervisor)
    const made = await this.#init(name, args, supervisor)
    if (made instanceof Other) return made.term
    this.#handlers = [made, ...this.#handlers]
    return ok
  }

  async #init(name: Term, args: Term, supervisor: Pid | null): Promise<Installed | Other> {
    const { module, id } = named(name)
    if (!(module instanceof Atom)) return new Other(exit(tuple(atom('badarg'), [])))
    const written = Object.hasOwn(this.code, module.name) ? this.code[module.name] : undefined
    if (!written) return new Other(exit(tuple(atom('undef'), [tuple(module, atom('init'), [args], [])])))
    const known = latestOf((this.self as Coded).node.code, written)
    const out = await this.#catch(known.code.init, [args])
    if (out instanceof Other) return out
    if (out instanceof Stop) return new Other(error(out.reason))
    return { module, id, known, supervisor, state: out instanceof NoReply ? (out.state as unknown) : out }
  }

  async #delete(name: Term, args: Term): Promise<Term> {
    const handler = this.#find(name)
    if (!handler) return error(atom('module_not_found'))
    const result = await this.#terminate(handler, args, handler.state, atom('delete'), reason.normal)
    this.#handlers = this.#handlers.filter(each => each !== handler)
    return result
  }

  async #replace(name: Term, args1: Term, name2: Term, args2: Term, supervisor: Pid | null): Promise<Term> {
    const handler = this.#find(name)
    const owner = supervisor ?? handler?.supervisor ?? null
    const swapped = tuple(atom('swapped'), name2, owner ?? false)
    const result = handler ? await this.#terminate(handler, args1, handler.state, atom('swapped'), swapped) : atom('error')
    this.#handlers = this.#handlers.filter(each => each !== handler)
    const answer = await this.#add(name2, tuple(args2, result), owner)
    return answer === ok ? ok : error(answer)
  }

  async #exit(from: Term, why: Term, message: Term): Promise<void> {
    const kept: Installed[] = []
    for (const handler of this.#handlers) {
      if (!handler.supervisor || !equals(handler.supervisor, from)) kept.push(handler)
      else {
        const last = tuple(atom('parent_terminated'), tuple(from, why))
        await this.#terminate(handler, tuple(atom('stop'), why), handler.state, last, atom('shutdown'))
      }
    }
    this.#handlers = kept
    await this.#notify('handleInfo', message)
  }

  /** Resolves to the result of its `terminate`. */
  async #terminate(handler: Installed, args: Term, state: unknown, last: Term, why: Term): Promise<Term> {
    const { terminate } = handler.known.code
    const out = terminate && (await this.#catch(terminate, [args, state]))
    this.#removed(handler, why, stateTerm(this.self, state), last, nameOf(this.self))
    return out === undefined ? ok : out instanceof Other ? out.term : stateTerm(this.self, out)
  }

  /** Runs a callback; what it throws comes as Erlang's `catch` gives it. */
  async #catch(callback: Handler, args: readonly unknown[]): Promise<unknown> {
    let out: unknown
    try {
      out = await callback.apply(this.self, [...args])
    } catch (thrown) {
      const isFault = thrown instanceof ExitError || thrown instanceof Error
      out = new Other(isFault ? exit(reason.reasonOf(thrown)) : reason.termOf(thrown))
    }
    // A dead process does nothing any more.
    return this.self.local.alive ? out : new Promise(() => {})
  }

  #find(name: Term): Installed | undefined {
    const { module, id } = named(name)
    return this.#handlers.find(handler => handler.module === module && equals(handler.id, id))
  }

  /** Tells the logger of a fault, and who supervises it of every end. */
  #removed(handler: Omit<Installed, 'known' | 'state'> & Partial<Installed>, why: Term, state: Term, last: Term, name: Term): void {
    const isUsual = why === reason.normal || why === atom('shutdown') || (why instanceof Tuple && why.length === 3 && why.tag === 'swapped')
    if (!isUsual) this.#report(handler, why, state, last, name)
    if (handler.supervisor) this.self.send(handler.supervisor, tuple(atom('gen_event_EXIT'), nameTerm(handler), why))
  }

  #report(handler: Pick<Installed, 'module' | 'id'> & Partial<Installed>, why: Term, state: Term, last: Term, name: Term): void {
    const caught = why instanceof Tuple && why.length === 2 && why.tag === 'EXIT' ? (why.elements[1] as Term) : null
    const [bare, stack] = caught instanceof Tuple && caught.length === 2 ? (caught.elements as readonly [Term, Term]) : [caught ?? why]
    const status = this.#format(handler, { state, message: last, reason: bare })
    const told = status.reason as Term
    log(this.self, 'error', { module: 'gen_event', tag: 'error' }, () => ({
      label: tuple(genEvent, atom('terminate')),
      handler: nameTerm(handler),
      name,
      last_message: status.message as Sendable,
      state: status.state as Sendable,
      reason: caught === null ? told : exit(stack === undefined ? told : tuple(told, stack)),
      process_label: atom('undefined'),
    }))
  }

  #format({ module, known }: Pick<Installed, 'module'> & Partial<Installed>, status: Partial<ServerStatus>): Partial<ServerStatus> {
    return formatStatus(this.self, module, known?.code.formatStatus, status as ServerStatus)
  }

  #unexpected({ module }: Installed, message: Term): void {
    log(this.self, 'warning', { module: 'gen_event', tag: 'warning_msg' }, () => ({
      label: tuple(genEvent, atom('no_handle_info')),
      module,
      message,
    }))
  }

  protected async onEnd({ thrown }: Cause): Promise<void> {
    // What fails outside of all handlers ends the manager at once, as in OTP.
    if (thrown !== undefined) return
    for (const handler of this.#handlers) await this.#terminate(handler, atom('stop'), handler.state, atom('stop'), atom('shutdown'))
    // Who supervises a handler does not end with its manager, unless that is its child.
    for (const { supervisor } of this.#handlers) if (supervisor && !equals(supervisor, this.parent)) this.self.unlink(supervisor)
    if (this.#stopper) reply(this.self, this.#stopper, ok)
  }

  /** The end of a manager is told by the crash report alone. */
  protected report(_cause: Cause): void {}

  systemGetState(): Term {
    return this.#handlers.map(handler => this.#stateOf(handler))
  }

  #stateOf({ module, id, state }: Installed): Term {
    return tuple(module, id, stateTerm(this.self, state))
  }

  async systemReplaceState(fun: (state: Term) => Promise<Term>): Promise<Term> {
    const replaced: Installed[] = []
    for (const handler of this.#handlers) {
      try {
        const made = await fun(this.#stateOf(handler))
        const [module, id, state] = made instanceof Tuple && made.length === 3 ? (made.elements as readonly Term[]) : []
        const fits = module === handler.module && id !== undefined && equals(id, handler.id)
        replaced.push(fits ? { ...handler, state } : handler)
      } catch {
        // As in OTP: a state for which the function fails stays as it is.
        replaced.push(handler)
      }
    }
    this.#handlers = replaced
    return this.systemGetState()
  }

  systemStatus(sysState: Atom, events: readonly Term[]): Term {
    let shown: Sendable = events
    const handlers = this.#handlers.map(handler => {
      const { state, log } = this.#format(handler, { state: stateTerm(this.self, handler.state), log: shown })
      shown = log as Sendable
      return tuple(atom('handler'), handler.module, handler.id, state as Sendable, handler.supervisor ?? false)
    })
    const [header] = statusHeader('Status for event handler', nameOf(this.self), this.parent, sysState, [])
    const data = [line('Status', sysState), line('Logged Events', shown), line('Parent', this.parent)]
    return this.self.host.copy([header as Sendable, tuple(atom('data'), data), tuple(atom('items'), line('Installed handlers', handlers))])
  }

  /** The handlers that it has, too */
  override get definitions(): readonly Defined[] {
    return [this.definition, ...this.#handlers.map(({ known }) => known)]
  }

  protected async upgraded(change: CodeChange): Promise<() => void> {
    const definition = change.to(this.definition)
    const handlers: Installed[] = []
    for (const handler of this.#handlers) {
      const changes = change.module === undefined || change.module === handler.module
      handlers.push(changes ? await this.#changed(handler, definition.code, change) : handler)
    }
    return () => {
      this.definition = definition
      this.#handlers = handlers
    }
  }

  async #changed(handler: Installed, written: Known, change: CodeChange): Promise<Installed> {
    const { oldVsn, extra, module } = change
    const { name } = handler.module
    const known = change.to((Object.hasOwn(written, name) ? written[name] : undefined) ?? handler.known)
    // One that is no part of what is new goes on as it is.
    if (known === handler.known && module === undefined) return handler
    const codeChange = asked(change, handler.known.code, known.code)?.codeChange
    if (codeChange) return { ...handler, known, state: await codeChange.call(this.self as never, oldVsn, handler.state, extra) }
    if (module === undefined) return { ...handler, known }
    const args = [oldVsn, stateTerm(this.self, handler.state), extra]
    throw new ErlangError(atom('undef'), [tuple(handler.module, atom('code_change'), args, [])])
  }
}

const exit = (why: Term): Term => tuple(atom('EXIT'), why)

/** `Module` or `{Module, Id}` */
function named(name: Term): { module: Atom; id: Term } {
  const [module, id] = name instanceof Tuple && name.length === 2 ? (name.elements as readonly [Term, Term]) : [name, false]
  return { module: module as Atom, id }
}

const nameTerm = ({ module, id }: Pick<Installed, 'module' | 'id'>): Term => (id === false ? module : tuple(module, id))

/** A handler's name as Erlang has it */
export const handlerTerm = (name: HandlerName): Sendable => (typeof name === 'string' ? atom(name) : tuple(atom(name[0]), name[1]))

/** As in OTP: a supervisor that is no process ends the manager. */
function supervisorIn(term: Term): Pid {
  if (term instanceof Pid) return term
  throw new ErlangError(atom('badarg'), [tuple(atom('erlang'), atom('link'), [term], [])])
}

const noClause = ({ module, state }: Installed, request: Term): Handler =>
  function (this: Process) {
    throw new ErlangError(atom('function_clause'), [tuple(module, atom('handle_call'), [request, stateTerm(this, state)], [])])
  }
