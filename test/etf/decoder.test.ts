/** Each tag from its bytes; what the BEAM wrote is in vectors.test.ts. */
import t from 'tap'
import { AtomBudget, Decoder, encode, EtfError, type DecoderOptions } from '../../src/etf/index.js'
import {
  Atom,
  atom,
  type AtomOf,
  BitString,
  equals,
  ExportFun,
  Float,
  Fun,
  ImproperList,
  NativeRecord,
  Pid,
  Port,
  Reference,
  type Term,
  type Tuple,
  tuple,
} from '../../src/term/index.js'

const read = (hex: string, options: DecoderOptions = {}): Term => new Decoder(options).read(Buffer.from(hex.replaceAll(' ', ''), 'hex'), 0)

const node = atom('n')
const n = '77 01 6e'

const tags = new Map<string, Term>([
  ['61 ff', 255],
  ['62 ffffffff', -1],
  ['6e 01 00 05', 5],
  ['6e 00 01', 0],
  ['6e 07 00 ffffffffffff1f', 2 ** 53 - 1],
  ['6e 07 01 ffffffffffff1f', -(2 ** 53 - 1)],
  ['6e 07 00 00000000000020', 2n ** 53n],
  ['6e 08 01 0000000000000080', -(2n ** 63n)],
  ['6e 09 00 000000000000000001', 2n ** 64n],
  ['6f 00000003 00 010203', 0x030201],
  ['46 3ff8000000000000', 1.5],
  ['46 3ff0000000000000', 1],
  ['46 8000000000000000', -0],
  [`63 ${Buffer.from('1.50000000000000000000e+00'.padEnd(31, '\0')).toString('hex')}`, 1.5],
  ['77 02 6f6b', atom('ok')],
  ['76 0002 6f6b', atom('ok')],
  ['73 02 6f6b', atom('ok')],
  ['64 0002 6f6b', atom('ok')],
  ['77 04 74727565', true],
  ['64 0005 66616c7365', false],
  ['77 03 6e696c', null],
  ['73 01 e5', atom('å')],
  ['77 02 c3a5', atom('å')],
  ['6a', []],
  ['6b 0003 010203', [1, 2, 3]],
  ['6c 00000001 61 01 6a', [1]],
  ['6c 00000001 61 01 61 02', new ImproperList([1], 2)],
  ['6c 00000001 61 01 6b 0002 0203', [1, 2, 3]],
  ['6c 00000001 61 01 6c 00000001 61 02 6c 00000001 61 03 6a', [1, 2, 3]],
  ['6c 00000001 61 01 6c 00000001 61 02 61 03', new ImproperList([1, 2], 3)],
  ['6c 00000000 61 07', 7],
  ['68 00', tuple()],
  ['68 02 61 01 6a', tuple(1, [])],
  ['69 00000001 61 01', tuple(1)],
  ['6d 00000003 616263', Buffer.from('abc')],
  ['4d 00000001 03 ff', new BitString(Buffer.of(0xe0), 3)],
  ['4d 00000002 08 0102', Buffer.of(1, 2)],
  ['74 00000000', new Map()],
  ['74 00000001 61 01 61 02', new Map([[1, 2]])],
  [`58 ${n} 00000001 00000002 ffffffff`, new Pid(node, 1, 2, 0xffffffff)],
  [`67 ${n} 00000001 00000002 03`, new Pid(node, 1, 2, 3)],
  [`78 ${n} ffffffffffffffff 00000002`, new Port(node, 2n ** 64n - 1n, 2)],
  [`59 ${n} 00000001 00000002`, new Port(node, 1n, 2)],
  [`66 ${n} 00000001 02`, new Port(node, 1n, 2)],
  [`5a 0002 ${n} 00000007 00000001 ffffffff`, new Reference(node, 7, [1, 0xffffffff])],
  [`72 0002 ${n} 03 00000001 ffffffff`, new Reference(node, 3, [1, 0xffffffff])],
  [`65 ${n} 00000001 03`, new Reference(node, 3, [1])],
  [`71 ${n} 77 01 66 61 02`, new ExportFun(node, atom('f'), 2)],
  [
    `70 00000000 02 ${'0a'.repeat(16)} 00000003 00000001 ${n} 61 04 62 fffffffb 58 ${n} 00000001 00000002 00000003 61 09`,
    new Fun({
      arity: 2,
      uniq: Buffer.alloc(16, 10),
      index: 3,
      module: node,
      oldIndex: 4,
      oldUniq: -5,
      pid: new Pid(node, 1, 2, 3),
      free: [9],
    }),
  ],
  [`43 00000001 01 ${n} ${n} 77 01 66 61 05`, new NativeRecord(node, node, [[atom('f'), 5]], 1)],
])

