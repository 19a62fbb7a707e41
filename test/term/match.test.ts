import fc from 'fast-check'
import t from 'tap'
import {
  any,
  atom,
  equals,
  float,
  ImproperList,
  isNumber,
  isPid,
  match,
  type Pattern,
  Pid,
  Reference,
  type Term,
  tuple,
} from '../../src/term/index.js'
import { nested, terms } from './arbitrary-term.js'

const node = atom('a@x')
const pid = new Pid(node, 1, 2, 3)
const ref = new Reference(node, 3, [1, 2, 3])
const otherRef = new Reference(node, 3, [1, 2, 4])
const [a, b, c] = [atom('a'), atom('b'), atom('c')]
const text = Buffer.from('text')

/** A pattern, what matches it, and what does not. */
const cases: Readonly<Record<string, readonly [pattern: Pattern, matching: readonly Term[], others: readonly Term[]]>> = {
  any: [any, [a, 1, [], tuple(), null], []],
  'an atom': [a, [a], [b, Buffer.from('a'), tuple(a)]],
  true: [true, [true], [false, a, 1]],
  nil: [null, [null], [[], false]],
  'an integer': [1, [1, 1n], [float(1), 2, 1.5, true]],
  'the integer 0': [0, [0, 0n], [-0, float(0)]],
  'a bignum': [2n ** 64n, [2n ** 64n], [float(2 ** 64), 2 ** 64]],
  'a float': [float(1), [float(1)], [1, 1.5]],
  'a number that is a float': [0.5, [0.5, float(0.5)], [0]],
  'a string': ['text', [text], [Buffer.from('texts'), [...text], atom('text')]],
  'a Buffer': [text, [Buffer.from('text')], [Buffer.from('texts')]],
  'a pid': [pid, [new Pid(node, 1, 2, 3)], [new Pid(node, 1, 2, 4)]],
  'a Tuple': [tuple(a, tuple('text')), [tuple(a, tuple(text))], [tuple(a, tuple(b))]],
  'an improper list': [new ImproperList([a], ref), [new ImproperList([a], ref)], [new ImproperList([a], otherRef), [a, ref]]],
  'a Map, whole': [
    new Map([[a, 1]]),
    [new Map([[a, 1]])],
    [
      new Map<Term, Term>([
        [a, 1],
        [b, 2],
      ]),
    ],
  ],
  'a guard': [isPid, [pid], [ref]],
  'a predicate': [(x: Term) => x === 1 || x === 2, [1, 2], [3]],
  'an array is a tuple': [
    [a, any, isNumber],
    [tuple(a, b, 1), tuple(a, [], 2)],
    [tuple(a, b, b), tuple(a, b), tuple(a, b, 1, 1), [a, b, 1]],
  ],
  'at any depth': [[a, [b, [isNumber]]], [tuple(a, tuple(b, tuple(1)))], [tuple(a, tuple(b, tuple(c))), tuple(a, [b, [1]])]],
  'the empty tuple': [[], [tuple()], [tuple(1), []]],
  'a list': [match.list([a, [isNumber]]), [[a, tuple(1)]], [[a], [a, tuple(1), 1], tuple(a, tuple(1)), [a, [1]]]],
  'the empty list': [match.list([]), [[]], [[1], tuple(), null]],
  'one of': [match.oneOf('text', isPid, [a, any]), [text, pid, tuple(a, 1)], [a, tuple(b, 1), []]],
  'one of none': [match.oneOf(), [], [a, 1]],
  'a matcher in a pattern': [[match([a, isNumber]), match.oneOf(1, 2)], [tuple(tuple(a, 5), 2)], [tuple(tuple(a, 5), 3)]],
  'some keys of a map': [
    { a: isNumber, b: [any] },
    [
      new Map<Term, Term>([
        [a, 1],
        [b, tuple(2)],
      ]),
      new Map<Term, Term>([
        [c, 3],
        [b, tuple(2)],
        [a, 1],
        [1, 1],
      ]),
    ],
    [
      new Map<Term, Term>([[a, 1]]),
      new Map<Term, Term>([
        [a, b],
        [b, tuple(2)],
      ]),
      new Map<Term, Term>([
        [Buffer.from('a'), 1],
        [b, tuple(1)],
      ]),
      tuple(a, b),
    ],
  ],
  'any map': [{}, [new Map(), new Map([[a, 1]])], [[], tuple()]],
  'true as a key': [{ true: 1 }, [new Map([[true, 1]])], [new Map([[false, 1]])]],
}

