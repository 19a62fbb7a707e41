/**
 * Who lives in the other places of a node: what they say themselves when main asks, and what main knows of those that do not answer, for it has
 * started them, and their signals pass through it.
 */
import type { RegisteredName } from '../../dist/signal.js'
import type { Processes } from '../../process/index.js'
import { equals, type Pid, type Sendable, type Term } from '../../term/index.js'
import { ifItLives } from './channel.js'
import type { Place, Resident } from './place.js'

/** What main knows of a process in another place without asking. Links and monitors are those to processes outside of that place. */
export interface Known {
  readonly pid: Pid
  /** Null: it was started in its place, or by what is no function of a module. */
  readonly resident: Resident | null
  readonly trapExit: boolean
  readonly links: readonly Pid[]
  readonly monitors: readonly (Pid | RegisteredName)[]
  readonly monitoredBy: readonly Pid[]
}

export class Census {
  readonly #processes: Processes
  readonly #places: ReadonlyMap<number, Place>

  constructor(processes: Processes, places: ReadonlyMap<number, Place>) {
    this.#processes = processes
    this.#places = places
  }

  /** The numbers of the places */
  numbers(): number[] {
    return [...this.#places.keys()]
  }

  /** Has it one process alone, with what that has started there? */
  isIsolated(place: number): boolean {
    return this.#places.get(place)?.kind === 'isolated'
  }

  /** Asks a question of the layers above: Kernel.inquiries. Undefined: the place is too busy, stopped or gone. */
  async ask(place: number, what: string, ...args: readonly Sendable[]): Promise<Term | undefined> {
    return this.#places.get(place)?.inquiry.ask(what, ...args)
  }

  /** Asks it and waits for as long as it lives. Undefined: it has ended. */
  await(place: number, what: string, ...args: readonly Sendable[]): Promise<Term | undefined> {
    const there = this.#places.get(place)
    return there ? ifItLives(there.channel.ask(what, ...args)) : Promise.resolve(undefined)
  }

  /** Those that are known to live there, though the place itself may know more */
  known(place: number): Map<string | number, Known> {
    const { table, registry } = this.#processes
    const there = this.#places.get(place)
    const found = new Map<string | number, Writable>()
    const entry = (pid: Pid): Writable => {
      const key = table.keyOf(pid)
      const made = found.get(key) ?? new Writable(pid, there?.residents.get(key) ?? null, there?.traps(pid) ?? false)
      found.set(key, made)
      return made
    }
    if (!there || there.finished) return found
    for (const { pid } of there.residents.values()) entry(pid)
    for (const [, pid] of registry.entries()) if (table.locate(pid) === place) entry(pid)
    for (const { inside, outside } of there.ledger.allLinks()) entry(inside).links.push(outside)
    for (const { from, to } of there.ledger.allWatching()) entry(from).monitors.push(to)
    for (const { from, to } of there.ledger.allWatched()) {
      const watched = 'name' in to ? registry.pidOf(to.name) : to
      if (watched) entry(watched).monitoredBy.push(from)
    }
    return found
  }

  /** Does it live, as far as anybody has been told? */
  mayLive(pid: Pid): boolean {
    const place = this.#places.get(this.#processes.table.locate(pid))
    return place !== undefined && !place.finished
  }

  kindOf(place: number): 'pool' | 'isolated' | undefined {
    return this.#places.get(place)?.kind
  }

  /** Bytes of memory of a place's OS process; null: it is gone, or the system does not tell. */
  async residentSize(place: number): Promise<number | null> {
    return (await this.#places.get(place)?.os.residentSize()) ?? null
  }

  /** Bytes of memory of the OS process in which it lives; null: it shares that with others, or the system does not tell. */
  async memory(pid: Pid): Promise<number | null> {
    const place = this.#places.get(this.#processes.table.locate(pid))
    return place?.root && equals(place.root, pid) ? place.os.residentSize() : null
  }
}

class Writable implements Known {
  readonly links: Pid[] = []
  readonly monitors: (Pid | RegisteredName)[] = []
  readonly monitoredBy: Pid[] = []

  readonly pid: Pid
  readonly resident: Resident | null
  readonly trapExit: boolean

  constructor(pid: Pid, resident: Resident | null, trapExit: boolean) {
    this.pid = pid
    this.resident = resident
    this.trapExit = trapExit
  }
}
