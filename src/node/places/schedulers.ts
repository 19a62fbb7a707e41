/**
 * The places of a node beside main, as main keeps them: the schedulers of the pool, and one place for each isolated process. All signals between
 * places go through here, and what a place that is lost cannot tell any more is told here.
 */
import type { ExitSignal, LinkExitSignal, Signal } from '../../dist/signal.js'
import { type EtfCode, EtfError } from '../../etf/index.js'
import {
  type Clock,
  type LogLevel,
  maxPlaces,
  ProcessError,
  type Processes,
  reason as reasons,
  SharedPayload,
} from '../../process/index.js'
import { Atom, atom, equals, format, NodeError, Pid, type Sendable, type Term, text, tuple } from '../../term/index.js'
import type { NodeEvents } from '../events.js'
import type { Code } from '../code.js'
import type { Nodes, PlacedSpawn, Placement, Places } from '../outside.js'
import type { Spawner } from '../spawner.js'
import { Census } from './census.js'
import { PlaceError } from './channel.js'
import type { PlaceConfig } from './config.js'
import type { placeNode, schedulerDefaults } from './defaults.js'
import { Place } from './place.js'
import { pulseInterval } from './pulse.js'
import { Roaming } from './roaming.js'

export interface SchedulerOptions {
  /** Schedulers in the pool. Default: one less than the machine has cores, at least 1. 0: what is placed in the pool runs on main. */
  readonly count?: number | undefined
  /** Modules that each place imports before anything runs there */
  readonly setup?: readonly (URL | string)[] | undefined
  /** Arguments for the Node.js of each place. Default: those of this one, but for a program, a debugger and the like */
  readonly execArgv?: readonly string[] | undefined
  /** Milliseconds: a scheduler that does not come round for longer is ended, and all in it exit `killed`. Default: 0, as long as it takes */
  readonly maxBusy?: number | undefined
  /** MiB of JavaScript heap for an isolated process. Default: 256 */
  readonly isolatedHeap?: number | undefined
  /** MiB of memory in all for an isolated process (on Linux). Default: 1024 */
  readonly isolatedMemory?: number | undefined
}

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
  route(signal: Signal): boolean
  emit<K extends keyof NodeEvents>(event: K, ...args: NodeEvents[K]): boolean
  /** A payload of that node's turned out to be no term, where its receiver lives. */
  fault(node: Atom, error: NodeError): void
}

/** Milliseconds that an isolated process has to end by itself when an exit signal ends it */
const grace = 200
/** Milliseconds that a place has to end when its node closes */
const closing = 2000
/** Lives of its number that a scheduler uses up: its slots are used again and again. */
const livesOfScheduler = 256

export class Schedulers implements Places {
  readonly #options: SchedulersOptions
  readonly #places = new Map<number, Place>()
  /** Who lives in them */
  readonly census: Census
  readonly #roaming: Roaming
  readonly #numbers = Array.from({ length: maxPlaces - 1 }, (_, index) => index + 1)
  readonly #lives: number[] = []
  #closed = false
  #emptied = (): void => {}

  constructor(options: SchedulersOptions) {
    this.#options = options
    const { processes, spawner, route } = options
    this.census = new Census(processes, this.#places)
    this.#roaming = new Roaming({
      processes,
      spawner,
      route,
      hostFor: (on, origin) => (this.isHere(on) ? null : this.#placeFor(on, origin)),
    })
  }

