/**
 * Whether another place comes round its event loop, as main hears it: the place says so all the while (`tell pulse`), and whatever else comes from there
 * says so, too. Silence is counted in looks, not by the clock, so that main, when it was busy itself, does not take its own silence for the place's.
 */
import type { Clock } from '../../process/index.js'

export interface PulseLimits {
  /** Milliseconds without a sign after which it is told of; 0: never */
  readonly longSchedule: number
  /** Milliseconds without a sign after which it is given up; 0: never */
  readonly maxBusy: number
}

export interface PulseOptions extends PulseLimits {
  readonly clock: Clock
  /** Once for each silence. @param ms for how long at least */
  silent(ms: number): void
  givenUp(): void
}

/** Milliseconds between two signs of life, and between two looks; 0: nobody wants to know. */
export function pulseInterval({ longSchedule, maxBusy }: PulseLimits): number {
  const shortest = Math.min(longSchedule || Infinity, maxBusy || Infinity)
  return shortest === Infinity ? 0 : Math.min(Math.max(Math.ceil(shortest / 4), 10), 1000)
}

export class Pulse {
  readonly #options: PulseOptions
  readonly #interval: number
  #heard = false
  /** Looks since it was heard */
  #looks = 0
  #told = false
  #over = false
  #cancel = (): void => {}

  constructor(options: PulseOptions) {
    this.#options = options
    this.#interval = pulseInterval(options)
    if (this.#interval > 0) this.#arm()
  }

  /** Something came from there. */
  heard(): void {
    this.#heard = true
  }

  stop(): void {
    this.#over = true
    this.#cancel()
  }

  #arm(): void {
    this.#cancel = this.#options.clock.after(this.#interval, () => {
      // Timers run before the sockets that are ready are read, immediates after.
      setImmediate(() => this.#look())
    })
  }

  #look(): void {
    if (this.#over) return
    this.#looks = this.#heard ? 0 : this.#looks + 1
    if (this.#heard) this.#told = false
    this.#heard = false
    this.#judge()
    if (!this.#over) this.#arm()
  }

  #judge(): void {
    const { longSchedule, maxBusy, silent, givenUp } = this.#options
    // It may have begun just before it was to give a sign.
    const ms = (this.#looks - 1) * this.#interval
    if (longSchedule > 0 && ms >= longSchedule && !this.#told) {
      this.#told = true
      silent(ms)
    }
    if (maxBusy > 0 && ms >= maxBusy) givenUp()
  }
}
