/**
 * Ticks: a frame of no bytes says that this end lives, and whoever hears nothing for long is down.
 *
 * Every interval, a quarter of `netTickTime`, a tick goes out if nothing else did, and also when a hidden peer said nothing: the most
 * primitive of those only ever answer. A peer that was silent for as many intervals as make a `netTickTime` is down. So with the
 * default a silent peer is noticed after 60 to 75 seconds.
 *
 * Source: kernel's net_ticktime and net_tickintensity; con_loop and send_tick in lib/kernel/src/dist_util.erl.
 */
import type { Clock } from '../process/clock.js'

export interface TickerOptions {
  readonly clock: Clock
  /** Milliseconds between two ticks */
  readonly interval: number
  /** So many intervals of silence are death. */
  readonly intensity: number
  readonly hidden: boolean
  tick(): void
  /** Calls back when what has arrived by now has been read. */
  afterReads(callback: () => void): void
  dead(): void
}

export class Ticker {
  readonly #options: TickerOptions
  #cancel: () => void
  #wrote = false
  #heard = false
  #silent = 0
  #stopped = false

  constructor(options: TickerOptions) {
    this.#options = options
    this.#cancel = this.#arm()
  }

  /** Bytes were given to the carrier. */
  wrote(): void {
    this.#wrote = true
  }

  /** Bytes came. */
  heard(): void {
    this.#heard = true
    this.#silent = 0
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  #arm(): () => void {
    return this.#options.clock.after(this.#options.interval, () => this.#check())
  }

  #check(): void {
    const { hidden, tick, intensity } = this.#options
    if (!this.#wrote || (hidden && !this.#heard)) tick()
    if (!this.#heard) this.#silent++
    this.#wrote = false
    this.#heard = false
    this.#cancel = this.#arm()
    if (this.#silent >= intensity) this.#judge()
  }

  /** This check may have run late, with the peer's bytes waiting behind it. They are read first. */
  #judge(): void {
    this.#options.afterReads(() => {
      if (this.#silent >= this.#options.intensity && !this.#stopped) this.#options.dead()
    })
  }
}
