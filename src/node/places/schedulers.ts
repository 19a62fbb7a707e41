/**
 * The places of a node beside main, as main keeps them: the schedulers of the pool, and one place for each isolated process. All signals between
 * places go through here.
 */
import type { ExitSignal, LinkExitSignal, Signal } from '../../dist/signal.js'
import { type Clock, maxPlaces, ProcessError, type Processes, reason as reasons, SharedPayload } from '../../process/index.js'
import { type Atom, atom, equals, NodeError, Pid, type Sendable, type Term, tuple } from '../../term/index.js'
import type { Code } from '../code.js'
import type { NodeEvents } from '../events.js'
import type { Kernel } from '../kernel.js'
import type { Nodes, PlacedSpawn, Placement, Places } from '../outside.js'
import type { Spawner } from '../spawner.js'
import { Census } from './census.js'
import { PlacedCode } from './placed-code.js'
import type { PlaceConfig } from './config.js'
import type { placeNode, schedulerDefaults } from './defaults.js'
import { lose } from './losses.js'
import { MainDesk } from './main-desk.js'
import { Place } from './place.js'
import { pulseInterval } from './pulse.js'
import { Roaming } from './roaming.js'
import { Spare } from './spare.js'

export interface SchedulersOptions {
  readonly schedulers: ReturnType<typeof schedulerDefaults>
  /** Milliseconds that a place may hold its thread before it is told of; 0: never */
  readonly longSchedule: number
  /** The program of a place */
  readonly entry: URL
  readonly processes: Processes
  readonly code: Code
  readonly spawner: Spawner
  readonly nodes: Nodes
  readonly clock: Clock
  readonly node: ReturnType<typeof placeNode>
  /** Who may connect, and with what cookie: what processes in other places change. */
  readonly access: Access
  /** What the layers above have each new place told */
  readonly greetings: Kernel['greetings']
  route(signal: Signal): boolean
  emit<K extends keyof NodeEvents>(event: K, ...args: NodeEvents[K]): boolean
  /** What fails without a caller */
  tellError(error: NodeError): void
  /** A payload of that node's turned out to be no term, where its receiver lives. */
  fault(node: Atom, error: NodeError): void
}

export interface Access {
  setCookie(name: string, cookie: string): void
  allow(entries: readonly string[]): void
}

/** Milliseconds that an isolated process has to end by itself when an exit signal ends it */
const grace = 200
/** Milliseconds that a spare place waits */
const patience = 60_000
/** Lives of its number that a scheduler uses up: its slots are used again and again. */
const livesOfScheduler = 256

export class Schedulers implements Places {
  readonly #options: SchedulersOptions
  readonly #places = new Map<number, Place>()
  /** Who lives in them */
  readonly census: Census
  /** Loaded code, in all of them */
  readonly code: PlacedCode
  readonly #roaming: Roaming
  readonly #desk: MainDesk
  readonly #spare: Spare
  readonly #numbers = Array.from({ length: maxPlaces - 1 }, (_, index) => index + 1)
  readonly #lives: number[] = []
  #closed = false
  #emptied = (): void => {}

