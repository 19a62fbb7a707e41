/** Which keys a range takes, in a table or in an index: between two stored keys, and where these hold only beginnings, whichever passes. */
import type { Sendable } from '../../term/index.js'
import { StoreError } from '../errors.js'
import { sortKeyBody } from '../sort-key.js'
import type { Range } from '../table.js'
import { from, KEPT, upTo } from './stored-key.js'

export interface Bounds {
  /** No keys themselves: below and above all that are taken */
  readonly low: Buffer
  readonly high: Buffer
  readonly reverse: boolean
  readonly limit: number
  /** Is this sort key between the two? */
  takes(whole: Buffer): boolean
}

const nothing = Buffer.alloc(0)

/** All that compares equal to a bound is on one side of it. @throws StoreError STORE_KEY for a bound that is no term, STORE_OPTION */
export function boundsOf({ gt, gte, lt, lte, reverse = false, limit = Infinity }: Range<any>, space: number): Bounds {
  if (limit !== Infinity && !(Number.isSafeInteger(limit) && limit >= 0)) {
    throw new StoreError('STORE_OPTION', `limit is how many rows at most, not ${String(limit)}.`)
  }
  const lower = body(gt ?? gte)
  const upper = body(lt ?? lte)
  const after = gt !== undefined
  const before = lt !== undefined
  return {
    low: after && lower !== undefined && lower.length <= KEPT ? upTo(space, lower) : from(space, lower ?? nothing),
    high: before && upper !== undefined && upper.length <= KEPT ? from(space, upper) : upTo(space, upper ?? nothing),
    reverse,
    limit,
    takes(whole) {
      if (lower !== undefined && (Buffer.compare(whole, lower) < 0 || (after && beginsWith(whole, lower)))) return false
      return upper === undefined || Buffer.compare(whole, upper) < 0 || (!before && beginsWith(whole, upper))
    },
  }
}

/** The entries of an index whose term has this very sort key. */
export const boundsOfTerm = (term: Buffer, space: number): Bounds => ({
  low: from(space, term),
  high: upTo(space, term),
  reverse: false,
  limit: Infinity,
  takes: whole => beginsWith(whole, term),
})

export const beginsWith = (whole: Buffer, start: Buffer): boolean => whole.subarray(0, start.length).equals(start)

function body(term: Sendable | undefined): Buffer | undefined {
  try {
    return term === undefined ? undefined : sortKeyBody(term)
  } catch (cause) {
    throw new StoreError('STORE_KEY', `This cannot bound a range: ${(cause as Error).message}`, { cause })
  }
}
