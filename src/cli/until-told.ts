/** The end of a command that runs until it is told to stop. */
import process from 'node:process'
import { readerGone } from './output.js'

const signals = ['SIGINT', 'SIGTERM'] as const

/**
 * Resolves at the first SIGINT or SIGTERM, or when nobody reads the output any more. From then on a signal ends the process at once, as
 * signals do by default.
 */
export function untilTold(): Promise<void> {
  return new Promise(resolve => {
    const told = (): void => {
      for (const signal of signals) process.off(signal, told)
      resolve()
    }
    for (const signal of signals) process.on(signal, told)
    if (readerGone.aborted) told()
    readerGone.addEventListener('abort', told, { once: true })
  })
}
