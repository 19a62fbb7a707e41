/**
 * Exit signals, DOWN messages and the clean-up after a lost node go through one first-in-first-out list: a chain of any length dies
 * without recursion, and a long walk is cut into slices of 4000 signals, or 5 ms, so that it holds up nobody. Each task is a generator that
 * yields after every signal.
 */
import type { Clock } from './clock.js'

export type Task = Iterator<void, void, undefined>

const slice = 5
const between = 64
/** As many as the scheduler delivers in a turn: those who are told keep pace, so that what is told does not pile up and age in the heap. */
const most = 4000

export class WorkList {
  readonly #clock: Clock
  #tasks: Task[] = []
  #head = 0
  #running = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Runs the task at once when nothing is ahead of it, otherwise after all that is. */
  push(task: Task): void {
    this.#tasks.push(task)
    if (!this.#running) this.#drain()
  }

  /** Resolves when all that is here now is done. */
  idle(): Promise<void> {
    return new Promise(resolve => this.push({ next: () => (resolve(), { done: true, value: undefined }) }))
  }

  readonly #drain = (): void => {
    this.#running = true
    const end = this.#clock.now() + slice
    for (let steps = 0; this.#head < this.#tasks.length; steps++) {
      if (steps === most || (steps % between === 0 && this.#clock.now() > end)) {
        setImmediate(this.#drain)
        return
      }
      const task = this.#tasks[this.#head] as Task
      if (task.next().done) this.#advance()
    }
    this.#running = false
  }

  #advance(): void {
    this.#head++
    if (this.#head === this.#tasks.length || this.#head === 1024) {
      this.#tasks = this.#tasks.slice(this.#head)
      this.#head = 0
    }
  }
}
