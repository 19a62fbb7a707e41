/**
 * A process's messages in the order of arrival. A selective receive takes one out of the middle; each message has a number, so that a
 * receive that has seen the first n does not look at those again. Nor does one that waits for a reference look at what came before the
 * reference was made, for a message keeps how many the node had made by then.
 */
import type { Term } from '../term/index.js'

class Message {
  readonly term: Term
  readonly number: number
  /** How many references this node had made when it came */
  readonly references: number
  previous: Message | null
  next: Message | null = null

  constructor(term: Term, number: number, references: number, previous: Message | null) {
    this.term = term
    this.number = number
    this.references = references
    this.previous = previous
  }
}

export class Mailbox {
  size = 0
  /** The number of the message that came last; 0 before the first. */
  last = 0
  #head: Message | null = null
  #tail: Message | null = null

  push(term: Term, references: number): void {
    const message = new Message(term, ++this.last, references, this.#tail)
    if (this.#tail) this.#tail.next = message
    else this.#head = message
    this.#tail = message
    this.size++
  }

  /** Takes the oldest message. Only to be called when `size > 0`. */
  shift(): Term {
    const message = this.#head as Message
    this.#remove(message)
    return message.term
  }

  /** Takes the first message with a number above `seen` that `accepts` accepts; undefined when there is none. */
  take(accepts: (term: Term) => boolean, seen: number): Term | undefined {
    for (let message = this.#firstAfter(seen); message; message = message.next) {
      if (accepts(message.term)) {
        this.#remove(message)
        return message.term
      }
    }
    return undefined
  }

  /** The number of the last message that came before this reference was made, so that it cannot hold it. */
  before(reference: number): number {
    let message = this.#tail
    while (message && message.references >= reference) message = message.previous
    return message?.number ?? 0
  }

  clear(): void {
    this.#head = this.#tail = null
    this.size = 0
  }

  /** What has come since is at the tail and is mostly short, so it is found from there. */
  #firstAfter(seen: number): Message | null {
    if (seen === 0) return this.#head
    let message = this.#tail
    if (!message || message.number <= seen) return null
    while (message.previous && message.previous.number > seen) message = message.previous
    return message
  }

  #remove(message: Message): void {
    if (message.previous) message.previous.next = message.next
    else this.#head = message.next
    if (message.next) message.next.previous = message.previous
    else this.#tail = message.previous
    this.size--
  }
}
