import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import t from 'tap'
import { decode, encode, EtfError } from '../../src/etf/index.js'
import {
  Atom,
  atom,
  BitString,
  ExportFun,
  float,
  Fun,
  ImproperList,
  LocalTerm,
  NativeRecord,
  Pid,
  Port,
  Reference,
  type Sendable,
  tuple,
} from '../../src/term/index.js'
import { sendables } from './sendables.js'

const n = atom('n')
const pid = new Pid(n, 1, 2, 3)
const fun = (free: Sendable[]): Fun =>
  new Fun({ arity: 1, uniq: Buffer.alloc(16), index: 0, module: n, oldIndex: 0, oldUniq: 1000, pid, free: free as [] })

t.test('each kind of value', async t => {
  const encodings: [Sendable, string][] = [
    [0, '61 00'],
    [255, '61 ff'],
    [256, '62 00000100'],
    [-1, '62 ffffffff'],
    [2 ** 31 - 1, '62 7fffffff'],
    [-(2 ** 31), '62 80000000'],
    [2 ** 31, '6e 04 00 00000080'],
    [-(2 ** 31) - 1, '6e 04 01 01000080'],
    [2 ** 32, '6e 05 00 0000000001'],
    [2 ** 53 - 1, '6e 07 00 ffffffffffff1f'],
    [5n, '61 05'],
    [-5n, '62 fffffffb'],
    [2n ** 53n, '6e 07 00 00000000000020'],
    [2n ** 64n - 1n, '6e 08 00 ffffffffffffffff'],
    [-(2n ** 64n), '6e 09 01 000000000000000001'],
    [1.5, '46 3ff8000000000000'],
    [-0, '46 8000000000000000'],
    [2 ** 53, '46 4340000000000000'],
    [-(2 ** 70), '46 c450000000000000'],
    [float(1), '46 3ff0000000000000'],
    [true, '77 04 74727565'],
    [null, '77 03 6e696c'],
    [atom('å'), '77 02 c3a5'],
    [atom('å'.repeat(128)), `76 0100 ${'c3a5'.repeat(128)}`],
    ['å', '6d 00000002 c3a5'],
    ['', '6d 00000000'],
    [new Uint8Array([1, 2]), '6d 00000002 0102'],
    [new BitString(Buffer.of(255), 3), '4d 00000001 03 e0'],
    [[], '6a'],
    [[1, 2n], '6b 0002 0102'],
    [[1, -0], '6c 00000002 61 01 46 8000000000000000 6a'],
    [[1, 256n], '6c 00000002 61 01 62 00000100 6a'],
    [[1, float(1)], '6c 00000002 61 01 46 3ff0000000000000 6a'],
    [new ImproperList([1], [2]), '6b 0002 0102'],
    [new ImproperList([1], [n]), '6c 00000002 61 01 77 01 6e 6a'],
    [new ImproperList([1], new ImproperList([2], 3)), '6c 00000002 61 01 61 02 61 03'],
    [tuple(), '68 00'],
    [tuple(1, tuple()), '68 02 61 01 68 00'],
    [{}, '74 00000000'],
    [{ a: 1 }, '74 00000001 77 01 61 61 01'],
    [new Map<Sendable, Sendable>([['a', [1]]]), '74 00000001 6d 00000001 61 6b 0001 01'],
    [Object.create(null), '74 00000000'],
    [pid, '58 77 01 6e 00000001 00000002 00000003'],
    [new Port(n, 2n ** 64n - 1n, 1), '78 77 01 6e ffffffffffffffff 00000001'],
    [new Reference(n, 4, [1, 2 ** 32 - 1]), '5a 0002 77 01 6e 00000004 00000001 ffffffff'],
    [new ExportFun(n, n, 2), '71 77 01 6e 77 01 6e 61 02'],
    [
      fun([1, fun([])]),
      `70 00000071 01 ${'00'.repeat(16)} 00000000 00000002 77016e 61 00 62 000003e8 58 77016e 00000001 00000002 00000003 61 01 ` +
        `70 00000037 01 ${'00'.repeat(16)} 00000000 00000000 77016e 61 00 62 000003e8 58 77016e 00000001 00000002 00000003`,
    ],
    [new NativeRecord(n, n, [[atom('f'), 1]], 1), '43 00000001 01 77 01 6e 77 01 6e 77 01 66 61 01'],
  ]
  for (const [value, hex] of encodings) t.equal(encode(value).toString('hex'), `83${hex.replaceAll(' ', '')}`)
})

