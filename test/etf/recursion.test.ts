/** Common terms go one way, by recursion, and rare ones another: what comes out is the same. */
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { copy, decode, encode, EtfError } from '../../src/etf/index.js'
import { atom, ExportFun, format, type Sendable, type Term, type Tuple, tuple } from '../../src/term/index.js'
import { sendables } from './sendables.js'
import { bytesOf, releases, vectorsOf } from './vectors.js'

/** Whatever holds it goes the other way. */
const rare = new ExportFun(atom('m'), atom('f'), 1)
const rareBytes = encode(rare).subarray(1)
const header = Buffer.of(131, 104, 2)

/** What it threw, or what it gave */
function outcome<T>(work: () => T): T | string {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof EtfError)) throw error
    return error.code
  }
}

function sameBytes(term: Sendable): boolean {
  const one = outcome(() => encode(tuple(term, 1)).subarray(0, -2))
  const other = outcome(() => encode(tuple(term, rare)).subarray(0, -rareBytes.length))
  return typeof one === 'string' ? one === other : typeof other !== 'string' && one.equals(other)
}

const first = (term: Term): Term => (term as Tuple).elements[0] as Term
const second = (term: Term): Term => (term as Tuple).elements[1] as Term

function sameTerm(bytes: Buffer, floats: 'number' | 'exact'): boolean {
  const one = outcome(() => second(decode(Buffer.concat([header, Buffer.of(97, 1), bytes]), { floats })))
  const other = outcome(() => second(decode(Buffer.concat([header, rareBytes, bytes]), { floats })))
  return isDeepStrictEqual(one, other)
}

t.test('to bytes', async t => {
  fc.assert(fc.property(sendables, sameBytes), { numRuns: 3000 })
  t.pass()
})

t.test('from bytes, of each release', async t => {
  for (const release of releases) {
    for (const { hex, kind, name } of vectorsOf(release)) {
      // Ten thousand levels are more than a comparison of Node.js can take.
      if (kind === 'local' || hex.length > 4000) continue
      for (const floats of ['number', 'exact'] as const) t.ok(sameTerm(bytesOf(hex).subarray(1), floats), `${release}: ${name}`)
    }
  }
})

t.test('a copy', async t => {
  const same = (term: Sendable, floats: 'number' | 'exact'): boolean =>
    isDeepStrictEqual(
      outcome(() => first(copy(tuple(term, 1), { floats }))),
      outcome(() => first(copy(tuple(term, rare), { floats }))),
    )
  fc.assert(fc.property(sendables, fc.constantFrom('number' as const, 'exact' as const), same), { numRuns: 3000 })
  t.pass()
})

t.test('the same refusals', async t => {
  const getters = new Map<string, unknown>([['a', 1]])
  getters.set('b', {
    get c() {
      getters.set('d', 2)
      return 1
    },
  })
  const wrong: Record<string, unknown> = {
    undefined: [undefined],
    'a hole': [1, , 3], // eslint-disable-line no-sparse-arrays
    'not a number': { a: NaN },
    'a function': tuple(() => 1),
    'a lone surrogate': '\ud800',
    'a key with a lone surrogate': { '\ud800': 1 },
    'too long a key': { ['x'.repeat(256)]: 1 },
    'text and bytes as keys': new Map<unknown, unknown>([
      ['a', 1],
      [Buffer.from('a'), 2],
    ]),
    'equal bytes as keys': new Map([
      [Buffer.from('a'), 1],
      [Buffer.from('a'), 2],
    ]),
  }
  for (const [name, value] of Object.entries(wrong)) {
    for (const work of [encode, copy]) {
      const way = (last: Sendable): unknown => outcome(() => work(tuple(value as Sendable, last)))
      t.type(way(1), 'string', `${name}: ${String(way(1))}`)
      t.equal(way(1), way(rare), name)
    }
  }
  t.equal(format(decode(encode(getters as never))).startsWith('#{'), true, 'a getter that writes to the map does no harm')
})
