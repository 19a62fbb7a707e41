/** Signals to a node to which a connection is being made: in order, bounded, and taken as they were when they were sent. */
import type { Payload, Signal } from '../dist/signal.js'
import { decode, encode, type Limits } from '../etf/index.js'
import { LocalTerm, type Term } from '../term/index.js'

/** What the connection will encode again: the bytes hold it still meanwhile, and tell its size. */
class Snapshot implements Payload {
  readonly bytes: Buffer

  constructor(payload: Payload, limits: Partial<Limits> | undefined) {
    const term = payload.read()
    // A LocalTerm is a whole term to `encode`, but no message: it is refused as a part of one.
    this.bytes = encode(term instanceof LocalTerm ? [term] : term, { limits })
  }

  read(): Term {
    return decode(this.bytes, { floats: 'exact', limits: unlimited })
  }
}

/** These bytes are our own. */
const unlimited = { size: Infinity, atoms: Infinity, depth: Infinity, bignum: Infinity }

/** About what a control message takes */
const overhead = 128

export class Outbox {
  readonly #signals: Signal[] = []
  readonly #limits: Partial<Limits> | undefined
  #bytes = 0

  /** @param limits those of the connection to come */
  constructor(limits: Partial<Limits> | undefined) {
    this.#limits = limits
  }

  get bytes(): number {
    return this.#bytes
  }

  /** @throws EtfError when the payload cannot be sent. */
  push(signal: Signal): void {
    const [kept, size] = snapshot(signal, this.#limits)
    this.#signals.push(kept)
    this.#bytes += size + overhead
  }

  [Symbol.iterator](): Iterator<Signal> {
    return this.#signals[Symbol.iterator]()
  }
}

function snapshot(signal: Signal, limits: Partial<Limits> | undefined): [Signal, number] {
  if (signal.op === 'send') {
    const message = new Snapshot(signal.message, limits)
    return [{ ...signal, message }, message.bytes.length]
  }
  if (signal.op === 'spawnRequest') {
    const args = new Snapshot(signal.args, limits)
    return [{ ...signal, args }, args.bytes.length]
  }
  if ('reason' in signal) {
    const reason = new Snapshot(signal.reason, limits)
    return [{ ...signal, reason }, reason.bytes.length]
  }
  return [signal, 0]
}
