import { kindOf, notATerm } from './compare-kind.js'
import { insideOf } from './compare-map-keys.js'
import { LocalTerm } from './containers.js'
import { TermError } from './error.js'
import { Reference } from './identity.js'

/**
 * A literal in a pattern must be a term through and through: a tuple that holds `any` would never match.
 *
 * @returns the first reference inside it
 */
export function checkLiteral(literal: unknown): Reference | undefined {
  let found: Reference | undefined
  const seen = new Set<object>()
  const open: Iterator<unknown>[] = [[literal].values()]
  while (open.length > 0) {
    const { done, value } = open.at(-1)!.next()
    if (done === true) {
      open.pop()
      continue
    }
    if (kindOf(value) === undefined && !(value instanceof LocalTerm)) throw open.length === 1 ? notATerm(value) : noLiteral(value)
    if (value instanceof Reference) found ??= value
    if (typeof value !== 'object' || value === null || seen.has(value)) continue
    const inside = insideOf(value)
    if (inside === undefined) continue
    seen.add(value)
    open.push(inside)
  }
  return found
}

function noLiteral(value: unknown): TermError {
  const sentence = 'A pattern within a Tuple, an ImproperList or a Map is not looked at: write an array for a tuple, match.list for a list.'
  return new TermError('ERR_TERM_TYPE', sentence, { cause: notATerm(value) })
}
