import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { copy, decode, encode } from '../../src/etf/index.js'
import {
  Atom,
  atom,
  BitString,
  ExportFun,
  Float,
  float,
  Fun,
  ImproperList,
  LocalTerm,
  NativeRecord,
  Pid,
  type Sendable,
  type Term,
  tuple,
} from '../../src/term/index.js'
import { sendables } from './sendables.js'

t.test('a copy is what arrives over a connection', async t => {
  const modes = ['number', 'exact'] as const
  fc.assert(
    fc.property(sendables, fc.constantFrom(...modes), (term, floats) =>
      isDeepStrictEqual(copy(term, { floats }), decode(encode(term), { floats })),
    ),
    { numRuns: 2000 },
  )
  t.pass()
})

t.test('what a value becomes', async t => {
  const becomes: [Sendable, Term][] = [
    ['text', Buffer.from('text')],
    ['grün', Buffer.from('grün')],
    ['a text of more than a few characters, with ü', Buffer.from('a text of more than a few characters, with ü')],
    [new Uint8Array([1, 2]), Buffer.of(1, 2)],
    [
      { a: 1, true: { b: 'c' } },
      new Map<Term, Term>([
        [atom('a'), 1],
        [true, new Map([[atom('b'), Buffer.from('c')]])],
      ]),
    ],
    [new Map([['k', 1n]]), new Map([[Buffer.from('k'), 1]])],
    [
      [1n, 255n],
      [1, 255],
    ],
    [2n ** 53n, 2n ** 53n],
    [2 ** 53, 2 ** 53],
    [float(1), 1],
    [-0, -0],
    [new Map([[float(1), float(1)]]), new Map([[new Float(1), 1]])],
    [new Map([[tuple(2 ** 60), 2 ** 60]]), new Map([[tuple(new Float(2 ** 60)), 2 ** 60]])],
    [new ImproperList([1], [2]), [1, 2]],
    [new ImproperList([1], new ImproperList([2], 3)), new ImproperList([1, 2], 3)],
    [new ImproperList([atom('a')], []), [atom('a')]],
    [new BitString(Buffer.of(255), 3), new BitString(Buffer.of(0xe0), 3)],
    [Atom.intern('true'), true],
    [new NativeRecord(atom('m'), atom('r'), [[atom('f'), float(1)]], 1), new NativeRecord(atom('m'), atom('r'), [[atom('f'), 1]], 1)],
  ]
  for (const [value, term] of becomes) t.ok(isDeepStrictEqual(copy(value), term), encode(value).toString('hex'))
  t.strictSame(copy([1.5, -0, 2 ** 53, float(1)], { floats: 'exact' }), [1.5, -0, 2 ** 53, 1].map(float), 'every float is a Float')
})

t.test('nothing that can change is shared', async t => {
  const pid = new Pid(atom('n'), 1, 2, 3)
  const uniq = Buffer.alloc(16)
  const fun = new Fun({ arity: 0, uniq, index: 0, module: atom('m'), oldIndex: 0, oldUniq: 0, pid, free: [[1]] })
  const sent = {
    list: [1, [2]],
    binary: Buffer.of(1),
    bits: new BitString(Buffer.of(128), 1),
    tuple: tuple([3]),
    map: new Map([[1, [4]]]),
    fun,
    long: Buffer.alloc(1e5),
  }
  const copied = copy(sent)
  const before = encode(copied)
  sent.list.push(9)
  sent.list[1] = 9
  sent.binary[0] = 9
  sent.long[7] = 9
  sent.bits.bytes[0] = 0
  sent.tuple.elements[0].push(9)
  sent.map.get(1)!.push(9)
  uniq[0] = 9
  ;(fun.free[0] as number[]).push(9)
  t.equal(encode(copied).compare(before), 0)

  const shared = [pid, new ExportFun(atom('m'), atom('f'), 1), atom('a')]
  for (const [i, each] of (copy(shared) as Term[]).entries()) t.equal(each, shared[i], 'what is frozen is shared')
})

t.test('errors are those of encode', async t => {
  const cyclic: unknown[] = [atom('a')]
  cyclic.push([cyclic])
  const refused: unknown[] = [
    undefined,
    [new LocalTerm(Buffer.of(1))],
    Symbol('s'),
    () => 1,
    new Date(),
    Promise.resolve(),
    NaN,
    '\ud800',
    cyclic,
    [1, [undefined]],
    { a: { b: Infinity } },
    new Map<unknown, unknown>([
      [1, 1],
      [1n, 2],
    ]),
    new BitString(Buffer.alloc(0), 1),
    new Pid(atom('n'), -1, 0, 0),
    new ImproperList([], 1),
    { '\ud800': 1 },
    { ['a'.repeat(256)]: 1 },
  ]
  const errorOf = (send: (value: Sendable) => unknown, value: unknown): { code: string; message: string } => {
    try {
      send(value as Sendable)
    } catch (error) {
      return error as { code: string; message: string }
    }
    throw new Error('nothing was thrown')
  }
  for (const value of refused) {
    const { code, message } = errorOf(copy, value)
    t.match(code, /^ETF_/)
    t.match(errorOf(encode, value), { code, message })
  }
  t.throws(() => copy([[[1000]]], { limits: { depth: 2 } }), { code: 'ETF_DEPTH' })
  t.throws(() => copy(2n ** 800n, { limits: { bignum: 100 } }), { code: 'ETF_BIGNUM' })
  t.equal(copy(2n ** 799n, { limits: { bignum: 100 } }), 2n ** 799n)
})

t.test('a copy within a copy, from a getter', async t => {
  const term = {
    get inner() {
      return copy([1, { a: 2 }]) as Term
    },
    other: 3,
  }
  t.ok(isDeepStrictEqual(copy(term), decode(encode(term))))
  const failing = {
    get inner(): Term {
      throw new RangeError('from the getter')
    },
  }
  t.throws(() => copy([failing]), RangeError)
  t.strictSame(copy([1000]), [1000], 'and none the worse for it')
})

t.test('a local term', async t => {
  const term = new LocalTerm(Buffer.of(1, 2))
  t.strictSame(copy(term), term)
  t.not((copy(term) as LocalTerm).bytes, term.bytes)
})
