/**
 * Receives: promises that a process's messages settle. Several pending ones are served in the order of their calls; each takes the first
 * message that it accepts and has not looked at before. A receive rejects once with ExitError when its process dies; one that begins after
 * that never settles.
 *
 * Most processes of a node wait in a receive, so a pending one holds as little as it can: a promise and what resolves it, which stand in the process
 * itself when it waits for nothing else, as most do. What would reject it is 64 bytes more, and seldom needed: a promise is rejected by being
 * resolved with what rejects it.
 */
import type { Reference, Term } from '../term/index.js'
import { ExitError, ProcessError } from './errors.js'
import type { Process } from './process.js'

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

export type Resolve = (value: unknown) => void

const nothing = (): void => {}
let resolver: Resolve = nothing
/** One for all promises: one for each would be kept by what it captures. */
const takeResolver = (resolve: Resolve): void => {
  resolver = resolve
}

/** What rejects a promise that is resolved with it. A promise that is rejected does, too, but the program would hear first that nobody minds that one. */
class Rejecting {
  readonly #why: unknown

  constructor(why: unknown) {
    this.#why = why
  }

  // oxlint-disable-next-line unicorn/no-thenable -- it is one
  then(_: Resolve, reject: Resolve): void {
    reject(this.#why)
  }
}

/** A receive that takes any message. */
export class Pending {
  readonly promise: Promise<any>
  readonly resolve: Resolve
  next: Pending | null = null

  constructor(promise: Promise<any> = new Promise<any>(takeResolver), resolve: Resolve = resolver) {
    this.promise = promise
    this.resolve = resolve
  }

  /** Takes what it accepts, and gives it to whoever waits. False when there was nothing. */
  serve(process: Process): boolean {
    const term = process.shift()
    settle(process, this)
    this.resolve(term)
    return true
  }

  /** It waits no longer. */
  settled(): void {}

  reject(why: unknown): void {
    this.resolve(new Rejecting(why))
  }
}

/** A step of `for await` */
class Step extends Pending {
  override serve(process: Process): boolean {
    const value = process.shift()
    settle(process, this)
    this.resolve({ done: false, value })
    return true
  }
}

/** A receive that takes what a pattern accepts, or that ends by itself. */
class Selective extends Pending {
  readonly accepts: Pattern | undefined
  /** The number of the last message that was looked at */
  seen: number
  stop = nothing

  constructor(accepts: Pattern | undefined, seen: number) {
    super()
    this.accepts = accepts
    this.seen = seen
  }

  override serve(process: Process): boolean {
    const term = this.#take(process)
    if (term === undefined) return false
    settle(process, this)
    this.resolve(term)
    return true
  }

  override settled(): void {
    this.stop()
  }

  #take(process: Process): Term | undefined {
    if (!this.accepts) return process.shift()
    const { seen } = this
    this.seen = process.last
    try {
      return process.take(this.accepts, seen)
    } catch (error) {
      // A pattern that throws is a fault of the one who receives, and of nobody else. The message stays.
      settle(process, this)
      this.reject(error)
      return undefined
    }
  }
}

export function receive(process: Process, accepts: Pattern | undefined, options?: ReceiveOptions): Promise<Term> {
  if (!process.alive) return new Promise(nothing)
  if (options?.signal?.aborted) return Promise.reject(options.signal.reason)
  let seen = -1
  if (process.pending === null && !process.empty && process.host.scheduler.take()) {
    const term = poll(process, accepts)
    if (term !== undefined) return Promise.resolve(term)
    seen = process.last
  }
  const limited = options !== undefined && (options.timeout !== undefined || options.signal !== undefined)
  if (!accepts && !limited) return waitForAny(process, false)
  const pending = new Selective(accepts, seen < 0 ? start(process, accepts) : seen)
  if (limited) limit(process, pending, options)
  return wait(process, pending)
}

/** A step of `for await` over the messages. */
export function step(process: Process): Promise<IteratorResult<Term, never>> {
  if (!process.alive) return new Promise(nothing)
  if (process.pending === null && !process.empty && process.host.scheduler.take()) {
    return Promise.resolve({ done: false, value: process.shift() })
  }
  return waitForAny(process, true)
}

