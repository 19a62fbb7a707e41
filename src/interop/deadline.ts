/** Waiting with an end: a time, a signal, or both. */
import { InteropError } from './errors.js'

export interface Waiting {
  /** Milliseconds */
  readonly timeout?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs `wait` with a signal that aborts when time is up or the caller's own signal does.
 *
 * @throws InteropError ERR_INTEROP_TIMEOUT; the reason of the caller's signal.
 */
export async function within<T>(
  { timeout = 30_000, signal }: Waiting,
  what: string,
  wait: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new InteropError('ERR_INTEROP_TIMEOUT', `${what}: no answer within ${timeout} ms.`)
  const end = new AbortController()
  const timer = setTimeout(() => end.abort(late), timeout)
  const abort = (): void => end.abort(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  if (signal?.aborted) abort()
  const ended = new Promise<never>((_, reject) => {
    end.signal.addEventListener('abort', () => reject(end.signal.reason), { once: true })
    if (end.signal.aborted) reject(end.signal.reason)
  })
  try {
    return await Promise.race([wait(end.signal), ended])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}
