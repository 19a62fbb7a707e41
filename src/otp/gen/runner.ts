/**
 * The life that all behaviours share: a start that its starter waits for, one handler at a time in the order of the messages, system messages
 * in between, the exit of the parent, and an end that is reported. While an async handler waits, its own receives (a call that it makes) are
 * served, and nothing else.
 *
 * Source: gen.erl, proc_lib.erl, and what gen_server, gen_statem and gen_event have in common.
 */
import { basename } from 'node:path'
import type { Change, Code } from '../../node/code.js'
import { ErlangError, ExitError, type InitialCall, type LocalProcess, type Process, ProcessError, reason } from '../../process/index.js'
import { Atom, atom, equals, format, type Pid, type Sendable, type Term, Tuple, tuple, charlist } from '../../term/index.js'
import { type Cause, causeOf, exitCause, isUsual } from './cause.js'
import { type Caller, callerOf } from './gen.js'
import type { From } from './server-types.js'
import { ProcLibRunner } from './proc-lib-runner.js'
import { claim, disclaim, type FarName } from './server-name.js'
import { crashReport, errorReport } from '../logger/report.js'
import { latestOf } from './latest.js'
import { handleSystem, isSystem, newSysState, type SysState, type SystemProcess } from './sys.js'
import type { FormatEvent } from './sys-debug.js'

export interface Life {
  readonly args: readonly unknown[]
  /** Who started it and is linked to it: its exit ends the process even when that traps exits. */
  readonly parent: Pid | null
  /** The name that it takes first, where that is none of this node's registry */
  readonly name?: FarName | undefined
  started(): void
  failed(error: unknown): void
}

/** OTP's module of a behaviour: what all its processes have in common. */
export interface OtpModule {
  readonly name: Atom
  readonly formatEvent: FormatEvent
  /** The function in which such a process waits for messages */
  readonly loop: InitialCall
}

/** What a module defines, and what a later version of it defines anew. */
export interface Defined {
  /** `import.meta.url`: what lets it be found again, in another place or in another version */
  readonly module?: string | undefined
  /** `gen_server` … */
  readonly behaviour: Atom
}

/** What can be started as a process of a behaviour. */
export interface Behaviour<C = unknown> extends Defined {
  /** What the behaviour calls: the tables of handlers, `init` … */
  readonly code: C
  runner(self: Process, life: Life): GenRunner
}

/** A change to another version. */
export interface CodeChange {
  readonly oldVsn: Term
  readonly extra: Term
  /** As `sys:change_code` has it: of a gen_event only the handlers of that name change, and without a `codeChange` nothing does. */
  readonly module?: Term
  /** Default: `up` */
  readonly change?: Change
  /** The definition that takes one's place, or the same. @throws when there is none */
  to<D extends Defined>(definition: D): D
}

/** The code whose `codeChange` is asked: that of the version that comes, or of the one that is left; undefined: nobody's. */
export function asked<C>({ change = 'up' }: CodeChange, from: C, to: C): C | undefined {
  if (change === 'soft') return undefined
  return change === 'up' ? to : from
}

export type Handler = (this: any, ...args: any[]) => unknown

/** Every process of a node has it. */
export interface Coded extends Process {
  readonly node: { readonly code: Code }
}

/** What is left of its start: a node has many servers. */
const begun: Life = { args: [], parent: null, started: () => {}, failed: () => {} }

/** A private method (`#name`) would cost each server eight bytes, so there is none here, nor in what extends it. */
export abstract class GenRunner<C = unknown> extends ProcLibRunner implements SystemProcess {
  readonly self: Process
  /** Another one after a change of code */
  definition: Behaviour<C>
  sys: SysState | null = null
  protected life: Life
  protected stage: 'new' | 'starting' | 'idle' | 'busy' | 'held' = 'new'

  constructor(self: Process, definition: Behaviour<C>, life: Life) {
    super()
    this.self = self
    this.definition = definition
    this.life = life
  }

