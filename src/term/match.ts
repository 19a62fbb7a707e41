/** Patterns over terms: what `receive` and message handlers match with. */
import { Atom, atom } from './atom.js'
import { isPlainObject } from './compare-kind.js'
import { equals } from './equals.js'
import { TermError } from './error.js'
import { binaryOf } from './format-binary.js'
import type { Reference } from './identity.js'
import { checkLiteral } from './match-literal.js'
import type { Any, Matched, MatchedEach, Matcher, Pattern } from './match-types.js'
import { Tuple } from './tuple.js'

/** Matches every term. */
export const any = Object.freeze({ toString: () => 'any' }) as unknown as Any

/** A pattern's test, made once: running it interprets nothing. */
interface Compiled {
  readonly test: (x: unknown) => boolean
  /** A reference without which nothing matches */
  readonly reference: Reference | undefined
  /** Levels of tests that call tests */
  readonly height: number
}

/** Tests call the tests inside them, so their depth is bounded; a term's is not, since `equals` compares literals. */
const MAX_HEIGHT = 200

/**
 * Makes a type guard of a pattern. In a pattern
 *
 * - an array is a tuple of that many elements, at any depth, and `match.list([…])` a list;
 * - `any` is every term, and `match.oneOf(a, b)` what matches one of them;
 * - a function is a test: a type guard such as `isPid`, another matcher, or any predicate;
 * - a string is the binary of its UTF-8 bytes;
 * - a plain object is a map with at least these atoms for keys;
 * - every other value is itself, as `equals` has it: 1 matches the integer 1 and not `float(1)`.
 *
 * @throws TermError ERR_TERM_TYPE for what is no pattern; ERR_TERM_TEXT for a string with a lone surrogate; ERR_TERM_DEPTH for patterns
 * nested more than 200 levels.
 *
 * @example
 * ```ts
 * import { any, atom, isNumber, match, tuple } from 'beamlet'
 * import type { Term } from 'beamlet'
 * import assert from 'node:assert/strict'
 *
 * const isArea = match([atom('area'), [match.oneOf(atom('square'), atom('circle')), isNumber], any])
 *
 * const message: Term = tuple(atom('area'), tuple(atom('square'), 3), null)
 * assert(isArea(message))
 * const [, figure] = message.elements
 * const [shape, size] = figure.elements
 * assert.equal(shape, atom('square'))
 * assert.equal(size * size, 9)
 * ```
 */
export function match<const P extends Pattern>(pattern: P): Matcher<Matched<P>> {
  return matcher(compile(pattern, 0))
}

/** A proper list of exactly these elements. */
match.list = function list<const P extends readonly Pattern[]>(elements: P): Matcher<MatchedEach<P>> {
  const parts = elements.map(element => compile(element, 1))
  const each = testEach(parts)
  return matcher(joined(parts, x => Array.isArray(x) && each(x)))
}

/** What matches one of the patterns, which are tried in order. */
match.oneOf = function oneOf<const P extends readonly Pattern[]>(...patterns: P): Matcher<Matched<P[number]>> {
  const parts = patterns.map(pattern => compile(pattern, 1))
  // without the reference of one alternative, another one may still match
  const reference = parts[0]?.reference
  const shared = parts.every(part => equals(part.reference, reference)) ? reference : undefined
  return matcher({ ...joined(parts, x => parts.some(part => part.test(x))), reference: shared })
}

const compiledOf = new WeakMap<object, Compiled>()

function matcher<T>(compiled: Compiled): Matcher<T> {
  const { test, reference } = compiled
  const guard = Object.assign((x: unknown): x is T => test(x), { reference })
  compiledOf.set(guard, compiled)
  return guard
}

function compile(pattern: unknown, depth: number): Compiled {
  const compiled = compileOne(pattern, depth)
  if (depth + compiled.height > MAX_HEIGHT) throw tooDeep()
  return compiled
}

function compileOne(pattern: unknown, depth: number): Compiled {
  if (pattern === any) return leaf(() => true)
  if (typeof pattern === 'function') return compiledOf.get(pattern) ?? leaf(pattern as (x: unknown) => boolean)
  if (depth > MAX_HEIGHT) throw tooDeep()
  if (Array.isArray(pattern)) return compileTuple(pattern, depth)
  if (typeof pattern === 'object' && pattern !== null && isPlainObject(pattern)) return compileMap(pattern, depth)
  return compileLiteral(pattern)
}

const leaf = (test: (x: unknown) => boolean, reference?: Reference): Compiled => ({ test, reference, height: 0 })

const tooDeep = (): TermError => new TermError('ERR_TERM_DEPTH', `A pattern nests more than ${MAX_HEIGHT} levels: put a predicate inside.`)

/** A test around the tests of its parts, all of which must match. */
function joined(parts: readonly Compiled[], test: (x: unknown) => boolean): Compiled {
  const reference = parts.find(part => part.reference !== undefined)?.reference
  return { test, reference, height: 1 + Math.max(0, ...parts.map(part => part.height)) }
}

function compileTuple(pattern: readonly unknown[], depth: number): Compiled {
  const parts = Array.from(pattern, part => compile(part, depth + 1))
  const each = testEach(parts)
  return joined(parts, x => x instanceof Tuple && each(x.elements))
}

function compileMap(pattern: Readonly<Record<string, unknown>>, depth: number): Compiled {
  const fields = Object.entries(pattern).map(([name, part]) => ({ key: atom(name), ...compile(part, depth + 1) }))
  return joined(fields, x => x instanceof Map && fields.every(({ key, test }) => x.has(key) && test(x.get(key))))
}

function testEach(parts: readonly Compiled[]): (terms: readonly unknown[]) => boolean {
  const length = parts.length
  const tests = parts.map(part => part.test)
  return terms => {
    if (terms.length !== length) return false
    for (let i = 0; i < length; i++) if (!tests[i]!(terms[i])) return false
    return true
  }
}

function compileLiteral(literal: unknown): Compiled {
  const reference = checkLiteral(literal)
  // atoms are interned
  if (literal instanceof Atom || typeof literal === 'boolean' || literal === null) return leaf(x => x === literal)
  if (typeof literal === 'string' || literal instanceof Uint8Array) {
    const bytes = typeof literal === 'string' ? binaryOf(literal) : Buffer.from(literal)
    return leaf(x => Buffer.isBuffer(x) && bytes.equals(x))
  }
  return leaf(x => equals(x, literal), reference)
}
