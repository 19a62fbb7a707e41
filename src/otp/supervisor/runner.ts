/**
 * A supervisor's life: it starts its children in order, starts those again that end, and ends them in reverse order. One thing at a time: whoever
 * calls it waits until a restart is done.
 *
 * Source: supervisor.erl (init_children, handle_call, handle_info, terminate, code_change).
 */
import { ErlangError, type InitialCall, type Process } from '../../process/index.js'
import { type Atom, atom, equals, Pid, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'
import { type Cause, exitCause } from '../gen/cause.js'
import { ChildProcesses } from './child-processes.js'
import { Children } from './children.js'
import { parseRequest, reply } from '../gen/gen.js'
import { type Behaviour, type CodeChange, GenRunner, type Life, line, type OtpModule, statusHeader } from '../gen/runner.js'
import { genServerModule } from '../gen/server-events.js'
import { serverReport } from '../logger/report.js'
import { RestartIntensity } from './restart-intensity.js'
import type { Supervising } from './start-child.js'
import { autoShutdownNames, type Configured, configured, strategyNames } from './flags.js'
import { SupervisorReports } from './reports.js'
import { SupervisorRequests } from './requests.js'
import { SupervisorRestarts, tryAgainRestart, type Verdict } from './restarts.js'
import type { SupervisorInit } from './types.js'
import { nameOf } from '../gen/process-name.js'
import { tellEvent } from '../gen/sys.js'

export interface SupervisorCode {
  readonly erlangModule: Atom
  init(...args: any[]): SupervisorInit | Promise<SupervisorInit>
}

const shutdown = atom('shutdown')
const supervisor = atom('supervisor') as Atom

let made = 0

export class SupervisorRunner extends GenRunner<SupervisorCode> {
  /** In the order of their starts */
  readonly number = ++made
  /** For `init`, also of a later version */
  readonly #args: readonly unknown[]
  readonly #children: Children
  readonly #processes: ChildProcesses
  readonly #reports: SupervisorReports
  readonly #restarts: SupervisorRestarts
  readonly #requests: SupervisorRequests
  #message: Term = []

  constructor(self: Process, definition: Behaviour<SupervisorCode>, life: Life) {
    super(self, definition, life)
    const { code } = definition
    this.#args = life.args
    this.#children = new Children(self.host.table)
    this.#reports = new SupervisorReports(self, code.erlangModule)
    this.#processes = new ChildProcesses(self as Supervising, this.#children, this.#reports)
    this.#restarts = new SupervisorRestarts(self, this.#children, this.#processes, this.#reports)
    this.#requests = new SupervisorRequests(this.#children, this.#processes, this.#restarts)
  }

  protected get otp(): OtpModule {
    return genServerModule
  }

  override get initialCall(): InitialCall {
    return tuple(this.module, this.code.erlangModule, 1)
  }

  protected get module(): Atom {
    return supervisor
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
    const configured = await this.#configured(this.code)
    if ('wrong' in configured) return configured.wrong
    this.#configure(configured)
    for (const child of this.#children.all) {
      const failed = await this.#processes.start(child)
      if (failed === null) continue
      await this.#processes.endAll()
      return tuple(shutdown, tuple(atom('failed_to_start_child'), child.id, failed))
    }
    return null
  }

  async #configured({ init }: SupervisorCode): Promise<ReturnType<typeof configured>> {
    return configured(await init.apply(this.self, [...this.#args]))
  }

  #configure(flags: Configured): void {
    const isSimple = flags.strategy === 'simpleOneForOne'
    this.#restarts.autoShutdown = flags.autoShutdown
    this.#restarts.intensity = new RestartIntensity(flags.intensity, flags.period)
    this.#children.strategy = flags.strategy
    this.#children.template = isSimple ? (flags.children[0] ?? null) : null
    if (!isSimple) for (const child of flags.children) this.#children.add(child)
  }

  protected onMessage(message: Term): void {
    this.#message = message
    if (this.sys !== null) tellEvent(this, atom('in'), message)
    const parsed = parseRequest(message)
    const { request } = parsed
    if (parsed.kind === 'call') return this.#onCall(request, answer => reply(this.self, parsed.from, answer))
    if (parsed.kind === 'cast')
      return this.crash(new ErlangError(atom('function_clause'), [tuple(supervisor, atom('handle_cast'), [request], [])]))
    const [tag, from, why] = request instanceof Tuple ? (request.elements as readonly Term[]) : []
    if (tag === atom('EXIT') && from instanceof Pid && why !== undefined) this.#afterwards(() => this.#restarts.ended(from, why))
    else if (tag === tryAgainRestart && from !== undefined) this.#afterwards(() => this.#restarts.again(from))
    else {
      this.#reports.unexpected(message)
      this.idle()
    }
  }

  #onCall(request: Term, answered: (answer: Sendable) => void): void {
    this.invoke(
      () => this.#requests.answer(request),
      [],
      answer => {
        answered(answer as Sendable)
        this.idle()
      },
    )
  }

  #afterwards(work: () => Promise<Verdict>): void {
    this.invoke(work, [], verdict => (verdict === 'ends' ? this.end(exitCause(shutdown)) : this.idle()))
  }

  protected onEnd(): Promise<void> {
    return this.#processes.endAll()
  }

  protected report(cause: Cause): void {
    const status = { reason: cause.error, state: this.systemGetState(), message: this.#message, log: this.sys?.debug?.log ?? [] }
    serverReport(this.self, cause, status, undefined)
  }

  /** OTP's record `state` of OTP 25, where `supervisor:get_callback_module/1` looks. */
  systemGetState(): Term {
    const { all, strategy, template } = this.#children
    const { autoShutdown, intensity } = this.#restarts
    const kept = strategy === 'dynamic' ? [] : template ? [template] : all.toReversed()
    const records = tuple(
      kept.map(({ id }) => id),
      new Map(kept.map(child => [child.id, child.record])),
    )
    const simpleChildren = template ? tuple(atom('map'), new Map(all.map(({ pid, args }) => [pid, args]))) : atom('undefined')
    const flags = [atom(strategyNames[strategy]), records, simpleChildren, intensity.intensity, intensity.period]
    const rest = [[], 0, atom(autoShutdownNames[autoShutdown]), this.code.erlangModule, this.#args as Term[]]
    return this.self.host.copy(tuple(atom('state'), this.#reports.name, ...flags, ...rest) as Sendable)
  }

  /** A supervisor's state is its own. */
  async systemReplaceState(): Promise<Term> {
    throw new ErlangError(atom('badarg'), [])
  }

  systemStatus(sysState: Atom, events: readonly Term[]): Term {
    const header = statusHeader('Status for generic server', nameOf(this.self), this.parent, sysState, events as Term)
    const state = tuple(atom('data'), [line('State', this.systemGetState())])
    return this.self.host.copy([...header, state, tuple(supervisor, [line('Callback', this.code.erlangModule)])])
  }

  /** The flags and specifications anew; children that run go on. */
  protected async upgraded({ to }: CodeChange): Promise<() => void> {
    const definition = to(this.definition)
    const configured = await this.#configured(definition.code)
    if ('wrong' in configured) throw configured.wrong
    return () => {
      this.definition = definition
      this.#reconfigure(configured)
    }
  }

  #reconfigure(flags: Configured): void {
    const before = this.#children.all
    this.#children.clear()
    this.#configure(flags)
    if (this.#children.isDynamic) {
      this.#children.clear()
      for (const child of before) this.#children.add(child)
      return
    }
    for (const child of before) {
      const now = this.#children.all.find(({ id }) => equals(id, child.id))
      if (!now) this.#children.add(child)
      else {
        if (child.pid instanceof Pid) this.#children.runs(now, child.pid)
        ;[now.pid, now.last, now.again] = [child.pid, child.last, child.again]
      }
    }
  }
}
