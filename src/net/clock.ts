/** Time, as the sockets need it; tests pass their own. */
export interface Clock {
  /** Milliseconds, monotonic */
  now(): number
  /** Runs `callback` once, `milliseconds` from now; the result cancels it. */
  after(milliseconds: number, callback: () => void): () => void
  /** Runs `callback` when the sockets that are ready now have been read. */
  afterReads(callback: () => void): void
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds)
    return () => clearTimeout(timer)
  },
  // Timers run before the poll phase reads the sockets, immediates after it.
  afterReads: callback => void setImmediate(callback),
}
