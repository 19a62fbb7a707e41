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

  lost(node: Atom): void {
    const watching = this.#nodes.get(node)
    this.#nodes.delete(node)
    for (const [process, count] of watching ?? []) {
      for (let told = 0; told < count; told++) this.#host.message(process, tuple(atom('nodedown'), node))
    }
  }

  exited(process: LocalProcess): void {
    if (this.#nodes.size === 0) return
    for (const [node, watching] of this.#nodes) if (watching.delete(process) && watching.size === 0) this.#nodes.delete(node)
  }
}
