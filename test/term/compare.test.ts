import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { decode } from '../../src/etf/index.js'
import { exactKeyOrder } from '../../src/term/compare.js'
import { atom, compare, equals, float, type Sendable, type Term, tuple } from '../../src/term/index.js'
import { nested, terms as anyTerm, wrappings } from './arbitrary-term.js'

/** Places in `terms`, first to last; an array holds those that compare equal. */
type Order = readonly (number | readonly number[])[]
type Vector = {
  readonly terms: readonly string[]
  readonly otp: Record<'25' | '27' | '29', { readonly order: Order; readonly keys: Order }>
}

const vector = JSON.parse(readFileSync(new URL('../../spec/vectors/order.json', import.meta.url), 'utf8')) as Vector
const terms = vector.terms.map(hex => decode(Buffer.from(hex, 'hex'), { floats: 'exact' }))
const negativeZero = Buffer.from([70, 0x80, 0, 0, 0, 0, 0, 0, 0]).toString('hex')

/** Sorts as the generator does: stable, and with groups of equals. */
function sorted(places: readonly number[], order: (a: Term, b: Term) => number): Order {
  const groups: number[][] = []
  for (const place of places.toSorted((a, b) => order(terms[a]!, terms[b]!))) {
    const last = groups.at(-1)
    if (last !== undefined && order(terms[last[0]!]!, terms[place]!) === 0) last.push(place)
    else groups.push([place])
  }
  return groups.map(group => (group.length === 1 ? group[0]! : group))
}

for (const otp of ['27', '29'] as const) {
  t.test(`the order of OTP ${otp}`, async t => {
    const { order, keys } = vector.otp[otp]
    const places = order.flat().toSorted((a, b) => a - b)
    t.ok(places.length > 800)
    t.strictSame(sorted(places, compare), order, 'of terms')
    t.strictSame(sorted(places, exactKeyOrder().compare), keys, 'of the keys of maps')
  })
}

t.test('the order of OTP 25 differs in one thing: among keys, -0.0 and 0.0 are one', async t => {
  const differs = (place: number): boolean => vector.terms[place]!.includes(negativeZero)
  const without = (order: Order): Order =>
    order.map(group => [group].flat().filter(place => !differs(place))).flatMap((group): Order => (group.length > 1 ? [group] : group))
  const { order, keys } = vector.otp[25]
  t.strictSame(without(order), without(sorted(order.flat(), compare)), 'of terms')
  t.strictSame(without(keys), without(sorted(keys.flat(), exactKeyOrder().compare)), 'of the keys of maps')
})

t.test('what is sent compares as what arrives', async t => {
  t.equal(compare('é', Buffer.from('é')), 0)
  t.equal(compare('a', new Uint8Array([97, 0])), -1)
  t.equal(
    compare(
      { a: 1, true: 2 },
      new Map<Term, Term>([
        [true, 2],
        [atom('a'), float(1)],
      ]),
    ),
    0,
  )
  t.equal(compare(10n, 10), 0)
})

t.test('what is no term is refused', async t => {
  const strangers = [undefined, NaN, Infinity, Symbol('s'), () => 1, new Date(), new Set(), Promise.resolve(), Object.create({}) as object]
  for (const stranger of strangers) {
    t.throws(() => compare(stranger as Sendable, 1), { code: 'ERR_TERM_TYPE' })
    t.throws(() => compare(tuple(1, 1), tuple(1, stranger)), { code: 'ERR_TERM_TYPE' })
  }
})

t.test('10,000 levels', async t => {
  for (const [name, wrap] of Object.entries(wrappings)) {
    const [one, two, float1] = [nested(10_000, 1, wrap), nested(10_000, 2, wrap), nested(10_000, float(1), wrap)]
    t.equal(compare(one, two), -1, name)
    t.equal(compare(two, one), 1, name)
    t.equal(compare(one, float1), name.includes('key') ? -1 : 0, name)
  }
})

t.test('a map whose keys are maps, to the 2,000th level, costs no exponential time', async t => {
  // at each level two keys that differ only in the innermost term must be told apart
  const [a, b] = [0, 1].map(innermost => {
    let term: Term = mapOf([innermost, 1])
    let other: Term = mapOf([2, 1])
    for (let i = 0; i < 2_000; i++) {
      const larger = mapOf([term, 1], [other, 2])
      other = mapOf([other, 1], [3, 2])
      term = larger
    }
    return term
  })
  t.equal(compare(a!, b!), -1)
})

const mapOf = (...entries: (readonly [Term, Term])[]): Term => new Map(entries)

t.test('a term that holds itself is refused', async t => {
  const [a, b]: Term[][] = [[], []]
  a!.push(a!)
  b!.push(b!)
  t.throws(() => compare(a!, b!), { code: 'ERR_TERM_DEPTH' })
  t.equal(compare(a!, a!), 0)
})

t.test('it is an order, and finer among keys, where 0 is =:=', async t => {
  const { compare: compareKeys } = exactKeyOrder()
  const sign = Math.sign
  fc.assert(
    fc.property(anyTerm, anyTerm, anyTerm, (a, b, c) => {
      for (const order of [compare as (a: Term, b: Term) => number, compareKeys]) {
        if (order(a, a) !== 0 || sign(order(a, b)) !== -sign(order(b, a))) return false
        if (order(a, b) <= 0 && order(b, c) <= 0 && order(a, c) > 0) return false
      }
      return (compareKeys(a, b) === 0) === equals(a, b)
    }),
  )
  t.pass()
})