/** The first message that `accepts` accepts, at once; undefined when there is none. */
export function poll(process: Process, accepts: Pattern | undefined): Term | undefined {
  if (process.empty) return undefined
  return accepts ? process.take(accepts, start(process, accepts)) : process.shift()
}

/** Serves what is pending. */
export function serve(process: Process): void {
  const { scheduler } = process.host
  const first = process.pending
  if (typeof first === 'function') {
    if (process.empty) return
    if (!scheduler.take()) return scheduler.ready(process)
    const value = process.shift()
    process.pending = process.promised = null
    return first(process.steps ? { done: false, value } : value)
  }
  for (let pending = first; pending && !process.empty;) {
    if (!scheduler.take()) return scheduler.ready(process)
    const { next } = pending
    pending.serve(process)
    pending = next
  }
}

/** The process has ended. */
export function rejectAll(process: Process, reason: Term): void {
  let pending = listed(process)
  if (pending === null) return
  process.pending = null
  const error = endedBy(reason)
  for (; pending; pending = pending.next) {
    pending.settled()
    // Whoever awaits it gets the rejection; when nobody does, a process's end must not end the program.
    pending.promise.catch(nothing)
    pending.reject(error)
  }
}

/** The stack here is that of whoever ended the process, which says nothing to it, and to take it would cost more than all the rest of an exit. */
function endedBy(reason: Term): ExitError {
  const { stackTraceLimit } = Error
  Reflect.set(Error, 'stackTraceLimit', 0)
  try {
    return new ExitError(reason)
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  }
}

/** @param steps is it a step of `for await`? */
function waitForAny(process: Process, steps: boolean): Promise<any> {
  if (process.pending !== null) return wait(process, steps ? new Step() : new Pending())
  const promise = new Promise<unknown>(takeResolver)
  process.pending = resolver
  process.promised = promise
  process.steps = steps
  if (!process.empty) process.host.scheduler.ready(process)
  return promise
}

function wait(process: Process, pending: Pending): Promise<any> {
  let last = listed(process)
  if (last === null) process.pending = pending
  else {
    while (last.next) last = last.next
    last.next = pending
  }
  if (!process.empty) process.host.scheduler.ready(process)
  return pending.promise
}

/** The first of all that wait. One that waited alone stands in the list from now on. */
function listed(process: Process): Pending | null {
  const { pending, promised, steps } = process
  if (typeof pending !== 'function') return pending
  const alone = steps ? new Step(promised as Promise<unknown>, pending) : new Pending(promised as Promise<unknown>, pending)
  process.pending = alone
  process.promised = null
  return alone
}

function limit(process: Process, pending: Selective, { timeout, signal }: ReceiveOptions): void {
  const aborted = (): void => {
    settle(process, pending)
    pending.reject(signal?.reason)
  }
  const expired = (): void => {
    // What came in time counts, though the budget of this turn kept it waiting.
    serveUpTo(process, pending)
    if (!waits(process, pending)) return
    settle(process, pending)
    pending.reject(new ProcessError('ERR_TIMEOUT', `No message that matches came within ${timeout} ms.`))
  }
  const cancel = timeout === undefined || timeout === Infinity ? nothing : process.host.clock.after(timeout, expired)
  signal?.addEventListener('abort', aborted, { once: true })
  pending.stop = () => {
    cancel()
    signal?.removeEventListener('abort', aborted)
  }
}

function serveUpTo(process: Process, last: Pending): void {
  for (let pending = listed(process); pending; pending = pending.next) {
    if (!process.empty) pending.serve(process)
    if (pending === last) return
  }
}

function waits(process: Process, wanted: Pending): boolean {
  let pending = listed(process)
  while (pending && pending !== wanted) pending = pending.next
  return pending !== null
}

/** It is pending no longer. Its own `next` stays, for whoever stands at it. */
function settle(process: Process, settled: Pending): void {
  let before = listed(process)
  if (before === settled) process.pending = settled.next
  else {
    while (before && before.next !== settled) before = before.next
    if (before) before.next = settled.next
  }
  settled.settled()
}

function start(process: Process, accepts: Pattern | undefined): number {
  const reference = accepts?.reference ? process.host.table.numberOf(accepts.reference) : -1
  return reference > 0 ? process.before(reference) : 0
}
