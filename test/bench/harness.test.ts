import t from 'tap'
import { compared, regressions, type Results, sentence } from '../../bench/check.js'
import { type Contender, latency, measure, median, perSecond, percentile, quartiles, type Result, type Row } from '../../bench/harness.js'
import { markdown, table } from '../../bench/table.js'

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
    { name: 'p99', of: 'row', unit: 'ms', ours: 2, peers: { b: { value: 8, ratio: 4 } } },
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

t.test('half of the rounds lie between the quartiles', async t => {
  t.strictSame(quartiles([7, 1, 2, 6, 3, 5, 4]), [2, 6])
  t.strictSame(quartiles([3]), [3, 3])
})

t.test('a percentile is the value below which so much lies', async t => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i)
  t.equal(percentile(values, 0.99), 100)
  t.equal(percentile(values, 0.5), 51)
  t.equal(percentile([7], 0.99), 7)
  t.strictSame(latency([3000, 1000, 8000]), { ms: 0.012, value: 3, also: [8] })
})

const peers: Result['peers'] = {
  'a peer': { value: 2_500_000, ratio: 0.0499, spread: [0.04, 0.06] },
  other: { value: 12_345, ratio: 12.3, spread: [12.3, 12.3] },
}
const results: Result[] = [{ name: 'row', unit: 'x/s', ours: 123_456, peers }]

t.test('the table puts each peer on a line', async t => {
  t.equal(
    table(results),
    [
      '     Beamlet       beside  ratio',
      'row     123k  x/s  a peer  0.05×  0.04–0.06   2.5M',
      '                   other     12×             12.3k',
    ].join('\n'),
  )
})

t.test('… and what has no peer on one', async t => {
  const [row] = results
  t.equal(table([{ ...row!, peers: {} }]), ['     Beamlet       beside  ratio', 'row     123k  x/s  –'].join('\n'))
})

t.test('… and so does the page', async t => {
  t.equal(
    markdown(results),
    [
      '|  | Beamlet |  | beside | ratio | half of the rounds |  |',
      '| --- | --- | --- | --- | --- | --- | --- |',
      '| row | 123k | x/s | a peer | 0.05× | 0.04–0.06 | 2.5M |',
      '|  |  |  | other | 12× |  | 12.3k |',
    ].join('\n'),
  )
})

t.test('a ratio is worse when it fell by more than the noise of both', async t => {
  const of = (ratio: number, low: number, high: number): Results => ({
    codec: [{ name: 'encode', unit: 'terms/s', ours: 1, peers: { BEAM: { value: 1, ratio, spread: [low, high] } } }],
  })
  const before = of(1, 0.9, 1.1)
  t.strictSame(regressions(before, of(0.8, 0.7, 0.75)), [], 'a fifth below the lower quartile is 0.72')
  t.strictSame(regressions(before, of(3, 2, 4)), [], 'better is not worse')
  const [worse, ...more] = regressions(before, of(0.6, 0.5, 0.7))
  t.strictSame(more, [])
  t.equal(worse && sentence(worse), 'codec: encode was 1.00× of BEAM, and is 0.60×.')
  t.strictSame(regressions({}, of(0.1, 0.1, 0.1)), [], 'a new figure has nothing to be compared with')
  t.strictSame([compared(before, before), compared({}, before)], [1, 0])
})

t.test('what the same runs gave is compared with what those of the same row gave', async t => {
  const of = (...ratios: readonly number[]): Results => ({
    trip: ratios.map((ratio, index) => ({
      ...{ name: '', of: `row ${index}`, unit: 'ms, p99', ours: 1 },
      peers: { BEAM: { value: 1, ratio, spread: [ratio, ratio] } },
    })),
  })
  t.strictSame(regressions(of(1, 3), of(1, 3)), [])
  t.strictSame(regressions(of(1, 3), of(1, 1)).map(sentence), ['trip: row 1, ms, p99 was 3.00× of BEAM, and is 1.00×.'])
})
