/** Loaded code in the other places of a node: what main loads, they load, too, and who runs it there counts. */
import { type Clock, reason } from '../../process/index.js'
import { atom, type NodeError, type Pid, type Sendable, type Term } from '../../term/index.js'
import type { Age, CodeHost } from '../code.js'
import { ifItLives } from './channel.js'
import { late, within } from './inquiry.js'
import type { Place } from './place.js'

/** Milliseconds that a place has to load what it is told to, or to purge it: it does so in any case, when it comes round. */
const patience = 3000

export class PlacedCode implements NonNullable<CodeHost['elsewhere']> {
  readonly #places: ReadonlyMap<number, Place>
  readonly #clock: Clock
  readonly #failed: (error: NodeError) => void

  /** @param failed told of what does not load in a place, when nobody waits for it any more */
  constructor(places: ReadonlyMap<number, Place>, clock: Clock, failed: (error: NodeError) => void) {
    this.#places = places
    this.#clock = clock
    this.#failed = failed
  }

  /** @throws PlaceError when it does not load in a place. */
  async load(name: string, url: string | null): Promise<void> {
    if (url === null) for (const { channel } of this.#places.values()) channel.tell('unload', name)
    else await this.#each(place => this.#load(place, name, url))
  }

  async #load({ channel, ready }: Place, name: string, url: string, what: 'load' | 'restore' = 'load'): Promise<void> {
    const answer = channel.ask(what, name, url)
    // One that starts does so in its own time, or ends.
    await Promise.race([answer, ready.catch(() => {})])
    if ((await within(this.#clock, patience, answer)) === late) void ifItLives(answer).catch(this.#failed)
  }

  async restore(name: string, url: string): Promise<void> {
    await this.#each(place => this.#load(place, name, url, 'restore'))
  }

  async users(name: string, age: Age): Promise<number> {
    return this.count(place => place.inquiry.ask('codeUsers', atom(name), atom(age)))
  }

  /** Sums up what all places answer. One that is too busy to say, or stopped, counts as one: it may be busy with it. */
  async count(ask: (place: Place) => Promise<Term | undefined>): Promise<number> {
    const counts = await this.#each(async place => {
      // What has not started runs nothing yet, and will run what is current.
      if (!place.runs) return 0
      const count = await ask(place)
      return count === undefined ? Number(this.#places.has(place.id.number) && !place.finished) : Number(count)
    })
    return counts.reduce<number>((sum, count = 0) => sum + count, 0)
  }

  /** An isolated process that began in an earlier version than that one, and does not come round, is killed. */
  async purge(name: string, current: number): Promise<void> {
    await this.#each(async place => {
      const { root, channel } = place
      const done = await within(this.#clock, patience, channel.ask('purge', atom(name)))
      if (done === late && root && root === place.root && place.beganIn(atom(name)) < current) place.kill(reason.killed)
    })
  }

  /** The numbers of those that run, and of those that are about to */
  parts(): { readonly running: number[]; readonly starting: number[] } {
    const all = [...this.#places.values()]
    const numbers = (places: Place[]): number[] => places.map(({ id }) => id.number)
    return { running: numbers(all.filter(({ runs }) => runs)), starting: numbers(all.filter(({ runs }) => !runs)) }
  }

  /** The processes there that main knows to be of that module */
  residents(number: number, module: Term): Pid[] {
    return [...(this.#places.get(number)?.residents.values() ?? [])].flatMap(resident => (resident.module === module ? [resident.pid] : []))
  }

  /** Asks one of them; `late`: it has not answered in so many milliseconds, undefined: it has ended. @throws PlaceError with its fault */
  async ask(number: number, ms: number, what: string, ...args: readonly Sendable[]): Promise<Term | typeof late | undefined> {
    const place = this.#places.get(number)
    return place && ifItLives(within(this.#clock, ms, place.channel.ask(what, ...args)))
  }

  /** undefined: it has ended meanwhile. */
  #each<T>(ask: (place: Place) => Promise<T>): Promise<(T | undefined)[]> {
    return Promise.all([...this.#places.values()].map(place => ifItLives(ask(place))))
  }
}
