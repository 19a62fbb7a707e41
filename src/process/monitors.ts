/**
 * Monitors, each recorded at both ends: a Monitor at the process that watches, a Watcher at the one that is watched. A monitor fires once.
 *
 *   monitor    MONITOR_P →      the other end records it, or answers DOWN `noproc`
 *   demonitor  DEMONITOR_P →    no answer; a DOWN that is already on its way finds no Monitor and is dropped
 *
 * A monitor by name is answered by name: its DOWN message holds {Name, Node}.
 */
import { type DemonitorSignal, type DownSignal, type MonitorSignal, type RegisteredName, TermPayload } from '../dist/signal.js'
import { type Atom, atom, Pid, type Reference, type Term, Tuple, tuple } from '../term/index.js'
import { type Aliases, type AliasMode } from './aliases.js'
import { all, excluding, find, including, type Key, type Keyed } from './few.js'
import type { Host } from './host.js'
import { keyOfForeignReference } from './keys.js'
import type { LocalProcess } from './local-process.js'
import { PeerIndex } from './peer-index.js'
import { noconnection, noproc } from './reason.js'
import { routeReason, SharedPayload } from './shared-payload.js'

export interface Monitor extends Keyed<number> {
  readonly owner: LocalProcess
  readonly ref: Reference
  readonly target: Pid | RegisteredName
  /** What stands first in the message instead of 'DOWN' */
  readonly tag: Term
  /** Does the message overtake others? */
  readonly priority: boolean
}

export interface Watcher extends Keyed {
  readonly process: LocalProcess
  readonly from: Pid
  readonly ref: Reference
  /** What was asked for: the pid, or the name */
  readonly target: Pid | RegisteredName
  /** It has called, and will be answered later */
  waits?: boolean
}

/** `monitor/3`'s options. */
export interface MonitorOptions {
  /** Makes the reference an alias of the process, and says when it ends: 'explicit_unalias', 'demonitor' or 'reply_demonitor'. */
  readonly alias?: AliasMode | undefined
  /** Stands first in the message instead of 'DOWN' */
  readonly tag?: Term | undefined
  /** The message overtakes those without priority. It does not make the alias one for priority messages. */
  readonly priority?: boolean | undefined
}

const down = atom('DOWN')

export class Monitors {
  readonly #host: Host
  readonly #aliases: Aliases
  readonly #watching = new PeerIndex<Monitor>()
  readonly #watched = new PeerIndex<Watcher>()
  /** Watchers by name: the name may belong to another process when the demonitor comes. */
  readonly #byName = new Map<Key, Watcher>()

  constructor(host: Host, aliases: Aliases) {
    this.#host = host
    this.#aliases = aliases
  }

  /** How many monitors cross to other nodes, either way */
  get size(): number {
    return this.#watching.size + this.#watched.size
  }

  monitor(owner: LocalProcess, target: Pid | RegisteredName, ref: Reference, options: MonitorOptions = {}): void {
    if (options.alias) this.#aliases.add(owner, ref, options.alias)
    this.monitoring(owner, target, ref, options)
    this.#host.route({ op: 'monitor', from: owner.pid, to: target, ref })
  }

