/** How often a supervisor may restart: so many times in so many seconds. Source: supervisor.erl (add_restart). */
export class RestartIntensity {
  readonly intensity: number
  /** Seconds */
  readonly period: number
  #restarts: number[] = []

  constructor(intensity: number, period: number) {
    this.intensity = intensity
    this.period = period
  }

  /** @param now in milliseconds. False: that is one too many. */
  add(now: number): boolean {
    // OTP counts in whole seconds, of which both ends count.
    const second = Math.floor(now / 1000)
    this.#restarts = this.#restarts.filter(then => then >= second - this.period)
    this.#restarts.push(second)
    return this.#restarts.length <= this.intensity
  }
}
