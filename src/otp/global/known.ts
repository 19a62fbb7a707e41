/** Which nodes take part in `global` with this one, as far as is known here. Source: global.erl, the record `state` and its `known`. */
import type { Atom } from '../../term/index.js'
import { version, type Versions } from './messages.js'

export class GlobalKnown {
  readonly self: Atom
  /** Of one partition with us, and the version that each speaks */
  readonly nodes = new Map<Atom, number>()
  /** Have said `init_connect`, and are not known yet */
  readonly pending = new Map<Atom, number>()
  /** Disconnected by the prevention of overlapping partitions, or about to be: their loss is no news. */
  readonly removing = new Set<Atom>()
  /** Have the same names as we */
  readonly synced = new Set<Atom>()

  constructor(self: Atom) {
    this.self = self
  }

  /** Adds those that are new; returns them. */
  add(versions: Versions): Atom[] {
    const added: Atom[] = []
    for (const [node, version] of versions) {
      if (node === this.self || this.nodes.has(node)) continue
      this.nodes.set(node, version)
      added.push(node)
    }
    return added
  }

  /** Known, or about to be */
  mayKnow(node: Atom): boolean {
    return this.nodes.has(node) || this.pending.has(node)
  }

  /** 0: not known. */
  versionOf(node: Atom): number {
    return node === this.self ? version : (this.nodes.get(node) ?? this.pending.get(node) ?? 0)
  }

  /** Those that are known or pending, without one */
  *others(without: Atom): Iterable<Atom> {
    for (const node of new Set([...this.nodes.keys(), ...this.pending.keys()])) if (node !== without) yield node
  }

  delete(node: Atom): void {
    this.nodes.delete(node)
    this.pending.delete(node)
    this.synced.delete(node)
  }
}
