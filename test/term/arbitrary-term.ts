/** Terms of every type that has a literal, as they arrive with `floats: 'exact'`: what `format` prints and `parse` reads. */
import fc from 'fast-check'
import { atom, BitString, ExportFun, type Atom, equals, float, ImproperList, type Term, tuple } from '../../src/term/index.js'

const characters = fc.string({ unit: 'binary', maxLength: 12 })
const words = fc.oneof(
  characters,
  fc.stringMatching(/^[a-z]{1,5}$/),
  fc.constantFrom('end', 'maybe', 'a b', "it's", 'Ünïcode', 'été', '\n', 'true', 'nil'),
)

const atoms = words.map(name => atom(name))
const integers = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -3, max: 3 }),
  fc.bigInt().map(n => (BigInt(Number(n)) === n && Number.isSafeInteger(Number(n)) ? Number(n) : n)),
)
const floats = fc.double({ noNaN: true, noDefaultInfinity: true }).map(x => (Number.isInteger(x) ? float(x) : x))
const binaries = fc.oneof(
  fc.uint8Array({ maxLength: 12 }).map(bytes => Buffer.from(bytes)),
  words.map(text => Buffer.from(text)),
)
const bitStrings = fc
  .tuple(fc.uint8Array({ minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 7 }))
  .map(([bytes, bits]) => new BitString(Buffer.from([...bytes.subarray(0, -1), bytes.at(-1)! & (0xff00 >> bits)]), bits))
const charlists = words.map(text => Array.from(text, c => c.codePointAt(0)!))

/** With functions of these names. */
export function termsWith(functionNames: readonly string[]): fc.Arbitrary<Term> {
  const name = fc.constantFrom(...functionNames).map(text => atom(text) as Atom)
  const exportFuns = fc.tuple(name, name, fc.nat(255)).map(([module, fun, arity]) => new ExportFun(module, fun, arity))
  return fc.letrec<Record<'term' | 'scalar' | 'nonList' | 'list' | 'tuple' | 'improper' | 'map', Term>>(tie => ({
    term: fc.oneof({ maxDepth: 4 }, tie('scalar'), tie('list'), tie('tuple'), tie('improper'), tie('map')),
    scalar: fc.oneof(atoms, integers, floats, binaries, bitStrings, charlists, exportFuns),
    nonList: fc.oneof({ maxDepth: 4 }, fc.oneof(atoms, integers, floats, binaries), tie('tuple'), tie('map')),
    list: fc.array(tie('term'), { maxLength: 4 }),
    tuple: fc.array(tie('term'), { maxLength: 4 }).map(elements => tuple(...elements)),
    improper: fc
      .tuple(fc.array(tie('term'), { minLength: 1, maxLength: 3 }), tie('nonList'))
      .map(([elements, tail]) => new ImproperList(elements, tail)),
    map: fc
      .uniqueArray(fc.tuple(tie('term'), tie('term')), { maxLength: 4, comparator: ([a], [b]) => equals(a, b) })
      .map(entries => new Map(entries)),
  })).term
}

export const terms = termsWith(['lists', 'End', 'end', 'my fun', 'é'])

/** `[[[…]]]`: that many levels around the term. */
export function nested(levels: number, inside: Term, wrap: (term: Term) => Term): Term {
  let term = inside
  for (let i = 0; i < levels; i++) term = wrap(term)
  return term
}

/** The ways in which a term may hold another one. */
export const wrappings: Readonly<Record<string, (term: Term) => Term>> = {
  list: term => [term],
  'second of a list': term => [1, term, 2],
  tuple: term => tuple(term),
  'tail of a list': term => new ImproperList([1], tuple(term)),
  'value of a map': term => new Map([[atom('key'), term]]),
  'key of a map': term => new Map([[term, 1]]),
  'one of two keys of a map': term =>
    new Map<Term, Term>([
      [tuple(term), 1],
      [tuple(0), 2],
    ]),
}
