/**
 * `erlang:process_info`, `processes` and what lists all processes, for every place of the node. Main asks the other places, each about its own; of
 * one that computes or is stopped, and does not answer in time, it tells what it knows itself: see Census.
 *
 *   main → place    process_info, Pid, Items     undefined, or [{Item, Value}]
 *                   processes                    [Pid]
 *                   process_infos, [Pid], Items  [{Pid, [Value]}], without those that have ended
 */
import nodeProcess from 'node:process'
import { setImmediate } from 'node:timers/promises'
import type { Kernel } from '../../node/kernel.js'
import type { Known } from '../../node/places/census.js'
import type { LocalProcess } from '../../process/index.js'
import { atom, equals, Pid, type Term, type Tuple, tuple } from '../../term/index.js'
import type { Builtins } from '../rpc/builtins.js'
import { KnownFacts, LocalFacts, type OwnMemory, type ProcessFacts } from './facts.js'
import { toldOf, usualItems, valuesOf, type Wanted, wantedItems } from './items.js'

/** Processes of which is told at a time, as observer_backend has it */
const slice = 10_000

/** A process, and the values of what was asked of it */
export type Row = readonly [pid: Pid, values: readonly Term[]]

const none = atom('undefined')
const registeredName = atom('registered_name')

export class ProcessInfo {
  readonly #kernel: Kernel<any>
  readonly #memory: OwnMemory

