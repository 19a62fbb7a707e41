/**
 * A supervisor's life: it starts its children in order, starts those again that end, and ends them in reverse order. One thing at a time: whoever
 * calls it waits until a restart is done.
 *
 * Source: supervisor.erl (init_children, handle_call, restart_child, do_restart, restart, terminate).
 */
import { ErlangError, type InitialCall, type Process } from '../process/index.js'
import { Atom, atom, equals, Pid, type Sendable, type Term, Tuple, tuple } from '../term/index.js'
import { type Cause, exitCause, isShutdown } from './cause.js'
import { BadSpec, Child, childFrom, childOf, dynamicChildFrom } from './child-spec.js'
import { parseRequest, reply } from './gen.js'
import { formatServerEvent } from './gen-server-events.js'
import { GenRunner, type Life, statusHeader } from './gen-runner.js'
import { handed } from './handed-specs.js'
import { log, serverReport } from './report.js'
import { RestartIntensity } from './restart-intensity.js'
import { endChild, endChildren } from './shutdown.js'
import { startChild, type Started, type Supervising } from './start-child.js'
import type { AutoShutdown, Strategy, SupervisorInit } from './supervisor-types.js'
import { nameOf, tellEvent } from './sys.js'

export interface SupervisorCode {
  readonly erlangModule: Atom
  init(...args: any[]): SupervisorInit | Promise<SupervisorInit>
}

const undef = atom('undefined')
const normal = atom('normal')
const shutdown = atom('shutdown')
const simple = atom('simple_one_for_one')
const retry = atom('$try_again_restart')
const error = (why: Sendable): Sendable => tuple(atom('error'), why)

const strategies: Readonly<Record<Strategy, string>> = {
  oneForOne: 'one_for_one',
  oneForAll: 'one_for_all',
  restForOne: 'rest_for_one',
  simpleOneForOne: 'simple_one_for_one',
  dynamic: 'one_for_one',
}

export class SupervisorRunner extends GenRunner {
  readonly #code: SupervisorCode
  readonly #children = new Set<Child>()
  readonly #byPid = new Map<string | number, Child>()
  #strategy: Strategy = 'oneForOne'
  #autoShutdown: AutoShutdown = 'never'
  #intensity = new RestartIntensity(1, 5)
  /** What the children of a simple_one_for_one are made after */
  #template: Child | null = null
  #message: Term = []

  constructor(self: Process, code: SupervisorCode, life: Life) {
    super(self, life)
    this.#code = code
  }

  get behaviour(): Atom {
    return atom('gen_server') as Atom
  }

  get formatEvent(): typeof formatServerEvent {
    return formatServerEvent
  }

  override get initialCall(): InitialCall {
    return tuple(this.module, this.#code.erlangModule, 1)
  }

  protected get module(): Atom {
    return atom('supervisor') as Atom
  }

  get #self(): Supervising {
    return this.self as Supervising
  }

