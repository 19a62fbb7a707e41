/** `get`, `range` and `index` of Mnesia's tables: in a transaction, out of one, and dirty, which differ in who asks. */
import { atom, type Sendable, type Term, tuple } from '../../term/index.js'
import type { Codec } from '../codec.js'
import { StoreError } from '../errors.js'
import { indexTerm } from '../index-term.js'
import { sortKey, sortKeyBody } from '../sort-key.js'
import type { Index, Range, Reading, Row } from '../table.js'
import { indexOf } from '../index-term.js'
import type { IndexState, TableState } from './table-state.js'
import { type Op, op, type Packed } from './worker.js'

/** Asks in the name of a transaction, or of nobody. */
export interface Asker {
  readonly codec: Codec
  /** @throws StoreError also when it may not be used any more */
  ask(table: TableState, ops: readonly Op[]): Promise<readonly Term[]>
  /** @param of the operation, whose pages have that number */
  pages(table: TableState, of: (page: number) => Op): AsyncGenerator<readonly Packed[]>
}

const NONE = atom('none')

/** Above all sort keys that begin as the one before it: none of their bytes there is as high. */
const AFTER = Buffer.of(0xff)

export class MnesiaReading implements Reading<any, any> {
  protected readonly asker: Asker
  protected readonly state: TableState

  constructor(asker: Asker, state: TableState) {
    this.asker = asker
    this.state = state
  }

  get name(): string {
    return this.state.name
  }

  async get(key: Sendable): Promise<any> {
    const found = await this.#find(key)
    return found === undefined ? undefined : this.asker.codec.value(found)
  }

  async has(key: Sendable): Promise<boolean> {
    return (await this.#find(key)) !== undefined
  }

  async *range(range: Range<any> = {}): AsyncGenerator<Row<any, any>> {
    const { low, high, reverse, limit } = this.#bounds(range)
    const { name, recordName, arity, ordered } = this.state
    if (limit === 0) return
    const size = limit === Infinity ? atom('infinity') : limit
    yield* this.#rows(page => op('range', page, atom(name), atom(recordName), arity, ordered, low, high, reverse, size))
  }

  index<I>(name: string): Index<I, any, any> {
    const find = (): IndexState => indexOf(this.state, name)
    find()
    const rows = (low: Buffer, high: Buffer, { reverse = false, limit = Infinity }: Range<any>): AsyncGenerator<Row<any, any>> =>
      this.#indexed(find(), low, high, reverse, limit)
    return {
      async get(term) {
        const low = bytesOf(() => sortKey(term as Sendable), 'be in an index')
        const found: Row<any, any>[] = []
        for await (const row of rows(low, Buffer.concat([low, AFTER]), {})) found.push(row)
        return found
      },
      async *range(range: Range<any> = {}) {
        const { gt, gte, lt, lte, limit } = range
        checkLimit(limit)
        if (limit === 0) return
        const [lower, upper] = [gt ?? gte, lt ?? lte].map(term =>
          term === undefined ? undefined : bytesOf(() => sortKeyBody(term), 'bound a range'),
        )
        const low = Buffer.concat([lower ?? Buffer.alloc(0), ...(gt === undefined ? [] : [AFTER])])
        const high = Buffer.concat([upper ?? AFTER, ...(upper === undefined || lt !== undefined ? [] : [AFTER])])
        yield* rows(low, high, range)
      },
    }
  }

  /** An entry whose row has changed meanwhile, written by somebody who knows nothing of the index, is left out. */
  async *#indexed(index: IndexState, low: Buffer, high: Buffer, reverse: boolean, limit: number): AsyncGenerator<Row<any, any>> {
    const { name, arity } = this.state
    const of = (page: number): Op =>
      op('index', page, atom(index.table), atom(name), arity > 3, low, high, reverse, limit === Infinity ? atom('infinity') : limit)
    for await (const row of this.#rows(of)) {
      if (index.find !== undefined) {
        const term = indexTerm(name, index, row[1])
        const whole = term === undefined ? undefined : Buffer.concat([term, sortKey(row[0])])
        if (whole === undefined || Buffer.compare(whole, low) <= 0 || Buffer.compare(whole, high) >= 0) continue
      }
      yield row
    }
  }

  async *#rows(of: (page: number) => Op): AsyncGenerator<Row<any, any>> {
    const { codec } = this.asker
    for await (const page of this.asker.pages(this.state, of)) {
      for (const [key, value] of page) yield [codec.key(key) as any, codec.value(value) as any]
    }
  }

  async #find(key: Sendable): Promise<Buffer | undefined> {
    const packed = this.asker.codec.packKey(key).key
    const [found] = await this.asker.ask(this.state, [getOp(this.state, packed, 'read')])
    return (found as readonly Buffer[])[0]
  }

  #bounds({ gt, gte, lt, lte, reverse = false, limit = Infinity }: Range<any>): {
    low: Sendable
    high: Sendable
    reverse: boolean
    limit: number
  } {
    checkLimit(limit)
    const bound = (compare: string, term: Sendable): Sendable => tuple(atom(compare), this.asker.codec.packKey(term).key)
    return {
      low: gt !== undefined ? bound('>', gt) : gte !== undefined ? bound('>=', gte) : NONE,
      high: lt !== undefined ? bound('<', lt) : lte !== undefined ? bound('=<', lte) : NONE,
      reverse,
      limit,
    }
  }
}

export const getOp = ({ name, arity }: TableState, key: Buffer, lock: 'read' | 'write'): Op =>
  op('get', atom(name), key, atom(lock), arity > 3)

function checkLimit(limit = Infinity): void {
  if (limit !== Infinity && !(Number.isSafeInteger(limit) && limit >= 0)) {
    throw new StoreError('STORE_OPTION', `limit is how many rows at most, not ${String(limit)}.`)
  }
}

function bytesOf(key: () => Buffer, what: string): Buffer {
  try {
    return key()
  } catch (cause) {
    throw new StoreError('STORE_KEY', `This cannot ${what}: ${(cause as Error).message}`, { cause })
  }
}
