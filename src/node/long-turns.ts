/**
 * Who holds main for long, told when it lets go. A process's turn is timed from its beginning to the next one's, or to the end of the microtasks that
 * it led to; what runs at other times, a timer's callback say, shows as a late timer of ours.
 */
import { nextTick } from 'node:process'
import type { Pid } from '../term/index.js'

/** Milliseconds of a turn that ended; null when no process's turn was it. */
type Report = (pid: Pid | null, timeout: number) => void

export class LongTurns {
  readonly #limit: number
  readonly #report: Report
  readonly #timer: NodeJS.Timeout
  #pid: Pid | null = null
  #since = 0
  #armed = false
  /** When the timer was here last, and whether somebody was named since */
  #beat = performance.now()
  #named = false

  /** @param limit in milliseconds */
  constructor(limit: number, report: Report) {
    this.#limit = limit
    this.#report = report
    this.#timer = setInterval(this.#onBeat, limit / 2).unref()
  }

  /** For `Scheduler.watch` */
  readonly began = (pid: Pid): void => {
    const now = performance.now()
    this.#ended(now)
    this.#pid = pid
    this.#since = now
    if (this.#armed) return
    this.#armed = true
    nextTick(this.#over)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  readonly #over = (): void => {
    this.#armed = false
    this.#ended(performance.now())
    this.#pid = null
  }

  #ended(now: number): void {
    if (this.#pid === null || now - this.#since < this.#limit) return
    this.#named = true
    this.#report(this.#pid, now - this.#since)
  }

  readonly #onBeat = (): void => {
    const now = performance.now()
    const late = now - this.#beat - this.#limit / 2
    if (late >= this.#limit && !this.#named) this.#report(null, late)
    this.#beat = now
    this.#named = false
  }
}
