/**
 * No overlapping partitions: when two nodes lose each other while both still have others, all others let go of one of the two, so that what is
 * left are partitions in which everybody has everybody.
 *
 *   A, which has lost B        {lost_connection, A, Creation, OpId, B}, to all that it knows; each tells it on, once
 *   who hears it and knows B   {remove_connection, Me}, to B, which disconnects
 *
 * B may hear it, too: then it is A that is asked to disconnect, and others have let go of B. Nothing of this makes a connection.
 *
 * Source: global.erl, "Prevent Overlapping Partitions Algorithm", handle_info lost_connection, remove_connection, inform_connection_loss.
 */
import type { Tuple } from '../../term/index.js'
import { type Atom, atom, compare, equals, type Sendable, type Term, tuple } from '../../term/index.js'
import type { GlobalExchange, Loss } from './exchange.js'

export interface PartitionsOutside {
  sendConnected(node: Atom, message: Sendable): void
  disconnect(node: Atom): void
  /** Milliseconds */
  now(): number
  warn(what: string, node: Atom): void
}

export interface PartitionsOptions {
  /** Kernel's prevent_overlapping_partitions, where connect_all is on */
  readonly prevent: boolean
  /** Of this node: 32 bits */
  readonly creation: number
}

/** The last that was heard of a loss */
interface Heard {
  readonly creation: Term
  readonly opId: Term
  readonly at: number
}

/** Milliseconds for which it is remembered what was heard: OTP's hour */
const remembered = 60 * 60 * 1000

export class GlobalPartitions {
  readonly #exchange: GlobalExchange
  readonly #outside: PartitionsOutside
  readonly #options: PartitionsOptions
  /** Separates this node's numbers from those of an earlier life: above the creation, any number of 27 bits */
  readonly #creation: bigint
  readonly #heard = new Map<string, Heard>()
  #operations = 0

  constructor(exchange: GlobalExchange, outside: PartitionsOutside, options: PartitionsOptions) {
    this.#exchange = exchange
    this.#outside = outside
    this.#options = options
    this.#creation = (BigInt(Math.floor(Math.random() * 2 ** 27)) << 32n) + BigInt(options.creation)
  }

  /** A connection is lost. Unless we ourselves saw to that, the others shall know. */
  nodeDown(node: Atom): void {
    const { known } = this.#exchange
    if (this.#options.prevent && !known.removing.has(node)) {
      const loss = tuple(atom('lost_connection'), known.self, this.#creation, ++this.#operations, node)
      for (const other of known.others(node)) this.#outside.sendConnected(other, loss)
    }
    this.#exchange.nodeDown(node, 'disconnected')
  }

  onLostConnection(message: Tuple, a: Atom, creation: Term, opId: Term, b: Atom): void {
    const { known } = this.#exchange
    if (!this.#options.prevent || !this.#isNews(`${a.name} ${b.name}`, creation, opId)) return
    for (const other of known.others(a)) this.#outside.sendConnected(other, message)
    const lost = b === known.self ? a : b
    if (!known.mayKnow(lost)) return
    this.#outside.sendConnected(lost, tuple(atom('remove_connection'), known.self))
    this.#lose(lost, 'removed', 'requested a disconnect from')
  }

  /** Another node shall not be connected with us any more. */
  onRemoveConnection(node: Atom): void {
    if (!this.#exchange.known.mayKnow(node)) return
    this.#outside.disconnect(node)
    this.#lose(node, 'removed', 'disconnected')
  }

  #lose(node: Atom, loss: Loss, what: string): void {
    this.#exchange.nodeDown(node, loss)
    this.#outside.warn(what, node)
  }

  #isNews(key: string, creation: Term, opId: Term): boolean {
    const before = this.#heard.get(key)
    if (before && equals(before.creation, creation) && compare(opId, before.opId) <= 0) return false
    const at = this.#outside.now()
    for (const [old, heard] of this.#heard) {
      if (at - heard.at < remembered) break
      this.#heard.delete(old)
    }
    this.#heard.delete(key)
    this.#heard.set(key, { creation, opId, at })
    return true
  }
}