t.test('each tag', async t => {
  for (const [hex, term] of tags) {
    const found = read(hex)
    t.ok(equals(found, term), hex)
    t.equal(typeof found, typeof term, hex)
  }
})

t.test('atoms are the interned ones, in a term and in an identity', async t => {
  t.equal(read('64 0002 6f6b'), atom('ok'))
  t.equal((read(`58 73 01 6e 00000001 00000002 00000003`) as Pid).node, node)
  t.equal((read('71 77 04 74727565 77 03 6e696c 61 00') as ExportFun).module, Atom.intern('true'), 'true, where only an atom may stand')
  t.equal((read('71 77 04 74727565 77 03 6e696c 61 00') as ExportFun).fun.name, 'nil')
})

t.test('floats', async t => {
  t.strictSame(read('68 01 46 3ff0000000000000'), tuple(1), 'an integral float is a number')
  t.equal(Object.is(read('46 8000000000000000'), -0), true)
  t.match(read('46 3ff0000000000000', { floats: 'exact' }), new Float(1))
  t.match(read('46 3ff8000000000000', { floats: 'exact' }), new Float(1.5))

  const keys = [...(read('74 00000003 61 01 6a 46 3ff0000000000000 6a 46 3ff8000000000000 6a') as Map<Term, Term>).keys()]
  t.strictSame(keys, [1, new Float(1), 1.5], 'in a key an integral float is a Float, so that 1 and 1.0 are two')
  const [inside] = (read('74 00000001 68 01 46 3ff0000000000000 46 3ff0000000000000') as Map<Term, Term>).entries()
  t.strictSame(inside, [tuple(new Float(1)), 1], 'within a key too, and not in a value')
  const nested = read('74 00000001 74 00000001 61 01 46 3ff0000000000000 46 3ff0000000000000') as Map<Term, Term>
  t.strictSame([...nested], [[new Map([[1, new Float(1)]]), 1]], 'nor is the value of a map in a key an exception')
})

t.test('an atom of the header', async t => {
  const decoder = new Decoder()
  const cache = [atom('ok'), true, node, null]
  const bytes = Buffer.from(`00 68 05 52 00 52 01 52 03 61 01 58 52 02 00000001 00000002 00000003 ff`.replaceAll(' ', ''), 'hex')
  t.strictSame(decoder.read(bytes, 1, cache), tuple(atom('ok'), true, null, 1, new Pid(node, 1, 2, 3)))
  t.equal(decoder.end, bytes.length - 1, 'the offset after the term')
  t.throws(() => decoder.read(bytes, 1, cache.slice(0, 2)), { code: 'ETF_ATOM_CACHE', offset: 7 })
  t.throws(() => decoder.read(bytes, 1), { code: 'ETF_ATOM_CACHE', offset: 3 }, 'the cache of the last message is forgotten')
})

