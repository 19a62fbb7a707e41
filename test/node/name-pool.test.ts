import t from 'tap'
import { NamePool } from '../../src/node/name-pool.js'

const nobody = (): boolean => false

t.test('names are random, and of the host that asks', async t => {
  const pool = new NamePool()
  const names = new Set<string>()
  for (let n = 0; n < 1000; n++) {
    const given = pool.give('host', nobody)
    t.match(given?.named, /^[0-9A-Z]{1,13}@host$/)
    t.ok(given && given.creation >= 4 && given.creation < 2 ** 32)
    names.add(given?.named ?? '')
  }
  t.equal(names.size, 1000)
  t.equal(pool.give('h'.repeat(255), nobody), null, 'a host that leaves no room for a name')
})

t.test('a name comes back with the next creation, to a node of that host', async t => {
  const pool = new NamePool()
  pool.free({ named: 'A@host', creation: 7 })
  pool.free({ named: 'B@host', creation: 2 ** 32 - 1 })
  t.not(pool.give('other', nobody)?.named, 'B@host')
  t.same(pool.give('host', nobody), { named: 'B@host', creation: 4 }, 'creations go round')
  t.same(pool.give('host', nobody), { named: 'A@host', creation: 8 })
  t.notMatch(pool.give('host', nobody), { named: /^[AB]@/ })
})

t.test('a name that is taken is not given', async t => {
  const pool = new NamePool()
  pool.free({ named: 'A@host', creation: 7 })
  t.notMatch(
    pool.give('host', name => name === 'A@host'),
    { named: 'A@host' },
  )
})
