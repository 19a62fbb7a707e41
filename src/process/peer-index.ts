/** Links and monitors by the node at their other end, so that a lost connection finds its own and no others. */
import type { Atom } from '../term/index.js'

export class PeerIndex<T> {
  #peers = new Map<Atom, Set<T>>()

  add(node: Atom, record: T): void {
    const records = this.#peers.get(node)
    if (records) records.add(record)
    else this.#peers.set(node, new Set([record]))
  }

  delete(node: Atom, record: T): void {
    const records = this.#peers.get(node)
    if (records?.delete(record) && records.size === 0) this.#peers.delete(node)
  }

  /** Takes all records of a node out of the index. */
  take(node: Atom): Set<T> {
    const records = this.#peers.get(node)
    this.#peers.delete(node)
    return records ?? new Set()
  }

  get size(): number {
    let size = 0
    for (const records of this.#peers.values()) size += records.size
    return size
  }
}
