import t from 'tap'
import { GrowingBuffer } from '../../src/dist/growing-buffer.js'

t.test('pieces become one', async t => {
  const growing = new GrowingBuffer(100)
  for (const piece of ['a', '', 'bcd', 'e'.repeat(95)]) growing.append(Buffer.from(piece))
  t.equal(growing.length, 99)
  t.equal(growing.take().toString(), `abcd${'e'.repeat(95)}`)
})

t.test('what was taken does not change when more comes', async t => {
  const growing = new GrowingBuffer(1000)
  growing.append(Buffer.from('first'))
  const taken = growing.take()
  for (let i = 0; i < 100; i++) growing.append(Buffer.from('more'))
  t.equal(taken.toString(), 'first')
})

t.test('it holds at most twice what has come, and never more than the limit', async t => {
  const growing = new GrowingBuffer(1000)
  for (let i = 1; i <= 1000; i++) {
    growing.append(Buffer.from([i & 0xff]))
    if (growing.take().buffer.byteLength > Math.min(1000, 2 * i)) t.fail(`${growing.take().buffer.byteLength} bytes for ${i}`)
  }
  t.equal(growing.take().buffer.byteLength, 1000)
})
