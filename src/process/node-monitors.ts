/** `monitor_node/2`: a message {nodedown, Node} for each time a process asked, when the connection to that node is lost. */
import { type Atom, atom, tuple } from '../term/index.js'
import type { Host } from './host.js'
import type { LocalProcess } from './local-process.js'

export class NodeMonitors {
  readonly #host: Host
  readonly #nodes = new Map<Atom, Map<LocalProcess, number>>()

  constructor(host: Host) {
    this.#host = host
  }

  set(process: LocalProcess, node: Atom, on: boolean): void {
    const watching = this.#nodes.get(node)
    const count = (watching?.get(process) ?? 0) + (on ? 1 : -1)
    if (count > 0) {
      if (watching) watching.set(process, count)
      else this.#nodes.set(node, new Map([[process, count]]))
    } else if (watching?.delete(process) && watching.size === 0) {
      this.#nodes.delete(node)
    }
  }

  /** Tells, when that is called, whoever watches now and still does then: who begins meanwhile watches the next connection. */
  lost(node: Atom): () => void {
    const watching = [...(this.#nodes.get(node) ?? [])]
    return () => {
      for (const [process, count] of watching) {
        const still = Math.min(count, this.#nodes.get(node)?.get(process) ?? 0)
        for (let told = 0; told < still; told++) {
          this.set(process, node, false)
          this.#host.message(process, tuple(atom('nodedown'), node))
        }
      }
    }
  }

  exited(process: LocalProcess): void {
    if (this.#nodes.size === 0) return
    for (const [node, watching] of this.#nodes) if (watching.delete(process) && watching.size === 0) this.#nodes.delete(node)
  }
}
