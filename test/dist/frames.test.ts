import fc from 'fast-check'
import t from 'tap'
import { frame, FrameReader, maxHandshakeFrame, type PrefixSize, tickFrame } from '../../src/dist/frames.js'

function readAll(reader: FrameReader, chunks: readonly Buffer[]): Buffer[] {
  const frames: Buffer[] = []
  for (const chunk of chunks) {
    reader.push(chunk)
    for (let bytes = reader.next(); bytes !== null; bytes = reader.next()) frames.push(bytes)
  }
  return frames
}

t.test('a length stands before a frame, in two bytes or in four', async t => {
  t.equal(frame(Buffer.from('abc'), 2).toString('hex'), '0003616263')
  t.equal(frame(Buffer.from('abc'), 4).toString('hex'), '00000003616263')
  t.strictSame(frame(Buffer.alloc(0), 4), tickFrame)
})

t.test('frames come out as they went in, however the stream is cut', async t => {
  const bytes = fc.uint8Array({ maxLength: 300 }).map(array => Buffer.from(array))
  const property = fc.property(fc.array(bytes), fc.constantFrom<PrefixSize>(2, 4), fc.array(fc.nat()), (frames, prefix, places) => {
    const stream = Buffer.concat(frames.map(bytes => frame(bytes, prefix)))
    const ends = [...places.map(place => place % (stream.length + 1)), stream.length].sort((a, b) => a - b)
    const chunks = ends.map((end, i) => stream.subarray(ends[i - 1] ?? 0, end))
    const again = readAll(new FrameReader(prefix, 1000), chunks)
    t.strictSame(again, frames)
  })
  fc.assert(property, { numRuns: 200 })
})

t.test('a frame that lies in one chunk is not copied', async t => {
  const chunk = Buffer.concat([frame(Buffer.from('one'), 4), frame(Buffer.from('two'), 4)])
  const frames = readAll(new FrameReader(4, 100), [chunk])
  t.strictSame(frames.map(String), ['one', 'two'])
  t.ok(frames.every(bytes => bytes.buffer === chunk.buffer))
})

t.test('the last handshake frame and the first of the channel may come together', async t => {
  const reader = new FrameReader(2, maxHandshakeFrame)
  reader.push(Buffer.concat([frame(Buffer.from('ack'), 2), tickFrame, frame(Buffer.alloc(70_000, 1), 4).subarray(0, 50_000)]))
  t.equal(String(reader.next()), 'ack')
  reader.become(4, 100_000)
  t.equal(reader.next()?.length, 0, 'a tick')
  t.equal(reader.next(), null)
  reader.push(Buffer.alloc(20_004, 1))
  t.equal(reader.next()?.length, 70_000)
  t.equal(reader.next(), null)
})

t.test('chunks may be pushed before the frames of others are taken', async t => {
  const reader = new FrameReader(4, 100)
  for (const text of ['a', 'b', 'c']) reader.push(frame(Buffer.from(text), 4))
  t.strictSame([reader.next(), reader.next(), reader.next(), reader.next()].map(String), ['a', 'b', 'c', 'null'])
})

t.test('a length over the limit is refused before any of its bytes come', async t => {
  const reader = new FrameReader(4, 100)
  reader.push(Buffer.from([0, 0, 0, 101]))
  t.throws(() => reader.next(), { code: 'DIST_FRAME_SIZE', message: /101 bytes .* 100/ })
  const http = new FrameReader(2, maxHandshakeFrame)
  http.push(Buffer.from('GET / HTTP/1.1\r\n'))
  t.throws(() => http.next(), { code: 'DIST_FRAME_SIZE' }, 'as when something else speaks on the port')
})

t.test('a frame that comes byte by byte costs no more than its bytes', async t => {
  const size = 1_000_000
  const reader = new FrameReader(4, size)
  const stream = frame(Buffer.alloc(size, 7), 4)
  const started = process.memoryUsage().arrayBuffers
  for (let i = 0; i < stream.length - 1; i++) {
    reader.push(stream.subarray(i, i + 1))
    if (reader.next() !== null) t.fail('not yet')
  }
  t.ok(process.memoryUsage().arrayBuffers - started < 4 * size)
  reader.push(stream.subarray(-1))
  t.strictSame(reader.next(), stream.subarray(4))
})

t.test('a frame in several chunks can be had in their pieces, uncopied where they are large', async t => {
  const reader = new FrameReader(4, 200_000)
  const stream = frame(Buffer.from(Array.from({ length: 100_000 }, (_, i) => i & 0xff)), 4)
  const chunks = [0, 3, 7, 40_000, 40_010, 40_020, 90_000, stream.length].map((end, i, ends) => stream.subarray(ends[i - 1] ?? 0, end))
  let pieces: readonly Buffer[] | null = null
  for (const chunk of chunks) {
    t.equal(pieces, null)
    reader.push(chunk)
    pieces = reader.nextPieces() as readonly Buffer[] | null
  }
  t.ok(Buffer.concat(pieces ?? []).equals(stream.subarray(4)))
  t.strictSame(pieces?.map(piece => piece.buffer === stream.buffer), [false, true, false, true, false]) // prettier-ignore
})
