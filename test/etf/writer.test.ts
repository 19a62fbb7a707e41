import t from 'tap'
import { Decoder, Writer } from '../../src/etf/index.js'
import { type Atom, atom, BitString, ExportFun, Fun, Pid, type Sendable, tuple } from '../../src/term/index.js'

const ok = atom('ok')

t.test('terms among other bytes', async t => {
  const writer = new Writer()
  writer.u32(0)
  writer.u8(1)
  writer.u16(0x0203)
  writer.u64(0x0405060708090a0bn)
  writer.raw(Buffer.of(12, 13))
  writer.term(tuple(ok, 'text'))
  writer.patchU32(0, writer.length - 4)
  t.equal(writer.length, 32)
  t.equal(writer.take().toString('hex'), '0000001c 01 0203 0405060708090a0b 0c0d 680277026f6b6d0000000474657874'.replaceAll(' ', ''))
  t.equal(writer.length, 0)
})

t.test('a term that fails leaves nothing', async t => {
  const writer = new Writer()
  writer.u8(7)
  writer.term(1)
  for (const wrong of [[1000, [undefined]], new Map([['a', NaN]]), 'x'.repeat(100_000) + '\ud800']) {
    t.throws(() => writer.term(wrong as Sendable))
    t.equal(writer.length, 3)
  }
  writer.term(2)
  t.equal(writer.take().toString('hex'), '0761016102')
})

t.test('truncate takes back', async t => {
  const writer = new Writer()
  writer.term([1000])
  writer.take()
  writer.term(1)
  const { length } = writer
  writer.term('control message that was written in vain')
  writer.truncate(length)
  writer.term(2)
  t.equal(writer.take().toString('hex'), '61016102')
})

t.test('what was taken is never written again', async t => {
  const writer = new Writer({ slab: 64 })
  const taken: Buffer[] = []
  for (let i = 0; i < 1000; i++) {
    writer.term('x'.repeat(i % 100))
    writer.term(i)
    if (i % 3 === 0) taken.push(writer.take())
  }
  taken.push(writer.take())
  const decoder = new Decoder()
  const all = Buffer.concat(taken)
  let offset = 0
  for (let i = 0; i < 1000; i++) {
    t.strictSame(decoder.read(all, offset), Buffer.from('x'.repeat(i % 100)))
    t.equal(decoder.read(all, decoder.end), i)
    offset = decoder.end
  }
  t.equal(offset, all.length)
})

t.test('a large term does not make the next ones keep its memory', async t => {
  const writer = new Writer()
  writer.term(Buffer.alloc(10 ** 7))
  t.ok(writer.take().length > 10 ** 7)
  writer.term(1)
  t.equal(writer.take().buffer.byteLength, 64 * 1024)
})

t.test('atoms that the header holds', async t => {
  const asked: string[] = []
  const atomRef = (atom: Atom): number => {
    asked.push(atom.name)
    return ['n', 'true', 'm'].indexOf(atom.name)
  }
  const writer = new Writer({ atomRef })
  writer.term(tuple(true, ok, new Pid(atom('n'), 1, 2, 3), new ExportFun(atom('m'), atom('f'), 1), { n: null }))
  const bytes = writer.take()
  t.equal(
    bytes.toString('hex'),
    '6805 5201 77026f6b 585200000000010000000200000003 715202770166 6101 7400000001 5200 77036e696c'.replaceAll(' ', ''),
  )
  t.strictSame([...new Set(asked)], ['true', 'ok', 'n', 'm', 'f', 'nil'])
  const cache = [atom('n'), true, atom('m')]
  t.strictSame(
    new Decoder().read(bytes, 0, cache),
    tuple(true, ok, new Pid(atom('n'), 1, 2, 3), new ExportFun(atom('m'), atom('f'), 1), new Map([[atom('n'), null]])),
  )
})

t.test('the size of a fun counts the bytes that were written, references to atoms too', async t => {
  const parts = { arity: 1, uniq: Buffer.alloc(16), index: 0, module: atom('m'), oldIndex: 0, oldUniq: 0, pid: new Pid(atom('n'), 1, 2, 3) }
  const writer = new Writer({ atomRef: () => 0 })
  writer.u8(0)
  writer.term(new Fun({ ...parts, free: [new Fun({ ...parts, free: [ok] })] }))
  const bytes = writer.take()
  t.equal(bytes[1], 112)
  t.equal(bytes.readUInt32BE(2), bytes.length - 2)
  const inner = bytes.lastIndexOf(112)
  t.equal(bytes.readUInt32BE(inner + 1), bytes.length - inner - 1)
})

