/**
 * `sendAfter`: a message later. A timer dies with the process that it would send to, survives the one that started it, and is cancelled
 * only on its own node. A name is looked up when the time has come. Source: erlang:send_after/3.
 */
import { type Address, TermPayload } from '../dist/signal.js'
import { Pid, type Reference, type Term } from '../term/index.js'
import { EtfError } from '../etf/index.js'
import type { Host } from './host.js'

export interface Timer {
  readonly number: number
  readonly target: Address
  readonly due: number
  readonly stop: () => void
}

export class Timers {
  readonly #host: Host
  readonly #active = new Map<number, Timer>()

  constructor(host: Host) {
    this.#host = host
  }

  get size(): number {
    return this.#active.size
  }

  start(from: Pid, ms: number, target: Address, term: Term): Reference {
    const { table, clock } = this.#host
    const ref = table.makeRef()
    const process = target instanceof Pid && table.owns(target) ? table.find(target) : undefined
    // To a process that has ended nothing will ever come.
    if (target instanceof Pid && table.owns(target) && !process) return ref
    const fire = (): void => {
      this.#forget(timer)
      try {
        this.#host.route({ op: 'send', from, to: target, message: new TermPayload(term), timer: true })
      } catch (error) {
        // The limits of a connection may be less than those under which it was taken.
        if (!(error instanceof EtfError)) throw error
        this.#host.failed(error)
      }
    }
    const timer: Timer = { number: table.numberOf(ref), target, due: clock.now() + ms, stop: clock.after(ms, fire) }
    this.#active.set(timer.number, timer)
    if (process) (process.timers ??= new Set()).add(timer)
    return ref
  }

  /** The milliseconds that were left; false when it has fired, was cancelled, or is not of this node. */
  cancel(ref: Reference): number | false {
    const timer = this.#active.get(this.#host.table.numberOf(ref))
    if (!timer) return false
    timer.stop()
    this.#forget(timer)
    return Math.max(0, Math.ceil(timer.due - this.#host.clock.now()))
  }

  /** The process that these timers would send to has ended. */
  exited(timers: Iterable<Timer>): void {
    for (const timer of timers) {
      timer.stop()
      this.#active.delete(timer.number)
    }
  }

  /** The node closes. */
  close(): void {
    this.exited(this.#active.values())
  }

  #forget(timer: Timer): void {
    this.#active.delete(timer.number)
    if (timer.target instanceof Pid) this.#host.table.find(timer.target)?.timers?.delete(timer)
  }
}
