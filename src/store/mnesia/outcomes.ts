/**
 * How it is known whether a transaction was committed when its node goes away between the wish and the answer.
 *
 * A transaction that writes also writes, as its last act, that it was committed: `{beamlet_outcomes, Slot, {Sequence, committed, Time}}`. When no answer
 * comes, this store asks another node, in a transaction, for that row. If it is there, so is all else. If it is not, the row is written as `aborted`, and a
 * transaction that comes late finds it, and aborts: whoever writes the row first has decided. Mnesia holds the locks of a transaction whose node is gone
 * until its outcome is settled, so the row is not asked for too early.
 *
 * A slot is used again once its outcome is known, with the next number; so there are as many rows as writes at once, and they go when the store is closed.
 */
import { randomBytes } from 'node:crypto'
import { encode } from '../../etf/index.js'
import { type Atom, atom, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'
import { StoreError } from '../errors.js'
import { isDone } from './faults.js'
import type { Session } from './session.js'
import { type Kind, Lost, type Marker, type Op, op, runOps } from './worker.js'

/** The nodes that are asked */
export interface Cluster {
  readonly options: { readonly nodes: readonly string[]; readonly timeout: number; readonly outcomes: boolean }
  session(): Promise<Session>
  avoid(session: Session): void
  deadline(): number
  call(fun: string, args: readonly Sendable[], options?: { readonly timeout?: number }): Promise<Term>
  read(ops: readonly Op[], kind: Kind): Promise<unknown>
}

export type Settled = 'committed' | 'aborted'

export const outcomesTable = 'beamlet_outcomes'

/** Seconds that rows are kept which nobody took away */
const KEPT = 7 * 24 * 3600

export interface Slot {
  /** undefined: none is written */
  readonly id: string | undefined
  readonly marker: Marker | undefined
  /** Its outcome is known. */
  release(): void
  /** Its outcome is not known: it is not used again. */
  keep(): void
}

const noSlot: Slot = { id: undefined, marker: undefined, release: () => undefined, keep: () => undefined }

export class Outcomes {
  readonly #cluster: Cluster
  readonly #store = randomBytes(8).toString('hex')
  readonly #free: number[] = []
  readonly #sequences: number[] = []
  readonly #kept = new Set<number>()
  /** The nodes that have a copy of the table */
  readonly #holders = new Set<string>()
  #ready: Promise<void> | undefined

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** A place for the outcome of one write. @throws StoreError when the table of outcomes can not be made */
  async take(): Promise<Slot> {
    if (!this.#cluster.options.outcomes) return noSlot
    await this.ready()
    // One that was not there when the table was made has its copy from now on.
    if (!this.#holders.has((await this.#cluster.session()).beam)) this.#ready = undefined
    await this.ready()
    const slot = this.#free.pop() ?? this.#sequences.length
    const sequence = (this.#sequences[slot] = (this.#sequences[slot] ?? 0) + 1)
    const time = Math.floor(Date.now() / 1000)
    let over = false
    return {
      id: `${this.#store}.${slot}.${sequence}.${time}`,
      marker: tuple(atom(outcomesTable), keyOf(this.#store, slot), sequence),
      release: () => {
        if (!over) this.#free.push(slot)
        over = true
      },
      keep: () => {
        over = true
        this.#kept.add(slot)
      },
    }
  }

  /** The table is there, with a copy on every node of the store that runs. */
  ready(): Promise<void> {
    this.#ready ??= this.#prepare()
    this.#ready.catch(() => (this.#ready = undefined)) // told to whom it was promised, and tried again
    return this.#ready
  }

  /** @returns undefined when nobody could be asked until then */
  async settle(id: string, until: number): Promise<Settled | undefined> {
    const { store, slot, sequence } = parsed(id)
    const ask = op('fence', atom(outcomesTable), keyOf(store, slot), sequence)
    const { nodes, timeout } = this.#cluster.options
    for (let tried = 0; tried <= 2 * nodes.length && performance.now() < until; tried++) {
      try {
        const session = await this.#cluster.session()
        try {
          const { ended } = await runOps(session, 'sync_transaction', [ask], { timeout, flush: [outcomesTable] })
          const [how, results] = ended.elements as readonly [Atom, readonly Atom[]]
          if (how === atom('ok')) return results[0]!.name as Settled
          this.#cluster.avoid(session)
        } catch (error) {
          if (!(error instanceof Lost)) throw error
          this.#cluster.avoid(session)
        }
      } catch (error) {
        if (!(error instanceof StoreError) || error.code === 'STORE_CLOSED') throw error
      }
    }
    return undefined
  }

  /** @throws StoreError STORE_OPTION, STORE_UNKNOWN */
  async outcome(id: string): Promise<Settled> {
    const { time } = parsed(id)
    if (Date.now() / 1000 - time > KEPT - 3600) {
      throw new StoreError('STORE_UNKNOWN', 'Outcomes are kept for a week, and this one is older.', { transaction: id })
    }
    await this.ready()
    const settled = await this.settle(id, this.#cluster.deadline())
    if (settled !== undefined) return settled
    throw new StoreError('STORE_UNKNOWN', 'No node can be asked.', { remedy: 'Ask again when one is there.', transaction: id })
  }

  /** Takes away what this store wrote, but for what nobody knows the outcome of. */
  async close(): Promise<void> {
    const ops = this.#sequences.flatMap((_, slot) =>
      this.#kept.has(slot) ? [] : [tuple(atom('delete'), atom(outcomesTable), encode(keyOf(this.#store, slot))) as unknown as Tuple],
    )
    if (ops.length === 0) return
    // Who cannot be told now finds them old one day: see `sweep`.
    await this.#cluster.read(ops, 'async_dirty').catch(() => undefined)
  }

  async #prepare(): Promise<void> {
    const cluster = this.#cluster
    const table = atom(outcomesTable) as Atom
    const running = (await cluster.call('system_info', [atom('running_db_nodes')])) as readonly Atom[]
    const disc = (await cluster.call('table_info', [atom('schema'), atom('disc_copies')])) as readonly Atom[]
    const holders = running.filter(({ name }) => cluster.options.nodes.includes(name))
    const [onDisc, inRam] = [holders.filter(node => disc.includes(node)), holders.filter(node => !disc.includes(node))]
    const made = await cluster.call('create_table', [
      table,
      [tuple(atom('attributes'), [atom('key'), atom('value')]), tuple(atom('disc_copies'), onDisc), tuple(atom('ram_copies'), inRam)],
    ])
    if (!isDone(made, 'already_exists')) throw notMade(made)
    for (const node of holders) {
      const kind = atom(onDisc.includes(node) ? 'disc_copies' : 'ram_copies')
      const added = await cluster.call('add_table_copy', [table, node, kind])
      if (!isDone(added, 'already_exists')) throw notMade(added)
    }
    const { timeout } = cluster.options
    const waited = await cluster.call('wait_for_tables', [[table], timeout], { timeout: 2 * timeout })
    if (waited !== atom('ok')) throw notMade(waited)
    for (const { name } of holders) this.#holders.add(name)
    await cluster.read([op('sweep', table, Math.floor(Date.now() / 1000) - KEPT)], 'sync_transaction')
  }
}

function notMade(answer: Term): StoreError {
  const reason = answer instanceof Tuple ? ((answer.elements as readonly Term[])[1] as Term) : answer
  return new StoreError('STORE_ABORTED', `The table ${outcomesTable}, where outcomes are kept, cannot be made.`, {
    remedy: 'Look at the reason; or open the store with outcomes: false, and a write whose node goes away may be unknown.',
    reason,
  })
}

const keyOf = (store: string, slot: number): Tuple => tuple(store, slot) as unknown as Tuple

function parsed(id: string): { store: string; slot: number; sequence: number; time: number } {
  const [, store = '', slot, sequence, time] = /^([0-9a-f]{16})\.(\d+)\.(\d+)\.(\d+)$/.exec(id) ?? []
  if (store === '') throw new StoreError('STORE_OPTION', `'${id}' names no transaction: it is error.transaction of STORE_UNKNOWN.`)
  return { store, slot: Number(slot), sequence: Number(sequence), time: Number(time) }
}
