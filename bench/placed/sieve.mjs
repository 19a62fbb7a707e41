/** What a process computes, wherever it runs. Plain JavaScript that imports nothing: a bare child process runs it as it is. */

/** @import { Process, Tuple } from '../../src/index.js' */

const numbers = 10_000

/**
 * Counts the primes below 10,000, so many times.
 *
 * @param {number} times
 */
export function sieve(times) {
  let primes = 0
  for (let time = 0; time < times; time++) {
    const composite = new Uint8Array(numbers)
    primes = 0
    for (let number = 2; number < numbers; number++) {
      if (composite[number] === 1) continue
      primes++
      for (let multiple = number * number; multiple < numbers; multiple += number) composite[multiple] = 1
    }
  }
  return primes
}

/**
 * Answers `{From, Times}` with how many primes there are, for ever.
 *
 * @this {Process}
 */
export const serve = async function () {
  for await (const message of this) {
    const [from, times] = /** @type {Tuple<[import('../../src/index.js').Pid, number]>} */ (message).elements
    this.send(from, sieve(times))
  }
}
