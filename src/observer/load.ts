/**
 * What the places of a node use of the machine: memory, and the time of their threads. Main asks the others; of one that does not answer it tells
 * what the operating system says, and that it has been busy since it last spoke.
 *
 *   main → place    usage    [Rss, HeapUsed, Buffers, Code, Active, Total, Processes]: bytes; nanoseconds
 */
import { performance } from 'node:perf_hooks'
import { memoryUsage } from 'node:process'
import { getHeapCodeStatistics } from 'node:v8'
import type { Kernel } from '../node/kernel.js'
import type { Term } from '../term/index.js'

interface Measured {
  /** Bytes */
  readonly rss: number
  readonly heapUsed: number
  /** Of Buffers */
  readonly buffers: number
  readonly code: number
  /** Nanoseconds in which its thread had work, since it started */
  readonly active: number
  /** Nanoseconds since it started */
  readonly total: number
  readonly processes: number
}

export interface Load extends Measured {
  readonly kind: 'main' | 'pool' | 'isolated'
}

const nothing: Measured = { rss: 0, heapUsed: 0, buffers: 0, code: 0, active: 0, total: 0, processes: 0 }

export class Loads {
  readonly #kernel: Kernel<any>
  /** What each place said last, and when */
  readonly #last = new Map<number, { readonly measured: Measured; readonly at: number }>()

  /** In every place */
  constructor(kernel: Kernel<any>) {
    this.#kernel = kernel
    if (kernel.uplink) kernel.inquiries.set('usage', () => Object.values(this.#measure()))
  }

  /** Of all places, main first */
  async all(): Promise<Load[]> {
    const here: Load = { kind: 'main', ...this.#measure() }
    const numbers = this.#kernel.main?.schedulers.census.numbers() ?? []
    for (const place of this.#last.keys()) if (!numbers.includes(place)) this.#last.delete(place)
    return [here, ...(await Promise.all(numbers.map(place => this.#of(place))))]
  }

  async #of(place: number): Promise<Load> {
    const { census } = (this.#kernel.main as NonNullable<Kernel['main']>).schedulers
    const kind = census.kindOf(place) ?? 'pool'
    const told = await census.ask(place, 'usage')
    if (told !== undefined) {
      const measured = measuredOf(told as readonly Term[])
      this.#last.set(place, { measured, at: performance.now() })
      return { kind, ...measured }
    }
    const { measured, at } = this.#last.get(place) ?? { measured: nothing, at: performance.now() }
    const since = Math.round((performance.now() - at) * 1e6)
    const rss = (await census.residentSize(place)) ?? 0
    const processes = census.known(place).size
    return { kind, ...measured, rss, processes, active: measured.active + since, total: measured.total + since }
  }

  #measure(): Measured {
    const { rss, heapUsed, arrayBuffers } = memoryUsage()
    const {
      code_and_metadata_size: machine,
      bytecode_and_metadata_size: bytes,
      external_script_source_size: source,
    } = getHeapCodeStatistics()
    const { active, idle } = performance.eventLoopUtilization()
    const [busy, total] = [active, active + idle].map(ms => Math.round(ms * 1e6)) as [number, number]
    // The node's own process is nobody's.
    const processes = this.#kernel.processes.table.count - 1
    return { rss, heapUsed, buffers: arrayBuffers, code: machine + bytes + source, active: busy, total, processes }
  }
}

function measuredOf(told: readonly Term[]): Measured {
  const [rss, heapUsed, buffers, code, active, total, processes] = told.map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  return { rss, heapUsed, buffers, code, active, total, processes }
}
