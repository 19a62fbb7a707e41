/**
 * Backpressure in a place that is not main. What it sends goes to main, and from there to other nodes and places; main tells which of them are
 * busy. So a way is busy when that to main is, or when main has said so; or when so much has gone out since main was heard that it may have
 * to say so: a place that sends without a pause does not listen.
 */
import type { Signal } from '../../dist/signal.js'
import { isOutside } from '../../process/index.js'
import { Atom, Pid } from '../../term/index.js'
import { type PlaceChannel, PlaceError } from './channel.js'

export class Busy {
  readonly #channel: PlaceChannel
  readonly #nodes = new Set<Atom>()
  readonly #places = new Set<number>()
  readonly #limit: number
  /** Of the bytes that went out, those that main has surely had */
  #heard = 0
  #asking = false

  /** @param limit bytes */
  constructor(channel: PlaceChannel, limit: number) {
    this.#channel = channel
    this.#limit = limit
  }

  /** Main has said it, of another node or of a place. */
  told(whom: Atom | number, is: boolean): void {
    const all: Set<Atom | number> = whom instanceof Atom ? this.#nodes : this.#places
    if (is) all.add(whom)
    else all.delete(whom)
  }

  /** Something was sent. May more be? */
  mayGoOn(): boolean {
    const ahead = this.#channel.acceptedBytes - this.#heard
    if (ahead > this.#limit / 2 && !this.#asking) void this.#hear()
    return ahead <= this.#limit
  }

  async #hear(): Promise<void> {
    this.#asking = true
    await this.#askLast('heard', null)
    this.#asking = false
  }

  has(node: Atom): boolean {
    return this.#nodes.has(node)
  }

  /** Where a process lives whose pid was given out elsewhere, main knows: it may be in any that is busy. */
  hasPlace(place: number, { to }: Signal): boolean {
    if (this.#places.size === 0) return false
    return this.#places.has(place) || (to instanceof Pid && isOutside(to))
  }

  /** What was sent from here until now has gone on, too. */
  async drained(to: Atom | Pid | null): Promise<void> {
    await this.#channel.drained()
    await this.#askLast('drained', to)
  }

  async #askLast(what: string, to: Atom | Pid | null): Promise<void> {
    const bytes = this.#channel.acceptedBytes
    try {
      await this.#channel.askLast(what, to)
      this.#heard = Math.max(this.#heard, bytes)
    } catch (error) {
      // Nothing is held back any more.
      if (!(error instanceof PlaceError && error.code === 'ERR_PLACE_LOST')) throw error
    }
  }
}
