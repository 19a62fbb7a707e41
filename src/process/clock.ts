/** Time as the layers above see it, so that a test can hold it in its hand. */
export interface Clock {
  /** Milliseconds, monotonic */
  now(): number
  /** Runs `run` once, `ms` from now; the result cancels it. */
  after(ms: number, run: () => void): () => void
}

/** setTimeout fires at once beyond this many milliseconds, so a longer wait is made of several. */
const longest = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    let left = ms
    const wait = (): NodeJS.Timeout => {
      const step = Math.min(left, longest)
      left -= step
      return setTimeout(left > 0 ? () => void (timer = wait()) : run, step)
    }
    let timer = wait()
    return () => clearTimeout(timer)
  },
}
