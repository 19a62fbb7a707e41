/** Which release offers such flags: a guess, for other implementations offer what they like. */
import { flags } from './flags.js'

/**
 * Real nodes of 25 and 27 offer the same, MANDATORY_25_DIGEST among it, and those of 29 two more: ALTACT_SIG came with 28.
 *
 * @param theirs as `expandFlags` gives them
 */
export function releaseOf(theirs: bigint): string {
  if (theirs & flags.NATIVE_RECORDS) return 'OTP 29 or later'
  if (theirs & flags.ALTACT_SIG) return 'OTP 28'
  return theirs & flags.MANDATORY_25_DIGEST ? 'OTP 25 to 27' : 'OTP 24 or before'
}