  /** In main, and in every other place, which answers main. */
  constructor(kernel: Kernel<any>) {
    this.#kernel = kernel
    this.#memory = { bytesOf: pid => (kernel.uplink?.root && equals(kernel.uplink.root, pid) ? nodeProcess.memoryUsage.rss() : 0) }
    const { inquiries, processes } = kernel
    if (!kernel.uplink) return
    inquiries.set('process_info', (pid: Pid, items: Term[]) => this.#here(pid, wantedItems(items) as Wanted, processes.init.pid) ?? none)
    inquiries.set('processes', () => this.#pidsHere())
    inquiries.set('process_infos', (pids: Pid[], items: Term[]) =>
      this.#rowsHere(pids, wantedItems(items) as Wanted, processes.init.pid).map(row => tuple(...row)),
    )
  }

  /**
   * process_info/1, and with items process_info/2: a list of `{Item, Value}`; null: that process has ended.
   *
   * @param asks the process that wants to know
   */
  async of(pid: Pid, asks: Pid, wanted: Wanted = usualItems): Promise<readonly Tuple[] | null> {
    const { table } = this.#kernel.processes
    const place = table.owns(pid) ? table.locate(pid) : table.place
    if (place === table.place) return this.#here(pid, wanted, asks)
    const census = this.#kernel.main?.schedulers.census
    const told = await census?.ask(place, 'process_info', pid, wanted.names)
    if (told !== undefined) return told === none ? null : (told as Tuple[])
    if (!census?.mayLive(pid)) return null
    return toldOf(await this.#known(pid, census.known(place).get(table.keyOf(pid))), wanted)
  }

  /** All processes of the node */
  async pids(): Promise<Pid[]> {
    const census = this.#kernel.main?.schedulers.census
    const elsewhere = await Promise.all((census?.numbers() ?? []).map(place => this.#pidsOf(place)))
    return [...this.#pidsHere(), ...elsewhere.flat()]
  }

  /** What is asked of all processes, some at a time: this thread does other work in between. */
  async *all(asks: Pid, wanted: Wanted): AsyncGenerator<Row[], void, undefined> {
    const numbers = this.#kernel.main?.schedulers.census.numbers() ?? []
    const elsewhere = Promise.all(numbers.map(async place => [place, await this.#pidsOf(place)] as const))
    for (const pids of slices(this.#pidsHere())) {
      yield this.#rowsHere(pids, wanted, asks)
      await setImmediate()
    }
    for (const [place, all] of await elsewhere) for (const pids of slices(all)) yield await this.#rowsOf(place, pids, wanted)
  }

  #here(pid: Pid, wanted: Wanted, asks: Pid): Tuple[] | null {
    const process = this.#kernel.processes.table.find(pid)
    return process ? toldOf(this.#facts(process, asks), wanted) : null
  }

  #rowsHere(pids: readonly Pid[], wanted: Wanted, asks: Pid): Row[] {
    const { table } = this.#kernel.processes
    return pids.flatMap(pid => {
      const process = table.find(pid)
      return process ? [[pid, valuesOf(this.#facts(process, asks), wanted) as Term[]] as const] : []
    })
  }

  #pidsHere(): Pid[] {
    const { table, init } = this.#kernel.processes
    return [...table].flatMap(process => (process === init ? [] : process.pid))
  }

  async #pidsOf(place: number): Promise<Pid[]> {
    const { census } = (this.#kernel.main as NonNullable<Kernel['main']>).schedulers
    const told = await census.ask(place, 'processes')
    return told === undefined ? [...census.known(place).values()].map(({ pid }) => pid) : (told as Pid[])
  }

  async #rowsOf(place: number, pids: readonly Pid[], wanted: Wanted): Promise<Row[]> {
    const { census } = (this.#kernel.main as NonNullable<Kernel['main']>).schedulers
    const { table } = this.#kernel.processes
    const told = await census.ask(place, 'process_infos', pids, wanted.names)
    if (told !== undefined) return (told as Tuple<readonly [Pid, Term[]]>[]).map(({ elements }) => elements)
    const known = census.known(place)
    const living = pids.filter(pid => census.mayLive(pid))
    return Promise.all(
      living.map(async pid => [pid, valuesOf(await this.#known(pid, known.get(table.keyOf(pid))), wanted) as Term[]] as const),
    )
  }

  #facts(process: LocalProcess, asks: Pid): ProcessFacts {
    return new LocalFacts(process, this.#kernel.processes, asks, this.#memory)
  }

  async #known(
    pid: Pid,
    known: Known = { pid, resident: null, trapExit: false, links: [], monitors: [], monitoredBy: [] },
  ): Promise<ProcessFacts> {
    const memory = await this.#kernel.main?.schedulers.census.memory(pid)
    return new KnownFacts(known, this.#kernel.processes, memory ?? 0)
  }
}

function* slices(pids: readonly Pid[]): Generator<readonly Pid[], void, undefined> {
  for (let from = 0; from < pids.length; from += slice) yield pids.slice(from, from + slice)
}

/** Of processes, by rpc */
export function processBuiltins(kernel: Kernel<any>, info: ProcessInfo): Builtins {
  const own = (pid: unknown): pid is Pid => pid instanceof Pid && pid.node === kernel.processes.table.node
  const one = async (pid: Pid, asks: Pid, item: Term): Promise<Term> =>
    (await info.of(pid, asks, wantedItems([item]) as Wanted))?.[0]?.elements[1] ?? none
  return {
    erlang: {
      'is_process_alive/1': (_, pid) => (own(pid) ? kernel.isAlive(pid) : undefined),
      'processes/0': () => info.pids(),
      'process_info/1': async (self, pid) => {
        if (!own(pid)) return undefined
        const told = await info.of(pid, self.pid)
        return told ? told.filter(({ elements: [item, value] }) => item !== registeredName || !isNil(value)) : none
      },
      'process_info/2': async (self, pid, items: Term) => {
        const wanted = wantedItems(Array.isArray(items) ? (items as Term[]) : [items])
        if (!own(pid) || !wanted) return undefined
        const told = await info.of(pid, self.pid, wanted)
        if (!told || Array.isArray(items)) return told ?? none
        return items === registeredName && isNil(told[0]?.elements[1]) ? [] : told[0]
      },
    },
    proc_lib: {
      'translate_initial_call/1': async (self, pid) => {
        const call = own(pid) ? await one(pid, self.pid, tuple(atom('dictionary'), atom('$initial_call'))) : none
        return call === none ? tuple(atom('proc_lib'), atom('init_p'), 5) : call
      },
      'get_label/1': (self, pid) => (own(pid) ? one(pid, self.pid, atom('label')) : none),
    },
  }
}

const isNil = (term: unknown): boolean => Array.isArray(term) && term.length === 0