  /** Children that have no id, and are forgotten when they end */
  get #isDynamic(): boolean {
    return this.#strategy === 'simpleOneForOne' || this.#strategy === 'dynamic'
  }

  protected begin(): void {
    this.self.trapExit = true
    this.invoke(
      () => this.#init(),
      [],
      out => (out === null ? this.begun() : this.stopsInInit(out as Term)),
    )
  }

  /** Null, or why there is no supervisor. */
  async #init(): Promise<Term | null> {
    const init = await this.#code.init.apply(this.self, [...this.life.args])
    const wrong = this.#configure(init)
    if (wrong !== null) return wrong
    for (const child of [...this.#children]) {
      const failed = await this.#startFirst(child)
      if (failed === null) continue
      await this.#endAll()
      return tuple(shutdown, tuple(atom('failed_to_start_child'), child.id, failed))
    }
    return null
  }

  #configure({ strategy = 'oneForOne', intensity = 1, period = 5, autoShutdown = 'never', children = [] }: SupervisorInit): Term | null {
    const wrong = flagsFault(strategy, intensity, period, autoShutdown)
    if (wrong) return tuple(atom('supervisor_data'), wrong)
    this.#strategy = strategy
    this.#autoShutdown = autoShutdown
    this.#intensity = new RestartIntensity(intensity, period)
    if (strategy === 'simpleOneForOne' && children.length !== 1) return tuple(atom('bad_start_spec'), [])
    try {
      const made = children.map(child => childOf(child, autoShutdown))
      const twice = made.find((child, index) => made.findIndex(({ id }) => equals(id, child.id)) < index)
      if (twice) throw new BadSpec(tuple(atom('duplicate_child_name'), twice.id))
      if (strategy === 'simpleOneForOne') this.#template = made[0] as Child
      else for (const child of made) this.#children.add(child)
    } catch (thrown) {
      if (!(thrown instanceof BadSpec)) throw thrown
      return tuple(atom('start_spec'), thrown.reason)
    }
    return null
  }

  protected onMessage(message: Term): void {
    this.#message = message
    if (this.sys !== null) tellEvent(this, atom('in'), message)
    const parsed = parseRequest(message)
    if (parsed.kind === 'call') {
      const { from, request } = parsed
      return this.invoke(
        () => this.#onCall(request),
        [],
        answer => {
          reply(this.self, from, answer as Sendable)
          this.idle()
        },
      )
    }
    if (parsed.kind === 'cast')
      return this.crash(new ErlangError(atom('function_clause'), [tuple(this.module, atom('handle_cast'), [parsed.request], [])]))
    const { request } = parsed
    const [tag, from, why] = request instanceof Tuple && request.length === 3 ? (request.elements as readonly Term[]) : []
    if (tag === atom('EXIT') && from instanceof Pid)
      return this.invoke(
        () => this.#onExit(from, why as Term),
        [],
        go => this.#goOn(go),
      )
    if (request instanceof Tuple && request.elements[0] === retry) {
      const child = [...this.#children].find(({ again }) => again !== null && equals(again, request.elements[1] as Term))
      if (child?.pid !== 'restarting') return this.idle()
      return this.invoke(
        () => this.#restart(child),
        [],
        go => this.#goOn(go),
      )
    }
    log(this.self, 'error', { module: 'supervisor', tag: 'error' }, () => ({
      label: tuple(atom('supervisor'), atom('unexpected_message')),
      message,
    }))
    this.idle()
  }

  #goOn(go: unknown): void {
    if (go === false) this.end(exitCause(shutdown))
    else this.idle()
  }

  async #onCall(request: Term): Promise<Sendable> {
    const [what, value] = request instanceof Tuple && request.length === 2 ? (request.elements as readonly Term[]) : [request]
    const isSimple = this.#strategy === 'simpleOneForOne'
    switch (what instanceof Atom ? what.name : '') {
      case 'which_children':
        return [...this.#children].reverse().map(child => childInfo(child))
      case 'count_children':
        return this.#count()
      case 'start_child':
        return this.#startChild(value as Term)
      case 'which_child':
        return this.#with(value as Term, child => tuple(atom('ok'), childInfo(child)))
      case 'get_childspec':
        return this.#with(value as Term, child => tuple(atom('ok'), child.spec))
      case 'terminate_child':
        return this.#terminateChild(value as Term)
      case 'restart_child':
        return isSimple ? error(simple) : this.#with(value as Term, child => stopped(child) ?? this.#startAgain(child))
      case 'delete_child':
        if (isSimple) return error(simple)
        return this.#with(value as Term, child => stopped(child) ?? (this.#children.delete(child), atom('ok')))
      default:
        throw new ErlangError(atom('function_clause'), [tuple(this.module, atom('handle_call'), [request], [])])
    }
  }

  async #with(id: Term, use: (child: Child) => Sendable | Promise<Sendable>): Promise<Sendable> {
    if (this.#strategy === 'simpleOneForOne' && !(id instanceof Pid)) return error(simple)
    const child = this.#find(id)
    return child ? use(child) : error(atom('not_found'))
  }

  #find(id: Term): Child | undefined {
    const children = [...this.#children]
    if (!this.#isDynamic) return children.find(child => equals(child.id, id))
    if (!(id instanceof Pid)) return undefined
    const found = this.#ofPid(id) ?? children.find(({ last }) => last && equals(last, id))
    if (found || !this.#template) return found
    // As in OTP: a process that has ended may have been a child.
    return this.self.host.table.find(id) ? undefined : this.#template
  }

  #ofPid(pid: Pid): Child | undefined {
    return this.#byPid.get(this.self.host.table.keyOf(pid))
  }

  #count(): Sendable {
    const children = [...this.#children]
    const supervisors = children.filter(({ type }) => type === 'supervisor').length
    const counts = {
      specs: this.#template ? 1 : children.length,
      active: children.filter(({ pid }) => pid instanceof Pid).length,
      supervisors,
      workers: children.length - supervisors,
    }
    return Object.entries(counts).map(([key, value]) => tuple(atom(key), value))
  }

  async #startChild(what: Term): Promise<Sendable> {
    const child = this.#childFor(what)
    if (!(child instanceof Child)) return error(child)
    const known = this.#isDynamic ? undefined : this.#find(child.id)
    if (known) return error(known.pid instanceof Pid ? tuple(atom('already_started'), known.pid) : atom('already_present'))
    const started = await startChild(this.#self, child)
    if ('error' in started) {
      const { error: why } = started
      const bare = this.#isDynamic || (why instanceof Tuple && why.tag === 'already_started')
      return error(bare ? why : tuple(why, child.record))
    }
    this.#progress(child, started, 'debug')
    const keeps = started.pid !== null || !(this.#isDynamic || child.restart === 'temporary')
    if (keeps) this.#children.add(child)
    return answerOf(started)
  }

  /** The child that is asked for, or what is wrong with the request. */
  #childFor(what: Term): Child | Term {
    try {
      if (this.#template) return Array.isArray(what) ? this.#template.with(what as readonly Term[]) : atom('badarg')
      const lent = handed(what)
      if (lent) return childOf(this.#isDynamic ? { ...lent, id: undef } : lent, this.#autoShutdown)
      return this.#isDynamic ? dynamicChildFrom(what) : childFrom(what, this.#autoShutdown)
    } catch (thrown) {
      if (thrown instanceof BadSpec) return thrown.reason
      throw thrown
    }
  }

  async #startAgain(child: Child): Promise<Sendable> {
    const started = await startChild(this.#self, child)
    if ('error' in started) return error(started.error)
    this.#progress(child, started, 'debug')
    return answerOf(started)
  }

  async #terminateChild(id: Term): Promise<Sendable> {
    return this.#with(id, async child => {
      await this.#end(child)
      this.#forget(child)
      return atom('ok')
    })
  }

  /** False: the supervisor ends. */
  async #onExit(pid: Pid, why: Term): Promise<boolean> {
    const child = this.#ofPid(pid)
    if (!child) return true
    this.#byPid.delete(this.self.host.table.keyOf(pid))
    const wellDone = why === normal || isShutdown(why)
    if (child.restart === 'permanent' || !wellDone) this.#report('child_terminated', why, child)
    child.last = pid
    if (child.restart === 'permanent' || (child.restart === 'transient' && !wellDone)) return this.#restart(child)
    this.#forget(child)
    if (!child.significant || this.#autoShutdown === 'never') return true
    if (this.#autoShutdown === 'anySignificant') return false
    return [...this.#children].some(({ significant, pid }) => significant && pid !== null)
  }

  async #restart(child: Child): Promise<boolean> {
    child.again = null
    if (!this.#intensity.add(this.self.host.clock.now())) {
      this.#report('shutdown', atom('reached_max_restart_intensity'), child)
      this.#forget(child)
      return false
    }
    const rest = [...this.#children]
    if (this.#strategy === 'restForOne') rest.splice(0, rest.indexOf(child))
    if (this.#strategy === 'oneForAll' || this.#strategy === 'restForOne') return this.#restartAll(child, rest)
    const failed = await this.#startFirst(child)
    if (failed !== null) this.#tryAgain(child)
    else if (child.pid === null && this.#isDynamic) this.#children.delete(child)
    return true
  }

  async #restartAll(child: Child, all: readonly Child[]): Promise<boolean> {
    child.pid = null
    for (const other of all.toReversed()) {
      await this.#end(other)
      if (other.restart === 'temporary') this.#children.delete(other)
    }
    for (const other of all) {
      if (!this.#children.has(other)) continue
      if (other !== child) other.last = null
      if ((await this.#startFirst(other)) === null) continue
      this.#tryAgain(other)
      return true
    }
    return true
  }

  /** It did not start: the next attempt comes after what waits already, and counts as a restart, too. */
  #tryAgain(child: Child): void {
    child.pid = 'restarting'
    child.again = this.self.makeRef()
    this.self.send(this.self.pid, tuple(retry, child.again))
  }

  /** Starts a child and reports it. Null, or why it did not start. */
  async #startFirst(child: Child): Promise<Term | null> {
    const started = await startChild(this.#self, child)
    if ('error' in started) {
      this.#report('start_error', started.error, child)
      return started.error
    }
    this.#progress(child, started, 'info')
    if (started.pid === null && child.restart === 'temporary') this.#children.delete(child)
    return null
  }

  #progress(child: Child, { pid }: Exclude<Started, { error: Term }>, level: 'info' | 'debug'): void {
    child.pid = pid
    child.last = null
    if (!pid) return
    this.#byPid.set(this.self.host.table.keyOf(pid), child)
    if (this.#template) return
    const kind = { module: 'supervisor', sasl: true, title: 'PROGRESS REPORT', tag: 'info_report', type: 'progress' }
    const report = (): Sendable => [tuple(atom('supervisor'), this.#name), tuple(atom('started'), child.report)]
    log(this.self, level, kind, () => ({ label: tuple(atom('supervisor'), atom('progress')), report: report() }))
  }

  #report(context: string, why: Term, child: Child): void {
    const kind = { module: 'supervisor', sasl: true, title: 'SUPERVISOR REPORT', tag: 'error_report', type: 'supervisor_report' }
    const pair = (key: string, value: Sendable): Sendable => tuple(atom(key), value)
    log(this.self, 'error', kind, () => ({
      label: tuple(atom('supervisor'), atom(context)),
      report: [pair('supervisor', this.#name), pair('errorContext', atom(context)), pair('reason', why), pair('offender', child.report)],
    }))
  }

  /** `{local, Name}`, or `{Pid, Module}` */
  get #name(): Sendable {
    const { local, pid } = this.self
    return local.name ? tuple(atom('local'), local.name) : tuple(pid, this.#code.erlangModule)
  }

  /** It is to end, and its pid is not its any more. */
  async #end(child: Child): Promise<void> {
    const { pid } = child
    const why = await endChild(this.self, child)
    if (pid instanceof Pid) this.#byPid.delete(this.self.host.table.keyOf(pid))
    if (why !== null) this.#report('shutdown_error', why, child)
    child.pid = null
  }

  #forget(child: Child): void {
    child.pid = null
    child.again = null
    if (this.#isDynamic || child.restart === 'temporary') this.#children.delete(child)
  }

  async #endAll(): Promise<void> {
    const children = [...this.#children].reverse()
    if (!this.#isDynamic) for (const child of children) await this.#end(child)
    else for (const [child, why] of await endChildren(this.self, children)) this.#report('shutdown_error', why, child)
  }

  protected onEnd(): Promise<void> {
    return this.#endAll()
  }

  protected report(cause: Cause): void {
    const status = { reason: cause.error, state: this.systemGetState(), message: this.#message, log: this.sys?.debug?.log ?? [] }
    serverReport(this.self, cause, status, undefined)
  }

  /** OTP's record `state` of OTP 25, where `supervisor:get_callback_module/1` looks. */
  systemGetState(): Term {
    const { intensity, period } = this.#intensity
    const children = [...(this.#template ? [this.#template] : this.#children)].reverse()
    const ids = children.map(({ id }) => id)
    const records = new Map(children.map(child => [child.id, child.record]))
    const simpleChildren = this.#template ? tuple(atom('map'), new Map([...this.#children].map(({ pid, args }) => [pid, args]))) : undef
    const dynamic = this.#strategy === 'dynamic' ? [] : [tuple(ids, records)]
    const auto = { never: 'never', anySignificant: 'any_significant', allSignificant: 'all_significant' }[this.#autoShutdown]
    const state = [this.#name, atom(strategies[this.#strategy]), dynamic[0] ?? tuple([], new Map()), simpleChildren]
    const { erlangModule } = this.#code
    return this.self.host.copy(
      tuple(atom('state'), ...state, intensity, period, [], 0, atom(auto), erlangModule, this.life.args as Term[]) as Sendable,
    )
  }

  /** A supervisor's state is its own. */
  async systemReplaceState(): Promise<Term> {
    throw new ErlangError(atom('badarg'), [])
  }

  systemStatus(sysState: Atom, events: readonly Term[]): Term {
    const line = (label: string, value: Sendable): Sendable => [tuple([...Buffer.from(label)], value)]
    const header = statusHeader('Status for generic server', nameOf(this.self), this.parent, sysState, events as Term)
    const state = tuple(atom('data'), line('State', this.systemGetState()))
    return this.self.host.copy([...header, state, tuple(atom('supervisor'), line('Callback', this.#code.erlangModule))])
  }

  /** The flags and specifications anew; children that run go on. */
  async systemCodeChange(): Promise<void> {
    const init = await this.#code.init.apply(this.self, [...this.life.args])
    const before = [...this.#children]
    this.#children.clear()
    const wrong = this.#configure(init)
    if (wrong !== null || this.#isDynamic) {
      this.#children.clear()
      for (const child of before) this.#children.add(child)
      if (wrong !== null) throw wrong
      return
    }
    for (const child of before) {
      const now = [...this.#children].find(({ id }) => equals(id, child.id))
      if (!now) this.#children.add(child)
      else [now.pid, now.last, now.again] = [child.pid, child.last, child.again]
      if (now?.pid instanceof Pid) this.#byPid.set(this.self.host.table.keyOf(now.pid), now)
    }
  }
}

function childInfo({ id, pid, type, modules }: Child): Sendable {
  return tuple(id, pid === 'restarting' ? atom('restarting') : (pid ?? undef), atom(type), modules)
}

/** Why something that wants a child that does not run cannot be done. */
function stopped({ pid }: Child): Sendable | undefined {
  if (pid === null) return undefined
  return error(atom(pid === 'restarting' ? 'restarting' : 'running'))
}

const answerOf = ({ pid, extra }: Exclude<Started, { error: Term }>): Sendable =>
  tuple(atom('ok'), pid ?? undef, ...(extra === undefined ? [] : [extra]))

function flagsFault(strategy: Strategy, intensity: number, period: number, autoShutdown: AutoShutdown): Term | null {
  const fault = (what: string, value: unknown): Term => tuple(atom(what), typeof value === 'number' ? value : atom(String(value)))
  if (!Object.hasOwn(strategies, strategy)) return fault('invalid_strategy', strategy)
  if (!(Number.isInteger(intensity) && intensity >= 0)) return fault('invalid_intensity', intensity)
  if (!(Number.isInteger(period) && period > 0)) return fault('invalid_period', period)
  if (!['never', 'anySignificant', 'allSignificant'].includes(autoShutdown)) return fault('invalid_auto_shutdown', autoShutdown)
  return null
}
