/** Loaded code in the other places of a node: what main loads, they load, too, and who runs it there counts. */
import { atom } from '../../term/index.js'
import type { Age, CodeHost } from '../code.js'
import { ifItLives } from './channel.js'
import type { Place } from './place.js'

export class PlacedCode implements NonNullable<CodeHost['elsewhere']> {
  readonly #places: ReadonlyMap<number, Place>

  constructor(places: ReadonlyMap<number, Place>) {
    this.#places = places
  }

  /** @throws PlaceError when it does not load in a place. */
  async load(name: string, url: string | null): Promise<void> {
    if (url === null) for (const { channel } of this.#places.values()) channel.tell('unload', name)
    else await this.#each(({ channel }) => channel.ask('load', name, url))
  }

  async users(name: string, age: Age): Promise<number> {
    const counts = await this.#each(async place => {
      const count = await place.inquiry.ask('codeUsers', atom(name), atom(age))
      // One that is too busy to say, or stopped, may be busy with it.
      return count === undefined ? Number(this.#places.has(place.id.number) && !place.finished) : Number(count)
    })
    return counts.reduce<number>((sum, count = 0) => sum + count, 0)
  }

  async purge(name: string): Promise<void> {
    await this.#each(({ channel }) => channel.ask('purge', atom(name)))
  }

  /** undefined: it has ended meanwhile. */
  #each<T>(ask: (place: Place) => Promise<T>): Promise<(T | undefined)[]> {
    return Promise.all([...this.#places.values()].map(place => ifItLives(ask(place))))
  }
}
