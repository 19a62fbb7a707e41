import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { decode } from '../../src/etf/index.js'
import { sortKey, sortKeyBody } from '../../src/store/sort-key.js'
import { atom, BitString, compare, equals, float, Fun, ImproperList, Pid, type Sendable, type Term, tuple } from '../../src/term/index.js'
import { nested, terms as anyTerm, wrappings } from '../term/arbitrary-term.js'

/** Whether two terms stand as they must, and if not, how. */
function fault(a: Sendable, b: Sendable): string | undefined {
  const order = compare(a, b)
  const [x, y] = [sortKey(a), sortKey(b)]
  const bytes = Buffer.compare(x, y)
  if (order !== 0) return bytes === order ? undefined : `compare says ${order}, the bytes ${bytes}`
  if ((bytes === 0) !== equals(a, b)) return `=:= says ${equals(a, b)}, the bytes ${bytes}`
  return sortKeyBody(a).equals(sortKeyBody(b)) ? undefined : 'equal terms have different bodies'
}

t.test('the order of the bytes is that of terms on real nodes', async t => {
  const vector = JSON.parse(readFileSync(new URL('../../spec/vectors/order.json', import.meta.url), 'utf8')) as {
    readonly terms: readonly string[]
    readonly otp: Record<string, { readonly order: readonly (number | readonly number[])[] }>
  }
  const terms = vector.terms.map(hex => decode(Buffer.from(hex, 'hex'), { floats: 'exact' }))
  // OTP 25 differs in one thing: -0.0 and 0.0 are one key of a map (test/term/compare.test.ts)
  for (const otp of ['27', '29']) {
    const groups = vector.otp[otp]!.order.map(group => [group].flat())
    t.ok(groups.length > 700, `OTP ${otp} has ordered many`)
    // Bodies say what compare says; keys never leave their group
    let last: Buffer = Buffer.alloc(0)
    const faults = groups.flatMap((group, at) => {
      const bodies = group.map(place => sortKeyBody(terms[place]!))
      const keys = group.map(place => sortKey(terms[place]!)).sort(Buffer.compare)
      const wrong = bodies.some(body => !body.equals(bodies[0]!)) || Buffer.compare(last, keys[0]!) >= 0
      last = keys.at(-1)!
      return wrong ? [at] : []
    })
    t.strictSame(faults, [], `OTP ${otp}`)
  }
})

t.test('any two terms', async t => {
  fc.assert(
    fc.property(anyTerm, anyTerm, (a, b) => {
      const said = fault(a, b)
      if (said !== undefined) throw new Error(said)
    }),
    { numRuns: 3000 },
  )
  t.pass()
})

t.test('numbers by exact value, whatever their size', async t => {
  const edges: (number | bigint)[] = [0, 1, 2, 3, 127, 128, 255, 256, 2 ** 31, 2 ** 53 - 1]
  const large = [53n, 54n, 63n, 64n, 95n, 96n, 97n, 1023n, 1024n, 5000n].flatMap(bits => [2n ** bits - 1n, 2n ** bits, 2n ** bits + 1n])
  const floats = [
    0,
    0.1,
    0.5,
    1,
    1.5,
    2 ** 53,
    2 ** 60,
    2 ** -48,
    2 ** -49,
    2 ** -1022,
    2 ** -1074,
    3 * 2 ** -1074,
    1e300,
    Number.MAX_VALUE,
  ]
  const numbers = [...edges, ...large, ...floats.map(x => float(x))].flatMap(n => [n, typeof n === 'object' ? float(-n.value) : -n])
  for (const a of numbers) {
    for (const b of numbers) {
      const said = fault(typeof a === 'number' ? a + 0 : a, typeof b === 'number' ? b + 0 : b)
      if (said !== undefined) t.fail(`${String(a)} and ${String(b)}: ${said}`)
    }
  }
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }), fc.double({ noNaN: true, noDefaultInfinity: true }), (n, x) => {
      const said = fault(n, float(x)) ?? fault(n, n + 1n) ?? fault(BigInt(Math.trunc(x)), float(x))
      if (said !== undefined) throw new Error(said)
    }),
  )
  t.pass()
})

