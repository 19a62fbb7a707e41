import type { AtomTerm } from '../etf/atoms.js'
import type { Decoder } from '../etf/decoder.js'
import { EtfError } from '../etf/error.js'
import type { Term } from '../term/index.js'
import type { Payload } from './signal.js'

/** A payload as it came: decoded when its receiver reads it. */
export class BytesPayload implements Payload {
  /** The frame, or the fragments put together. Never written to again. */
  readonly bytes: Buffer
  /** Where in `bytes` the term begins; it ends with them. */
  readonly start: number
  /** What ATOM_CACHE_REF n means in it */
  readonly atoms: readonly AtomTerm[]
  readonly #decoder: Decoder
  readonly #fault: (error: EtfError) => void

  /** @param fault told of an error before `read` throws it: it is the peer's, and the receiver may not know what to do with it */
  constructor(bytes: Buffer, start: number, atoms: readonly AtomTerm[], decoder: Decoder, fault: (error: EtfError) => void) {
    this.bytes = bytes
    this.start = start
    this.atoms = atoms
    this.#decoder = decoder
    this.#fault = fault
  }

  read(): Term {
    try {
      const term = this.#decoder.read(this.bytes, this.start, this.atoms)
      const more = this.bytes.length - this.#decoder.end
      if (more > 0) throw new EtfError('ETF_TRAILING_BYTES', `${more} bytes follow the payload.`, { offset: this.#decoder.end })
      return term
    } catch (error) {
      if (error instanceof EtfError) this.#fault(error)
      throw error
    }
  }
}
