/**
 * Receives: promises that a process's messages settle. Several pending ones are served in the order of their calls; each takes the first
 * message that it accepts and has not looked at before. A receive rejects once with ExitError when its process dies; one that begins after
 * that never settles.
 */
import type { Reference, Term } from '../term/index.js'
import type { Clock } from './clock.js'
import { ExitError, ProcessError } from './errors.js'
import type { LocalProcess } from './local-process.js'
import type { Mailbox } from './mailbox.js'
import type { ProcessTable } from './process-table.js'
import type { Processes } from './processes.js'
import type { Scheduler } from './scheduler.js'

export interface ReceiveOptions {
  /** Milliseconds, 0 for none at all. Default: as long as it takes. */
  readonly timeout?: number | undefined
  /** Aborting it rejects the receive with its reason; no message is lost. */
  readonly signal?: AbortSignal | undefined
}

/** A pattern may hold a reference of ours: nothing that came before the reference was made can match. */
export interface Pattern {
  (term: unknown): boolean
  readonly reference?: Reference | undefined
}

const nothing = (): void => {}

class Pending {
  readonly accepts: Pattern | undefined
  readonly promise: Promise<Term>
  resolve!: (term: Term) => void
  reject!: (error: unknown) => void
  /** The number of the last message that was looked at */
  seen: number
  settled = nothing

  constructor(accepts: Pattern | undefined, seen: number) {
    this.accepts = accepts
    this.seen = seen
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }
}

export class Receiver {
  readonly #process: LocalProcess
  readonly #table: ProcessTable
  readonly #scheduler: Scheduler
  readonly #clock: Clock
  #pending: Pending[] = []

  constructor(process: LocalProcess, { table, scheduler, clock }: Pick<Processes, 'table' | 'scheduler' | 'clock'>) {
    this.#process = process
    this.#table = table
    this.#scheduler = scheduler
    this.#clock = clock
  }

  get waiting(): boolean {
    return this.#pending.length > 0
  }

  receive(accepts: Pattern | undefined, options: ReceiveOptions = {}): Promise<Term> {
    const process = this.#process
    if (!process.alive) return new Promise(nothing)
    if (options.signal?.aborted) return Promise.reject(options.signal.reason)
    if (this.#pending.length === 0 && process.mailbox.size > 0 && this.#scheduler.take()) {
      const term = this.poll(accepts)
      if (term !== undefined) return Promise.resolve(term)
      return this.#wait(accepts, options, process.mailbox.last)
    }
    return this.#wait(accepts, options, this.#start(accepts))
  }

  /** The first message that `accepts` accepts, at once; undefined when there is none. */
  poll(accepts: Pattern | undefined): Term | undefined {
    const { mailbox } = this.#process
    if (mailbox.size === 0) return undefined
    return accepts ? mailbox.take(accepts, this.#start(accepts)) : mailbox.shift()
  }

  /** Serves what is pending. */
  run(): void {
    const { mailbox } = this.#process
    for (let index = 0; index < this.#pending.length && mailbox.size > 0;) {
      if (!this.#scheduler.take()) return this.#scheduler.ready(this.#process)
      const pending = this.#pending[index] as Pending
      if (!this.#deliver(pending) && this.#pending[index] === pending) index++
    }
  }

  exited(reason: Term): void {
    const pending = this.#pending
    this.#pending = []
    for (const { settled, promise, reject } of pending) {
      settled()
      // Whoever awaits it gets the rejection; when nobody does, a process's end must not end the program.
      promise.catch(nothing)
      reject(new ExitError(reason))
    }
  }

  #serveUpTo(last: Pending): void {
    for (const pending of [...this.#pending]) {
      if (this.#process.mailbox.size > 0) this.#deliver(pending)
      if (pending === last) return
    }
  }

  /** False when nothing matched. */
  #deliver(pending: Pending): boolean {
    const term = this.#serve(pending, this.#process.mailbox)
    if (term === undefined) return false
    this.#settle(pending)
    pending.resolve(term)
    return true
  }

  #serve(pending: Pending, mailbox: Mailbox): Term | undefined {
    if (!pending.accepts) return mailbox.shift()
    const { seen } = pending
    pending.seen = mailbox.last
    try {
      return mailbox.take(pending.accepts, seen)
    } catch (error) {
      // A pattern that throws is a fault of the one who receives, and of nobody else. The message stays.
      this.#settle(pending)
      pending.reject(error)
      return undefined
    }
  }

  #wait(accepts: Pattern | undefined, options: ReceiveOptions, seen: number): Promise<Term> {
    const pending = new Pending(accepts, seen)
    this.#pending.push(pending)
    if (options.timeout !== undefined || options.signal) this.#limit(pending, options)
    if (this.#process.mailbox.last > seen) this.#scheduler.ready(this.#process)
    return pending.promise
  }

  #limit(pending: Pending, { timeout, signal }: ReceiveOptions): void {
    const aborted = (): void => {
      this.#settle(pending)
      pending.reject(signal?.reason)
    }
    const expired = (): void => {
      // What came in time counts, though the budget of this turn kept it waiting.
      this.#serveUpTo(pending)
      if (!this.#pending.includes(pending)) return
      this.#settle(pending)
      pending.reject(new ProcessError('ERR_TIMEOUT', `No message that matches came within ${timeout} ms.`))
    }
    const stop = timeout === undefined || timeout === Infinity ? nothing : this.#clock.after(timeout, expired)
    signal?.addEventListener('abort', aborted, { once: true })
    pending.settled = () => {
      stop()
      signal?.removeEventListener('abort', aborted)
    }
  }

  #settle(pending: Pending): void {
    const index = this.#pending.indexOf(pending)
    if (index === 0 && this.#pending.length === 1) this.#pending.pop()
    else if (index >= 0) this.#pending.splice(index, 1)
    pending.settled()
  }

  #start(accepts: Pattern | undefined): number {
    const reference = accepts?.reference ? this.#table.numberOf(accepts.reference) : -1
    return reference > 0 ? this.#process.mailbox.before(reference) : 0
  }
}
