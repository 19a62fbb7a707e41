/** One step of setting up a connection: it has a time limit, and can be given up. */
import type { Clock } from '../process/clock.js'
import { NetError } from './errors.js'

export interface StepLimits {
  readonly clock: Clock
  /** Milliseconds */
  readonly timeout: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs `begin`, which calls one of its arguments back. Whoever called clears away what was begun when this rejects.
 *
 * @throws NetError NET_ABORTED, what `late` makes, what `begin` fails with.
 */
export function step<T>(
  { clock, timeout, signal }: StepLimits,
  late: () => NetError,
  begin: (done: (value: T) => void, failed: (error: NetError) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(aborted(signal))
    const settle = (): void => {
      cancelTimer()
      signal?.removeEventListener('abort', onAbort)
    }
    const failed = (error: NetError): void => {
      settle()
      reject(error)
    }
    const onAbort = (): void => failed(aborted(signal))
    const cancelTimer = clock.after(timeout, () => failed(late()))
    signal?.addEventListener('abort', onAbort)
    begin(value => {
      settle()
      resolve(value)
    }, failed)
  })
}

const aborted = (signal: AbortSignal | undefined): NetError =>
  new NetError('NET_ABORTED', 'The connection attempt was given up.', { cause: signal?.reason })
