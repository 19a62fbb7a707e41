import t from 'tap'
import { count, failures, settled } from '../../scripts/test.js'

const run = `TAP version 14
# Subtest: a.test.ts
    # Subtest: outer
        # Subtest: inner
            not ok 1 - one is two
              ---
              compare: ===
              ...
            ok 2 - fine
            1..2
        not ok 1 - inner # time=99.183ms
        1..1
    not ok 1 - outer # time=112.441ms
    # Subtest: other
        ok 1 - should be equal
        1..1
    ok 2 - other # time=1.432ms
    1..2
not ok 1 - a.test.ts # time=192.942ms
# Subtest: b.test.ts
    1..0 # no tests found
not ok 2 - b.test.ts # time=6126.708ms
not ok 3 - timeout!
# { total: 5, pass: 1, fail: 4 }
`

t.test('what failed is named by the innermost test, with the ones around it', async t => {
  t.same(failures(run), ['a.test.ts > outer > inner > one is two', 'b.test.ts', 'timeout!'])
  t.same(failures('TAP version 14\n    ok 1 - fine\n'), [])
})

t.test('what a run counts', async t => {
  t.same(count(run, 1), { passed: 1, failed: 4 })
  t.same(count('# { total: 2, pass: 2 }', 1), { passed: 2, failed: 1 }, 'tap says no by its status')
  t.same(count('', 0), { passed: 0, failed: 1 }, 'and a run without an end has failed')
})

t.test('a second run of what failed decides', async t => {
  const first = { passed: 40, failed: 2, named: ['a > b', 'c > d'] }
  t.same(settled(first, { passed: 9, failed: 1, named: ['c > d'] }), { passed: 40, failed: 1, named: ['c > d'], again: [] })
  const second = settled(first, { passed: 11, failed: 0, named: [] })
  t.same(second, { passed: 40, failed: 0, named: [], again: ['a > b', 'c > d'] }, 'and what passed then is still named')
})
