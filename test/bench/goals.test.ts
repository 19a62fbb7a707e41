import { readFileSync } from 'node:fs'
import t from 'tap'
import { figures } from '../../bench/figures.js'
import { type Goal, goals, linesFor } from '../../bench/goals.js'
import type { Result } from '../../bench/harness.js'
import { page } from '../../bench/page.js'

const names = figures.map(({ name }) => name)

t.test('each figure has a name of its own, and docs/bench.md says what it compares', async t => {
  t.equal(new Set(names).size, names.length)
  const docs = readFileSync(new URL('../../docs/bench.md', import.meta.url), 'utf8')
  const explained = [...docs.matchAll(/^- \*\*([a-z, -]+)\*\*:/gm)].flatMap(([, names = '']) => names.split(', '))
  t.strictSame(explained.toSorted(), names.toSorted())
})

t.test('each goal is one of a figure', async t => {
  for (const { figure } of goals) t.ok(names.includes(figure), figure)
})

const result = (name: string, unit: string, ours: number, ratio: number, of?: string): Result => ({
  name,
  unit,
  ours,
  ...(of === undefined ? {} : { of }),
  peers: { 'BEAM 27': { value: 1, ratio, spread: [ratio, ratio] }, other: { value: 1, ratio: 9, spread: [9, 9] } },
})
const results = [
  result('ask', 'µs, p50', 40, 0.9),
  result('', 'µs, p99', 80, 1.2, 'ask'),
  result('many', 'exponent', 1.2, 3),
  result('  each of 10', 'ns', 7, 3, 'many'),
]
const found = (goal: Omit<Goal, 'figure'>) =>
  linesFor({ figure: 'x', ...goal }, results).map(({ result, peer, reached }) => [result.unit, peer, reached])

t.test('a goal is for rows, for what the same runs gave, or for units, beside whom it says', async t => {
  t.strictSame(found({ row: /^ask/, goal: 1 }), [['µs, p50', 'BEAM 27', false], ['µs, p99', 'BEAM 27', true]]) // prettier-ignore
  t.strictSame(found({ row: /^ask/, unit: /p99/, peer: /^other$/, goal: 9.5 }), [['µs, p99', 'other', false]])
  t.strictSame(found({ unit: /ns/, goal: null }), [['ns', 'BEAM 27', undefined]])
  t.strictSame(found({ row: /^ask/, unit: /p50/, peer: null, goal: null }), [['µs, p50', null, undefined]])
  t.strictSame(found({ row: /none/, goal: 1 }), [])
})

t.test('an exponent is to be at most its goal, whatever the peer’s is', async t => {
  t.strictSame(found({ unit: /exponent/, goal: 1.05 }), [['exponent', 'BEAM 27', false]])
  t.strictSame(found({ unit: /exponent/, goal: 1.2 }), [['exponent', 'BEAM 27', true]])
})

t.test('the page says which Node.js each figure is from, and what is not reached', async t => {
  const machine = { beam: 'BEAM 27', cores: 2, cpu: 'a cpu', load: 0.5 }
  const run = (node: string, ratio: number) => ({
    date: '2026-11-30T00:00:00.000Z',
    machine: { ...machine, node },
    results: { 'ping-pong': [result('ping-pong', 'messages/s', 1e6, ratio)] },
  })
  const text = page([run('v20.1.0', 0.5), run('v26.1.0', 1.5)], [{ name: 'ping-pong', about: 'in turn' }, { name: 'spawn', about: 'none' }]) // prettier-ignore
  t.match(text, '- Node.js v20.1.0, BEAM 27, 2 cores (a cpu), at a load of 0.5 when it ended, 2026-11-30\n- Node.js v26.1.0')
  t.match(text, '| figure |  | beside | goal | Node.js v20.1.0 | Node.js v26.1.0 |')
  t.match(text, '| ping-pong | ping-pong (messages/s) | BEAM 27 | ≥ 1 | **0.50×** | 1.50× |')
  t.match(text, /## ping-pong\n\nin turn\n\nNode\.js v20\.1\.0:\n\n(\|.*\n)+\nNode\.js v26\.1\.0:\n\n\|/)
  t.match(text, /## spawn\n\nnone\n\nNode\.js v20\.1\.0:\n\nIt failed\./)
})
