/**
 * What can be wrong with bytes or with a value, one code each. Codes that both sides share mean the same on both.
 *
 * | code | decode | encode, copy |
 * |---|---|---|
 * | ETF_VERSION | the first byte is not 131 | |
 * | ETF_TRUNCATED | the bytes end before the term does | |
 * | ETF_TRAILING_BYTES | bytes follow the term (see the option `trailing`) | |
 * | ETF_UNKNOWN_TAG | a tag that the format does not have here | |
 * | ETF_COMPRESSED | tag 80 inside a term, damaged, or of another size than it says | |
 * | ETF_DEPTH | nested deeper than `limits.depth` | the same |
 * | ETF_SIZE | more than `limits.size` bytes or `limits.memory`, a tuple, list or map that cannot be built | the same |
 * | ETF_BIGNUM | an integer of more than `limits.bignum` bytes | the same |
 * | ETF_ATOM | an atom that is not UTF-8, too long, or missing where there must be one | |
 * | ETF_ATOM_CACHE | a reference to an atom that the message's header does not have | |
 * | ETF_ATOMS | more new atoms than the budget has left | |
 * | ETF_FLOAT | a float that is not finite, or whose text is no float | NaN or an infinity |
 * | ETF_BITS | a bit string whose last byte holds no bit, or more than eight | other than 1 to 7 bits |
 * | ETF_FIELD | a field of a pid, port, reference, fun or record is out of its range | the same |
 * | ETF_DUPLICATE_KEY | a map or record with two equal keys | the same, `1` and `1n` or `'a'` and `Buffer.from('a')` included |
 * | ETF_TERM | | a value that is no term: undefined, a function, a symbol, a Promise, an object of a class |
 * | ETF_TEXT | | a string with a lone surrogate: it has no UTF-8 form |
 * | ETF_CYCLE | | a value that contains itself |
 * | ETF_LOCAL | | a LocalTerm inside another term |
 * | ETF_RECORD | | a NativeRecord, for a node that knows none: OTP 29 is the first that does |
 */
import { NodeError } from '../term/index.js'

export type EtfCode =
  | 'ETF_VERSION'
  | 'ETF_TRUNCATED'
  | 'ETF_TRAILING_BYTES'
  | 'ETF_UNKNOWN_TAG'
  | 'ETF_COMPRESSED'
  | 'ETF_DEPTH'
  | 'ETF_SIZE'
  | 'ETF_BIGNUM'
  | 'ETF_ATOM'
  | 'ETF_ATOM_CACHE'
  | 'ETF_ATOMS'
  | 'ETF_FLOAT'
  | 'ETF_BITS'
  | 'ETF_FIELD'
  | 'ETF_DUPLICATE_KEY'
  | 'ETF_TERM'
  | 'ETF_TEXT'
  | 'ETF_CYCLE'
  | 'ETF_LOCAL'
  | 'ETF_RECORD'

/** Bytes that are no term, or a value that cannot become bytes. */
export class EtfError extends NodeError {
  declare readonly code: EtfCode
  /** Decoding: where in the bytes the fault is. Inside a compressed term: where in the inflated bytes. */
  readonly offset: number | undefined

  constructor(code: EtfCode, message: string, options?: ErrorOptions & { offset?: number | undefined }) {
    super(code, options?.offset === undefined ? message : `${message} (byte ${options.offset})`, options)
    this.offset = options?.offset
  }
}
