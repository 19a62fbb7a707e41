/**
 * What main asks a place that may compute for a minute, or be stopped. It waits so long for an answer, and for a place that owes one not at all, so
 * that whoever lists the processes of a node waits once, and not once for each.
 */
import type { Clock } from '../../process/index.js'
import type { Sendable, Term } from '../../term/index.js'
import { type PlaceChannel, PlaceError } from './channel.js'

/** Milliseconds. `etop` gives up after 5000. */
const patience = 3000

/** No answer has come in time. */
export const late: unique symbol = Symbol('late')

/** What comes of a question within so many milliseconds. @throws as the answer does */
export async function within<T>(clock: Clock, ms: number, answer: Promise<T>): Promise<T | typeof late> {
  let cancel = (): void => {}
  const passed = new Promise<typeof late>(resolve => (cancel = clock.after(ms, () => resolve(late))))
  try {
    return await Promise.race([answer, passed])
  } finally {
    cancel()
  }
}

export class Inquiry {
  readonly #channel: PlaceChannel
  readonly #clock: Clock
  /** Answers that are late */
  #owed = 0

  constructor(channel: PlaceChannel, clock: Clock) {
    this.#channel = channel
    this.#clock = clock
  }

  /** Undefined: it has not answered in time, or has ended. @throws PlaceError when the question is wrong. */
  async ask(what: string, ...args: readonly Sendable[]): Promise<Term | undefined> {
    if (this.#owed > 0) return undefined
    const answer = this.#channel.ask(what, ...args)
    try {
      const inTime = await within(this.#clock, patience, answer)
      if (inTime !== late) return inTime
      this.#owed++
      const settled = (): void => void this.#owed--
      answer.then(settled, settled)
      return undefined
    } catch (error) {
      if (error instanceof PlaceError && error.code === 'ERR_PLACE_LOST') return undefined
      throw error
    }
  }
}
