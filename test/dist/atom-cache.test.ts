import t from 'tap'
import { cacheSize, ReceivingCache, SendingCache } from '../../src/dist/atom-cache.js'
import { type Atom, atom } from '../../src/term/index.js'

const name = (index: number): Atom => atom(`cached_${index}`) as Atom

t.test('a sent atom keeps its slot, and is new there once', async t => {
  const cache = new SendingCache()
  const slot = cache.slotOf(name(0))
  t.equal(cache.put(slot, name(0)), false)
  t.equal(cache.slotOf(name(0)), slot)
  t.equal(cache.put(slot, name(0)), true)
})

t.test('the 2049th atom takes the first one’s slot, and they push each other out', async t => {
  const cache = new SendingCache()
  const slots = Array.from({ length: cacheSize + 1 }, (_, i) => cache.slotOf(name(i)))
  t.equal(new Set(slots).size, cacheSize)
  t.ok(slots.every(slot => slot >= 0 && slot < 2048))
  const [first, last] = [name(0), name(cacheSize)]
  t.equal(slots[0], slots[cacheSize])
  const slot = slots[0] as number
  t.strictSame(
    [first, first, last, first].map(atom => cache.put(slot, atom)),
    [false, true, false, false],
  )
})

t.test('a received slot is empty until it is set', async t => {
  const cache = new ReceivingCache()
  t.equal(cache.get(2047), undefined)
  cache.set(2047, null)
  t.equal(cache.get(2047), null, 'the atom nil is an atom')
})
