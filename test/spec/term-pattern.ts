/** Erlang terms with variables, as spec/services.json writes them. */
import { Atom, ImproperList, parse, type Sendable, type Term, Tuple } from '../../src/index.js'
import { equals } from '../../src/term/index.js'

export type Bindings = ReadonlyMap<string, Term>

const mark = '?'

/** A pattern as a term in which each variable is an atom of its own kind. */
const read = (text: string): Term =>
  parse(text.replaceAll(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[A-Z]\w*/g, found => (/^[A-Z]/.test(found) ? `'${mark}${found}'` : found)))

const variableOf = (term: Term | undefined): string | undefined =>
  term instanceof Atom && term.name.startsWith(mark) ? term.name.slice(mark.length) : undefined

/** Puts terms in for all of its variables. */
export function filled(text: string, bindings: Bindings): Term {
  const fill = (term: Term): Term => {
    const variable = variableOf(term)
    if (variable !== undefined) {
      const bound = bindings.get(variable)
      if (bound === undefined) throw new Error(`${text}: nothing is said for ${variable}`)
      return bound
    }
    if (term instanceof Tuple) return new Tuple((term.elements as readonly Term[]).map(fill)) as Term
    if (term instanceof ImproperList) return new ImproperList(term.elements.map(fill), fill(term.tail))
    return Array.isArray(term) ? (term as readonly Term[]).map(fill) : term
  }
  return fill(read(text))
}

/** Is it that term? A variable without a binding stands for anything. */
export function fits(text: string, term: Term, bindings: Bindings): boolean {
  const compare = (pattern: Term, found: Term): boolean => {
    const variable = variableOf(pattern)
    if (variable !== undefined) {
      const bound = bindings.get(variable)
      return bound === undefined || equals(bound, found)
    }
    if (pattern instanceof Tuple) return found instanceof Tuple && all(pattern.elements, found.elements)
    if (pattern instanceof ImproperList)
      return found instanceof ImproperList && all(pattern.elements, found.elements) && compare(pattern.tail, found.tail)
    if (Array.isArray(pattern)) return Array.isArray(found) && all(pattern as readonly Term[], found as readonly Term[])
    return equals(pattern, found)
  }
  const all = (patterns: readonly Term[], found: readonly Term[]): boolean =>
    patterns.length === found.length && patterns.every((pattern, i) => compare(pattern, found[i] as Term))
  return compare(read(text), term)
}

/** The terms of an example, in which Pid, Me … may stand. */
export function boundBy(example: Readonly<Record<string, string>>, known: Bindings): Bindings {
  const bindings = new Map(known)
  for (const [variable, text] of Object.entries(example))
    if (/^[A-Z]/.test(variable)) bindings.set(variable, filled(text, known) as Sendable as Term)
  return bindings
}
