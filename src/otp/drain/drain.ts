/**
 * `node.drain`: the end of a node from which nobody loses a call.
 *
 *   1  `draining` is told; every process leaves its groups (pg), and each other node has answered that it knows
 *   2  the listeners have settled; each global name goes to its successor, or is unregistered: every node knows when that is done
 *   3  until nothing runs, and for `quiet` nothing has come to be done, in all places at once
 *   4  applications end, the latest first; then supervisors without a parent, the latest first; then servers without one
 *   5  `handOver`; then each other node has answered a ping, so that all that was said has come there: one that sees this node go before it has read that
 *      may tell another, and `global` closes the connection there at once
 *
 * What main asks of the other places:
 *
 *   drain_wait, Quiet → Seen      when nothing runs there: how often something has come
 *   drain_count → Count           how much runs there
 *   drain_stop, Ms → Count        4 there: how many were killed
 */
import { flags } from '../../dist/flags.js'
import type { Kernel } from '../../node/kernel.js'
import { atom, ExportFun, NodeError, type Term, tuple } from '../../term/index.js'
import type { ApplicationController } from '../application/controller.js'
import { call } from '../gen/gen.js'
import type { Global } from '../global/global.js'
import type { GlobalName } from '../global/names.js'
import type { GlobalService } from '../global/service.js'
import type { PgScopes } from '../pg/pg.js'
import type { Drained, DrainOptions } from './options.js'
import { Quiet } from './quiet.js'
import { runningIn } from './running.js'
import { type Run, stopServers } from './stop.js'

/** What draining needs of the node. */
export interface DrainParts {
  readonly kernel: Kernel<any>
  readonly pgScopes: PgScopes
  readonly global: Global
  readonly globalService: GlobalService
  /** Null elsewhere than in main */
  readonly controller: ApplicationController | null
  readonly run: Run
}

/** How much of the time may pass before what is left ends */
const waits = 0.75

export class Drain {
  readonly #parts: DrainParts
  #quiet: Quiet | null = null
  readonly #times: Time[] = []

