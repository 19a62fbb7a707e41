import { deflateSync } from 'node:zlib'
import t from 'tap'
import { AtomBudget, decode, type DecodeOptions, defaultLimits, encode, EtfError, type Limits } from '../../src/etf/index.js'
import { atom, Float, LocalTerm, type Term, tuple } from '../../src/term/index.js'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

const compressed = (term: Term, size?: number): Buffer => {
  const bytes = encode(term).subarray(1)
  const head = Buffer.from([131, 80, 0, 0, 0, 0])
  head.writeUInt32BE(size ?? bytes.length, 2)
  return Buffer.concat([head, deflateSync(bytes)])
}

t.test('whole terms', async t => {
  t.strictSame(decode(hex('83 68 02 77 02 6f6b 61 01')), tuple(atom('ok'), 1))
  t.strictSame(decode(new Uint8Array([131, 97, 5])), 5, 'from any Uint8Array')
  t.strictSame(decode(new Uint8Array([0, 131, 97, 5, 0]).subarray(1, 4)), 5, 'that may be part of another')
  t.strictSame(decode(hex('83 46 3ff0000000000000'), { floats: 'exact' }), new Float(1))
  t.throws(() => decode(hex('')), { code: 'ETF_TRUNCATED', offset: 0 })
  t.throws(() => decode(hex('83')), { code: 'ETF_TRUNCATED', offset: 1 })
  t.throws(() => decode(hex('82 61 01')), { code: 'ETF_VERSION', offset: 0 })
  t.throws(() => decode(hex('83 52 00')), { code: 'ETF_ATOM_CACHE' }, 'there is no header to refer to')
})

t.test('bytes after the term', async t => {
  t.throws(() => decode(hex('83 61 01 00 00')), { code: 'ETF_TRAILING_BYTES', offset: 3, message: /2 bytes/ })
  t.equal(decode(hex('83 61 01 00 00'), { trailing: 'ignore' }), 1)
})

t.test('compressed terms', async t => {
  const term = tuple(Buffer.alloc(1000), [300, 400])
  t.strictSame(decode(compressed(term)), term)
  const followed = Buffer.concat([compressed(term), Buffer.of(1, 2)])
  t.throws(() => decode(followed), { code: 'ETF_TRAILING_BYTES', offset: followed.length - 2 })
  t.strictSame(decode(followed, { trailing: 'ignore' }), term)
  t.throws(() => decode(compressed(term, 5)), { code: 'ETF_COMPRESSED' }, 'it inflates to more than it says')
  t.throws(() => decode(compressed(term, 5000)), { code: 'ETF_COMPRESSED' }, 'it inflates to less')
  t.throws(() => decode(compressed(term, 0)), { code: 'ETF_COMPRESSED' })
  t.throws(() => decode(compressed(term).subarray(0, -3)), { code: 'ETF_COMPRESSED' })
  t.throws(() => decode(hex('83 50 000000')), { code: 'ETF_TRUNCATED' })
  t.throws(() => decode(compressed(term, 2 ** 32 - 1)), { code: 'ETF_SIZE' }, 'a claim of 4 GiB is not even tried')
  t.throws(() => decode(compressed(term), { limits: { size: 500 } }), { code: 'ETF_SIZE' })
  const twice = Buffer.concat([hex('83 50 000000ff'), deflateSync(compressed(term).subarray(1))])
  twice.writeUInt32BE(compressed(term).length - 1, 2)
  t.throws(() => decode(twice), { code: 'ETF_COMPRESSED' }, 'not in each other')
})

t.test('a local term is carried, alone', async t => {
  const term = decode(hex('83 79 01020304 61 05'))
  t.match(term, new LocalTerm(hex('01020304 61 05')))
  t.throws(() => decode(hex('83 68 01 79 01020304 61 05')), { code: 'ETF_UNKNOWN_TAG' })
})

t.test('limits', async t => {
  const refuses = (code: string, bytes: Buffer, limits: Partial<Limits>): void => {
    t.throws(() => decode(bytes, { limits }), { code, name: 'EtfError' }, JSON.stringify(limits))
  }
  const list = encode([[[1000]]])
  t.strictSame(decode(list, { limits: { depth: 3 } }), [[[1000]]])
  refuses('ETF_DEPTH', list, { depth: 2 })
  refuses('ETF_SIZE', list, { size: list.length - 1 })
  t.strictSame(decode(list, { limits: { size: list.length } }), [[[1000]]])
  refuses('ETF_BIGNUM', encode(2n ** 80n), { bignum: 10 })
  t.equal(decode(encode(2n ** 79n), { limits: { bignum: 10 } }), 2n ** 79n)
  refuses('ETF_SIZE', encode(Array.from({ length: 100 }, () => [])), { memory: 3000 })
  t.strictSame(defaultLimits, { depth: 10_000, size: 128 * 2 ** 20, memory: 2 ** 30, bignum: 8 * 2 ** 20, atoms: 1_000_000 })
})

t.test('a short message cannot claim much memory', async t => {
  const before = process.memoryUsage().heapTotal
  // A list of two million empty lists, maps, tuples or binaries, in two to ten megabytes.
  const limits = { memory: 64 * 2 ** 20 }
  for (const element of ['6a', '7400000000', '6800', '6d00000000', '6801 6a', '71 7701 6d 7701 66 6100']) {
    const bytes = Buffer.concat([hex('83 6c 001e8480'), Buffer.from(element.replaceAll(' ', '').repeat(2_000_000), 'hex'), hex('6a')])
    t.throws(() => decode(bytes, { limits }), { code: 'ETF_SIZE', message: /memory/ }, element)
  }
  t.ok(process.memoryUsage().heapTotal - before < 2 ** 29)
  // Ten thousand lists, each of which claims all that is left: forty gigabytes, if they were believed.
  const claims = Buffer.concat([
    Buffer.of(131),
    ...Array.from({ length: 9999 }, (_, i) => hex(`6c ${(50_000 - 5 * i).toString(16).padStart(8, '0')}`)),
  ])
  t.throws(() => decode(claims), { code: 'ETF_TRUNCATED' })
})

t.test('calls that say nothing of atoms share a budget; one with limits has its own', async t => {
  const bytes = (name: string): Buffer => Buffer.concat([Buffer.of(131, 119, name.length), Buffer.from(name)])
  const own = (options: DecodeOptions): unknown => decode(bytes('an atom of decode.test'), options)
  t.throws(() => own({ limits: { atoms: 0 } }), { code: 'ETF_ATOMS' })
  t.throws(() => own({ atoms: new AtomBudget(0) }), { code: 'ETF_ATOMS' })
  t.equal(own({ atoms: new AtomBudget(1) }), atom('an atom of decode.test'))
  t.equal(own({ limits: { atoms: 0 } }), atom('an atom of decode.test'), 'it exists by now')
})

t.test('big integers of eight megabytes take no time to speak of', async t => {
  const size = defaultLimits.bignum
  const bytes = Buffer.concat([hex('83 6f 00800000 01'), Buffer.alloc(size, 0xab)])
  const before = performance.now()
  const value = decode(bytes) as bigint
  t.ok(value < 0n)
  t.equal(encode(value).compare(bytes), 0)
  t.ok(performance.now() - before < 10_000)
  bytes.writeUInt32BE(size + 1, 2)
  t.throws(() => decode(Buffer.concat([bytes, Buffer.of(1)])), { code: 'ETF_BIGNUM' })
})

t.test('whatever is thrown is an EtfError', async t => {
  t.throws(() => decode(hex('83 00')), EtfError)
})
