/**
 * What an EPMD knows: which nodes are registered, and the creations of those that have gone, so that a node that comes back gets another.
 * Source: epmd_srv.c, `node_reg2`, `bump_creation`, `get_creation`.
 */
import { isEpmdName, type EpmdEntry } from '../dist/epmd.js'

/** As many gone nodes are remembered as epmd remembers. */
const maxOld = 1000
/** epmd's MAXSYMLEN */
const longestExtra = 1020

/** A node that is registered, or was. */
export interface Registered {
  readonly entry: EpmdEntry
  /** 4..2^32-1 */
  readonly counter: number
  /** The server's number for the socket, shown by DUMP */
  readonly fd: number
}

export class EpmdDirectory {
  readonly #active = new Map<string, Registered>()
  readonly #old = new Map<string, Registered>()
  readonly #maxNodes: number
  readonly #firstCounter: () => number

  /** @param firstCounter 4..2^32-1, for a name never seen: random, so that a restarted server does not give an old creation again */
  constructor(maxNodes: number, firstCounter: () => number) {
    this.#maxNodes = maxNodes
    this.#firstCounter = firstCounter
  }

  /** Null when the name is taken or impossible, or the directory full. */
  register(entry: EpmdEntry, fd: number): Registered | null {
    const { name, extra } = entry
    if (this.#active.has(name) || this.#active.size >= this.#maxNodes) return null
    if (!isEpmdName(name) || extra.length > longestExtra) return null
    const before = this.#old.get(name)
    const counter = before ? (before.counter === 0xffffffff ? 4 : before.counter + 1) : this.#firstCounter()
    const registered = { entry, counter, fd }
    this.#old.delete(name)
    this.#active.set(name, registered)
    return registered
  }

  /** False when that registration has ended already; another may have its name by now. */
  release(registered: Registered): boolean {
    const { name } = registered.entry
    if (this.#active.get(name) !== registered) return false
    this.#active.delete(name)
    this.#old.set(name, registered)
    if (this.#old.size > maxOld) {
      const [oldest] = this.#old.keys()
      if (oldest !== undefined) this.#old.delete(oldest)
    }
    return true
  }

  get(name: string): Registered | undefined {
    return this.#active.get(name)
  }

  /** Newest first */
  active(): Registered[] {
    return [...this.#active.values()].toReversed()
  }

  /** Longest gone first */
  old(): Registered[] {
    return [...this.#old.values()]
  }
}

/** What a node is told: one that does not speak version 6 knows creations 1 to 3 only. */
export const creationOf = ({ entry, counter }: Registered): number => (entry.highest >= 6 ? counter : (counter % 3) + 1)
