/**
 * The BEAM nodes of a store: the session with the one that is asked, another one when that goes, and how a write ends whatever happens meanwhile.
 */
import { atom, type Sendable, type Term, type Tuple } from '../../term/index.js'
import { StoreError } from '../errors.js'
import { faultOf, notThere } from './faults.js'
import { type Cluster as Asked, Outcomes, type Settled, type Slot } from './outcomes.js'
import { type MnesiaClient, Session } from './session.js'
import { type Kind, type Op, Lost, runOps, type Worker } from './worker.js'

export interface ClusterOptions {
  readonly node: MnesiaClient
  readonly nodes: readonly string[]
  readonly timeout: number
  readonly transactionTimeout: number
  readonly sync: boolean
  readonly outcomes: boolean
}

export class Cluster implements Asked {
  readonly options: ClusterOptions
  readonly outcomes: Outcomes
  readonly #sessions = new Map<string, Promise<Session>>()
  /** Who is asked first: the last one that answered */
  #first = 0
  #closed = false

  constructor(options: ClusterOptions) {
    this.options = options
    this.outcomes = new Outcomes(this)
  }

  /** A moment after which nothing is waited for any more */
  deadline(): number {
    return performance.now() + this.options.timeout
  }

  /** The session with the first node that can be asked. @throws StoreError STORE_NODE_DOWN, STORE_NOT_RUNNING: what the last one said */
  async session(): Promise<Session> {
    const { nodes } = this.options
    let fault: unknown
    for (let i = 0; i < nodes.length; i++) {
      const at = (this.#first + i) % nodes.length
      try {
        const session = await this.with(nodes[at]!)
        this.#first = at
        return session
      } catch (error) {
        if (!(error instanceof StoreError) || error.code === 'STORE_CLOSED') throw error
        // Of several the one whose node is there says more.
        if (fault === undefined || error.code === 'STORE_NOT_RUNNING') fault = error
      }
    }
    throw fault
  }

  /** The session with that node. @throws StoreError STORE_NODE_DOWN, STORE_NOT_RUNNING */
  with(beam: string): Promise<Session> {
    if (this.#closed) throw closed()
    const known = this.#sessions.get(beam)
    if (known !== undefined) return known
    const { node, timeout, transactionTimeout } = this.options
    const opening = Session.open(node, beam, { timeout, idle: transactionTimeout }).then(session => {
      session.onDown(() => this.#forget(beam, opening))
      if (!session.up) this.#forget(beam, opening)
      if (this.#closed) session.close()
      return session
    })
    this.#sessions.set(beam, opening)
    opening.catch(() => this.#forget(beam, opening)) // told to whom it was promised
    return opening
  }

  /** Next time another one is asked first: this one did not answer. */
  avoid({ beam }: Session): void {
    const { nodes } = this.options
    if (nodes[this.#first] === beam) this.#first = (this.#first + 1) % nodes.length
  }

  /** Reads, again on another node when the one that was asked goes. The worker may have more rows. @throws StoreError */
  async read(ops: readonly Op[], kind: Kind = 'transaction'): Promise<{ readonly results: readonly Term[]; readonly worker: Worker }> {
    return this.again(async session => {
      const { ended, worker } = await runOps(session, kind, ops, this.options)
      return { results: resultsOf(ended), worker }
    })
  }

  /** Writes, all or nothing, once. @throws StoreError; STORE_UNKNOWN when nobody can tell whether it was written */
  async write(ops: readonly Op[], tables: readonly string[]): Promise<readonly Term[]> {
    const { sync, timeout } = this.options
    const flush = sync ? tables : []
    return this.again(async session => {
      const slot = await this.outcomes.take()
      try {
        const { ended } = await runOps(session, 'sync_transaction', ops, { timeout, marker: slot.marker, flush })
        return resultsOf(ended)
      } catch (error) {
        if (!(error instanceof Lost)) throw error
        if ((await this.settle(slot, session, error)) === 'aborted') throw error
        return []
      } finally {
        slot.release()
      }
    })
  }

  /** Dirty operations: they are never repeated. @throws StoreError; STORE_UNKNOWN */
  async dirty(ops: readonly Op[], tables: readonly string[]): Promise<readonly Term[]> {
    const { sync, timeout } = this.options
    const session = await this.session()
    try {
      const { ended } = await runOps(session, 'sync_dirty', ops, { timeout, flush: sync ? tables : [] })
      return resultsOf(ended)
    } catch (error) {
      if (!(error instanceof Lost)) throw error
      const remedy = 'It was a dirty operation: read what is there now.'
      throw new StoreError('STORE_UNKNOWN', `Nobody knows whether it was written. ${error.error.says}`, { remedy, cause: error.error })
    }
  }

  /**
   * A write that went without a word: what became of it is asked, or decided, on another node, or on the same.
   *
   * @throws StoreError STORE_UNKNOWN
   */
  async settle(slot: Slot, session: Session, lost: Lost): Promise<Settled> {
    this.avoid(session)
    const settled = slot.id === undefined ? undefined : await this.outcomes.settle(slot.id, this.deadline())
    if (settled !== undefined) return settled
    slot.keep()
    const remedy =
      slot.id === undefined
        ? 'Without outcomes nobody can be asked: read what is there now.'
        : 'It was written whole or not at all: ask store.outcome(error.transaction) when a node is there again.'
    throw new StoreError('STORE_UNKNOWN', `Nobody knows whether it was written. ${lost.error.says}`, {
      remedy,
      cause: lost.error,
      transaction: slot.id,
    })
  }

  /** Runs what was lost, and did nothing, again: on another node, while there is time. @throws StoreError */
  async again<T>(work: (session: Session) => Promise<T>, until = this.deadline()): Promise<T> {
    for (let tried = 1; ; tried++) {
      const session = await this.session()
      try {
        return await work(session)
      } catch (error) {
        const stopped = error instanceof StoreError && error.code === 'STORE_NOT_RUNNING'
        if (!(error instanceof Lost) && !stopped) throw error
        const fault = error instanceof Lost ? error.error : error
        this.avoid(session)
        if (stopped) session.close()
        if (fault.code === 'STORE_TIMEOUT' || performance.now() > until || tried > 2 * this.options.nodes.length) throw fault
      }
    }
  }

  /** A function of Mnesia's, called there by rpc. @throws StoreError */
  async call(fun: string, args: readonly Sendable[], { beam, timeout = this.options.timeout }: CallOptions = {}): Promise<Term> {
    const at = beam ?? (await this.session()).beam
    try {
      return await this.options.node.rpc.call(at, 'mnesia', fun, args, { timeout })
    } catch (cause) {
      throw notThere(at, cause)
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    await this.outcomes.close()
    this.#closed = true
    const sessions = await Promise.allSettled(this.#sessions.values())
    for (const session of sessions) if (session.status === 'fulfilled') session.value.close()
  }

  #forget(beam: string, opening: Promise<Session>): void {
    if (this.#sessions.get(beam) === opening) this.#sessions.delete(beam)
  }
}

interface CallOptions {
  readonly beam?: string | undefined
  readonly timeout?: number | undefined
}

export const closed = (): StoreError => new StoreError('STORE_CLOSED', 'The store is closed.', { remedy: 'Open it again with openStore.' })

function resultsOf(ended: Tuple): readonly Term[] {
  const [how, results] = ended.elements as readonly [Term, readonly Term[]]
  if (how !== atom('ok')) throw faultOf(ended)
  return results
}
