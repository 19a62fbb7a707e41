/**
 * What main asks a place that may compute for a minute, or be stopped. It waits so long for an answer, and for a place that owes one not at all, so
 * that whoever lists the processes of a node waits once, and not once for each.
 */
import type { Clock } from '../../process/index.js'
import type { Sendable, Term } from '../../term/index.js'
import { type PlaceChannel, PlaceError } from './channel.js'

/** Milliseconds. `etop` gives up after 5000. */
const patience = 3000

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
    let late = false
    const inTime = new Promise<undefined>(resolve => {
      const cancel = this.#clock.after(patience, () => {
        late = true
        this.#owed++
        resolve(undefined)
      })
      const settled = (): void => {
        cancel()
        if (late) this.#owed--
      }
      answer.then(settled, settled)
    })
    try {
      return await Promise.race([answer, inTime])
    } catch (error) {
      if (error instanceof PlaceError && error.code === 'ERR_PLACE_LOST') return undefined
      throw error
    }
  }
}
