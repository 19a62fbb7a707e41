import fc from 'fast-check'
import t from 'tap'
import { hashOf, hasEqualBinaries } from '../../src/etf/binary-keys.js'

const binaries = (texts: readonly string[]): Buffer[] => texts.map(text => Buffer.from(text))

t.test('few and many', async t => {
  const texts = fc.array(fc.string({ maxLength: 2 }), { maxLength: 40 })
  fc.assert(fc.property(texts, keys => hasEqualBinaries(binaries(keys)) === new Set(keys).size < keys.length))
  for (const size of [0, 1, 8, 9, 1000, 100_000]) {
    const keys = binaries(Array.from({ length: size }, (_, i) => `key ${i}`))
    t.equal(hasEqualBinaries(keys), false, `${size} keys`)
    if (size > 0) t.equal(hasEqualBinaries([...keys, Buffer.from('key 0')]), true, `${size} keys, and one again`)
  }
})

t.test('keys that were chosen to collide cost no more than their bytes', async t => {
  let texts = ['']
  for (let i = 0; i < 15; i++) texts = texts.flatMap(text => [`${text}Aa`, `${text}BB`])
  const keys = binaries(texts)
  t.equal(new Set(keys.map(key => hashOf(key, 0, key.length))).size, 1, `${keys.length} keys of one hash`)
  const before = performance.now()
  t.equal(hasEqualBinaries(keys), false)
  t.equal(hasEqualBinaries([...keys, Buffer.from(texts[77]!)]), true)
  t.ok(performance.now() - before < 2000)
})