  /** Records a monitor that the other end has already: that of a spawned process. */
  monitoring(
    owner: LocalProcess,
    target: Pid | RegisteredName,
    ref: Reference,
    { tag = down, priority = false }: MonitorOptions = {},
  ): void {
    const monitor: Monitor = { key: this.#host.table.numberOf(ref), owner, ref, target, tag, priority }
    owner.monitors = including(owner.monitors, monitor)
    if (target.node !== this.#host.table.node) this.#watching.add(target.node, monitor)
  }

  /** False when there was no such monitor (any more). */
  demonitor(owner: LocalProcess, ref: Reference): boolean {
    const monitor = this.#take(owner, ref)
    if (!monitor) return false
    this.#host.route({ op: 'demonitor', from: owner.pid, to: monitor.target, ref })
    return true
  }

  onMonitor({ from, to, ref }: MonitorSignal): void {
    const process = to instanceof Pid ? this.#host.table.find(to) : this.#host.registry.whereis(to.name)
    if (process) this.watched(process, from, ref, to)
    else this.#host.route({ op: 'down', from: to, to: from, ref, reason: new TermPayload(noproc) })
  }

  /** Records who watches a process. */
  watched(process: LocalProcess, from: Pid, ref: Reference, target: Pid | RegisteredName): void {
    const key = this.#keyOf(ref)
    const watcher: Watcher = { key, process, from, ref, target }
    process.watchers = including(process.watchers, watcher)
    if (!(target instanceof Pid)) this.#byName.set(key, watcher)
    if (from.node !== this.#host.table.node) this.#watched.add(from.node, watcher)
  }

  /** Who watches a process by that reference */
  watcherOf(process: LocalProcess, ref: Reference): Watcher | undefined {
    return find(process.watchers, this.#keyOf(ref))
  }

  /** How many of those that watch a process wait for an answer that comes later? */
  waitFor(process: LocalProcess): number {
    let count = 0
    for (const { waits } of all(process.watchers)) if (waits) count++
    return count
  }

  onDemonitor({ to, ref }: DemonitorSignal): void {
    const key = this.#keyOf(ref)
    const process = to instanceof Pid ? this.#host.table.find(to) : undefined
    const watcher = process ? find(process.watchers, key) : this.#byName.get(key)
    if (watcher) this.#forget(watcher)
  }

  onDown({ to, ref, reason }: DownSignal): void {
    const process = this.#host.table.find(to)
    if (!process || !find(process.monitors, this.#host.table.numberOf(ref))) return
    const term = reason.read()
    const monitor = this.#take(process, ref)
    if (monitor) this.#fire(monitor, term)
  }

  /** A process has ended: its watchers are told, and what it watched forgets it; one a step. */
  *exits(process: LocalProcess, reason: Term): Generator<void, void, undefined> {
    if (process.watchers) {
      const payload = new SharedPayload(reason, this.#host)
      for (const watcher of all(process.watchers)) {
        this.#forget(watcher)
        routeReason(this.#host, { op: 'down', from: watcher.target, to: watcher.from, ref: watcher.ref, reason: payload })
        yield
      }
    }
    if (process.monitors) {
      for (const { ref } of all(process.monitors)) {
        this.demonitor(process, ref)
        yield
      }
    }
  }

  /** A node is lost: each monitor of its processes fires with `noconnection`, and theirs of ours are forgotten; one a step. */
  lost(node: Atom): Generator<void, void, undefined> {
    return this.#break(this.#watched.take(node), this.#watching.take(node))
  }

  *#break(watchers: Iterable<Watcher>, monitors: Iterable<Monitor>): Generator<void, void, undefined> {
    for (const watcher of watchers) {
      this.#forget(watcher)
      yield
    }
    for (const { owner, ref } of monitors) {
      const monitor = owner.alive && this.#take(owner, ref)
      if (monitor) this.#fire(monitor, noconnection)
      yield
    }
  }

  #fire({ owner, ref, target, tag, priority }: Monitor, reason: Term): void {
    const object = target instanceof Pid ? target : tuple(target.name, target.node)
    this.#host.message(owner, new Tuple([tag, ref, atom('process'), object, reason]), undefined, priority)
  }

  #take(owner: LocalProcess, ref: Reference): Monitor | undefined {
    const number = this.#host.table.numberOf(ref)
    const monitor = find(owner.monitors, number)
    if (!monitor) return undefined
    owner.monitors = excluding(owner.monitors, number)
    this.#aliases.demonitored(owner, number)
    if (monitor.target.node !== this.#host.table.node) this.#watching.delete(monitor.target.node, monitor)
    return monitor
  }

  #forget(watcher: Watcher): void {
    const { key, process } = watcher
    process.watchers = excluding(process.watchers, key)
    if (!(watcher.target instanceof Pid)) this.#byName.delete(key)
    if (watcher.from.node !== this.#host.table.node) this.#watched.delete(watcher.from.node, watcher)
    this.#host.activity?.done()
  }

  #keyOf(ref: Reference): Key {
    const number = this.#host.table.numberOf(ref)
    return number >= 0 ? number : keyOfForeignReference(ref)
  }
}
