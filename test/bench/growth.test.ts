import t from 'tap'
import { exponentOf, growth } from '../../bench/growth.js'
import { measure } from '../../bench/harness.js'

const few = { rounds: 7, ms: 100, most: 100_000 }

t.test('the exponent of a cost that is a power of the count', async t => {
  const of = (power: number) => exponentOf([10, 40, 160, 640].map(count => [count, 7 * count ** power] as const))
  for (const power of [0, 0.5, 1, 1.05, 2]) t.ok(Math.abs(of(power) - power) < 1e-9, String(power))
})

t.test('what one of each count costs stands below the exponent, beside the peer', async t => {
  const counts: number[] = []
  const row = growth({
    name: 'things',
    unit: 'bytes',
    ours: async n => {
      counts.push(n)
      return 5
    },
    peer: { name: 'peer', cost: async n => n },
  })
  const results = await measure(row, few)
  t.strictSame(counts, [1000, 4000, 16_000, 64_000, 100_000], 'once each')
  t.strictSame(
    results.map(({ name, unit, ours }) => [name, unit, Number(ours.toFixed(6))]),
    [
      ['things', 'exponent', 1],
      ['  each of 1,000', 'bytes', 5],
      ['  each of 4,000', 'bytes', 5],
      ['  each of 16,000', 'bytes', 5],
      ['  each of 64,000', 'bytes', 5],
      ['  each of 100,000', 'bytes', 5],
    ],
  )
  t.equal(results[0]?.peers['peer']?.value.toFixed(6), '2.000000')
  t.equal(results[1]?.peers['peer']?.value, 1000)
  const times = await measure(growth({ name: 'things', unit: 'ns', ours: async () => 5, peer: { name: 'peer', cost: async () => 5 } }), few)
  t.strictSame(
    times.map(({ name }) => name),
    ['things', ...['1,563', '6,250', '25,000', '100,000'].map(count => `  each of ${count}`)],
  )
})

t.test('a figure may have counts of its own, and smaller ones in a smaller run, but not less than means something', async t => {
  const counted = async (most: number, unit: 'ns' | 'bytes') => {
    const counts: number[] = []
    const ours = async (n: number): Promise<number> => counts.push(n)
    const row = growth({ name: 'things', unit, counts: [10, 50, 4000], ours, peer: { name: 'peer', cost: async () => 1 } })
    await measure(row, { rounds: 1, ms: 0, most })
    return counts
  }
  t.strictSame(await counted(Infinity, 'ns'), [10, 50, 4000])
  t.strictSame(await counted(2800, 'ns'), [7, 35, 2800])
  t.strictSame(await counted(100, 'ns'), [5, 25, 2000])
  t.strictSame(await counted(100, 'bytes'), [10, 50, 4000])
})

t.test('what weighs less than nothing can be seen has an exponent all the same', async t => {
  const row = growth({ name: 'things', unit: 'bytes', ours: async () => -5, peer: { name: 'peer', cost: async () => 1 } })
  t.ok((await measure(row, { rounds: 1, ms: 0, most: 1 })).every(({ ours }) => ours > 0 && Number.isFinite(ours)))
})
