/** Who waits in `global:sync` until all nodes that it named are in sync, or lost. Source: global.erl, start_sync, sync_loop. */
import type { Atom } from '../../term/index.js'

interface Syncer {
  readonly nodes: Set<Atom>
  readonly done: () => void
}

export class GlobalSyncers {
  readonly #syncers = new Set<Syncer>()

  add(nodes: Iterable<Atom>, done: () => void): void {
    const syncer: Syncer = { nodes: new Set(nodes), done }
    if (syncer.nodes.size === 0) done()
    else this.#syncers.add(syncer)
  }

  /** That node is in sync, or there is none to be in sync with. */
  synced(node: Atom): void {
    for (const syncer of this.#syncers) {
      if (!syncer.nodes.delete(node) || syncer.nodes.size > 0) continue
      this.#syncers.delete(syncer)
      syncer.done()
    }
  }
}
