/**
 * A transaction of Mnesia's whose steps are decided here. A worker on the BEAM sits in `mnesia:transaction` and does what it is told; what it reads and
 * writes is locked there until the end. Mnesia may start its function anew at any step (that is how it avoids deadlocks): then what was asked for is not
 * answered, and when the function here has ended, it runs again, too.
 */
import { atom, type Sendable, type Term, type Tuple, tuple } from '../../term/index.js'
import type { Codec } from '../codec.js'
import { StoreError } from '../errors.js'
import type { Table, Transaction, TransactionTable } from '../table.js'
import type { Cluster } from './cluster.js'
import { aborted, faultOf, tooOften } from './faults.js'
import { type Asker, getOp, MnesiaReading } from './reading.js'
import type { Session } from './session.js'
import { entriesOf, entryOps, rowWrite, type RowWrite, type TableState, writeOp } from './table-state.js'
import { type Op, type Packed, kindOf, Lost, pageOf, Worker } from './worker.js'

/** What a transaction needs of its store */
export interface Ground {
  readonly codec: Codec
  readonly cluster: Cluster
  /** @throws StoreError STORE_NO_TABLE */
  state(table: string | Table<any, any>): TableState
}

/** Mnesia has begun anew: whoever waited for the old one is told so. Its function runs again. */
const beganAnew = new StoreError('STORE_CONFLICT', 'Mnesia has begun this transaction anew, and it runs again.')

/** One worker, as long as it lasts */
export class Flow {
  readonly ground: Ground
  readonly worker: Worker
  /** Tables that were written */
  readonly written = new Set<string>()
  /** The number of Mnesia's attempt */
  attempt = 0
  /** Why it is over before the function here is */
  fault: StoreError | Lost | undefined
  readonly #over: Promise<void>
  readonly #began = performance.now()
  #ended: () => void = () => undefined
  #next = 1

  constructor(ground: Ground, session: Session) {
    this.ground = ground
    this.#over = new Promise(resolve => (this.#ended = resolve))
    this.worker = new Worker(
      session,
      ground.cluster.options.timeout,
      what => this.#news(what),
      lost => this.#end(lost),
    )
  }

  /** @returns undefined: it was lost before it could be committed, and has done nothing. @throws what `body` throws; StoreError */
  async run<T>(body: (transaction: Transaction) => Promise<T>, tries: number): Promise<{ readonly result: T }> {
    const { worker } = this
    const kind = kindOf({ kind: 'sync_transaction', tries })
    const begun = await worker.ask(tuple(atom('start'), worker.id, kind) as unknown as Tuple, atom('begun'))
    this.attempt = begun.elements[1] as number
    for (;;) {
      const { attempt } = this
      this.written.clear()
      const done = await this.#once(body)
      if (this.fault !== undefined) throw this.fault
      if (this.attempt !== attempt) continue
      if ('error' in done) {
        try {
          await this.#tell('leave', attempt, atom('undo'))
        } catch (error) {
          // A node that has gone has undone it, too.
          if (!(error instanceof Lost)) throw error
        }
        throw done.error
      }
      const committed = await this.#commit(attempt)
      if (committed) return done
    }
  }

  /** @throws StoreError, Lost; beganAnew */
  async do(ops: readonly Op[]): Promise<readonly Term[]> {
    const n = this.#next++
    const did = await this.#ask(['did', n], 'do', this.attempt, n, ops)
    return did.elements[2] as readonly Term[]
  }

  async *pages(of: (page: number) => Op): AsyncGenerator<readonly Packed[]> {
    const n = this.#next++
    const [first] = await this.do([of(n)])
    let page = pageOf(first!)
    for (;;) {
      yield page.rows
      if (!page.more) return
      const next = await this.#ask(['page', n], 'more', n)
      page = pageOf(next.elements[2] as Term)
    }
  }

