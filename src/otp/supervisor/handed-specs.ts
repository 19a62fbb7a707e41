/** Child specifications on their way to a supervisor of this place: functions and definitions are no terms, so a reference stands for them. */
import { atom, type Reference, type Term, Tuple, tuple } from '../../term/index.js'
import type { AnyChildSpec } from './types.js'

const handedSpec = atom('$handed_spec')
const specs = new Map<string, AnyChildSpec>()

/** Lends a specification while `work` is done with the term that stands for it. */
export async function lend<T>(spec: AnyChildSpec, ref: Reference, work: (term: Term) => Promise<T>): Promise<T> {
  specs.set(String(ref), spec)
  try {
    return await work(tuple(handedSpec, ref))
  } finally {
    specs.delete(String(ref))
  }
}

/** The specification that a term stands for. */
export function handed(term: Term): AnyChildSpec | undefined {
  if (!(term instanceof Tuple) || term.length !== 2 || term.elements[0] !== handedSpec) return undefined
  return specs.get(String(term.elements[1]))
}
