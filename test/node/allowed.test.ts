import t from 'tap'
import { Allowed } from '../../src/node/allowed.js'

t.test('who may connect', async t => {
  const allowed = new Allowed()
  t.equal(allowed.in('any@where'), true, 'as long as nobody is named, everybody may')
  t.equal(allowed.out('any@where'), true)

  allowed.add(['a@host', 'other', 'b@'])
  for (const peer of ['a@host', 'x@other', 'other', 'b@anywhere']) t.equal(allowed.in(peer), true, peer)
  for (const peer of ['x@host', 'host', 'a@hosts', 'other@x', 'bb@host', 'x@another']) t.equal(allowed.in(peer), false, peer)

  t.equal(allowed.out('a@host'), true)
  for (const node of ['x@other', 'b@anywhere']) t.equal(allowed.out(node), false, 'a node is dialled by its whole name')

  allowed.add(['c@host', 'a@host'])
  t.same(allowed.entries, ['a@host', 'other', 'b@', 'c@host'], 'names are only ever added')
})

t.test('what names nobody', async t => {
  const allowed = new Allowed(['a@host'])
  for (const entry of ['', '@host', '@', 'a@b@c']) t.throws(() => allowed.add(['x@y', entry]), { code: 'NAME_FORMAT' })
  t.same(allowed.entries, ['a@host'])
})