  /**
   * A transaction of Mnesia's within this one.
   *
   * @param over called when Mnesia has aborted it before `body` is done
   * @throws what `body` throws; StoreError when Mnesia aborts it
   */
  async nest<T>(body: () => Promise<T>, over: () => void): Promise<T> {
    const n = this.#next++
    const { attempt, worker } = this
    let open = true
    const left = worker.next(atom('left'), n).then(answer => {
      const how = answer.elements[2] as Term
      const fault = how === atom('ok') ? undefined : aborted((how as Tuple).elements[1] as Term)
      if (open) {
        open = false
        over()
        worker.interrupt(fault, 'left')
      }
      return fault
    })
    left.catch(() => (open = false)) // told by what is asked for next
    await this.#ask(['nested', n], 'nest', attempt, n)
    const leave = async (how: 'ok' | 'undo'): Promise<void> => {
      if (open && this.fault === undefined && this.attempt === attempt) {
        open = false
        this.#send('leave', attempt, atom(how))
      }
      const fault = await worker.within(left)
      if (fault !== undefined && how === 'ok') throw fault
    }
    let result: T
    try {
      result = await body()
    } catch (error) {
      await leave('undo')
      throw error
    }
    await leave('ok')
    return result
  }

  #send(...message: readonly [string, ...Sendable[]]): void {
    const [name, ...rest] = message
    this.worker.session.to(this.worker.id, tuple(atom(name), ...rest))
  }

  #ask(answer: readonly [string, number], ...message: readonly [string, ...Sendable[]]): Promise<Tuple> {
    if (this.fault !== undefined) throw this.fault
    const [name, ...rest] = message
    const whole = tuple(atom('to'), this.worker.id, tuple(atom(name), ...rest)) as unknown as Tuple
    return this.worker.ask(whole, atom(answer[0]), answer[1])
  }

  /** Runs the function, until it has settled, or all is over: then nobody waits for it. */
  async #once<T>(body: (transaction: Transaction) => Promise<T>): Promise<{ readonly result: T } | { readonly error: unknown }> {
    const level = new MnesiaTransaction(this)
    try {
      const running = body(level)
      await Promise.race([running.then(() => undefined), this.#over])
      if (this.fault === undefined) return { result: await running }
      running.catch(() => undefined) // what it says of a transaction that is over interests nobody
      return { error: this.fault }
    } catch (error) {
      return { error }
    } finally {
      level.end()
    }
  }

  /** @returns false: Mnesia has begun anew. @throws StoreError STORE_UNKNOWN …; Lost: it was not committed */
  async #commit(attempt: number): Promise<boolean> {
    const { cluster } = this.ground
    const writes = this.written.size > 0
    const slot = writes ? await cluster.outcomes.take() : undefined
    try {
      const flush = writes && cluster.options.sync ? [...this.written].map(name => atom(name)) : []
      const ended = await this.#tell('commit', attempt, slot?.marker ?? atom('none'), flush)
      if (ended === undefined) return false
      const answer = ended.elements[1] as Tuple
      if (answer.tag !== 'ok') throw faultOf(answer)
      return true
    } catch (error) {
      if (!(error instanceof Lost) || slot === undefined) throw error
      if ((await cluster.settle(slot, this.worker.session, error)) === 'aborted') throw error
      return true
    } finally {
      slot?.release()
    }
  }

  /** The last word. @returns undefined: Mnesia has begun anew instead */
  async #tell(...message: readonly [string, ...Sendable[]]): Promise<Tuple | undefined> {
    const [name, ...rest] = message
    const whole = tuple(atom('to'), this.worker.id, tuple(atom(name), ...rest)) as unknown as Tuple
    try {
      const ended = await this.worker.ask(whole, atom('ended'))
      this.worker.forget()
      return ended
    } catch (error) {
      if (error === beganAnew) return undefined
      throw error
    }
  }

  #news(what: Tuple): void {
    if (what.tag === 'begun') {
      this.attempt = (what.elements as readonly Term[])[1] as number
      const { transactionTimeout } = this.ground.cluster.options
      if (performance.now() - this.#began > transactionTimeout) {
        this.worker.session.kill(this.worker.id)
        this.worker.forget()
        this.#end(tooOften(transactionTimeout))
      }
      this.worker.interrupt(beganAnew)
    } else if (what.tag === 'ended') {
      const ended = (what.elements as readonly Term[])[1] as Tuple
      this.worker.forget()
      this.#end(faultOf(ended))
      this.worker.interrupt(this.fault)
    }
  }

  #end(fault: StoreError | Lost): void {
    this.fault ??= fault
    this.#ended()
  }
}

