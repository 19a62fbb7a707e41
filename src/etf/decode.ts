/** Whole terms from bytes, as `binary_to_term` reads them: 131, then a term, a compressed term, or the LOCAL_EXT of one node. */
import { inflateSync } from 'node:zlib'
import { LocalTerm, type Term } from '../term/index.js'
import { AtomBudget } from './atoms.js'
import { Decoder, type DecoderOptions } from './decoder.js'
import { EtfError } from './error.js'
import { defaultLimits } from './limits.js'
import { COMPRESSED, LOCAL_EXT, VERSION } from './tags.js'

export interface DecodeOptions extends DecoderOptions {
  /** Bytes after the term are an error (the default), or ignored, as `binary_to_term` does. */
  readonly trailing?: 'error' | 'ignore' | undefined
}

// Atoms are never freed: calls that say nothing of atoms share one budget, or many small terms would bring what one may not.
const atoms = new AtomBudget(defaultLimits.atoms)
const shared = { number: new Decoder({ atoms }), exact: new Decoder({ atoms, floats: 'exact' }) }

/**
 * The term that `encode`, or the BEAM's `term_to_binary`, wrote. A large binary in it may share the memory of `bytes`: do not write there
 * afterwards.
 *
 * @throws EtfError with a code and the offset of the fault, whatever the bytes are
 */
export function decode(bytes: Uint8Array, options: DecodeOptions = {}): Term {
  const all = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const size = options.limits?.size ?? defaultLimits.size
  if (all.length > size) throw new EtfError('ETF_SIZE', `${all.length} bytes are over limits.size (${size}).`, { offset: 0 })
  if (all.length > 0 && all[0] !== VERSION) throw new EtfError('ETF_VERSION', `A term begins with 131, not ${all[0]}.`, { offset: 0 })
  if (all.length < 2) throw new EtfError('ETF_TRUNCATED', 'The bytes end before the term does.', { offset: all.length })
  if (all[1] === LOCAL_EXT) return new LocalTerm(Buffer.from(all.subarray(2)))
  const decoder = options.limits || options.atoms ? new Decoder(options) : shared[options.floats ?? 'number']
  if (all[1] === COMPRESSED) return decodeCompressed(all, decoder, size, options)
  const term = decoder.read(all, 1)
  refuseTrailing(all, decoder.end, options)
  return term
}

/** 131, 80, the inflated size in four bytes, and what zlib made of a term without its 131. */
function decodeCompressed(all: Buffer, decoder: Decoder, limit: number, options: DecodeOptions): Term {
  if (all.length < 6) throw new EtfError('ETF_TRUNCATED', 'The bytes end before the term does.', { offset: all.length })
  const size = all.readUInt32BE(2)
  if (size > limit) throw new EtfError('ETF_SIZE', `The term inflates to ${size} bytes: over limits.size (${limit}).`, { offset: 2 })
  const { buffer, engine } = inflate(all.subarray(6), size)
  if (buffer.length !== size) throw new EtfError('ETF_COMPRESSED', `The term says ${size} bytes, and inflates to others.`, { offset: 2 })
  refuseTrailing(all, 6 + engine.bytesWritten, options)
  const term = decoder.read(buffer, 0)
  refuseTrailing(buffer, decoder.end, options)
  return term
}

/** node:zlib gives its engine, which has counted the bytes it took, when asked for `info`; its types do not know that. */
interface Inflated {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}

function inflate(bytes: Buffer, size: number): Inflated {
  try {
    // A size of 0 is no limit to zlib.
    return inflateSync(bytes, { info: true, maxOutputLength: Math.max(size, 1) }) as unknown as Inflated
  } catch (cause) {
    throw new EtfError('ETF_COMPRESSED', 'The compressed term is damaged, or inflates to more than it says.', { cause, offset: 6 })
  }
}

function refuseTrailing(bytes: Buffer, end: number, options: DecodeOptions): void {
  if (end < bytes.length && options.trailing !== 'ignore') {
    const message = `${bytes.length - end} bytes follow the term. Say trailing: 'ignore' when that is meant.`
    throw new EtfError('ETF_TRAILING_BYTES', message, { offset: end })
  }
}
