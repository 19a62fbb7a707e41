/**
 * erlpack, a codec of another hand (C++), as far as its terms go: it writes objects with binary keys and knows no UTF-8 atoms, so it reads
 * no atom of ours.
 */
import { createRequire } from 'node:module'
import fc from 'fast-check'
import t from 'tap'
import { decode, encode } from '../../src/etf/index.js'
import { equals, type Sendable, type Term } from '../../src/term/index.js'

const { pack, unpack } = createRequire(import.meta.url)('erlpack') as {
  pack: (value: unknown) => Buffer
  unpack: (bytes: Buffer) => unknown
}

interface Kinds {
  value: unknown
}

// erlpack takes a key of digits for an integer, and '' for none.
const keys = fc.stringMatching(/^[a-zäöü日]{1,10}$/)

const valuesOf = (scalars: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.letrec<Kinds>((tie: fc.LetrecTypedTie<Kinds>) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      scalars,
      fc.array(tie('value'), { maxLength: 5 }),
      fc.dictionary(keys, tie('value'), { maxKeys: 5, noNullPrototype: true }),
    ),
  })).value

const scalars = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter(x => !Number.isInteger(x)),
  fc.string({ maxLength: 300 }),
)

/** An object as erlpack sends it: a map with binary keys. */
const ours = (value: unknown): Sendable => {
  if (Array.isArray(value)) return value.map(ours)
  if (typeof value !== 'object' || value === null) return value as Sendable
  return new Map(Object.entries(value).map(([key, each]) => [key, ours(each)]))
}

t.test('erlpack reads what we write', async t => {
  fc.assert(
    fc.property(valuesOf(scalars), value => JSON.stringify(unpack(encode(ours(value)))) === JSON.stringify(value)),
    { numRuns: 500 },
  )
  t.pass()
})

t.test('we read what erlpack writes', async t => {
  fc.assert(
    fc.property(valuesOf(fc.oneof(scalars, fc.boolean(), fc.constant(null))), value =>
      equals(decode(pack(value)), decode(encode(ours(value))) as Term),
    ),
    { numRuns: 500 },
  )
  t.pass()
})
