/** Why a behaviour's process ends: with a reason, or because its code threw. */
import { ExitError, reason } from '../../process/index.js'
import { atom, type Term, Tuple } from '../../term/index.js'

export interface Cause {
  readonly class: 'error' | 'exit'
  /** What was raised, without its stack trace */
  readonly error: Term
  readonly stack: Term | undefined
  /** The exit reason */
  readonly reason: Term
  /** What the code threw, when that is why */
  readonly thrown?: unknown
}

export const exitCause = (why: Term): Cause => ({ class: 'exit', error: why, stack: undefined, reason: why })

export function causeOf(thrown: unknown): Cause {
  const why = reason.reasonOf(thrown)
  if (thrown instanceof ExitError) return { class: 'exit', error: why, stack: reason.stackOf(thrown), reason: why, thrown }
  const [error, stack] = (why as Tuple).elements as readonly [Term, Term]
  return { class: 'error', error, stack, reason: why, thrown }
}

/** An end that is as it should be, and not reported. */
export const isUsual = ({ class: kind, reason: why }: Cause): boolean => kind === 'exit' && (why === reason.normal || isShutdown(why))

/** `shutdown` or `{shutdown, Term}` */
export const isShutdown = (why: Term): boolean =>
  why === atom('shutdown') || (why instanceof Tuple && why.length === 2 && why.elements[0] === atom('shutdown'))