t.test('what compares equal and is not the same stays two keys, the integer first', async t => {
  const inOrder: Term[][] = [
    [0, float(-0), float(0)],
    [1, float(1)],
    [2n ** 70n, float(2 ** 70)],
    [tuple(1, 2), tuple(1, float(2)), tuple(float(1), 2), tuple(float(1), float(2))],
    [
      [1, [2, 3]],
      [1, [2, float(3)]],
    ],
    [new Map([[atom('a'), 1]]), new Map([[atom('a'), float(1)]])],
  ]
  for (const terms of inOrder) {
    const keys = terms.map(term => sortKey(term))
    t.strictSame(keys.toSorted(Buffer.compare), keys)
    t.equal(new Set(keys.map(String)).size, keys.length)
    for (const term of terms) t.same(sortKeyBody(term), sortKeyBody(terms[0]!))
  }
  // … and all that is greater comes after them all
  t.equal(Buffer.compare(sortKey(tuple(float(1), float(2))), sortKey(tuple(1, 3))), -1)
})

t.test('funs that differ only in arity or MD5', async t => {
  const pid = new Pid(atom('a@b'), 1, 0, 1)
  const fun = (arity: number, uniq: number, free: Term[] = []) =>
    new Fun({ arity, uniq: Buffer.alloc(16, uniq), index: 1, module: atom('m'), oldIndex: 1, oldUniq: 7, pid, free })
  const funs = [fun(1, 0), fun(0, 0), fun(1, 1), fun(255, 17), fun(1, 255), fun(1, 1, [1]), fun(1, 1, [float(1)]), fun(0, 0, [float(1)])]
  for (const a of funs) {
    for (const b of funs) {
      t.equal(fault(a, b), undefined)
      t.equal(fault(new Map([[a, 1]]), new Map([[b, 1]])), undefined, 'as keys')
      t.equal(fault(tuple(a, 1), tuple(b, float(1))), undefined, 'beside a number')
    }
  }
})

t.test('bits and bytes', async t => {
  const bits = (byte: number, n: number, ...before: number[]): Term => new BitString(Buffer.from([...before, byte]), n)
  const all: Sendable[] = ['', '\0', '\0\0', '\0a', 'a', 'a\0', 'a\0b', Buffer.from([255]), Buffer.from([0, 255]), Buffer.from([0, 1])]
  all.push(
    bits(0x80, 1),
    Buffer.from([0x80]),
    bits(0x80, 7),
    Buffer.from([0x81]),
    bits(0, 1),
    bits(0, 3, 0x80),
    Buffer.from([0x80, 0]),
    'é',
  )
  for (const a of all) for (const b of all) t.equal(fault(a, b), undefined, `${String(a)} ${String(b)}`)
})

t.test('no key is the beginning of another', async t => {
  fc.assert(
    fc.property(anyTerm, anyTerm, (a, b) => {
      const [x, y] = [sortKey(a), sortKey(b)]
      return x.equals(y) || (!x.subarray(0, y.length).equals(y) && !y.subarray(0, x.length).equals(x))
    }),
  )
  t.pass()
})

t.test('10,000 levels', async t => {
  for (const [name, wrap] of Object.entries(wrappings)) {
    t.equal(fault(nested(10_000, 1, wrap), nested(10_000, 2, wrap)), undefined, name)
    t.equal(fault(nested(10_000, 1, wrap), nested(10_000, float(1), wrap)), undefined, name)
  }
})

t.test('what is no term is refused', async t => {
  for (const stranger of [undefined, NaN, Symbol('s'), () => 1, new Date()]) {
    t.throws(() => sortKey(tuple(1, stranger as unknown as Term)), { code: 'ERR_TERM_TYPE' })
  }
  const cycle: Term[] = []
  cycle.push(new ImproperList([cycle], 1))
  t.throws(() => sortKey(cycle), { code: 'ERR_TERM_DEPTH' })
})
