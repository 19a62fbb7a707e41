/**
 * The external term format: Erlang terms to bytes and back. https://www.erlang.org/doc/apps/erts/erl_ext_dist
 *
 * ```ts
 * import { atom, tuple } from 'beamlet'
 * import { decode, encode } from 'beamlet/etf'
 *
 * const bytes = encode(tuple(atom('ok'), { name: 'joe' }))   // {ok, #{name => <<"joe">>}}
 * const term = decode(bytes)                                 // a Tuple, of an Atom and a Map
 * ```
 */
export { AtomBudget, type AtomTerm } from './atoms.js'
export { copy, type CopyOptions } from './copy.js'
export { decode, type DecodeOptions } from './decode.js'
export { Decoder, type DecoderOptions } from './decoder.js'
export { encode, type EncodeOptions } from './encode.js'
export type { AtomRef } from './encoder.js'
export { type EtfCode, EtfError } from './error.js'
export { defaultLimits, type Limits } from './limits.js'
export { Writer, type WriterOptions } from './writer.js'
