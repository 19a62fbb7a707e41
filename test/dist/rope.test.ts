import t from 'tap'
import { Rope } from '../../src/dist/rope.js'

const rope = (): Rope => new Rope(['ab', '', 'cde', 'f'].map(text => Buffer.from(text)))

t.test('pieces are taken from the front, as they lie in memory', async t => {
  const one = rope()
  t.equal(one.length, 6)
  t.strictSame(one.take(1).map(String), ['a'])
  t.strictSame(one.take(3).filter(piece => piece.length > 0).map(String), ['b', 'cd']) // prettier-ignore
  t.equal(one.length, 2)
  t.strictSame(one.take(100).map(String), ['e', 'f'])
  t.strictSame([one.length, one.take(1)], [0, []])
})

t.test('nothing is copied', async t => {
  const bytes = Buffer.from('abc')
  const [first] = new Rope([bytes]).take(2)
  t.equal(first?.buffer, bytes.buffer)
})
