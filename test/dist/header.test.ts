import fc from 'fast-check'
import t from 'tap'
import { ReceivingCache } from '../../src/dist/atom-cache.js'
import { DIST_FRAG_HEADER, HeaderWriter, readHeader, writeContinuation } from '../../src/dist/header.js'
import { AtomBudget, Writer } from '../../src/etf/index.js'
import { type Atom, atom, format } from '../../src/term/index.js'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const budget = new AtomBudget(100_000)
const name = (text: string): Atom => atom(text) as Atom

/** One header after the other, through one cache. */
function reader(): (bytes: Buffer) => { atoms: string[]; rest: string } {
  const cache = new ReceivingCache()
  return bytes => {
    const { atoms, end } = readHeader(bytes, cache, budget)
    return { atoms: atoms.map(atom => format(atom)), rest: bytes.toString('hex', end) }
  }
}

t.test('headers by the specification', async t => {
  const read = reader()
  t.strictSame(read(hex('83 44 00 ff')), { atoms: [], rest: 'ff' }, 'no atoms: no flag bytes either')
  t.strictSame(read(hex('83 44 01 08 05 02 6f6b ff')), { atoms: ['ok'], rest: 'ff' }, 'one new atom, in slot 5')
  t.strictSame(read(hex('83 44 01 00 05')), { atoms: ['ok'], rest: '' }, 'the same, from the cache')
  t.strictSame(
    read(hex('83 44 02 f8 00 05 02 6869 05 03 657874')),
    { atoms: ['hi', 'ext'], rest: '' },
    'slot 5 again, and slot 5 of segment 7',
  )
  t.strictSame(read(hex('83 44 03 70 0f 05 05 06 01 61')), { atoms: ['hi', 'ext', 'a'], rest: '' }, 'three, the last new in slot 1798')
  t.strictSame(read(hex('83 44 01 18 09 0001 62')), { atoms: ['b'], rest: '' }, 'long atoms: the length has two bytes')
  t.strictSame(read(hex('83 44 02 98 01 09 0001 63 0a 0001 64')), { atoms: ['c', 'd'], rest: '' }, 'the flag stands after an even number')
  t.strictSame(read(hex('83 44 02 88 00 05 01 78 05 01 79')), { atoms: ['x', 'y'], rest: '' }, 'a slot may change within a header')
  t.strictSame(read(hex('83 44 01 00 05')), { atoms: ['y'], rest: '' }, 'and keeps what came last')
})

t.test('fragment headers', async t => {
  const read = readHeader(hex('83 45 0000000000000007 0000000000000003 01 08 05 02 6f6b ff'), new ReceivingCache(), budget)
  t.match(read, { tag: DIST_FRAG_HEADER, sequence: 7n, fragment: 3n, atoms: [atom('ok')], end: 24 })
  const next = readHeader(hex('83 46 0000000000000007 0000000000000002 ff'), new ReceivingCache(), budget)
  t.match(next, { tag: 70, sequence: 7n, fragment: 2n, atoms: [], end: 18 })
})

t.test('what is written is read', async t => {
  const writer = new HeaderWriter()
  const read = reader()
  const write = (atoms: readonly Atom[]): Buffer => {
    const out = new Writer()
    writer.write(out, atoms)
    out.u8(255)
    return out.take()
  }
  const long = name('ü'.repeat(200))
  const many = Array.from({ length: 5000 }, (_, i) => name(`header_${i}`))
  const messages: Atom[][] = [
    [],
    [name('one')],
    [name('one'), name('two')],
    [name('two'), name('one'), name('three')],
    [long],
    [long, name('one')],
    [name('four'), long],
    ...Array.from({ length: 30 }, (_, i) => many.slice(i * 170, i * 170 + 255)),
    many.slice(0, 255),
    [many[0] as Atom, many[2048] as Atom, many[4096] as Atom, many[0] as Atom],
  ]
  for (const atoms of messages) t.strictSame(read(write(atoms)), { atoms: atoms.map(atom => format(atom)), rest: 'ff' })
})

t.test('a known atom costs one byte, and half of one', async t => {
  const writer = new HeaderWriter()
  const out = new Writer()
  writer.write(out, [name('known'), name('and_this')])
  out.take()
  writer.write(out, [name('known'), name('and_this')])
  t.equal(out.take().toString('hex'), '83440200000001')
  writeContinuation(out, { sequence: 9n, fragment: 1 })
  t.equal(out.take().toString('hex'), '834600000000000000090000000000000001')
})

t.test('malformed headers', async t => {
  const table: [string, string, string][] = [
    ['nothing', '', 'DIST_PROTOCOL_HEADER'],
    ['the version alone', '83', 'DIST_PROTOCOL_HEADER'],
    ['another version', '82 44 00', 'DIST_PROTOCOL_HEADER'],
    ['a pass-through byte', '70 83 68 00', 'DIST_PROTOCOL_HEADER'],
    ['a term without a header', '83 68 00', 'DIST_PROTOCOL_HEADER'],
    ['compressed', '83 50 00000000', 'DIST_PROTOCOL_HEADER'],
    ['no number of atoms', '83 44', 'DIST_PROTOCOL_HEADER'],
    ['flags that end early', '83 44 02 00', 'DIST_PROTOCOL_HEADER'],
    ['no reference', '83 44 01 00', 'DIST_PROTOCOL_HEADER'],
    ['fewer references than said', '83 44 02 88 00 01 01 61', 'DIST_PROTOCOL_HEADER'],
    ['no length', '83 44 01 08 01', 'DIST_PROTOCOL_HEADER'],
    ['half a length', '83 44 01 18 01 00', 'DIST_PROTOCOL_HEADER'],
    ['a text that ends early', '83 44 01 08 01 05 61', 'DIST_PROTOCOL_HEADER'],
    ['an empty slot', '83 44 01 00 01', 'DIST_PROTOCOL_ATOM_CACHE'],
    ['a text that is not UTF-8', '83 44 01 08 01 01 ff', 'ETF_ATOM'],
    ['an atom of 256 characters', `83 44 01 18 01 0100 ${'61'.repeat(256)}`, 'ETF_ATOM'],
    ['a fragment without ids', '83 45 00', 'DIST_PROTOCOL_HEADER'],
    ['a fragment without atoms', `83 45 ${'00'.repeat(16)}`, 'DIST_PROTOCOL_HEADER'],
    ['a further fragment without ids', `83 46 ${'00'.repeat(15)}`, 'DIST_PROTOCOL_HEADER'],
  ]
  for (const [what, bytes, code] of table) t.throws(() => readHeader(hex(bytes), new ReceivingCache(), budget), { code }, what)
})

t.test('atoms without end are refused', async t => {
  const small = new AtomBudget(1)
  const cache = new ReceivingCache()
  readHeader(Buffer.concat([hex('83 44 01 08 01 10'), Buffer.from('header_budget_01')]), cache, small)
  t.throws(() => readHeader(Buffer.concat([hex('83 44 01 08 01 10'), Buffer.from('header_budget_02')]), cache, small), {
    code: 'ETF_ATOMS',
  })
})

t.test('whatever the bytes are, a header is read or refused with a code', async t => {
  const bytes = fc.uint8Array({ maxLength: 40 })
  const property = fc.property(fc.constantFrom('8344', '8345', '8346', ''), bytes, (start, rest) => {
    try {
      readHeader(Buffer.concat([hex(start), rest]), new ReceivingCache(), budget)
    } catch (error) {
      return /^(DIST_PROTOCOL_|ETF_)/.test((error as { code: string }).code)
    }
    return true
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 2000 }))
})