export class MnesiaTransaction implements Transaction, Asker {
  readonly #flow: Flow
  readonly #attempt: number
  #over = false
  /** A transaction within this one runs: until it has ended this one is not used */
  #inner = false
  /** Rows with indexes are written one after the other: each reads what was there */
  #last: Promise<unknown> = Promise.resolve()

  constructor(flow: Flow) {
    this.#flow = flow
    this.#attempt = flow.attempt
  }

  get codec(): Codec {
    return this.#flow.ground.codec
  }

  table(table: string | Table<any, any>): TransactionTable<any, any> {
    this.#use()
    return new WritableTable(this, this.#flow.ground.state(table))
  }

  async transaction<T>(body: (transaction: Transaction) => Promise<T>): Promise<T> {
    this.#use()
    const inner = new MnesiaTransaction(this.#flow)
    this.#inner = true
    try {
      return await this.#flow.nest(
        () => body(inner),
        () => inner.end(),
      )
    } finally {
      this.#inner = false
      inner.end()
    }
  }

  /** It cannot be used any more. */
  end(): void {
    this.#over = true
  }

  async ask(table: TableState, ops: readonly Op[]): Promise<readonly Term[]> {
    this.#use(table)
    return this.#told(this.#flow.do(ops))
  }

  async *pages(table: TableState, of: (page: number) => Op): AsyncGenerator<readonly Packed[]> {
    this.#use(table)
    const pages = this.#flow.pages(of)
    for (;;) {
      const page = await this.#told(pages.next())
      if (page.done) return
      yield page.value
      this.#use(table)
    }
  }

  /** Something is written to that table: its nodes write it to the disk at the commit. */
  writes(table: string): void {
    this.#flow.written.add(table)
  }

  write(table: TableState, row: RowWrite): Promise<void> {
    const written = this.#last.then(() => this.#write(table, row))
    this.#last = written.catch(() => undefined) // told to whom it was promised
    return written
  }

  async #write(table: TableState, row: RowWrite): Promise<void> {
    this.#use(table)
    this.#flow.written.add(table.name)
    if (table.indexes.length === 0) {
      await this.ask(table, [writeOp(table, row)])
      return
    }
    const { codec } = this
    const after = entriesOf(table, codec, row.whole, row.value)
    const [found] = await this.ask(table, [getOp(table, row.key, 'write')])
    const before = entriesOf(table, codec, row.whole, (found as readonly Buffer[])[0])
    await this.ask(table, [writeOp(table, row), ...entryOps(codec, row.key, before, after)])
  }

  /** Of a lost node the error that says so. */
  async #told<T>(asked: Promise<T>): Promise<T> {
    try {
      return await asked
    } catch (error) {
      throw error instanceof Lost ? error.error : error
    }
  }

  #use(table?: TableState): void {
    if (this.#attempt !== this.#flow.attempt) throw beganAnew
    const { fault } = this.#flow
    if (fault !== undefined) throw fault instanceof Lost ? fault.error : fault
    if (this.#over || this.#inner) {
      const remedy = 'Await all that a transaction does before its function returns, and within it use the innermost one.'
      throw new StoreError('STORE_TRANSACTION', this.#over ? 'This transaction is over.' : 'A transaction within this one runs.', {
        remedy,
      })
    }
    if (table?.deleted) throw new StoreError('STORE_NO_TABLE', `The table '${table.name}' was deleted.`)
  }
}

class WritableTable extends MnesiaReading implements TransactionTable<any, any> {
  readonly #transaction: MnesiaTransaction

  constructor(transaction: MnesiaTransaction, state: TableState) {
    super(transaction, state)
    this.#transaction = transaction
  }

  async put(key: Sendable, value: Sendable): Promise<void> {
    await this.#transaction.write(this.state, rowWrite(this.state, this.#transaction.codec, key, value))
  }

  async delete(key: Sendable): Promise<void> {
    await this.#transaction.write(this.state, rowWrite(this.state, this.#transaction.codec, key, undefined))
  }
}
