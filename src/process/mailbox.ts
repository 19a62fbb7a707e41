/**
 * A process's messages: those with priority, then all others, each in the order of arrival. A selective receive takes one out of the middle;
 * each message has a number, so that a receive that has seen the first n does not look at those again, and does look at one with priority
 * that has overtaken them. Nor does one that waits for a reference look at what came before the reference was made, for a message keeps how
 * many the node had made by then.
 */
import type { Term } from '../term/index.js'
import { Rare } from './rare.js'
import { type Arrived, received, type Trace } from './trace.js'

export class Message {
  readonly term: Term
  readonly number: number
  /** How many references this node had made when it came */
  readonly references: number
  /** What taking it does to the receiver's trace token */
  readonly token: Arrived
  previous: Message | null
  /** Behind the last stands the first, so that a mailbox needs to know the last one alone. Null when it was taken. */
  next: Message | null = null

  constructor(term: Term, number: number, references: number, token: Arrived, previous: Message | null) {
    this.term = term
    this.number = number
    this.references = references
    this.token = token
    this.previous = previous
  }
}

/** A private method (`#name`) would cost each mailbox eight bytes, so there is none here, nor in what extends it. */
export class Mailbox {
  /** The number of the message that came last; 0 before the first. */
  last = 0
  rare: Rare | null = null
  #tail: Message | null = null

  get empty(): boolean {
    return this.#tail === null
  }

  /** How many messages there are: counted for whoever asks, which is seldom. */
  get size(): number {
    let size = 0
    for (let message = this.head; message; message = this.after(message)) size++
    return size
  }

  /** The trace that the process takes part in: a message takes it along when it is taken. */
  get trace(): Trace | null {
    return this.rare === null ? null : this.rare.trace
  }

  set trace(trace: Trace | null) {
    if (trace !== null || this.rare !== null) (this.rare ??= new Rare()).trace = trace
  }

  push(term: Term, references: number, token?: Arrived): void {
    const tail = this.#tail
    const message = new Message(term, ++this.last, references, token, tail)
    if (tail) {
      message.next = tail.next
      tail.next = message
    } else message.next = message
    this.#tail = message
  }

  /** Puts a message behind those with priority, and before all others. */
  pushPriority(term: Term, references: number, token?: Arrived): void {
    const rare = (this.rare ??= new Rare())
    const previous = rare.urgent
    if (previous === this.#tail) this.push(term, references, token)
    else {
      const before = previous ?? (this.#tail as Message)
      const next = before.next as Message
      const message = new Message(term, ++this.last, references, token, previous)
      message.next = next
      next.previous = before.next = message
    }
    rare.urgent = previous === null ? this.head : this.after(previous)
  }

  /** Takes the first message. Only to be called when there is one. */
  shift(): Term {
    const message = this.head as Message
    this.remove(message)
    return message.term
  }

  /** Takes the first message with a number above `seen` that `accepts` accepts; undefined when there is none. */
  take(accepts: (term: Term) => boolean, seen: number): Term | undefined {
    const { urgent } = this
    for (let message = urgent && this.head; message; message = message === urgent ? null : message.next) {
      if (message.number > seen && accepts(message.term)) return this.taken(message)
    }
    for (let message = this.firstAfter(seen); message; message = this.after(message)) {
      if (accepts(message.term)) return this.taken(message)
    }
    return undefined
  }

  /** The number of the last message that came before this reference was made, so that it cannot hold it. */
  before(reference: number): number {
    const { urgent } = this
    const ordinary = lastBefore(reference, this.#tail, urgent)
    return urgent ? Math.max(ordinary, lastBefore(reference, urgent, null)) : ordinary
  }

  /** All that wait, those with priority first */
  *terms(): Generator<Term, void, undefined> {
    for (let message = this.head; message; message = this.after(message)) yield message.term
  }

  clear(): void {
    this.#tail = null
    if (this.rare) this.rare.urgent = null
  }

  private get head(): Message | null {
    return this.#tail === null ? null : this.#tail.next
  }

  private after(message: Message): Message | null {
    return message === this.#tail ? null : message.next
  }

  /** The last of the messages with priority: all before it have it, too, and none behind it. */
  private get urgent(): Message | null {
    return this.rare === null ? null : this.rare.urgent
  }

  /** The first message without priority after the first n. What has come since is at the tail and is mostly short, so it is found from there. */
  private firstAfter(seen: number): Message | null {
    const { urgent } = this
    if (seen === 0) return urgent ? this.after(urgent) : this.head
    let message = this.#tail
    if (!message || message === urgent || message.number <= seen) return null
    while (message.previous && message.previous !== urgent && message.previous.number > seen) message = message.previous
    return message
  }

  private taken(message: Message): Term {
    this.remove(message)
    return message.term
  }

  private remove(message: Message): void {
    if (message.token !== undefined && (message.token || this.trace)) this.trace = received(this.trace, message.token)
    if (this.rare !== null && message === this.rare.urgent) this.rare.urgent = message.previous
    const { previous, next } = message
    if (next === message) this.#tail = null
    else {
      ;(previous ?? (this.#tail as Message)).next = next
      if (message === this.#tail) this.#tail = previous
      else (next as Message).previous = previous
    }
    // One that an earlier collection has moved among the old would keep all that came after it, until the old are collected.
    message.previous = message.next = null
  }
}

/** From `message` back to `end`, which does not count: the number of the first that came before the reference was made. */
function lastBefore(reference: number, message: Message | null, end: Message | null): number {
  while (message && message !== end && message.references >= reference) message = message.previous
  return message && message !== end ? message.number : 0
}
