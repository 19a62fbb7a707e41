/** How a cost grows with the count: what one costs at several counts, and the exponent of the line through them. 1 is linear, 2 quadratic. */
import type { Measured, Row } from './harness.js'

/** What one of n costs, in the row's unit */
export type Cost = (n: number) => Promise<number>

export interface Growing {
  readonly name: string
  readonly unit: 'bytes' | 'ns'
  /** Ascending. Default: from 10,000 to 640,000, of bytes to a million */
  readonly counts?: readonly number[] | undefined
  readonly ours: Cost
  readonly peer: { readonly name: string; readonly cost: Cost }
}

const usual = {
  bytes: [10_000, 40_000, 160_000, 640_000, 1_000_000],
  ns: [10_000, 40_000, 160_000, 640_000],
} as const
/** The least of the largest counts: with fewer, what is at rest weighs more than what is counted. */
const least = { bytes: 10_000, ns: 2_000 }

/** Of cost ~ count^exponent, by least squares over the logarithms. */
export function exponentOf(points: readonly (readonly [count: number, cost: number])[]): number {
  const logs = points.map(([count, cost]) => [Math.log(count), Math.log(cost)] as const)
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const [x0, y0] = [mean(logs.map(([x]) => x)), mean(logs.map(([, y]) => y))]
  return mean(logs.map(([x, y]) => (x - x0) * (y - y0))) / mean(logs.map(([x]) => (x - x0) ** 2))
}

/** The exponent, and below it what one of each count costs. */
export function growth({ name, unit, counts = usual[unit], ours, peer }: Growing): Row {
  const largest = counts.at(-1) as number
  const countsOf = (n: number): number[] => {
    const most = Math.min(Math.max(n, least[unit]), largest)
    return counts.map(count => Math.ceil((most * count) / largest))
  }
  const contender = (name: string, cost: Cost) => ({ name, run: (n: number) => measured(countsOf(n), cost) })
  return {
    name,
    unit: 'exponent',
    better: 'less',
    also: n => countsOf(n).map(count => ({ name: `  each of ${count.toLocaleString('en')}`, unit, better: 'less' })),
    size: largest,
    rounds: 1,
    ours: contender('Beamlet', ours),
    peers: [contender(peer.name, peer.cost)],
  }
}

async function measured(counts: readonly number[], cost: Cost): Promise<Measured> {
  const each: number[] = []
  // Few may weigh less than what comes and goes meanwhile, and nothing has no logarithm.
  for (const count of counts) each.push(Math.max(await cost(count), 1e-3))
  return { ms: Infinity, value: exponentOf(counts.map((count, index) => [count, count * (each[index] as number)])), also: each }
}