t.test('faults', async t => {
  const faults: Record<string, string[]> = {
    ETF_UNKNOWN_TAG: ['00', '68 01 83', '75', '79 00', '44', '4b 000001', '49 0001'],
    ETF_COMPRESSED: ['50 00000001 00', '68 01 50 00000001 00'],
    ETF_TRUNCATED: [
      '',
      '61',
      '68 02 61 01',
      '6c ffffffff 61 01 61 01',
      '69 ffffffff 61 01',
      '74 ffffffff 61 01',
      '6f ffffffff 00 01',
      '6d ffffffff 00',
      '6b ffff 00',
      '70 00000000',
      `43 ffffffff 01 ${n} ${n} ${n} 61 01`,
      '6c 00000001 61 01 6c ffffffff 61 01',
    ],
    ETF_ATOM: [
      '77 01 ff',
      '77 02 c080',
      `76 0100 ${'61'.repeat(256)}`,
      `64 0100 ${'e5'.repeat(256)}`,
      '58 61 01',
      '71 6d 00000000',
      '58 6a',
    ],
    ETF_FLOAT: [
      '46 7ff0000000000000',
      '46 fff8000000000001',
      `63 ${'00'.repeat(31)}`,
      `63 ${Buffer.from('1e400'.padEnd(31, '\0')).toString('hex')}`,
    ],
    ETF_BITS: ['4d 00000001 00 ff', '4d 00000001 09 ff', '4d 00000000 03'],
    ETF_FIELD: [
      `67 ${n} 00000001 00000002 04`,
      `66 ${n} 00000001 04`,
      `5a 0000 ${n} 00000001`,
      `5a 0006 ${n} 00000001 ${'00'.repeat(24)}`,
      `72 0001 ${n} 01 00040000`,
      `65 ${n} 00040000 01`,
      `71 ${n} ${n} 62 ffffffff`,
      `71 ${n} ${n} 6a`,
      `71 ${n} ${n} 62 00000100`,
      `70 00000000 00 ${'00'.repeat(20)} 00000100 ${n} 61 00 61 00`,
      `70 00000000 00 ${'00'.repeat(20)} 00000000 ${n} 61 00 61 00 61 00`,
      `70 00000000 00 ${'00'.repeat(20)} 00000000 ${n} 6e 08 00 ffffffffffffffff 61 00 61 00`,
    ],
    ETF_DUPLICATE_KEY: [
      '74 00000002 61 01 6a 62 00000001 6a',
      '74 00000002 77 01 61 6a 64 0001 61 6a',
      '74 00000002 6d 00000001 61 6a 6d 00000001 61 6a',
      '74 00000002 46 3ff0000000000000 6a 46 3ff0000000000000 6a',
      '74 00000002 68 01 61 01 6a 69 00000001 62 00000001 6a',
      '74 00000002 6b 0001 01 6a 6c 00000001 61 01 6a 6a',
      '74 00000002 74 00000002 61 01 6a 61 02 6a 6a 74 00000002 61 02 6a 61 01 6a 6a',
      `74 00000002 58 ${n} 00000001 00000002 00000003 6a 67 ${n} 00000001 00000002 03 6a`,
      `43 00000002 01 ${n} ${n} ${n} ${n} 61 01 61 02`,
    ],
  }
  for (const [code, bytes] of Object.entries(faults)) for (const hex of bytes) t.throws(() => read(hex), { code }, `${code}: ${hex}`)
})

t.test('errors tell where', async t => {
  t.throws(() => read('68 02 61 01 00'), { name: 'EtfError', code: 'ETF_UNKNOWN_TAG', offset: 4, message: /byte 4.*\[ETF_UNKNOWN_TAG\]/ })
  t.throws(() => new Decoder().read(Buffer.from('ffff6102ff', 'hex'), 4), { code: 'ETF_UNKNOWN_TAG', offset: 4 })
})

t.test('a Decoder is as good after an error as before', async t => {
  const decoder = new Decoder()
  t.throws(() => decoder.read(Buffer.from('680274000000026d0000000161', 'hex'), 0), EtfError)
  t.strictSame(decoder.read(Buffer.from('6801460000000000000000', 'hex'), 0), tuple(0), 'no frame and no key is left open')
})

t.test('binaries', async t => {
  const size = 64 * 1024
  const message = encode(tuple(Buffer.alloc(size, 1), Buffer.alloc(10, 2)))
  const own = Buffer.from(message.buffer.slice(message.byteOffset, message.byteOffset + message.length))
  const { elements } = new Decoder().read(own, 1) as Tuple<Buffer[]>
  t.equal(elements[0]!.buffer, own.buffer, 'one that is most of its message shares the memory')
  t.not(elements[1]!.buffer, own.buffer, 'a small one does not: it would keep all of the message')
  t.ok(elements[1]!.buffer.byteLength <= 8192, 'it keeps a slab of the pool')

  const chunk = Buffer.alloc(size * 5)
  own.copy(chunk)
  const [large] = (new Decoder().read(chunk, 1) as Tuple<Buffer[]>).elements
  t.not(large!.buffer, chunk.buffer, 'nor does a large one within a chunk of five times its size')
  t.equal(large!.length, size)
})

t.test('new atoms', async t => {
  const name = (i: number): string => `new atom ${i} of decoder.test`
  const bytes = (i: number): Buffer => Buffer.from([119, name(i).length, ...Buffer.from(name(i))])
  const atoms = new AtomBudget(2)
  const [one, other] = [new Decoder({ atoms }), new Decoder({ atoms })]
  t.equal(one.read(bytes(1), 0), atom(name(1) as 'x') as AtomOf<'x'>)
  one.read(bytes(1), 0)
  t.equal(atoms.remaining, 1, 'an atom that exists costs nothing')
  other.read(bytes(2), 0)
  t.throws(() => one.read(bytes(3), 0), { code: 'ETF_ATOMS' }, 'both have drawn on one budget')
  t.equal(atoms.remaining, 0)
  t.equal(one.read(bytes(2), 0), atom(name(2) as 'x') as AtomOf<'x'>)
  t.throws(() => new Decoder({ limits: { atoms: 0 } }).read(bytes(4), 0), { code: 'ETF_ATOMS' })
})
