/**
 * Who runs next. A send never runs receiver code: it makes the receiver ready, and a later microtask runs it. Every delivery costs one
 * reduction; when the budget is spent (4000, or 5 ms), the queue goes on in `setImmediate`, so that sockets, timers and ticks
 * live under any load.
 */

import type { Pid } from '../term/index.js'

/** What the scheduler runs: a local process. */
export interface Runnable {
  readonly pid: Pid
  /** Is it in the run queue? The scheduler's own mark. */
  ready: boolean
  /** Serve what is there, taking a reduction for each delivery; what is left over makes itself ready again. */
  run(): void
}

/** `then` of it makes a microtask with a third of the work of `queueMicrotask`, which wraps each in an AsyncResource. */
const turn = Promise.resolve()

const budget = 4000
const slice = 5
/** Places of a run queue that are kept */
const roomy = 1024

export class Scheduler {
  /** Told whose turn begins. It ends with the next one's, or when the microtasks of this turn of the event loop have run. */
  watch: ((pid: Pid) => void) | null = null
  /** Filled from `#head` to `#tail`. It keeps its length when it is empty: to shorten it would cost an allocation at every message. */
  #queue: (Runnable | undefined)[] = []
  #head = 0
  #tail = 0
  #reductions = budget
  #since = performance.now()
  #armed = false

  ready(runnable: Runnable): void {
    if (runnable.ready) return
    runnable.ready = true
    this.#queue[this.#tail++] = runnable
    this.#arm()
  }

  /** Takes one reduction; false when the budget of this turn is spent. */
  take(): boolean {
    if (this.#reductions <= 0) return false
    this.#reductions--
    if ((this.#reductions & 7) === 0 && performance.now() - this.#since > slice) this.#reductions = 0
    return true
  }

  get length(): number {
    return this.#tail - this.#head
  }

  #arm(): void {
    if (this.#armed) return
    this.#armed = true
    if (this.#reductions > 0) void turn.then(this.#run)
    else setImmediate(this.#refill)
  }

  readonly #refill = (): void => {
    this.#reductions = budget
    this.#since = performance.now()
    this.#run()
  }

  readonly #run = (): void => {
    // Only those that were ready when this began: whoever becomes ready meanwhile waits for the microtasks of those before it.
    const end = this.#tail
    while (this.#head < end && this.#reductions > 0) {
      const next = this.#queue[this.#head] as Runnable
      this.#queue[this.#head++] = undefined
      next.ready = false
      this.watch?.(next.pid)
      next.run()
    }
    this.#tidy()
    this.#armed = false
    if (this.length > 0) this.#arm()
  }

  #tidy(): void {
    const { length } = this
    if (this.#tail > roomy && this.#head > length) this.#queue = this.#queue.slice(this.#head, this.#tail)
    else if (length > 0) return
    this.#head = 0
    this.#tail = length
  }
}
