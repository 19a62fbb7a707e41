/** Keys and values to bytes and back, with the store's options, and errors that say which of the two was wrong. */
import { decode, encode, type Limits } from '../etf/index.js'
import type { Sendable, Term } from '../term/index.js'
import { StoreError } from './errors.js'
import { sortKey } from './sort-key.js'

export interface CodecOptions {
  /** Bytes that are not what was written: what is damaged */
  readonly damaged: (says: string, cause: unknown) => StoreError
  readonly floats: 'number' | 'exact'
  readonly limits: Partial<Limits> | undefined
}

export interface PackedKey {
  /** In the external term format */
  readonly key: Buffer
  readonly whole: Buffer
}

export class Codec {
  readonly #damaged: CodecOptions['damaged']
  readonly #floats: 'number' | 'exact'
  readonly #limits: Partial<Limits> | undefined

  constructor({ damaged, floats, limits }: CodecOptions) {
    this.#damaged = damaged
    this.#floats = floats
    this.#limits = limits
  }

  /** @throws StoreError STORE_KEY */
  packKey(term: Sendable): PackedKey {
    try {
      return { key: encode(term, { limits: this.#limits }), whole: sortKey(term) }
    } catch (cause) {
      throw new StoreError('STORE_KEY', `This cannot be a key: ${(cause as Error).message}`, { cause })
    }
  }

  /** @throws StoreError STORE_VALUE */
  packValue(term: Sendable): Buffer {
    try {
      return encode(term, { limits: this.#limits })
    } catch (cause) {
      throw new StoreError('STORE_VALUE', `This cannot be a value: ${(cause as Error).message}`, { cause })
    }
  }

  /** As it was: every integral float is a `Float`. */
  key = (bytes: Buffer): Term => this.#read(bytes, 'exact')

  value = (bytes: Buffer): Term => this.#read(bytes, this.#floats)

  #read(bytes: Buffer, floats: 'number' | 'exact'): Term {
    try {
      return decode(bytes, { floats, limits: this.#limits })
    } catch (cause) {
      throw this.#damaged(`a row cannot be read (${(cause as Error).message})`, cause)
    }
  }
}