  constructor(options: SchedulersOptions) {
    this.#options = options
    const { processes, spawner, route } = options
    this.census = new Census(processes, this.#places)
    this.code = new PlacedCode(this.#places, options.clock, options.tellError)
    this.#roaming = new Roaming({
      processes,
      spawner,
      route,
      hostFor: (on, origin) => (this.isHere(on) ? null : this.#placeFor(on, origin)),
    })
    this.#desk = new MainDesk(options, this, this.#roaming)
    this.#spare = new Spare({ clock: options.clock, patience, make: () => (this.#hasRoom() ? this.#make('isolated') : null) })
  }

  /** How many places there are beside main, for processes that run or are about to */
  get size(): number {
    let size = 0
    for (const { spare } of this.#places.values()) if (!spare) size++
    return size
  }

  /** How many wait for an isolated process, or end after that */
  get spares(): number {
    return this.#places.size - this.size
  }

  /** Starts the whole pool. @throws PlaceError with why a scheduler did not start. */
  async start(): Promise<void> {
    while (this.#pool().length < this.#options.schedulers.count) this.#make('pool')
    await Promise.all(this.#pool().map(({ ready }) => ready))
  }

  isHere(on: Placement): boolean {
    return on === 'main' || (on === 'pool' && this.#options.schedulers.count === 0)
  }

  stays(on: Placement): boolean {
    return this.isHere(on)
  }

  spawn(on: Placement, spawn: PlacedSpawn): Pid {
    const place = this.#placeFor(on)
    try {
      const pid = place.spawn(spawn)
      if (spawn.name) this.#options.processes.registry.claim(spawn.name, pid)
      return pid
    } catch (error) {
      // It was made for this process alone.
      if (place.kind === 'isolated') place.kill(reasons.noproc)
      throw error
    }
  }

  /** A process that lived on main, with a pid of another place, has ended. */
  ended(pid: Pid): void {
    this.#roaming.ended(pid)
  }

  send(number: number, signal: Signal): boolean {
    const place = this.#places.get(number)
    // Nobody lives there any more: main answers, as for its own dead.
    if (!place || place.finished) this.#options.processes.deliver(signal)
    else if ((signal.op === 'exit' || signal.op === 'linkExit') && isFor(signal, place.root)) return this.#exit(place, signal)
    else return place.send(signal)
    return true
  }

  async drained(pid: Pid | null): Promise<void> {
    const one = pid && this.#places.get(this.#options.processes.table.locate(pid))
    const all = pid ? (one ? [one] : []) : [...this.#places.values()]
    await Promise.all(all.map(({ channel }) => channel.drained()))
  }

  async isAlive(pid: Pid): Promise<boolean> {
    const place = this.#places.get(this.#options.processes.table.locate(pid))
    const answer = await place?.inquiry.ask('alive', pid)
    // One in a place that does not answer lives, for nobody has been told of its end.
    return answer === undefined ? this.census.mayLive(pid) : answer === true
  }

  /** To all places */
  tell(what: string, ...args: readonly Sendable[]): void {
    for (const { channel } of this.#places.values()) channel.tell(what, ...args)
  }

  /** To all places, after all that was sent there until now */
  tellLast(what: string, ...args: readonly Sendable[]): void {
    for (const { channel } of this.#places.values()) channel.tellLast(what, ...args)
  }

  /** A connection is lost, or could not be made. */
  nodeLost(node: Atom): void {
    for (const { channel, ledger } of this.#places.values()) {
      channel.tellLast('lost', node)
      ledger.nodeLost(node)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#places.size === 0) return
    const empty = new Promise<void>(resolve => (this.#emptied = resolve))
    for (const place of this.#places.values()) place.close()
    await empty
  }

  #pool(): Place[] {
    return [...this.#places.values()].filter(({ kind }) => kind === 'pool')
  }

  /** @param origin who wants another than itself */
  #placeFor(on: Placement, origin?: Place): Place {
    if (this.#closed) throw new NodeError('NODE_CLOSED', 'This node is closed: start another.')
    return on === 'isolated' ? this.#isolated() : this.#leastLoaded(origin)
  }

  #isolated(): Place {
    const place = this.#spare.take() ?? this.#make('isolated')
    // Not before this one runs, and has been told what to run: both would take longer.
    place.ready.then(
      () => setImmediate(() => this.#spare.keep()),
      () => {}, // Whoever waits for it has been told.
    )
    return place
  }

  /** For a spare place: the pool is to have its places in any case. */
  #hasRoom(): boolean {
    const { schedulers } = this.#options
    return schedulers.spare && !this.#closed && this.#numbers.length > schedulers.count
  }

  #leastLoaded(origin?: Place): Place {
    const pool = this.#pool().filter(place => place !== origin)
    const least = pool.reduce<Place | null>((best, place) => (best && best.load <= place.load ? best : place), null)
    if (least && (least.load === 0 || this.#pool().length >= this.#options.schedulers.count)) return least
    return this.#make('pool')
  }

  #make(kind: 'pool' | 'isolated'): Place {
    const { schedulers, longSchedule, entry, processes, clock, node, code, nodes } = this.#options
    const number = this.#numbers.shift()
    if (number === undefined) throw new ProcessError('ERR_SYSTEM_LIMIT', `A node has at most ${maxPlaces} places: end some first.`)
    const id = { number, life: this.#lives[number] ?? 0 }
    const pulse = { longSchedule, maxBusy: schedulers.maxBusy }
    const watched = { pulse: pulseInterval(pulse), witness: kind === 'pool' && longSchedule > 0 }
    const config: PlaceConfig = {
      ...node,
      ...watched,
      place: id,
      kind,
      pool: schedulers.count,
      setup: schedulers.setup.map(String),
      modules: code.portable(),
    }
    const size = kind === 'isolated' ? { heap: schedulers.isolatedHeap, memory: schedulers.isolatedMemory } : {}
    const place = new Place({
      entry,
      execArgv: schedulers.execArgv,
      config,
      processes,
      clock,
      ...size,
      limits: pulse,
      versionOf: module => code.current(module)?.number ?? 0,
      desk: made => this.#desk.for(made),
      silent: (busy, ms) => void this.#onSilent(busy, ms),
      busy: (made, is) => this.tell(is ? 'busy' : 'drain', made.id.number),
      lost: (lost, why) => this.#onLost(lost, why),
    })
    this.#places.set(number, place)
    const names = [...processes.registry.entries()].map(([name, pid]) => tuple(name, pid))
    const visible = new Set(nodes.names('visible'))
    const connected = nodes.names('connected').map(name => tuple(atom(name), !visible.has(name)))
    const busy = [...this.#places.values()].filter(({ channel }) => channel.isBusy).map(({ id }) => id.number)
    place.channel.tell('hello', names, connected, processes.init.groupLeader, [...nodes.busy().map(name => atom(name)), ...busy])
    for (const greeting of this.#options.greetings) for (const told of greeting()) place.channel.tell(...told)
    return place
  }

  /** An exit signal for the process of an isolated place: it works even when that computes for ever. */
  #exit(place: Place, signal: ExitSignal | LinkExitSignal): boolean {
    const root = place.root as Pid
    if (signal.op === 'linkExit' && !place.ledger.areLinked(root, signal.from)) return true
    const reason = signal.reason.read()
    if (signal.op === 'exit' && reason === reasons.kill) {
      place.kill(reasons.killed)
      return true
    }
    if (!place.trapExit && reason !== reasons.normal) {
      // It has a while to run what it does at its end.
      this.#options.clock.after(grace, () => place.root === root && place.kill(reason))
    }
    return place.send({ ...signal, reason: new SharedPayload(reason, this.#options.processes) })
  }

  /** Never rejects. */
  async #onSilent(place: Place, ms: number): Promise<void> {
    const { number } = place.id
    const pid = await place.running()
    if (this.#places.get(number) !== place) return
    const name = pid ? this.#options.processes.registry.nameOf(pid)?.name : undefined
    this.#options.emit('long_schedule', pid, { timeout: ms, running: true, on: place.kind, place: number, name })
  }

  #onLost(place: Place, why: Term): void {
    const { number, life } = place.id
    this.#places.delete(number)
    this.#numbers.push(number)
    this.#lives[number] = life + (place.kind === 'pool' ? livesOfScheduler : 1)
    this.#spare.lost(place)
    lose(place, why, this.#closed, this.#roaming, this.#options)
    this.tell('drain', number)
    if (this.#places.size === 0) this.#emptied()
  }
}

const isFor = ({ to }: ExitSignal | LinkExitSignal, root: Pid | null): boolean => to instanceof Pid && root !== null && equals(to, root)