t.test('what was encoded comes back, and is encoded alike', async t => {
  fc.assert(
    fc.property(sendables, term => {
      const bytes = encode(term)
      return encode(decode(bytes, { floats: 'exact' })).equals(bytes)
    }),
    { numRuns: 2000 },
  )
  t.pass()
})

t.test('values of another realm, as a test runner has them', async t => {
  const foreign = runInNewContext('({ binary: new Uint8Array([1]), map: new Map([[new Uint8Array([2]), 3]]), list: [1000] })')
  const own = { binary: Buffer.of(1), map: new Map([[Buffer.of(2), 3]]), list: [1000] }
  t.equal(encode(foreign).toString('hex'), encode(own).toString('hex'))
  const keys = runInNewContext('new Map([[new Uint8Array([1]), 1], [new Uint8Array([2]), 2]])')
  t.doesNotThrow(() => encode(keys), 'keys too')
  t.throws(() => encode(runInNewContext('new Map([[new Uint8Array([1]), 1], [new Uint8Array([1]), 2]])')), { code: 'ETF_DUPLICATE_KEY' })
})

t.test('byte lists end at 65535', async t => {
  t.equal(encode(Array.from({ length: 65535 }, () => 7))[1], 107)
  t.equal(encode(Array.from({ length: 65536 }, () => 7))[1], 108)
})

t.test('what is no term', async t => {
  const refused: [string, unknown, RegExp][] = [
    ['ETF_TERM', undefined, /null/],
    ['ETF_TERM', () => 1, /function/],
    ['ETF_TERM', Symbol('s'), /symbol/],
    ['ETF_TERM', Promise.resolve(1), /await/],
    ['ETF_TERM', new Date(), /Date/],
    ['ETF_TERM', new RegExp('x'), /RegExp/],
    ['ETF_TERM', new Int32Array(1), /Int32Array/],
    ['ETF_TERM', new Set(), /Set/],
    // eslint-disable-next-line no-sparse-arrays
    ['ETF_TERM', [1000, , 1], /\[1\]/],
    ['ETF_TERM', new ImproperList([], 1), /element/],
    ['ETF_FLOAT', NaN, /NaN/],
    ['ETF_FLOAT', -Infinity, /Infinity/],
    ['ETF_TEXT', 'a\ud800', /surrogate/],
    ['ETF_TEXT', `${'long'.repeat(100)}\udc00`, /surrogate/],
    ['ETF_ATOM', { ['a'.repeat(256)]: 1 }, /Map/],
    ['ETF_ATOM', { '\ud800': 1 }, /Map/],
    ['ETF_BITS', new BitString(Buffer.of(1), 8), /Buffer/],
    ['ETF_BITS', new BitString(Buffer.of(1), 0), /Buffer/],
    ['ETF_BITS', new BitString(Buffer.of(), 3), /Buffer/],
    ['ETF_LOCAL', tuple(new LocalTerm(Buffer.of(1))), /whole/],
    ['ETF_FIELD', new Pid(n, 2 ** 32, 0, 0), /32 bits/],
    ['ETF_FIELD', new Pid(n, 0, 0, -1), /32 bits/],
    ['ETF_FIELD', new Pid(true as never, 0, 0, 1), /atom/],
    ['ETF_FIELD', new Port(n, 2n ** 64n, 1), /64 bits/],
    ['ETF_FIELD', new Reference(n, 1, []), /words/],
    ['ETF_FIELD', new Reference(n, 1, [1, 2, 3, 4, 5, 6]), /words/],
    ['ETF_FIELD', new Reference(n, 1, [1.5]), /words/],
    ['ETF_FIELD', new ExportFun(n, n, -1), /arity/],
    ['ETF_FIELD', new ExportFun(n, n, 256), /arity/],
    ['ETF_FIELD', new Fun({ ...fun([]), uniq: Buffer.alloc(15) }), /16 bytes/],
    ['ETF_FIELD', new Fun({ ...fun([]), oldUniq: 0.5 }), /integers/],
    ['ETF_FIELD', fun(Array.from({ length: 256 }, () => 1)), /255/],
    ['ETF_FIELD', new NativeRecord(n, n, [], 256), /flags/],
    ['ETF_SIZE', tuple(...Array.from({ length: 10 }, () => 0)), /16777215/],
  ]
  for (const [code, value, message] of refused) {
    if (code === 'ETF_SIZE') (value as { elements: number[] }).elements.length = 2 ** 24
    t.throws(() => encode(value as Sendable), { code, message, name: 'EtfError' }, `${code} ${String(message)}`)
  }
})

