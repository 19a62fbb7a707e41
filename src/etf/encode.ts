/** Whole terms to bytes, as `term_to_binary` writes them. */
import { LocalTerm, type Sendable } from '../term/index.js'
import type { Limits } from './limits.js'
import { LOCAL_EXT, VERSION } from './tags.js'
import { Writer } from './writer.js'

export interface EncodeOptions {
  /** `depth`, `size` and `bignum` hold here. */
  readonly limits?: Partial<Limits> | undefined
}

// A result of few bytes keeps a slab of this size alive, which it shares with others: as Node's own pool does.
const slab = 8192
// The Writer for calls without options. It is away while in use: a getter of the value may itself encode something.
let idle: Writer | null = null

/**
 * The external term format of a value, 131 first.
 *
 * @example
 * ```ts
 * import { atom, tuple } from 'beamlet'
 * import { encode } from 'beamlet/etf'
 * import assert from 'node:assert/strict'
 *
 * assert.equal(encode(tuple(atom('ok'), [1, 2, 3])).toString('hex'), '83' + '6802' + '77026f6b' + '6b0003010203')
 * ```
 *
 * @throws EtfError with a code, and the way to the part at fault in its message
 */
export function encode(term: Sendable, options: EncodeOptions = {}): Buffer {
  if (term instanceof LocalTerm) return Buffer.concat([Buffer.of(VERSION, LOCAL_EXT), term.bytes])
  if (options.limits) return encodeWith(new Writer({ limits: options.limits, slab }), term)
  const writer = idle ?? new Writer({ slab })
  idle = null
  const bytes = encodeWith(writer, term)
  idle = writer
  return bytes
}

function encodeWith(writer: Writer, term: Sendable): Buffer {
  writer.u8(VERSION)
  writer.term(term)
  return writer.take()
}
