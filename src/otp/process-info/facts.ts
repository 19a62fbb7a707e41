/**
 * What can be told of a process: of one in this place, by looking at it; of one in a place that does not answer, as far as main knows. What a BEAM
 * process has and one of ours has not is 0, empty or `undefined`.
 */
import type { RegisteredName } from '../../dist/signal.js'
import type { Known } from '../../node/places/census.js'
import { Begun, BodyRunner, type InitialCall, type LocalProcess, type Processes } from '../../process/index.js'
import { type Atom, atom, type Pid, type Term, tuple } from '../../term/index.js'
import { dictionaryOf } from '../gen/dictionary.js'
import { PlacedServer, placedServer } from '../gen/placed-server.js'
import { ProcLibRunner } from '../gen/proc-lib-runner.js'

export interface ProcessFacts {
  readonly pid: Pid
  readonly name: Atom | undefined
  /** The function that it was spawned with */
  readonly initialCall: InitialCall
  /** `undefined`: it is in one without a name */
  readonly currentFunction: InitialCall | null
  readonly status: 'running' | 'runnable' | 'waiting'
  readonly messageQueueLength: number
  readonly messages: readonly Term[]
  readonly links: readonly Pid[]
  readonly monitors: readonly (Pid | RegisteredName)[]
  readonly monitoredBy: readonly Pid[]
  /** What OTP's processes keep in their dictionaries of their start, and the label */
  readonly dictionary: ReadonlyMap<Atom, Term>
  readonly trapExit: boolean
  readonly groupLeader: Pid
  readonly parent: Pid | null
  readonly label: Term | undefined
  readonly traceToken: Term
  /** One for each message that it has taken */
  readonly reductions: number
  /** Bytes, where it has its memory for itself */
  readonly memory: number
}

/** Of an OS process, where a process of ours has one for itself */
export interface OwnMemory {
  bytesOf(pid: Pid): number
}

const mfa = (module: string, fun: string, arity: number): InitialCall => tuple(atom(module) as Atom, atom(fun) as Atom, arity)

const closure = mfa('erlang', 'apply', 2)
const procLib = mfa('proc_lib', 'init_p', 5)

export class LocalFacts implements ProcessFacts {
  readonly #process: LocalProcess
  readonly #processes: Processes
  readonly #asks: Pid
  readonly #memory: OwnMemory

  /** @param asks the process that wants to know: it runs */
  constructor(process: LocalProcess, processes: Processes, asks: Pid, memory: OwnMemory) {
    this.#process = process
    this.#processes = processes
    this.#asks = asks
    this.#memory = memory
  }

  get pid(): Pid {
    return this.#process.pid
  }

  get name(): Atom | undefined {
    return this.#process.name ?? undefined
  }

  get initialCall(): InitialCall {
    const { runner } = this.#process
    if (runner instanceof ProcLibRunner || runner instanceof PlacedServer) return procLib
    const begun = runner instanceof BodyRunner ? runner.begun : runner
    return (begun instanceof Begun ? begun.initialCall : null) ?? closure
  }

  get currentFunction(): InitialCall | null {
    const { runner } = this.#process
    if (runner instanceof ProcLibRunner) return runner.currentFunction
    if (runner instanceof PlacedServer) return procLib
    const { initialCall } = this
    return initialCall === closure ? null : initialCall
  }

  get status(): ProcessFacts['status'] {
    if (this.#process.pid === this.#asks) return 'running'
    return this.#process.ready ? 'runnable' : 'waiting'
  }

  get messageQueueLength(): number {
    return this.#process.mailbox.size
  }

  get messages(): readonly Term[] {
    return [...this.#process.mailbox.terms()]
  }

  get links(): readonly Pid[] {
    return this.#process.linked
  }

  get monitors(): readonly (Pid | RegisteredName)[] {
    return this.#process.monitored
  }

  get monitoredBy(): readonly Pid[] {
    return this.#process.monitoredBy
  }

  get dictionary(): ReadonlyMap<Atom, Term> {
    return dictionaryOf(this.#process, this.#processes)
  }

  get trapExit(): boolean {
    return this.#process.traps
  }

  get groupLeader(): Pid {
    return this.#process.groupLeader
  }

  get parent(): Pid | null {
    const { runner } = this.#process
    return runner instanceof ProcLibRunner ? (runner.starter ?? this.#processes.init.pid) : null
  }

  get label(): Term | undefined {
    return this.#process.rare?.label
  }

  get traceToken(): Term {
    return this.#process.mailbox.trace?.token ?? []
  }

  get reductions(): number {
    const { last, size } = this.#process.mailbox
    return last - size
  }

  get memory(): number {
    return this.#memory.bytesOf(this.#process.pid)
  }
}

/** Of a process whose place has not answered: it computes, or is stopped. */
export class KnownFacts implements ProcessFacts {
  readonly #known: Known
  readonly #processes: Processes
  readonly memory: number

  constructor(known: Known, processes: Processes, memory: number) {
    this.#known = known
    this.#processes = processes
    this.memory = memory
  }

  get pid(): Pid {
    return this.#known.pid
  }

  get name(): Atom | undefined {
    return this.#processes.registry.nameOf(this.pid)
  }

  get initialCall(): InitialCall {
    const { resident } = this.#known
    if (resident?.module === placedServer) return procLib
    if (resident === null || resident.arity === null) return closure
    return tuple(resident.module, resident.fun, resident.arity)
  }

  get currentFunction(): InitialCall | null {
    return null
  }

  get status(): ProcessFacts['status'] {
    return 'running'
  }

  get links(): readonly Pid[] {
    return this.#known.links
  }

  get monitors(): readonly (Pid | RegisteredName)[] {
    return this.#known.monitors
  }

  get monitoredBy(): readonly Pid[] {
    return this.#known.monitoredBy
  }

  get trapExit(): boolean {
    return this.#known.trapExit
  }

  get groupLeader(): Pid {
    return this.#known.resident?.groupLeader ?? this.#processes.init.groupLeader
  }

  readonly messageQueueLength = 0
  readonly messages: readonly Term[] = []
  readonly dictionary: ReadonlyMap<Atom, Term> = new Map()
  readonly parent = null
  readonly label = undefined
  readonly traceToken: Term = []
  readonly reductions = 0
}
