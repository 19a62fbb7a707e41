/** What a connection writes into: bytes of the protocol, and terms. */
import type { Sendable } from '../term/index.js'
import { type AtomRef, Encoder } from './encoder.js'
import { type Limits, defaultLimits } from './limits.js'
import { Sink } from './sink.js'

export interface WriterOptions {
  /** Asked for each atom; 0 to 255 writes it as a reference (tag 82) into the message's header, -1 writes it out. */
  readonly atomRef?: AtomRef | undefined
  readonly limits?: Partial<Limits> | undefined
  /** May native records be written? true. A reader before OTP 29 takes none: then they are refused with ETF_RECORD. */
  readonly records?: boolean | undefined
  /** Bytes that are taken from the heap at a time: 64 KiB, unless said. */
  readonly slab?: number | undefined
  /** For `takeParts`: what fills a slab stays where it is. */
  readonly gathers?: boolean | undefined
}

/**
 * One growing buffer for a connection's lifetime. `take` and `takeParts` hand over what was written; those bytes are never written again.
 *
 * ```ts fragment
 * const writer = new Writer()
 * writer.u32(0)
 * writer.term(tuple(atom('ok'), 'text'))
 * writer.patchU32(0, writer.length - 4)
 * socket.write(writer.take())
 * ```
 */
export class Writer extends Sink {
  readonly #encoder: Encoder

  constructor(options: WriterOptions = {}) {
    super(options.slab ?? 64 * 1024, options.gathers)
    this.#encoder = new Encoder(this, { ...defaultLimits, ...options.limits }, options)
  }

  /** Writes a term, without 131 before it. When it throws, nothing of the term remains. @throws EtfError */
  term(value: Sendable): void {
    this.#encoder.write(value)
  }
}