t.test('the message tells where', async t => {
  const where = (value: unknown): string => {
    try {
      encode(value as Sendable)
      return ''
    } catch (error) {
      return /It stands at (.*)\. \[/.exec((error as Error).message)?.[1] ?? ''
    }
  }
  t.equal(where([0, { name: tuple(1000, undefined) }]), '[1].name[1]')
  t.equal(where(new Map([['key', NaN]])), '.get(key)')
  t.equal(where(new Map([[tuple(1), [1000, NaN]]])), '.get(…)[1]')
  t.equal(
    where(
      new Map<unknown, unknown>([
        [1, 2],
        [NaN, 1],
      ]),
    ),
    '.keys()[1]',
  )
  t.equal(where(undefined), '')
  let deep: unknown = NaN
  for (let i = 0; i < 100; i++) deep = [0, deep]
  t.equal(where(deep), `…${'[1]'.repeat(10)}`)
})

t.test('keys that are equal in Erlang', async t => {
  const equal: [unknown, unknown][] = [
    [1, 1n],
    [1.5, float(1.5)],
    [2 ** 60, float(2 ** 60)],
    [float(1), float(1)],
    ['a', Buffer.from('a')],
    ['ü', Buffer.from('ü')],
    [Buffer.from('a'), new Uint8Array([97])],
    [[], []],
    [[1], [1n]],
    [[1, 2], new ImproperList([1], [2])],
    [tuple(1, 'a'), tuple(1n, Buffer.from('a'))],
    [tuple(), tuple()],
    [{}, new Map()],
    [
      { a: 1, b: 2 },
      new Map<Sendable, Sendable>([
        [atom('b'), 2],
        [atom('a'), 1],
      ]),
    ],
    [
      new Map([
        [tuple(1), 1],
        [tuple(2), 2],
      ]),
      new Map([
        [tuple(2), 2],
        [tuple(1), 1],
      ]),
    ],
    [new BitString(Buffer.of(255), 1), new BitString(Buffer.of(128), 1)],
    [new Pid(n, 1, 2, 3), new Pid(n, 1, 2, 3)],
    [new Reference(n, 1, [1]), new Reference(n, 1, [1])],
    [fun([[1]]), fun([[1n]])],
    [new NativeRecord(n, n, [[n, 1]], 1), new NativeRecord(n, n, [[n, 1n]], 1)],
    [new ImproperList([1], 2), new ImproperList([1n], 2n)],
    [true, Atom.intern('true')],
    [tuple(true), tuple(true)],
  ]
  for (const [a, b] of equal) {
    const send = (...keys: unknown[]): Buffer => encode(new Map(keys.map(key => [key, 1])) as Map<Sendable, Sendable>)
    t.throws(() => send(a, b), { code: 'ETF_DUPLICATE_KEY' })
    t.throws(
      () => send(...Array.from({ length: 40 }, (_, i) => `${i}`), a, atom('other'), b),
      { code: 'ETF_DUPLICATE_KEY' },
      'among others',
    )
    t.throws(() => send(tuple(a), 0, tuple(b)), { code: 'ETF_DUPLICATE_KEY' }, 'inside')
    t.doesNotThrow(() => send(a, [a], tuple(a), { b: a } as never, [b, b]))
  }
})

t.test('keys that are not equal in Erlang', async t => {
  const keys: Sendable[] = [
    0, 1, float(1), float(0), float(-0), 1.5, 2n ** 60n, 2 ** 60, 'a', atom('a'), ['a'], [97], tuple('a'), { a: 1 }, { a: float(1) }, [], tuple(), {},
    '', true, 'true', null, 'nil', [[]], new ImproperList([1], 2), [1, 2], tuple(1, 2), new BitString(Buffer.of(128), 1), new BitString(Buffer.of(128), 2),
    Buffer.of(128), new Pid(n, 1, 2, 3), new Pid(n, 1, 2, 4), new Port(n, 1n, 2), new Reference(n, 1, [2]), fun([1]), fun([2]), fun([]),
    new NativeRecord(n, n, [], 1), new NativeRecord(n, n, [], 0), new ExportFun(n, n, 1), new ExportFun(n, n, 2),
    tuple('a,b'), tuple('a', 'b'), tuple(',', 1), [1, 'a'], ['1', 'a'],
  ] // prettier-ignore
  const map = new Map(keys.map((key, i) => [key, i]))
  const decoded = decode(encode(map as Map<Sendable, Sendable>)) as Map<unknown, unknown>
  t.equal(decoded.size, keys.length)
  t.strictSame([...decoded.values()], [...map.values()], 'in the order of the map')
})

t.test('a value that contains itself', async t => {
  const list: unknown[] = [Buffer.alloc(100_000)]
  list.push(list)
  const object: Record<string, unknown> = {}
  object['a'] = [tuple(object)]
  const map = new Map<unknown, unknown>()
  map.set(map, 1)
  const improper = new ImproperList([1], 2)
  ;(improper as { tail: unknown }).tail = improper
  const through = new ImproperList([1], 2)
  ;(through as { tail: unknown }).tail = tuple(through)
  const wide: unknown[] = Array.from({ length: 1000 }, () => 'text')
  wide.unshift(wide, wide)
  for (const cyclic of [list, object, map, improper, through, wide]) {
    t.throws(() => encode(cyclic as Sendable), { code: 'ETF_CYCLE' })
    t.throws(() => encode([cyclic] as Sendable, { limits: { depth: 100 } }), { code: /ETF_(DEPTH|CYCLE)/ })
  }
  const twice = [1000]
  t.strictSame(decode(encode([twice, twice])), [twice, twice], 'what stands in two places is no cycle')
})

t.test('limits', async t => {
  t.throws(() => encode([[[1000]]], { limits: { depth: 2 } }), { code: 'ETF_DEPTH' })
  t.doesNotThrow(() => encode([[[1000]]], { limits: { depth: 3 } }))
  t.throws(() => encode('x'.repeat(100), { limits: { size: 104 } }), { code: 'ETF_SIZE' })
  t.equal(encode('x'.repeat(100), { limits: { size: 105 } }).length, 106)
  t.throws(() => encode('x'.repeat(100_000), { limits: { size: 1000 } }), { code: 'ETF_SIZE' })
  t.throws(() => encode(2n ** 80n, { limits: { bignum: 10 } }), { code: 'ETF_BIGNUM' })
  t.throws(() => encode(2n ** (8n * 2n ** 23n)), { code: 'ETF_BIGNUM' })
})

t.test('an encode within an encode, from a getter', async t => {
  const term = {
    get inner() {
      return encode([1, 2])
    },
    last: 3,
  }
  t.strictSame(
    decode(encode(term)),
    new Map<unknown, unknown>([
      [atom('inner'), encode([1, 2])],
      [atom('last'), 3],
    ]),
  )
  const failing = {
    get inner(): Sendable {
      throw new RangeError('from the getter')
    },
  }
  t.throws(() => encode([1000, failing]), RangeError)
  t.throws(() => encode([undefined as never]), EtfError)
  t.equal(encode(5).toString('hex'), '836105', 'and none the worse for it')
})

t.test('results are never written again', async t => {
  const results = Array.from({ length: 3000 }, (_, i) => encode([i, 'text'.repeat(i % 40)]))
  for (const [i, bytes] of results.entries()) t.strictSame(decode(bytes), [i, Buffer.from('text'.repeat(i % 40))])
})