  /** How many places there are beside main */
  get size(): number {
    return this.#places.size
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

  /** A module is there, from a URL; null: not from there any more. @throws PlaceError when it does not load in a place. */
  async load(name: string, url: string | null): Promise<void> {
    if (url === null) return this.tell('unload', name)
    await Promise.all([...this.#places.values()].map(({ channel }) => ifItLives(channel.ask('load', name, url))))
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
    this.tell('close')
    const late = (): void => {
      for (const place of this.#places.values()) place.kill(atom('shutdown'))
    }
    const cancel = this.#options.clock.after(closing, late)
    await empty
    cancel()
  }

  #pool(): Place[] {
    return [...this.#places.values()].filter(({ kind }) => kind === 'pool')
  }

  /** @param origin who wants another than itself */
  #placeFor(on: Placement, origin?: Place): Place {
    if (this.#closed) throw new NodeError('NODE_CLOSED', 'This node is closed: start another.')
    return on === 'isolated' ? this.#make('isolated') : this.#leastLoaded(origin)
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
      desk: made => ({
        signal: signal => this.#onSignal(made, signal),
        told: (what, args) => this.#told(made, what, args),
        asked: (what, args) => this.#asked(what, args),
      }),
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

  #onSignal(place: Place, signal: Signal): void {
    place.ledger.goesOut(signal)
    try {
      if (signal.op === 'start') this.#roaming.start(place, signal)
      else this.#options.route(signal)
    } catch (error) {
      if (!(error instanceof EtfError)) throw error
      place.kill(tuple(atom('bad_signal'), atom(error.code)))
    }
  }

  #told(place: Place, what: string, args: readonly any[]): void {
    const { processes, nodes, emit, fault } = this.#options
    switch (what) {
      case 'ready':
        return place.started()
      case 'failed':
        place.why ??= tuple(atom('not_started'), atom(text(args[0])))
        return place.failed(new PlaceError(text(args[0]), text(args[1])))
      case 'ended':
        if (place.root && equals(place.root, args[0] as Pid)) {
          place.root = null
          place.finished = true
        }
        if (!place.ended(args[0])) this.#roaming.ended(args[0])
        return
      case 'freed':
        return processes.registry.released(args[0], args[1])
      case 'reach':
        return nodes.reach(args[0])
      case 'fault':
        return fault(args[0], new EtfError(text(args[1]) as EtfCode, text(args[2])))
      case 'crash': {
        const error = Object.assign(new Error(text(args[2])), { stack: text(args[3]) })
        if (!emit('crash', args[0], { reason: args[1] as Term, error })) console.error(`Error in process ${String(args[0])}:`, error)
        return
      }
      case 'logger':
        return void emit('logger', { level: text(args[0]) as LogLevel, report: args[1] as Term, meta: args[2] as Term })
      case 'stray':
        place.why ??= args[0] as Term
        return
      case 'trapping':
        if (place.root && equals(place.root, args[0] as Pid)) place.trapExit = args[1] as boolean
    }
  }

  async #asked(what: string, args: readonly any[]): Promise<Sendable> {
    const { processes, nodes } = this.#options
    switch (what) {
      case 'claim':
        processes.registry.claim(args[0], args[1])
        break
      case 'unregister':
        processes.registry.unregister(args[0])
        break
      case 'connect':
        await nodes.connect(args[0])
        break
      case 'disconnect':
        return nodes.disconnect(args[0])
      case 'heard':
        break
      case 'drained':
        if (args[0] instanceof Atom) await nodes.drained(args[0])
        else await this.drained(args[0] as Pid | null)
        break
      case 'alive':
        return processes.table.locate(args[0]) === 0 ? processes.table.find(args[0]) !== undefined : this.isAlive(args[0])
    }
    return atom('ok')
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
    const { processes, emit } = this.#options
    const { number } = place.id
    this.#places.delete(number)
    this.#numbers.push(number)
    this.#lives[number] = place.id.life + (place.kind === 'pool' ? livesOfScheduler : 1)
    place.failed(new PlaceError('ERR_PLACE_LOST', `The place ended before it had started: ${format(why)}.${place.os.lastWords}`))
    const reason = this.#reasonFor(place, why)
    for (const [name, pid] of [...processes.registry.entries()]) {
      if (processes.table.locate(pid) === number) processes.registry.released(name, pid)
    }
    this.#roaming.lost(place)
    this.tell('drain', number)
    processes.later(this.#lastSignals(place, reason))
    const unused = why === reasons.noproc
    if (!place.finished && !unused && !this.#closed) emit('placedown', { kind: place.kind, number, reason })
    if (this.#places.size === 0) this.#emptied()
  }

  #reasonFor(place: Place, why: Term): Term {
    // It has told everybody: what is left came when it no longer read.
    if (place.finished) return reasons.noproc
    if (this.#closed) return atom('shutdown')
    return place.kind === 'isolated' || why === reasons.killed ? why : tuple(atom('scheduler_down'), why)
  }

  *#lastSignals(place: Place, reason: Term): Generator<void, void, undefined> {
    for (const signal of place.lastSignals(new SharedPayload(reason, this.#options.processes))) {
      this.#options.route(signal)
      yield
    }
  }
}

/** What a place answers; undefined when it ends before it does. */
async function ifItLives(answer: Promise<Term>): Promise<Term | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof PlaceError && error.code === 'ERR_PLACE_LOST') return undefined
    throw error
  }
}

const isFor = ({ to }: ExitSignal | LinkExitSignal, root: Pid | null): boolean => to instanceof Pid && root !== null && equals(to, root)