  /** In main, and in every other place, which answers main. */
  constructor(parts: DrainParts) {
    this.#parts = parts
    const { inquiries, processes, uplink } = parts.kernel
    if (!uplink) return
    inquiries.set('drain_wait', (quiet: number) => this.#wait(quiet))
    inquiries.set('drain_count', () => runningIn(processes))
    inquiries.set('drain_stop', (ms: number) => this.#stop(processes.clock.now() + ms))
  }

  /** All but the end of the node itself. */
  async run({ timeout = 25_000, quiet = 1000, successor, handOver }: DrainOptions): Promise<Drained> {
    const { kernel, pgScopes, controller } = this.#parts
    const { clock } = kernel.processes
    const begun = clock.now()
    const time = this.#time(timeout * waits)
    const all = this.#time(timeout)
    let ended = 0

    const left = pgScopes.drain()
    const handedOver = this.#tell(timeout, time)
    ended += await time.unless(Promise.all([left, handedOver]))
    const names = this.#ownNames()
    ended += await time.unless(this.#leaveNames(names, successor))
    const known = kernel.nodes('connected').length > 0 && (names.length > 0 || time.isOver || (await left) > 0)
    if ((await time.unless(this.#untilQuiet(known ? quiet : 0))) > 0) ended += await this.#count()

    const deadline = begun + timeout
    if (controller) ended += await controller.close(deadline)
    ended += await this.#stopAll(deadline)
    if (handOver) ended += await all.unless(this.#try('What was to be handed over failed', handOver))
    await all.unless(this.#allHeard())
    this.cancel()
    return { ended }
  }

  /** Nothing is waited for any more. */
  cancel(): void {
    this.#quiet?.stop()
    for (const { stop } of this.#times) stop()
  }

  #time(ms: number): Time {
    const time = new Time(ms, this.#parts.kernel.processes.clock)
    this.#times.push(time)
    return time
  }

  /** Tells who listens; resolves when all that they wait for has settled. */
  async #tell(timeout: number, { signal }: Time): Promise<void> {
    const waited: Promise<unknown>[] = []
    const waitUntil = (work: PromiseLike<unknown>): void =>
      void waited.push(this.#try('What a listener of `draining` waits for has failed', () => work))
    this.#parts.kernel.events.emit('draining', { timeout, signal, waitUntil })
    for (let settled = 0; settled < waited.length; settled = waited.length) await Promise.all(waited)
  }

  #ownNames(): GlobalName[] {
    const { globalService, kernel } = this.#parts
    const own = kernel.processes.table.node
    return globalService.server?.names.entries().filter(({ pid }) => pid.node === own) ?? []
  }

  async #leaveNames(names: readonly GlobalName[], successor: DrainOptions['successor']): Promise<void> {
    const { global, globalService } = this.#parts
    for (const { name, pid, method } of names) {
      const next = await this.#try('The successor of a global name cannot be told', () => successor?.(name, pid))
      // Meanwhile another may have taken it.
      if (globalService.server?.names.get(name)?.pid !== pid) continue
      const resolve = method instanceof ExportFun && !globalService.methods.has(method) ? method : undefined
      await this.#try('A global name could not be left', () =>
        next ? global.reRegister(name, next, { resolve }) : global.unregister(name),
      )
    }
  }

  /** In all places at once: one that was quiet may have been called by one that was not yet. */
  async #untilQuiet(quiet: number): Promise<void> {
    for (let wait = quiet; ; wait = 0) {
      const before = await this.#seen(wait)
      const after = await this.#seen(0)
      if (after.every((seen, index) => seen === before[index])) return
    }
  }

  #seen(quiet: number): Promise<Term[]> {
    const { census } = this.#parts.kernel.main!.schedulers
    const elsewhere = census.numbers().map(async place => (await census.await(place, 'drain_wait', quiet)) ?? 0)
    return Promise.all([this.#wait(quiet), ...elsewhere])
  }

  #wait(quiet: number): Promise<number> {
    this.#quiet ??= new Quiet(this.#parts.kernel.processes)
    return this.#quiet.wait(quiet)
  }

  /** How much runs. One that does not answer runs something. */
  async #count(): Promise<number> {
    const { processes, main } = this.#parts.kernel
    const { census } = main!.schedulers
    const elsewhere = census.numbers().map(async place => Number((await census.ask(place, 'drain_count')) ?? 1))
    return (await Promise.all(elsewhere)).reduce((sum, count) => sum + count, runningIn(processes))
  }

  async #stopAll(deadline: number): Promise<number> {
    const { processes, main } = this.#parts.kernel
    const { census } = main!.schedulers
    const ms = Math.max(0, deadline - processes.clock.now())
    const time = this.#time(ms)
    let killed = await this.#stop(deadline)
    const elsewhere = census.numbers().map(async place => {
      const stopped = census.await(place, 'drain_stop', ms)
      return (await time.unless(stopped)) > 0 ? 1 : Number((await stopped) ?? 0)
    })
    for (const count of await Promise.all(elsewhere)) killed += count
    return killed
  }

  /** What was sent until now has come to every node that answers: C nodes do not. */
  async #allHeard(): Promise<void> {
    const { kernel, run } = this.#parts
    const own = kernel.processes.table.node
    const nodes = kernel.nodes('connected').filter(node => {
      const { theirFlags = 0n } = kernel.main?.peers.connectionTo(node)?.peer ?? {}
      return (theirFlags & flags.SPAWN) !== 0n
    })
    const pings = nodes.map(node =>
      run(self => call(self, { name: 'net_kernel', node }, tuple(atom('is_auth'), own), { timeout: Infinity })),
    )
    // Who is lost hears nothing more.
    await Promise.allSettled(pings)
  }

  #stop(deadline: number): Promise<number> {
    const { kernel, controller, run } = this.#parts
    return stopServers(kernel.processes, run, deadline, controller?.pid ?? null)
  }

  /** What fails is told, and keeps nothing from going on. */
  async #try<T>(what: string, work: () => T | PromiseLike<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (cause) {
      this.#parts.kernel.tellError(new NodeError('ERR_HAND_OVER', `${what}: ${String(cause)}`, { cause }))
      return undefined
    }
  }
}

/** A time that is over some day. */
class Time {
  readonly #controller = new AbortController()
  readonly #over: Promise<void>
  readonly stop: () => void

  constructor(ms: number, clock: Kernel['processes']['clock']) {
    this.#over = new Promise(resolve => this.signal.addEventListener('abort', () => resolve(), { once: true }))
    this.stop = clock.after(ms, () => this.#controller.abort())
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  get isOver(): boolean {
    return this.signal.aborted
  }

  /** Waits for it, and not beyond the time: 0 when it has settled, else 1. */
  async unless(work: Promise<unknown>): Promise<0 | 1> {
    return Promise.race([work.then(() => 0 as const), this.#over.then(() => 1 as const)])
  }
}
