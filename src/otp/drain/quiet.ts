/** Waits until nothing runs in a place. It is told of what begins and ends, and counts only when it may be over. */
import type { Activity, LocalProcess, Processes } from '../../process/index.js'
import type { Term } from '../../term/index.js'
import { isWork, runningIn } from './running.js'

/** Milliseconds between one count and the next: who has a million processes counts for long. */
const breath = 10

interface Waiting {
  readonly quiet: number
  readonly resolve: (seen: number) => void
}

export class Quiet implements Activity {
  readonly #processes: Processes
  #seen = 0
  #last = 0
  #waiting: Waiting | null = null
  /** Something runs: it is counted again when something is done */
  #counted = false
  #cancel = (): void => {}

  /** From now on it is told. */
  constructor(processes: Processes) {
    this.#processes = processes
    processes.activity = this
  }

  /**
   * Resolves when nothing runs, and nothing has come to be done for so many milliseconds from now on.
   *
   * @returns how often something has come since this was made
   */
  wait(quiet: number): Promise<number> {
    return new Promise(resolve => {
      this.#last = this.#processes.clock.now()
      this.#waiting = { quiet, resolve }
      this.#look()
    })
  }

  /** Nobody waits any more. */
  stop(): void {
    this.#cancel()
    this.#waiting = null
    if (this.#processes.activity === this) this.#processes.activity = null
  }

  came(process: LocalProcess, message: Term | null): void {
    if (!isWork(process, message)) return
    this.#seen++
    this.#last = this.#processes.clock.now()
  }

  done(): void {
    if (!this.#counted || !this.#waiting) return
    this.#counted = false
    this.#later(breath)
  }

  #look(): void {
    const waiting = this.#waiting
    if (!waiting) return
    const left = this.#last + waiting.quiet - this.#processes.clock.now()
    if (left > 0) return this.#later(left)
    this.#counted = runningIn(this.#processes) > 0
    if (this.#counted) return
    this.#waiting = null
    waiting.resolve(this.#seen)
  }

  #later(ms: number): void {
    this.#cancel()
    this.#cancel = this.#processes.clock.after(ms, () => this.#look())
  }
}
