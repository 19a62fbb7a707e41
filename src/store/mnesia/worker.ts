/** What is asked of one worker on the BEAM, and what it answers. */
import { atom, type Sendable, type Term, type Tuple, tuple } from '../../term/index.js'
import type { StoreError } from '../errors.js'
import { late, nodeDown } from './faults.js'
import type { Session } from './session.js'

/** An operation, as `Do` of program.ts takes it */
export type Op = Tuple

export const op = (name: string, ...rest: readonly Sendable[]): Op => tuple(atom(name), ...rest) as unknown as Op

export type Kind = 'sync_transaction' | 'transaction' | 'async_dirty' | 'sync_dirty'

/** `{Table, Slot, Sequence}`, or none */
export type Marker = Sendable

/** Without a word: the node went down, the worker was killed, or it took too long. `asked`: what it was asked for may have been done. */
export class Lost {
  readonly error: StoreError

  constructor(error: StoreError) {
    this.error = error
  }
}

interface Waiting {
  resolve(what: Tuple): void
  reject(error: unknown): void
}

/** A page of rows: key and value of each, in the external term format */
export type Packed = readonly [key: Buffer, value: Buffer]

export class Worker {
  readonly session: Session
  readonly id: number
  readonly #timeout: number
  readonly #waiting = new Map<string, Waiting>()
  readonly #onNews: (what: Tuple) => void
  readonly #onLost: (lost: Lost) => void
  /** Why nothing comes any more */
  #lost: Lost | undefined

  /** @param onNews what nobody waited for: `{begun, N}`, `{ended, …}` */
  constructor(session: Session, timeout: number, onNews: (what: Tuple) => void = ignore, onLost: (lost: Lost) => void = ignore) {
    this.session = session
    this.#timeout = timeout
    this.#onNews = onNews
    this.#onLost = onLost
    this.id = session.worker(what => this.#hear(what))
  }

  /** Sends, and waits for what begins with these. @throws Lost */
  ask(message: Tuple, ...answer: readonly Sendable[]): Promise<Tuple> {
    const answered = this.within(this.next(...answer))
    if (this.#lost === undefined) this.session.send(message)
    return answered
  }

  /** What begins with these, whenever it comes. @throws Lost */
  async next(...answer: readonly Sendable[]): Promise<Tuple> {
    if (this.#lost !== undefined) throw this.#lost
    const name = nameOf(answer)
    try {
      return await new Promise<Tuple>((resolve, reject) => this.#waiting.set(name, { resolve, reject }))
    } finally {
      this.#waiting.delete(name)
    }
  }

  /** Waits no longer than that is to take. @throws Lost */
  async within<T>(answer: Promise<T>): Promise<T> {
    if (this.#timeout === Infinity) return answer
    const timer = setTimeout(() => this.#late(), this.#timeout)
    try {
      return await answer
    } finally {
      clearTimeout(timer)
    }
  }

  /** What was asked for up to now is not answered any more: Mnesia has begun anew, or ended it. `spared`: but for answers with that tag */
  interrupt(error: unknown, spared?: string): void {
    for (const [name, { reject }] of [...this.#waiting]) if (name.split(' ')[0] !== spared) reject(error)
  }

  /** Nothing comes any more. */
  lose(lost: Lost): void {
    if (this.#lost !== undefined) return
    this.#lost = lost
    this.session.forget(this.id)
    this.interrupt(lost)
    this.#onLost(lost)
  }

  /** Its work is done. */
  forget(): void {
    this.session.forget(this.id)
  }

  #late(): void {
    this.session.kill(this.id)
    this.lose(new Lost(late(this.session.beam, this.#timeout)))
  }

  #hear(what: Tuple): void {
    const elements = what.elements as readonly Term[]
    if (what.tag === 'died') return this.lose(new Lost(nodeDown(this.session.beam)))
    const waiting = this.#waiting.get(nameOf(elements.slice(0, 1))) ?? this.#waiting.get(nameOf(elements.slice(0, 2)))
    if (waiting === undefined) this.#onNews(what)
    else waiting.resolve(what)
  }
}

const ignore = (): void => undefined

const nameOf = (answer: readonly Sendable[]): string => answer.map(String).join(' ')

/** Has a worker of its own do them in one activity. @returns `{ok, Results}`, `{aborted, Reason}` … @throws Lost */
export async function runOps(
  session: Session,
  kind: Kind | { readonly kind: Kind; readonly tries: number },
  ops: readonly Op[],
  options: { readonly timeout: number; readonly marker?: Marker | undefined; readonly flush?: readonly string[] | undefined },
): Promise<{ readonly ended: Tuple; readonly worker: Worker }> {
  const worker = new Worker(session, options.timeout)
  const message = tuple(
    atom('run'),
    worker.id,
    kindOf(kind),
    ops,
    options.marker ?? atom('none'),
    (options.flush ?? []).map(name => atom(name)),
  ) as unknown as Tuple
  const ended = await worker.ask(message, atom('ended'))
  return { ended: ended.elements[1] as Tuple, worker }
}

export const kindOf = (kind: Kind | { readonly kind: Kind; readonly tries: number }): Sendable =>
  typeof kind === 'string' ? atom(kind) : tuple(atom(kind.kind), kind.tries)

/** `{Rows, More}` */
export function pageOf(page: Term): { readonly rows: readonly Packed[]; readonly more: boolean } {
  const [rows, more] = (page as Tuple).elements as readonly [readonly Tuple[], boolean]
  return { rows: rows.map(row => row.elements as unknown as Packed), more }
}
