/**
 * A place that has started and waits for an isolated process, so that the next one need not wait for the start of an OS process. Nobody has one who
 * never places a process so: the first that runs has the first one started behind it, and whoever takes one has the next. It does not wait for ever.
 */
import type { Clock } from '../../process/index.js'
import type { Place } from './place.js'

export interface SpareOptions {
  readonly clock: Clock
  /** Milliseconds that one waits before it is closed */
  readonly patience: number
  /** Starts one; null: not now. */
  make(): Place | null
}

export class Spare {
  readonly #options: SpareOptions
  #waiting: Place | null = null
  #stop = (): void => {}

  constructor(options: SpareOptions) {
    this.#options = options
  }

  /** The one that waits, or is about to, for a process that is placed now */
  take(): Place | null {
    const place = this.#waiting
    this.#forget()
    if (place) place.spare = false
    return place
  }

  /** From now on one waits. */
  keep(): void {
    if (this.#waiting) return
    const place = this.#options.make()
    if (!place) return
    place.spare = true
    this.#waiting = place
    this.#stop = this.#options.clock.after(this.#options.patience, () => {
      this.#forget()
      place.close()
    })
  }

  /** A place is lost: perhaps it was this one. The next is started when one is wanted again. */
  lost(place: Place): void {
    if (place === this.#waiting) this.#forget()
  }

  #forget(): void {
    this.#stop()
    this.#waiting = null
  }
}
