import t from 'tap'
import { type Contender, measure, median, perSecond, type Row } from '../../bench/harness.js'
import { table } from '../../bench/table.js'

/** Does an operation in so many milliseconds, by round: the rounds are those after the runs that find the size. */
function contender(name: string, msOf: (run: number) => number, log: string[] = []): Contender {
  let runs = 0
  return {
    name,
    run(n) {
      log.push(`${name} ${n}`)
      return perSecond(n, n * msOf(runs++))
    },
  }
}

const row = (ours: Contender, ...peers: Contender[]): Row => ({ name: 'row', unit: 'things/s', better: 'more', ours, peers })

t.test('the median is the middle, or between the two', async t => {
  t.equal(median([3, 1, 2]), 2)
  t.equal(median([4, 1, 2, 3]), 2.5)
})

t.test('the ratio says how many times as good as the peer', async t => {
  const effort = { rounds: 3, ms: 100, most: 1000 }
  const fast = contender('fast', () => 1)
  const slow = contender('slow', () => 4)
  t.match(await measure(row(fast, slow), effort), [{ name: 'row', ours: 1000, peers: { slow: { value: 250, ratio: 4 } } }])
  t.match(await measure({ ...row(fast, slow), better: 'less' }, effort), [{ peers: { slow: { ratio: 0.25 } } }])
})

t.test('one run may give several values, each with its ratio', async t => {
  const of = (name: string, ...also: number[]): Contender => ({ name, run: () => ({ ms: 1, value: 1, also }) })
  const also = [
    { name: 'p99', unit: 'ms', better: 'less' },
    { name: 'rate', unit: 'MB/s', better: 'more' },
  ] as const
  const results = await measure({ ...row(of('a', 2, 10), of('b', 8, 20)), also }, { rounds: 1, ms: 0, most: 1 })
  t.match(results, [
    { name: 'row', ours: 1 },
    { name: 'p99', unit: 'ms', ours: 2, peers: { b: { value: 8, ratio: 4 } } },
    { name: 'rate', unit: 'MB/s', ours: 10, peers: { b: { value: 20, ratio: 0.5 } } },
  ])
})

t.test('a row may ask for longer runs', async t => {
  const log: string[] = []
  await measure({ ...row(contender('a', () => 1, log), contender('b', () => 1, log)), ms: 500 }, { rounds: 1, ms: 100, most: 1000 }) // prettier-ignore
  t.strictSame(log.slice(-2), ['a 500', 'b 500'])
})

t.test('contenders take turns, each with a size that takes about the wanted time', async t => {
  const log: string[] = []
  await measure(
    row(
      contender('a', () => 1, log),
      contender('b', () => 4, log),
    ),
    { rounds: 2, ms: 200, most: 1000 },
  )
  t.strictSame(log.slice(-4), ['a 200', 'b 50', 'b 50', 'a 200'])
})

t.test('a slow moment of the machine does not show in the ratio', async t => {
  const noise = [1, 1, 9, 1, 1, 1, 1]
  const of = (name: string, ms: number): Contender => contender(name, run => ms * (noise[run] ?? 1))
  t.match(await measure(row(of('a', 1), of('b', 2)), { rounds: 5, ms: 100, most: 100 }), [{ peers: { b: { ratio: 2 } } }])
})

t.test('no run is larger than allowed', async t => {
  const log: string[] = []
  await measure(
    {
      ...row(
        contender('a', () => 0.001, log),
        contender('b', () => 0.001, log),
      ),
      most: 7,
    },
    { rounds: 1, ms: 100, most: 50 },
  )
  t.ok(log.every(line => line.endsWith(' 7')))
})

t.test('the table puts each peer on a line', async t => {
  const peers = { 'a peer': { value: 2_500_000, ratio: 0.0499 }, other: { value: 12_345, ratio: 12.3 } }
  t.equal(
    table([{ name: 'row', unit: 'x/s', ours: 123_456, peers }]),
    ['     Beamlet       beside  ratio', 'row     123k  x/s  a peer  0.05×   2.5M', '                   other     12×  12.3k'].join('\n'),
  )
})
