/**
 * `erlang:system_info`, `memory` and `statistics` of a TypeScript node. What they count is what this node has: its processes, atoms and connections,
 * the memory of its places, the time of their threads. Where there is no such thing the number is 0, or the item is told as one that is not supported.
 *
 *   total       resident memory of all places          processes   JavaScript's heaps        binary   Buffers
 *   code        compiled code                          atom, ets   0: they are in the heap   system   total less processes
 *
 * Source: the manual of erlang.
 */
import { availableParallelism, cpus, platform } from 'node:os'
import { performance } from 'node:perf_hooks'
import nodeProcess, { arch, cpuUsage, version as nodeVersion } from 'node:process'
import { getHeapSpaceStatistics } from 'node:v8'
import { defaultLimits } from '../etf/index.js'
import type { Kernel } from '../node/kernel.js'
import type { Builtins } from '../otp/rpc/builtins.js'
import { version } from '../otp/version.js'
import { Atom, atom, atomCount, type Sendable, type Term, Tuple, tuple, charlist } from '../term/index.js'
import type { Loads } from './load.js'
import { connectionPorts } from './ports.js'

/** Whose behaviour this node has: what tools ask before they use what a release brought */
const release = '29'
/** 22 bits of a pid's number say which */
const processLimit = 2 ** 22

export class SystemInfo {
  readonly loads: Loads
  readonly #kernel: Kernel<any>
  readonly #started = performance.now()
  readonly #version: string
  /** What `statistics` said last, of what it tells since then */
  readonly #before = new Map<string, number>()

  /** In main */
  constructor(kernel: Kernel<any>, loads: Loads) {
    this.#kernel = kernel
    this.loads = loads
    this.#version = `Beamlet ${version}, Node.js ${nodeVersion.slice(1)}`
  }

  /** Undefined for an item that is none, or that this node has no answer to */
  async info(item: Term): Promise<Sendable | undefined> {
    if (item instanceof Atom) return this.#items[item.name]?.()
    if (!(item instanceof Tuple) || item.length !== 2) return undefined
    if (item.tag === 'wordsize') return 8
    return item.tag === 'allocator_sizes' ? allocators() : undefined
  }

