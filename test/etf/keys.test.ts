import t from 'tap'
import { Keys } from '../../src/etf/keys.js'
import { atom, float, tuple } from '../../src/term/index.js'

t.test('few binaries', async t => {
  const keys = new Keys()
  const binaries = (...texts: string[]): Buffer[] => texts.map(text => Buffer.from(text))
  t.equal(keys.duplicates(binaries('a', 'b', '', 'ab')), false)
  t.equal(keys.duplicates(binaries('a', 'b', 'a')), true)
  t.equal(keys.duplicates(binaries('', '')), true)
  t.equal(keys.duplicates(binaries()), false)
})

t.test('many keys', async t => {
  const keys = new Keys()
  const many = Array.from({ length: 1000 }, (_, i) => Buffer.from(`${i}`))
  t.equal(keys.duplicates(many), false)
  t.equal(keys.duplicates([...many, Buffer.from('500')]), true)
  t.equal(keys.duplicates([...many, 500, atom('500'), float(500), '1000']), false)
})

t.test('containers are named by their parts, which are noted before them', async t => {
  const keys = new Keys()
  const inner = [tuple(1, Buffer.from('a')), tuple(1n, 'a'), tuple(float(1), 'a')]
  for (const each of inner) keys.note(each, 'tuple', each.elements)
  t.equal(keys.duplicates([inner[0], inner[2]]), false)
  t.equal(keys.duplicates([inner[0], inner[1]]), true)

  const maps = [new Map([[inner[0], 1]]), new Map([[inner[1], 1]])]
  for (const map of maps) keys.note(map, 'map', [...map].flat())
  t.equal(keys.duplicates(maps), true)
  t.equal(keys.duplicates([maps[0], inner[0]]), false)

  keys.clear()
  t.equal(keys.duplicates([tuple(), [], new Map(), [1, 2], [2, 1]]), false, 'what has no parts, and a list of bytes, need not be noted')
  t.equal(
    keys.duplicates([
      [1, 2],
      [1n, 2n],
    ]),
    true,
  )
})

t.test('no name can be mistaken for another', async t => {
  const keys = new Keys()
  const texts = ['a', 'a,"1:b', '1', '#0', 'a=>1', ')', '(']
  t.equal(
    keys.duplicates([...texts, ...texts.map(text => atom(text)), ...texts.map(text => [text]), ...texts.map(text => tuple(text, 1))]),
    false,
  )
  t.equal(keys.duplicates([tuple('a', 'b'), tuple('a,"1:b')]), false)
})