  protected abstract readonly otp: OtpModule
  /** The file that defines it, as the Erlang module that it stands for */
  protected abstract readonly module: Atom
  /** Runs init; `this.begun()` or `this.fails(…)` follows. */
  protected abstract begin(): void
  protected abstract onMessage(message: Term): void
  /** The behaviour's `terminate`: it may be async, and what it throws becomes the reason. */
  protected abstract onEnd(cause: Cause): unknown
  /** Tells the logger about an unusual end. */
  protected abstract report(cause: Cause): void
  abstract systemGetState(): Term
  abstract systemReplaceState(fun: (state: Term) => Promise<Term>): Promise<Term>
  abstract systemStatus(sysState: Atom, log: readonly Term[]): Term
  /** What it is to be with another version. Nothing changes until what comes of it is called. */
  protected abstract upgraded(change: CodeChange): Promise<() => void>

  /** Of all that it runs */
  get definitions(): readonly Defined[] {
    return [this.definition]
  }

  protected get code(): C {
    return this.definition.code
  }

  get behaviour(): Atom {
    return this.otp.name
  }

  get formatEvent(): FormatEvent {
    return this.otp.formatEvent
  }

  get parent(): Pid {
    return this.life.parent ?? this.self.pid
  }

  /** The name that it has in the cluster, or by a module */
  get farName(): FarName | undefined {
    return this.life.name
  }

  /** Who started it and is linked to it */
  get starter(): Pid | null {
    return this.life.parent
  }

  /** What `$initial_call` says of it */
  get initialCall(): InitialCall {
    return tuple(this.module, init, 1)
  }

  /** Does a handler of it run, its `terminate` too? */
  get handles(): boolean {
    return this.stage === 'busy'
  }

  /** The function that it is in, when that has a name: in OTP 29 it waits there */
  get currentFunction(): InitialCall | null {
    if (this.stage === 'idle' || this.stage === 'held') return this.otp.loop
    return this.stage === 'busy' ? null : this.initialCall
  }

  run(process: LocalProcess): void {
    if (this.stage === 'busy' || this.stage === 'starting' || this.stage === 'held') return this.self.serve()
    if (this.stage === 'new') {
      if (this.sys?.held) return
      this.stage = 'starting'
      return this.life.name === undefined ? this.begin() : void this.named(this.life.name)
    }
    const { scheduler } = this.self.host
    if (this.waiting(process) && scheduler.take()) this.takeNext(process)
    if (process.alive && this.stage === 'idle' && this.waiting(process)) scheduler.ready(process)
  }

  exited(_process: LocalProcess, why: Term): void {
    this.sys?.held?.reached()
    if (this.stage === 'new' || this.stage === 'starting') this.life.failed(new ExitError(why))
    this.self.exited(why)
  }

  /** The caller of the call that is being handled. @throws ErlangError badarg when there is none. */
  from(): From {
    throw new ErlangError(atom('badarg'), undefined)
  }

  systemTerminate(why: Term): void {
    this.end(exitCause(why))
  }

  async systemCodeChange(oldVsn: Term, extra: Term, module: Term): Promise<void> {
    const { code } = (this.self as Coded).node
    const change = await this.upgraded({ oldVsn, extra, module, to: definition => latestOf(code, definition) })
    change()
  }

  get isHeld(): boolean {
    return this.sys !== null && this.sys.held !== null
  }

  /** Handles nothing from now on, when it is done with what it handles. Resolves then, or when it ends. */
  hold(): Promise<void> {
    const sys = (this.sys ??= newSysState())
    return new Promise(resolve => {
      sys.held = { reached: resolve }
      if (this.stage === 'new') resolve()
      else if (this.stage === 'idle') this.idle()
    })
  }

  /** What it is to be with another version; before its `init`, that of the other one. @throws as `codeChange` does */
  async next(change: CodeChange): Promise<() => void> {
    if (this.stage !== 'new') return this.upgraded(change)
    const to = change.to(this.definition)
    return () => (this.definition = to)
  }

