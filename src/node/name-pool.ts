/**
 * Names for nodes that have none: a BEAM that was started as `erl -sname undefined` asks the first node it connects to for one.
 *
 * A name is a random number of 64 bits in base 36, and the host that the peer tells. When its node is gone, the next one of that host gets
 * the name again with the next creation: names are atoms, and atoms stay for ever. Source: net_kernel.erl (`ensure_node_name`,
 * `generate_node_name`, `delete_connection`).
 */
import { randomBytes, randomInt } from 'node:crypto'

export interface GivenName {
  /** No Atom: who asks has not proved yet that it knows the cookie. */
  readonly named: string
  readonly creation: number
}

/** EPMD keeps 0 to 3 for itself, as it once gave them. */
const leastCreation = 4

export class NamePool {
  readonly #free = new Map<string, GivenName[]>()

  /**
   * A name for a node of that host, or null when the host leaves no room for one.
   *
   * @param taken is a node of that name connected?
   */
  give(host: string, taken: (name: string) => boolean): GivenName | null {
    const free = this.#free.get(host) ?? []
    for (let given = free.pop(); given; given = free.pop()) {
      if (free.length === 0) this.#free.delete(host)
      if (!taken(given.named)) return given
    }
    for (;;) {
      const named = `${randomBytes(8).readBigUInt64BE().toString(36).toUpperCase()}@${host}`
      if (named.length > 255) return null
      if (!taken(named)) return { named, creation: randomInt(leastCreation, 2 ** 32) }
    }
  }

  /** The node to which that name was given is gone. */
  free({ named, creation }: GivenName): void {
    const host = named.slice(named.indexOf('@') + 1)
    const next = { named, creation: creation + 1 < 2 ** 32 ? creation + 1 : leastCreation }
    const free = this.#free.get(host)
    if (free) free.push(next)
    else this.#free.set(host, [next])
  }
}
