/**
 * The links and monitors between the processes of one place and all others: what has to be told when the place is lost and cannot tell it.
 * It is kept by watching the signals that pass, so neither end knows of it.
 *
 *                inside → outside                        outside → inside
 *   link         link, spawnReply with link, start       link, spawnReply with link, start begin it
 *                unlink, linkExit                        unlink, linkExit                 end it
 *   monitor      monitor, spawnReply's to us             …                                begins `watching`; demonitor, or a down, ends it
 *                …                                       monitor, spawnReply's to them    begins `watched`; demonitor, or our down, ends it
 */
import type { Address, Payload, RegisteredName, Signal } from '../../dist/signal.js'
import { type Atom, Pid, type Reference } from '../../term/index.js'

interface Linked {
  readonly inside: Pid
  readonly outside: Pid
}

interface Watch {
  readonly from: Pid
  readonly to: Pid | RegisteredName
  readonly ref: Reference
}

/** With the processes of one node, ours or another */
class Relations {
  readonly links = new Map<string, Linked>()
  /** By processes outside */
  readonly watched = new Map<string, Watch>()
  /** By processes inside */
  readonly watching = new Map<string, Watch>()
}

export class Ledger {
  readonly #nodes = new Map<Atom, Relations>()

  /** How many links and monitors */
  get size(): number {
    let size = 0
    for (const { links, watched, watching } of this.#nodes.values()) size += links.size + watched.size + watching.size
    return size
  }

  *allLinks(): Generator<Linked, void, undefined> {
    for (const { links } of this.#nodes.values()) yield* links.values()
  }

  /** What processes outside watch */
  *allWatched(): Generator<Watch, void, undefined> {
    for (const { watched } of this.#nodes.values()) yield* watched.values()
  }

  /** What processes inside watch */
  *allWatching(): Generator<Watch, void, undefined> {
    for (const { watching } of this.#nodes.values()) yield* watching.values()
  }

  /** A signal from outside passes. */
  comesIn(signal: Signal): void {
    this.#passes(signal, true)
  }

  /** A signal of the place passes. */
  goesOut(signal: Signal): void {
    this.#passes(signal, false)
  }

  #passes(signal: Signal, inward: boolean): void {
    switch (signal.op) {
      case 'link':
        return inward ? this.linked(signal.to, signal.from) : this.linked(signal.from, signal.to)
      case 'unlink':
      case 'linkExit':
        return inward ? this.#unlink(signal.to, signal.from) : this.#unlink(signal.from, signal.to)
      case 'monitor':
        return inward ? this.watched(signal.from, signal.to, signal.ref) : this.#watches(signal.from, signal.to, signal.ref)
      case 'demonitor':
      case 'down': {
        // The one who watches has sent a demonitor, and gets a down.
        const relations = this.#nodes.get(inward ? signal.from.node : signal.to.node)
        const watches = (signal.op === 'demonitor') === inward ? relations?.watched : relations?.watching
        watches?.delete(keyOf(signal.ref))
        return
      }
      case 'start': {
        const { to, linked, watcher, watch } = signal
        if (linked) this.linked(...(inward ? ([to, linked] as const) : ([linked, to] as const)))
        if (!watcher || !watch) return
        if (inward) this.watched(watcher, to, watch)
        else this.#watches(watcher, to, watch)
        return
      }
      case 'spawnReply': {
        const { link, monitor, result, to, ref } = signal
        if (!(result instanceof Pid)) return
        if (link) this.linked(...(inward ? ([to, result] as const) : ([result, to] as const)))
        if (!monitor) return
        if (inward) this.#watches(to, result, ref)
        else this.watched(to, result, ref)
      }
    }
  }

  /** The place has been told that this node is lost, and breaks what it has with it. */
  nodeLost(node: Atom): void {
    this.#nodes.delete(node)
  }

  /** The place is lost: what its processes would have said as they ended. */
  *lost(reason: Payload): Generator<Signal, void, undefined> {
    for (const { links, watched, watching } of this.#nodes.values()) {
      for (const { inside, outside } of links.values()) yield { op: 'linkExit', from: inside, to: outside, reason }
      for (const { from, to, ref } of watched.values()) yield { op: 'down', from: to, to: from, ref, reason }
      for (const { from, to, ref } of watching.values()) yield { op: 'demonitor', from, to, ref }
    }
    this.#nodes.clear()
  }

  /** They are linked from the beginning. */
  linked(inside: Pid, outside: Pid): void {
    this.#of(outside.node).links.set(`${keyOf(inside)} ${keyOf(outside)}`, { inside, outside })
  }

  areLinked(inside: Pid, outside: Pid): boolean {
    return this.#nodes.get(outside.node)?.links.has(`${keyOf(inside)} ${keyOf(outside)}`) === true
  }

  /** A process outside watches one inside. */
  watched(from: Pid, to: Pid | RegisteredName, ref: Reference): void {
    this.#of(from.node).watched.set(keyOf(ref), { from, to, ref })
  }

  /** A process inside watches one outside. */
  #watches(from: Pid, to: Pid | RegisteredName, ref: Reference): void {
    this.#of(to.node).watching.set(keyOf(ref), { from, to, ref })
  }

  #unlink(inside: Pid, outside: Pid): void {
    this.#nodes.get(outside.node)?.links.delete(`${keyOf(inside)} ${keyOf(outside)}`)
  }

  #of(node: Atom): Relations {
    const known = this.#nodes.get(node)
    if (known) return known
    const made = new Relations()
    this.#nodes.set(node, made)
    return made
  }
}

/** Among the identities of one node */
const keyOf = (identity: Exclude<Address, RegisteredName>): string =>
  identity instanceof Pid ? `${identity.id}.${identity.serial}.${identity.creation}` : `${identity.words.join('.')}.${identity.creation}`