t.test('limits hold for one term, not for what is written in a turn', async t => {
  const writer = new Writer({ limits: { size: 200_000 } })
  for (let i = 0; i < 5; i++) writer.term('x'.repeat(150_000))
  t.throws(() => writer.term('x'.repeat(200_000)), { code: 'ETF_SIZE' })
  writer.raw(Buffer.alloc(300_000))
  t.equal(writer.length, 5 * 150_005 + 300_000)
  const gathering = new Writer({ limits: { size: 200_000 }, gathers: true })
  gathering.term(Buffer.alloc(199_995))
  t.throws(() => gathering.term(Buffer.alloc(199_996)), { code: 'ETF_SIZE' })
  t.throws(() => gathering.term([Buffer.alloc(150_000), 'x'.repeat(60_000)]), { code: 'ETF_SIZE' })
  t.equal(gathering.length, 200_000)
})

/** Writes the same into both kinds of Writer. */
function inBoth(write: (writer: Writer) => void): [flat: Buffer, parts: Buffer[]] {
  const [flat, gathering] = [new Writer({ slab: 64 }), new Writer({ slab: 64, gathers: true })]
  write(flat)
  write(gathering)
  return [flat.take(), gathering.takeParts()]
}

t.test('in parts, for a socket that gathers them, are the same bytes', async t => {
  const fun = new Fun({ arity: 1, uniq: Buffer.alloc(16), index: 0, module: atom('m'), oldIndex: 0, oldUniq: 0, pid: new Pid(atom('n'), 1, 2, 3), free: [Buffer.alloc(1000, 'x')] }) // prettier-ignore
  const terms: Sendable[] = [1, 'x'.repeat(5000), 'ü'.repeat(30), Buffer.alloc(3_000_000, 'binary'), new BitString(Buffer.alloc(200, 255), 3), fun, [fun, Array.from({ length: 300 }, (_, i) => i * 1000)]] // prettier-ignore
  const [flat, parts] = inBoth(writer => {
    writer.u32(0)
    for (const term of terms) writer.term(term)
    writer.patchU32(0, writer.length)
  })
  t.ok(Buffer.concat(parts).equals(flat))
  t.ok(parts.length > 3)
  t.ok(parts.every(({ buffer }) => buffer.byteLength <= 2 ** 20), 'no part needs more than 1 MiB') // prettier-ignore
})

t.test('who writes little to a socket holds little, who writes much gets larger slabs', async t => {
  const sizesOf = (bytes: number): number[] => {
    const writer = new Writer({ gathers: true })
    for (let i = 0; i < bytes; i++) writer.u8(i)
    const parts = writer.takeParts()
    t.ok(Buffer.concat(parts).every((byte, i) => byte === (i & 255)))
    return parts.map(({ buffer }) => buffer.byteLength / 1024)
  }
  t.strictSame(sizesOf(4096), [4])
  t.strictSame(sizesOf(100_000), [4, 8, 16, 32, 64])
  t.strictSame(sizesOf(300_000), [4, 8, 16, 32, 64, 124, 248], 'as much again as what is there')
})

t.test('what is appended to them is not copied where it is much', async t => {
  const [few, many] = [Buffer.from('few'), Buffer.alloc(5000, 'many')]
  const [flat, parts] = inBoth(writer => {
    writer.u8(1)
    writer.append(few)
    writer.append(many)
    writer.u8(2)
  })
  t.ok(Buffer.concat(parts).equals(flat))
  t.strictSame(
    parts.map(({ length }) => length),
    [4, 5000, 1],
  )
  t.equal(parts[1], many)
})

t.test('truncate takes parts back', async t => {
  for (const kept of [0, 1, 3, 60, 64, 100, 5000]) {
    const [flat, parts] = inBoth(writer => {
      for (let i = 0; i < 5000; i++) writer.u8(i)
      const { length } = writer
      t.throws(() => writer.term(['x'.repeat(10_000), undefined] as unknown as Sendable))
      t.equal(writer.length, length)
      writer.truncate(kept)
      t.equal(writer.length, kept)
      writer.u32(0xabcdef01)
    })
    t.ok(Buffer.concat(parts).equals(flat), `to ${kept}`)
  }
})
