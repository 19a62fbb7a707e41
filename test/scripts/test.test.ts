import t from 'tap'
import { count } from '../../scripts/test.js'

const run = (totals: string): string => `TAP version 14\nok 1 - test/a.test.ts\n1..1\n# { total: 1, pass: 1 }x\n${totals}\n# time=3ms\n`

t.strictSame(count(run('# { total: 159, pass: 156, fail: 1, todo: 1, skip: 1 }'), 1), { passed: 156, failed: 1 })
t.strictSame(count(run('# { total: 12, pass: 12 }'), 0), { passed: 12, failed: 0 })
t.strictSame(count(run('# { total: 12, pass: 12 }'), 1), { passed: 12, failed: 1 }, 'a file that failed as a whole')
t.strictSame(count(run('# { total: 12, pass: 12 }'), null), { passed: 12, failed: 1 }, 'tap itself was killed')
t.strictSame(count('', 0), { passed: 0, failed: 1 }, 'a run that said nothing')
