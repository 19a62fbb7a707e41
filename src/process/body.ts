/** A process whose code is an async function: its receives are served as messages come, and its promise is its life. */
import type { Atom, Term, Tuple } from '../term/index.js'
import type { LocalProcess, Runner } from './local-process.js'
import type { Body, Process } from './process.js'
import { normal } from './reason.js'

/** The function that a process was started with: {Module, Function, Arity} */
export type InitialCall = Tuple<readonly [Atom, Atom, number]>

/** Its code has begun, and is kept by what it waits for. All processes of one function share one of these, so that none has to remember which it is. */
export class Begun implements Runner {
  /** Null: it is a closure. */
  readonly initialCall: InitialCall | null

  constructor(initialCall: InitialCall | null) {
    this.initialCall = initialCall
  }

  run(process: LocalProcess): void {
    ;(process as Process).serve()
  }

  exited(process: LocalProcess, reason: Term): void {
    ;(process as Process).exited(reason)
  }
}

const closure = new Begun(null)

export class BodyRunner implements Runner {
  readonly begun: Begun
  readonly #body: Body

  constructor(body: Body, begun = closure) {
    this.#body = body
    this.begun = begun
  }

  run(self: Process): void {
    self.runner = this.begun
    begin(self, this.#body)
  }

  exited(self: Process, reason: Term): void {
    self.exited(reason)
  }
}

/** Never throws: whatever the body throws ends its process, and only that. */
function begin(self: Process, body: Body): void {
  try {
    const life: unknown = body(self)
    if (!isThenable(life)) return ended(self, undefined)
    // These two are kept as long as the process lives. A proxy is the smallest function that knows its process, half of a bound one.
    void Promise.resolve(life).then(fateOf(self, ended), fateOf(self, crashed))
  } catch (thrown) {
    self.host.crash(self, thrown)
  }
}

/** What a process that is the handler of a proxy does when that is called: see Process.apply. */
export type Fate = (self: Process, thrown: unknown) => void

const fateOf = (self: Process, fate: Fate): ((settled: unknown) => void) => new Proxy(fate as (settled: unknown) => void, self as never)

const ended: Fate = self => self.host.exit(self, normal)
const crashed: Fate = (self, thrown) => self.host.crash(self, thrown)

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
