import t from 'tap'
import { atom, float, get, Pid, type Term, tuple } from '../../src/term/index.js'

const pid = new Pid(atom('a@x'), 1, 2, 3)
const map = new Map<Term, string>([
  [atom('a'), 'atom'],
  [true, 'true'],
  [null, 'nil'],
  [1, 'integer'],
  [2n ** 64n, 'bignum'],
  [float(1), 'integral float'],
  [0.5, 'float'],
  [0, 'zero'],
  [Buffer.from('é'), 'binary'],
  [tuple(1, Buffer.from('x')), 'tuple'],
  [[1, [2]], 'list'],
  [pid, 'pid'],
  [new Map([[atom('k'), 1]]), 'map'],
])

t.test('finds keys by their content', async t => {
  t.equal(get(map, atom('a')), 'atom')
  t.equal(get(map, true), 'true')
  t.equal(get(map, null), 'nil')
  t.equal(get(map, 1), 'integer')
  t.equal(get(map, 1n), 'integer')
  t.equal(get(map, 2n ** 64n), 'bignum')
  t.equal(get(map, float(1)), 'integral float')
  t.equal(get(map, 0.5), 'float')
  t.equal(get(map, float(0.5)), 'float')
  t.equal(get(map, 'é'), 'binary')
  t.equal(get(map, Buffer.from('é')), 'binary')
  t.equal(get(map, tuple(1, 'x')), 'tuple')
  t.equal(get(map, [1n, [2]]), 'list')
  t.equal(get(map, new Pid(atom('a@x'), 1, 2, 3)), 'pid')
  t.equal(get(map, { k: 1 }), 'map')
})

t.test('undefined for what is not there', async t => {
  for (const key of [atom('b'), false, 2, 1.5, float(0), 'a', 'e', tuple(1), [], new Pid(atom('a@x'), 1, 2, 4), {}])
    t.equal(get(map, key), undefined)
  t.equal(get(map, -0), undefined, '-0 is a float, the key 0 an integer')
  t.equal(get(new Map(), atom('a')), undefined)
})
