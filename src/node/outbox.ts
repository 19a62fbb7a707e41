/** Signals to a node to which a connection is being made: in order, bounded, and taken as they were when they were sent. */
import type { Payload, Signal } from '../dist/signal.js'
import { decode, encode } from '../etf/index.js'
import type { Term } from '../term/index.js'

/** What the connection will encode again: the bytes hold it still meanwhile, and tell its size. */
class Snapshot implements Payload {
  readonly bytes: Buffer

  constructor(payload: Payload) {
    this.bytes = encode(payload.read())
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
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  /** @throws EtfError when the payload cannot be sent. */
  push(signal: Signal): void {
    const [kept, size] = snapshot(signal)
    this.#signals.push(kept)
    this.#bytes += size + overhead
  }

  [Symbol.iterator](): Iterator<Signal> {
    return this.#signals[Symbol.iterator]()
  }
}

function snapshot(signal: Signal): [Signal, number] {
  if (signal.op === 'send') {
    const message = new Snapshot(signal.message)
    return [{ ...signal, message }, message.bytes.length]
  }
  if (signal.op === 'spawnRequest') {
    const args = new Snapshot(signal.args)
    return [{ ...signal, args }, args.bytes.length]
  }
  if ('reason' in signal) {
    const reason = new Snapshot(signal.reason)
    return [{ ...signal, reason }, reason.bytes.length]
  }
  return [signal, 0]
}