  readonly #items: Readonly<Record<string, () => Sendable | undefined | Promise<Sendable>>> = {
    alloc_util_allocators: () => getHeapSpaceStatistics().map(({ space_name: name }) => atom(name)),
    atom_count: () => atomCount(),
    atom_limit: () => atomCount() + (this.#kernel.limits.atoms ?? defaultLimits.atoms),
    creation: () => this.#kernel.creation,
    dirty_cpu_schedulers: () => 0,
    dirty_cpu_schedulers_online: () => 0,
    dirty_io_schedulers: () => 0,
    dist_buf_busy_limit: () => this.#kernel.sendBufferLimit,
    ets_count: () => 0,
    ets_limit: () => 0,
    kernel_poll: () => true,
    logical_processors: () => cpus().length,
    logical_processors_available: () => availableParallelism(),
    logical_processors_online: () => cpus().length,
    machine: () => charlist('Beamlet'),
    multi_scheduling: () => atom('enabled'),
    otp_release: () => charlist(release),
    port_count: () => connectionPorts(this.#kernel).length,
    port_limit: () => atom('infinity'),
    process_count: async () => (await this.loads.all()).reduce((sum, { processes }) => sum + processes, 0),
    process_limit: () => processLimit,
    schedulers: () => this.#schedulers,
    schedulers_online: () => this.#schedulers,
    smp_support: () => true,
    system_architecture: () => charlist(`${arch}-${platform()}`),
    system_version: () => charlist(`${this.#version}\n`),
    thread_pool_size: () => Number(nodeProcess.env['UV_THREADPOOL_SIZE'] ?? 4),
    threads: () => true,
    version: () => charlist(this.#version),
    wordsize: () => 8,
  }

  /** Main, and the pool */
  get #schedulers(): number {
    return 1 + this.#kernel.poolSize
  }

  async memory(): Promise<readonly (readonly [item: string, bytes: number])[]> {
    const loads = await this.loads.all()
    const sum = (of: 'rss' | 'heapUsed' | 'buffers' | 'code'): number => loads.reduce((all, load) => all + load[of], 0)
    const [total, heap] = [sum('rss'), sum('heapUsed')]
    return [
      ['total', total],
      ['processes', heap],
      ['processes_used', heap],
      ['system', total - heap],
      ['atom', 0],
      ['atom_used', 0],
      ['binary', sum('buffers')],
      ['code', sum('code')],
      ['ets', 0],
    ]
  }

  async memoryList(): Promise<Sendable> {
    return (await this.memory()).map(([item, bytes]) => tuple(atom(item), bytes))
  }

  async statistics(item: Term): Promise<Sendable | undefined> {
    if (!(item instanceof Atom)) return undefined
    switch (item.name) {
      case 'run_queue':
      case 'total_run_queue_lengths':
        return this.#kernel.processes.scheduler.length
      case 'wall_clock':
        return this.#since('wall_clock', this.uptime)
      case 'runtime': {
        const { user, system } = cpuUsage()
        return this.#since('runtime', Math.round((user + system) / 1000))
      }
      case 'io':
        return this.io()
      case 'scheduler_wall_time':
        return this.schedulerWallTime()
      case 'garbage_collection':
        return tuple(0, 0, 0)
      case 'context_switches':
        return tuple(0, 0)
      default:
        return undefined
    }
  }

  /** Milliseconds */
  get uptime(): number {
    return Math.round(performance.now() - this.#started)
  }

  io(): Tuple {
    const { bytesIn = 0, bytesOut = 0 } = this.#kernel.main?.peers.traffic ?? {}
    return tuple(tuple(atom('input'), bytesIn), tuple(atom('output'), bytesOut))
  }

  /** `{Id, Active, Total}` in nanoseconds: main is 1, then the pool's as many as it may have. */
  async schedulerWallTime(): Promise<Tuple[]> {
    const loads = (await this.loads.all()).filter(({ kind }) => kind !== 'isolated')
    const total = loads[0]?.total ?? 0
    return Array.from({ length: Math.max(this.#schedulers, loads.length) }, (_, index) => {
      const load = loads[index]
      return tuple(index + 1, load?.active ?? 0, load?.total ?? total)
    })
  }

  #since(what: string, now: number): Tuple {
    const before = this.#before.get(what) ?? 0
    this.#before.set(what, now)
    return tuple(now, now - before)
  }
}

/** The spaces of JavaScript's heap in main, as the carriers of an allocator are told: of `Size` bytes, `Used` are in use. */
export function allocators(): Sendable {
  return getHeapSpaceStatistics().map(({ space_name: name, space_size: size, space_used_size: used }) => {
    const blocks = tuple(atom('blocks'), [tuple(atom(name), [tuple(atom('size'), used, used, used)])])
    return tuple(atom(name), [tuple(atom('instance'), 0, [tuple(atom('mbcs'), [blocks, tuple(atom('carriers_size'), size, size, size)])])])
  })
}

export function systemBuiltins(system: SystemInfo): Builtins {
  return {
    erlang: {
      'system_info/1': (_, item) => system.info(item as Term),
      'memory/0': () => system.memoryList(),
      'memory/1': async (_, items) => {
        const known = new Map(await system.memory())
        const of = (item: unknown): number | undefined => (item instanceof Atom ? known.get(item.name) : undefined)
        if (!Array.isArray(items)) return of(items)
        const told = items.map(item => [item as Term, of(item)] as const)
        return told.some(([, bytes]) => bytes === undefined) ? undefined : told.map(([item, bytes]) => tuple(item, bytes as number))
      },
      'statistics/1': (_, item) => system.statistics(item as Term),
      // Those of the node are always kept.
      'system_flag/2': (_, flag) => (flag === atom('scheduler_wall_time') ? true : undefined),
    },
  }
}
