/** The end of a command that runs until it is told to stop. */
import process from 'node:process'
import { readerGone } from './output.js'

const signals = ['SIGINT', 'SIGTERM'] as const

/**
 * Resolves at the first SIGINT or SIGTERM, or when nobody reads the output any more, to which of them it was. From then on a signal ends the
 * process at once, as signals do by default.
 */
export function untilTold(): Promise<(typeof signals)[number] | null> {
  return new Promise(resolve => {
    const told = (signal: (typeof signals)[number] | null): void => {
      for (const each of signals) process.off(each, told)
      resolve(signal)
    }
    for (const signal of signals) process.on(signal, told)
    if (readerGone.aborted) told(null)
    readerGone.addEventListener('abort', () => told(null), { once: true })
  })
}