  /** Goes on after `hold`. */
  release(): void {
    const { sys } = this
    if (!sys?.held) return
    sys.held = null
    if (!sys.suspended && !sys.debug) this.sys = null
    if (this.stage === 'held') this.idle()
    else if (this.stage === 'new') this.self.host.scheduler.ready(this.self.local)
  }

  /** Is there something that it has told itself to do before it takes a message? */
  protected get owes(): boolean {
    return false
  }

  /** Is there anything to be taken? */
  protected waiting({ mailbox }: LocalProcess): boolean {
    return this.sys?.suspended === true ? mailbox.last > this.sys.seen && !mailbox.empty : !mailbox.empty
  }

  protected take({ mailbox }: LocalProcess): Term | undefined {
    return mailbox.shift()
  }

  private takeNext(process: LocalProcess): void {
    const message = this.sys?.suspended === true ? this.takeSuspended(process, this.sys) : this.take(process)
    if (message === undefined) return
    if (message instanceof Tuple && message.length === 3) {
      if (isSystem(message)) return this.onSystem(callerOf(message.elements[1] as Term), message.elements[2] as Term)
      if (this.isParentExit(message)) return this.end(exitCause(message.elements[2] as Term))
    }
    this.onMessage(message)
  }

  private takeSuspended({ mailbox }: LocalProcess, sys: SysState): Term | undefined {
    const found = mailbox.take(term => isSystem(term) || this.isParentExit(term), sys.seen)
    if (found === undefined) sys.seen = mailbox.last
    return found
  }

  private isParentExit(message: Term): boolean {
    if (!(message instanceof Tuple) || message.length !== 3 || message.elements[0] !== exit) return false
    // As in OTP, one that nobody is linked to is its own parent.
    return equals(message.elements[1] as Term, this.parent)
  }

  private onSystem(from: Caller | null, request: Term): void {
    if (!from) return
    const later = handleSystem(this, from, request)
    if (!later) return
    this.stage = 'busy'
    later.then(() => this.idle()).catch((thrown: unknown) => this.crash(thrown))
  }

  /** Takes its name, before init. Never rejects. */
  private async named(name: FarName): Promise<void> {
    try {
      await claim(this.self, name)
    } catch (error) {
      if (!this.self.local.alive) return
      this.life.failed(error)
      return this.self.host.exit(this.self.local, reason.normal)
    }
    if (this.self.local.alive) this.begin()
  }

  /** init did not succeed, so somebody else may have its name. */
  private failed(error: unknown): void {
    const { life, self } = this
    if (life.name) void disclaimed(self, life.name)
    life.failed(error)
  }

  /** init has returned. */
  protected begun(goOn: () => void = () => this.idle()): void {
    const { started, parent, name } = this.life
    // What only its start needed is not kept while it lives.
    this.life = parent || name ? { ...begun, parent, name } : begun
    this.stage = 'busy'
    started()
    goOn()
  }

  /** init says that there shall be no such process. */
  protected ignored(): void {
    this.failed(new ProcessError('ERR_IGNORE', 'Its init returned `ignore`: there is no such process, and that is no fault.'))
    this.self.host.exit(this.self.local, reason.normal)
  }

  /** init returned `{stop, Reason}`. */
  protected stopsInInit(why: Term): void {
    const cause = exitCause(why)
    if (!isUsual(cause)) crashReport(this.self, this.module, this.parent, cause)
    this.failed(new ExitError(why))
    this.self.host.exit(this.self.local, why)
  }

  /** Runs a handler, and `next` with what comes of it. Most return at once, and cost no promise. */
  protected invoke(handler: Handler, args: readonly unknown[], next: (out: unknown) => void): void {
    if (this.stage === 'idle') this.stage = 'busy'
    try {
      const out: unknown = Reflect.apply(handler, this.self, args)
      if (!(out instanceof Promise)) return next(out)
      out.then(value => this.self.local.alive && next(value)).catch((thrown: unknown) => this.crash(thrown))
    } catch (thrown) {
      this.crash(thrown)
    }
  }

