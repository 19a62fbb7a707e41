/**
 * Processes that other places than main have started elsewhere. Such a pid names the place that gave it out, so that it was known there at
 * once; where its process lives, main alone knows, through which its signals go.
 *
 *   origin → main    start        before everything else that is for the process
 *   main → host      start        or, where there is none: to the origin, exits and downs with the reason
 *   host → main      ended        after everything else from the process
 *   main → origin    returned     its pid's slot may be used again
 */
import { type StartSignal, type Signal, TermPayload } from '../../dist/signal.js'
import { ProcessError, type Processes, tokenOf } from '../../process/index.js'
import { atom, NodeError, type Pid, type Term, tuple } from '../../term/index.js'
import type { Placement } from '../outside.js'
import type { Spawner } from '../spawner.js'
import type { Place } from './place.js'

interface Roamer {
  readonly pid: Pid
  readonly origin: Place
  /** Null: main */
  readonly host: Place | null
}

export interface RoamingOptions {
  readonly processes: Processes
  readonly spawner: Spawner
  route(signal: Signal): boolean
  /** Where to start it; null: on main. @throws NodeError NODE_CLOSED; ProcessError ERR_SYSTEM_LIMIT. */
  hostFor(on: Placement, origin: Place): Place | null
}

export class Roaming {
  readonly #options: RoamingOptions
  readonly #roamers = new Map<string | number, Roamer>()

  constructor(options: RoamingOptions) {
    this.#options = options
  }

  /** How many live */
  get size(): number {
    return this.#roamers.size
  }

  /** A place wants this process. What cannot be is the exit of a process that never ran. @throws EtfError when the arguments are no term. */
  start(origin: Place, signal: StartSignal): void {
    const { processes, hostFor } = this.#options
    const { to, name } = signal
    let host: Place | null
    try {
      if (name) processes.registry.checkFree(name)
      host = hostFor(signal.on.name as Placement, origin)
    } catch (error) {
      return this.#stillborn(origin, signal, this.#reasonFor(error, signal))
    }
    processes.table.settle(to, host?.id.number ?? 0)
    this.#roamers.set(processes.table.keyOf(to), { pid: to, origin, host })
    if (name && host) processes.registry.claim(name, to)
    if (host) host.start(signal)
    else this.#startHere(signal)
  }

  /** One of them has ended, and all that it said has been heard. */
  ended(pid: Pid): void {
    const { table } = this.#options.processes
    const key = table.keyOf(pid)
    const roamer = this.#roamers.get(key)
    this.#roamers.delete(key)
    table.settle(pid, null)
    roamer?.origin.channel.tell('returned', pid)
  }

  /** So have all that lived there. */
  lost(place: Place): void {
    for (const { pid, host } of [...this.#roamers.values()]) if (host === place) this.ended(pid)
  }

  #startHere({ to, module, fun, args, name, groupLeader, parent, linked, watcher, watch, token }: StartSignal): void {
    const { processes, spawner } = this.#options
    const start = { pid: to, name, groupLeader, parent, token: tokenOf(token) }
    const { local } = spawner.here(module, fun, args.read() as Term[], start)
    if (linked) processes.links.linked(local, linked)
    if (watcher && watch) processes.monitors.watched(local, watcher, watch, to)
  }

  #stillborn(origin: Place, { to, linked, watcher, watch }: StartSignal, why: Term): void {
    const { route } = this.#options
    const reason = new TermPayload(why)
    if (linked) route({ op: 'linkExit', from: to, to: linked, reason })
    if (watcher && watch) route({ op: 'down', from: to, to: watcher, ref: watch, reason })
    origin.channel.tell('returned', to)
  }

  #reasonFor(error: unknown, { name }: StartSignal): Term {
    if (!(error instanceof NodeError)) throw error
    if (!(error instanceof ProcessError)) return atom('shutdown')
    if (error.code === 'ERR_SYSTEM_LIMIT') return atom('system_limit')
    const owner = name && this.#options.processes.registry.pidOf(name)
    return owner ? tuple(atom('already_started'), owner) : atom('badarg')
  }
}
