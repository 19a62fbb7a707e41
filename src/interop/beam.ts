/**
 * A real BEAM node for a test: evaluates Erlang, collects its log, and fails on purpose.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { atom, type Sendable, type Term, tuple } from '../term/index.js'
import type { Child, Exit } from './child.js'
import type { Control, Floats } from './control.js'
import { type Waiting, within } from './deadline.js'
import type { Log, LogEvent, LogPattern } from './log.js'
import type { Release } from './release.js'

export interface EvalOptions extends Waiting {
  /** Variables: `{ X: 1 }` binds X. */
  readonly bindings?: Readonly<Record<string, Sendable>> | undefined
  /** 'exact' decodes every float as a Float. */
  readonly floats?: Floats
}

export interface Identity {
  /** The whole name, `name@host`; `nonode@nohost` without distribution */
  readonly name: string
  readonly cookie: string
  readonly otp: Release
}

export class Beam implements AsyncDisposable {
  readonly name: string
  readonly cookie: string
  readonly otp: Release
  readonly log: Log
  readonly #child: Child
  readonly #control: Control

  /** Use `startBeam`. */
  constructor(child: Child, control: Control, log: Log, identity: Identity) {
    this.#child = child
    this.#control = control
    this.log = log
    this.name = identity.name
    this.cookie = identity.cookie
    this.otp = identity.otp
  }

  /**
   * Evaluates Erlang expressions in a process of their own and resolves to the value of the last one. The final dot may be left out.
   * What the process registered, linked or owned is gone when it is done, as it is for any process that ends.
   *
   * @throws BeamError with class, reason and stack for an exception; InteropError ERR_INTEROP_TIMEOUT (the process is killed), ERR_INTEROP_EXITED.
   */
  async eval(source: string, options: EvalOptions = {}): Promise<Term> {
    return this.#request('eval', source, options)
  }

  /** Evaluates Elixir. Bindings are its variables. */
  async elixir(source: string, options: EvalOptions = {}): Promise<Term> {
    return this.#request('elixir', source, options)
  }

  /** Compiles an Erlang module's source in the node and loads it. Resolves to its name. */
  async load(source: string, options: Waiting = {}): Promise<Term> {
    return within(options, `load on ${this.name}`, signal => this.#control.request(tuple(atom('load'), source), signal))
  }

  #request(language: 'eval' | 'elixir', source: string, { bindings = {}, floats, ...waiting }: EvalOptions): Promise<Term> {
    return within(waiting, `${language} on ${this.name}`, signal =>
      this.#control.request(tuple(atom(language), source, bindings), signal, floats),
    )
  }

  /** Resolves once the node sees that other node in `nodes(connected)`, or no longer sees it. */
  async waitForNode(name: string, state: 'up' | 'down', options: Waiting = {}): Promise<void> {
    const source = `
      ok = net_kernel:monitor_nodes(true, [{node_type, all}]),
      case lists:member(Name, nodes(connected)) of
        Up -> ok;
        _ when Up -> receive {nodeup, Name, _} -> ok end;
        _ -> receive {nodedown, Name, _} -> ok end
      end.`
    await this.eval(source, { ...options, bindings: { Name: atom(name), Up: state === 'up' } })
  }

  /** The first log event that matches, whether it came before or comes later. */
  async waitForLog(pattern: LogPattern, options: Waiting = {}): Promise<LogEvent> {
    return within(options, `the log of ${this.name}`, signal => this.#logged(pattern, signal))
  }

  #logged(pattern: LogPattern, signal: AbortSignal): Promise<LogEvent> {
    return new Promise(resolve => {
      const look = (): void => {
        const event = this.log.find(pattern)
        if (!event) return
        stop()
        resolve(event)
      }
      const stop = this.log.listen(look)
      signal.addEventListener('abort', stop, { once: true })
      look()
    })
  }

  /** Warnings and errors that match are part of the test, whenever they come. */
  expectLog(pattern: LogPattern): void {
    this.log.expect(pattern)
  }

  /** Warnings, errors and worse that no `expectLog` covers. Complete once the node has stopped. */
  unexpectedLogs(): LogEvent[] {
    return this.log.unexpected()
  }

  /** What it wrote to stdout and stderr. */
  get output(): string {
    return this.#child.output
  }

  /** The operating system's process id of the BEAM itself. */
  get pid(): number {
    return this.#child.pid
  }

  get exited(): Promise<Exit> {
    return this.#child.exited
  }

  /** SIGSTOP: when this returns it answers nothing any more, and its connections stay open. */
  pause(): void {
    this.#child.signal('SIGSTOP')
    stopped(this.pid)
  }

  resume(): void {
    this.#child.signal('SIGCONT')
  }

  /** SIGKILL: it says goodbye to nobody. */
  async kill(): Promise<Exit> {
    return this.#child.kill()
  }

  /** `init:stop()`: applications stop in order, connections close. A node that does not manage within 20 s is killed, which is an error. */
  async stop(): Promise<Exit> {
    this.resume()
    this.#control.stop()
    try {
      return await within({ timeout: 20_000 }, `stop of ${this.name}`, () => this.exited)
    } catch (error) {
      await this.kill()
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

/**
 * Returns when every thread of a process stands still. The signal is only on its way when kill(2) returns, nobody is told when it has
 * arrived, and that takes microseconds. Where there is no /proc, nothing more can be known.
 */
function stopped(pid: number): void {
  const until = performance.now() + 1000
  while (performance.now() < until && threads(pid).some(isRunning)) continue
}

const threads = (pid: number): string[] =>
  existsSync(`/proc/${pid}/task`) ? readdirSync(`/proc/${pid}/task`).map(thread => `/proc/${pid}/task/${thread}/stat`) : []

/** A thread that has ended meanwhile stands still, too. */
function isRunning(stat: string): boolean {
  try {
    const text = readFileSync(stat, 'latin1')
    return !/^[TtZX]/.test(text.slice(text.lastIndexOf(')') + 2))
  } catch {
    return false
  }
}