  protected idle(): void {
    if (!this.self.local.alive) return
    if (this.sys !== null && this.sys.held !== null && !this.owes) {
      this.stage = 'held'
      return this.sys.held.reached()
    }
    this.stage = 'idle'
    const { scheduler, activity } = this.self.host
    scheduler.ready(this.self.local)
    activity?.done()
  }

  protected crash(thrown: unknown): void {
    if (!this.self.local.alive) return
    const cause = causeOf(thrown)
    if (this.stage !== 'starting') return this.end(cause)
    this.failed(new ExitError(this.startFault(cause), undefined, { cause: thrown }))
    this.exit(cause)
  }

  /** What whoever starts it is told when its `init` has thrown */
  protected startFault(cause: Cause): Term {
    return cause.reason
  }

  /** The last handler runs while the process still lives; when it throws, that becomes the reason. */
  protected end(cause: Cause): void {
    this.stage = 'busy'
    const done = (cause: Cause): void => {
      if (!this.self.local.alive) return
      if (!isUsual(cause)) this.report(cause)
      this.exit(cause)
    }
    try {
      const out = this.onEnd(cause)
      if (out instanceof Promise) out.then(() => done(cause)).catch((thrown: unknown) => done(causeOf(thrown)))
      else done(cause)
    } catch (thrown) {
      done(causeOf(thrown))
    }
  }

  private exit(cause: Cause): void {
    const { host, local } = this.self
    if (!isUsual(cause)) crashReport(this.self, this.module, this.parent, cause)
    if (cause.thrown === undefined) host.exit(local, cause.reason)
    else host.crash(local, cause.thrown, true)
  }
}

/** Never rejects: what its module has to say against it is reported. */
async function disclaimed(self: Process, name: FarName): Promise<void> {
  try {
    await disclaim(self, name)
  } catch (thrown) {
    errorReport(self, () => [tuple(atom('unregister_name'), name), tuple(atom('error_info'), reason.reasonOf(thrown))])
  }
}

const [exit, init] = [atom('EXIT'), atom('init') as Atom]

/** The Erlang module that a file stands for: its name without the ending. */
export const moduleOf = (url: string | undefined, behaviour: string): Atom =>
  atom(basename(url ?? behaviour).replace(/\.[^.]*$/, '')) as Atom

/** `get` is the handler `get` without arguments, `{add, 5}` is `add` with one. Too few arguments are no match. */
export function handlerOf(table: Record<string, Handler> | undefined, request: Term): { handler: Handler; args: readonly Term[] } | null {
  const name: unknown = request instanceof Tuple ? request.elements[0] : request
  if (!table || !(name instanceof Atom) || !Object.hasOwn(table, name.name)) return null
  const handler = table[name.name] as Handler
  const args = request instanceof Tuple ? request.elements.slice(1) : []
  return handler.length - 1 <= args.length ? { handler, args } : null
}

/** A state as a term; what is none is told as text. */
export function stateTerm(self: Process, state: unknown): Term {
  try {
    return self.host.copy(state as Sendable)
  } catch {
    // A state may hold anything, a function, say: whoever looks at it gets what console.log would show.
    return reason.termOf(state)
  }
}

/** `{"Label", Value}`, a line of a status */
export const line = (label: string, value: Sendable): Sendable => tuple(charlist(label), value)

/** `[{header, …}, {data, […]} …]`, the beginning of every status. */
export function statusHeader(what: string, name: Term, parent: Pid, sysState: Atom, log: Term): Sendable[] {
  const header = charlist(`${what} ${name instanceof Atom ? name.name : format(name)}`)
  return [
    tuple(atom('header'), header),
    tuple(atom('data'), [line('Status', sysState), line('Parent', parent), line('Logged events', log)]),
  ]
}
