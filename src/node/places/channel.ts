/**
 * What two places of a node say to each other: the signals of processes, and notices of their own.
 *
 *   {tell, What, Args}          no answer
 *   {ask, Id, What, Args}       {answer, Id, ok, Value} or {answer, Id, error, {Code, Text}}
 */
import type { NoticeSignal, Signal } from '../../dist/signal.js'
import { TermPayload } from '../../dist/signal.js'
import type { Connection, ConnectionDown } from '../../net/connection.js'
import { type Atom, atom, NodeError, type Sendable, type Term, text, type Tuple, tuple } from '../../term/index.js'

/** Codes: ERR_PLACE_LOST, ERR_PLACE_ASKED and whatever the other place failed with. */
export class PlaceError extends NodeError {}

/** Who sits at one end. */
export interface Desk {
  signal(signal: Signal): void
  told(what: string, args: readonly Term[]): void
  /** What it throws, or rejects with, is the asker's error. */
  asked(what: string, args: readonly Term[]): Promise<Sendable> | Sendable
  /** Nothing more comes. */
  closed(down: ConnectionDown): void
  /** More than `sendBufferLimit` bytes wait for the other end, or no more than half of it again. */
  busy?(is: boolean): void
}

interface Asked {
  resolve(value: Term): void
  reject(error: NodeError): void
}

export class PlaceChannel {
  readonly #connection: Connection
  readonly #desk: Desk
  readonly #asked = new Map<number, Asked>()
  #draining: (() => void)[] = []
  #lastId = 0

  constructor(connection: Connection, desk: Desk) {
    this.#connection = connection
    this.#desk = desk
  }

  /** From now on the desk is told. */
  open(): void {
    this.#connection.attach({
      signal: signal => this.#onSignal(signal),
      closed: (_, down) => this.#onClosed(down),
      busy: () => this.#desk.busy?.(true),
      drain: () => {
        this.#drained()
        this.#desk.busy?.(false)
      },
    })
  }

  /** Bytes of all that was sent */
  get acceptedBytes(): number {
    return this.#connection.acceptedBytes
  }

  /** Bytes of it that wait here */
  get bufferedBytes(): number {
    return this.#connection.bufferedBytes
  }

  get isBusy(): boolean {
    return this.#connection.isBusy
  }

  /** Resolves when the way is not busy any more, or gone. */
  drained(): Promise<void> {
    if (!this.#connection.isBusy || this.#connection.isClosed) return Promise.resolve()
    return new Promise(resolve => this.#draining.push(resolve))
  }

  /** False when the way is busy. @throws EtfError when a payload cannot be sent. */
  send(signal: Signal): boolean {
    return this.#connection.send(signal)
  }

  tell(what: string, ...args: readonly Sendable[]): void {
    this.#send(tuple(atom('tell'), atom(what), args), false)
  }

  /** Tells it after all that was sent until now, large messages too. */
  tellLast(what: string, ...args: readonly Sendable[]): void {
    this.#send(tuple(atom('tell'), atom(what), args), true)
  }

  /** @throws PlaceError with the other's code and text; ERR_PLACE_LOST when the other place is gone. */
  ask(what: string, ...args: readonly Sendable[]): Promise<Term> {
    return this.#ask(what, args, false)
  }

  /** Asks it after all that was sent until now, large messages too. @throws as `ask` */
  askLast(what: string, ...args: readonly Sendable[]): Promise<Term> {
    return this.#ask(what, args, true)
  }

  #ask(what: string, args: readonly Sendable[], last: boolean): Promise<Term> {
    return new Promise((resolve, reject) => {
      if (this.#connection.isClosed) return reject(lost())
      const id = ++this.#lastId
      this.#asked.set(id, { resolve, reject })
      this.#send(tuple(atom('ask'), id, atom(what), args), last)
    })
  }

  /** Sends what was accepted, then closes. */
  close(): void {
    this.#connection.close()
  }

  #send(message: Sendable, last: boolean): void {
    const notice: NoticeSignal = { op: 'notice', to: this.#connection.self, message: new TermPayload(message as Term), last }
    this.#connection.send(notice)
  }

  #onSignal(signal: Signal): void {
    if (signal.op !== 'notice') return this.#desk.signal(signal)
    const message = signal.message.read() as Tuple<readonly any[]>
    switch (message.tag) {
      case 'tell': {
        const [, what, args] = message.elements as readonly [Atom, Atom, Term[]]
        return this.#desk.told(what.name, args)
      }
      case 'ask': {
        const [, id, what, args] = message.elements as readonly [Atom, number, Atom, Term[]]
        return void this.#answer(id, what.name, args)
      }
      default:
        return this.#onAnswer(message.elements as never)
    }
  }

  #onAnswer([, id, outcome, value, says = '']: readonly [Atom, number, Atom, Term, (Term | string)?]): void {
    const asked = this.#asked.get(id)
    this.#asked.delete(id)
    if (outcome === atom('ok')) asked?.resolve(value)
    else asked?.reject(new PlaceError(text(value), typeof says === 'string' ? says : text(says)))
  }

  async #answer(id: number, what: string, args: readonly Term[]): Promise<void> {
    try {
      this.#send(tuple(atom('answer'), id, atom('ok'), await this.#desk.asked(what, args)), false)
    } catch (error) {
      const { code, says, remedy = '' } = error instanceof NodeError ? error : new PlaceError('ERR_PLACE_ASKED', String(error))
      this.#send(tuple(atom('answer'), id, atom('error'), code, `${says} ${remedy}`.trimEnd()), false)
    }
  }

  #drained(): void {
    const draining = this.#draining
    this.#draining = []
    for (const resolve of draining) resolve()
  }

  #onClosed(down: ConnectionDown): void {
    this.#drained()
    for (const { reject } of this.#asked.values()) reject(lost())
    this.#asked.clear()
    this.#desk.closed(down)
  }
}

const lost = (): PlaceError => new PlaceError('ERR_PLACE_LOST', 'The place has ended before it answered: see why its processes exited.')

/** What a place answers; undefined when it ends before it does. */
export async function ifItLives<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof PlaceError && error.code === 'ERR_PLACE_LOST') return undefined
    throw error
  }
}