for (const [name, [pattern, matching, others]] of Object.entries(cases)) {
  t.test(name, async t => {
    const matches = match(pattern)
    for (const term of matching) t.equal(matches(term), true)
    for (const term of others) t.equal(matches(term), false)
  })
}

t.test('what never arrives matches nothing but any', async t => {
  for (const [pattern, stranger] of [
    ['text', 'text'],
    [text, 'text'],
    [{}, {}],
    [isNumber, NaN],
    [[], undefined],
  ] as const)
    t.notOk(match(pattern)(stranger))
})

t.test('a pattern of literals matches what equals it', async t => {
  const asPattern = (term: Term): Pattern => (Array.isArray(term) ? match.list(term.map(asPattern)) : (term as Pattern))
  fc.assert(fc.property(terms, terms, (x, y) => match(asPattern(x))(x) && match(asPattern(x))(y) === equals(x, y)))
  t.pass()
})

t.test('the reference without which nothing matches', async t => {
  const same = new Reference(node, 3, [1, 2, 3])
  const found: readonly (readonly [Pattern, Reference | undefined])[] = [
    [[atom('DOWN'), ref, any, isPid, any], ref],
    [[otherRef, ref], otherRef],
    [[[any, match.list([1, ref])]], ref],
    [{ tag: [ref] }, ref],
    [[new ImproperList([atom('alias')], ref), any], ref],
    [tuple(1, new Map([[a, ref]])), ref],
    [match([ref, any]), ref],
    [match.oneOf([ref, a], [same, b]), ref],
    [match.oneOf([ref, a], [otherRef, b]), undefined],
    [match.oneOf([ref, a], b), undefined],
    [match.oneOf(), undefined],
    [[a, isPid, any], undefined],
    [any, undefined],
  ]
  for (const [pattern, reference] of found) t.equal(match(pattern).reference, reference)
})

t.test('what is no pattern', async t => {
  for (const stranger of [undefined, NaN, Symbol('s'), new Date(), new Set(), Promise.resolve(), [undefined], { a: undefined }]) {
    t.throws(() => match(stranger as unknown as Pattern), { code: 'ERR_TERM_TYPE' })
  }
  // eslint-disable-next-line no-sparse-arrays
  t.throws(() => match([a, , b] as unknown as Pattern), { code: 'ERR_TERM_TYPE' })
  for (const literal of [tuple(a, any), tuple(isPid), new Map([[a, isPid]]), new ImproperList([tuple(any)] as unknown as Term[], 1)]) {
    t.throws(() => match(literal as Pattern), { code: 'ERR_TERM_TYPE', message: /write an array for a tuple/ })
  }
})

t.test('10,000 levels in a literal; 200 levels of patterns', async t => {
  const deep = (): Term => nested(10_000, 1, term => tuple(term))
  t.ok(match(deep() as Pattern)(deep()))
  const patterns = (levels: number, wrap: (pattern: Pattern) => Pattern): Pattern => {
    let pattern: Pattern = any
    for (let i = 0; i < levels; i++) pattern = wrap(pattern)
    return pattern
  }
  const wraps: readonly ((pattern: Pattern) => Pattern)[] = [
    pattern => [pattern],
    pattern => ({ a: pattern }),
    pattern => match.list([pattern]),
    pattern => match.oneOf(pattern),
    pattern => match([pattern]),
  ]
  for (const wrap of wraps) {
    t.ok(match(patterns(200, wrap)))
    for (const levels of [201, 10_000]) t.throws(() => match(patterns(levels, wrap)), { code: 'ERR_TERM_DEPTH' })
  }
})
