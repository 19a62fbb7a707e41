/**
 * How a figure is taken: ours and its peers do the same work in turn, several rounds of it, and what counts is how they compare within a
 * round. A noisy machine is noisy for all of them; nanoseconds are context.
 */

/** What one run of `n` operations gave. */
export interface Measured {
  /** How long it took */
  readonly ms: number
  /** The figure itself, in the row's unit */
  readonly value: number
  /** What else the same run gave: as many as the row's `also` */
  readonly also?: readonly number[] | undefined
}

export interface Contender {
  readonly name: string
  run(n: number): Measured | Promise<Measured>
}

/** What a value means. */
interface Meaning {
  readonly name: string
  readonly unit: string
  /** Which value is the better one */
  readonly better: 'more' | 'less'
}

/** One line of a figure, and those that the same runs give. */
export interface Row extends Meaning {
  readonly also?: readonly Meaning[] | ((operations: number) => readonly Meaning[]) | undefined
  /** How long one run is to take, about. Default: as long as the effort says */
  readonly ms?: number | undefined
  /** The most operations that fit into a run. Default: any number */
  readonly most?: number | undefined
  /** Operations of every run, whatever time they take */
  readonly size?: number | undefined
  /** At most. Default: as many as the effort says */
  readonly rounds?: number | undefined
  readonly ours: Contender
  /** None: there is nobody who does the like, and so no ratio. */
  readonly peers: readonly Contender[]
}

export interface Effort {
  readonly rounds: number
  /** How long one run is to take, about */
  readonly ms: number
  /** The most operations in a run */
  readonly most: number
}

export const full: Effort = { rounds: 7, ms: 100, most: Infinity }

/** Just enough to see that everything runs. */
export const tiny: Effort = { rounds: 1, ms: 0, most: 120 }

export interface Result {
  readonly name: string
  /** The row whose runs gave this line, when it is another */
  readonly of?: string | undefined
  readonly unit: string
  /** The median of the rounds, in its unit */
  readonly ours: number
  readonly peers: Readonly<Record<string, Beside>>
}

export interface Beside {
  readonly value: number
  /** The median of the rounds */
  readonly ratio: number
  /** Half of the rounds lie between these two. */
  readonly spread: readonly [low: number, high: number]
}

export async function measure(
  { ms, most = Infinity, size, rounds: few = Infinity, ours, peers, ...row }: Row,
  effort: Effort,
): Promise<Result[]> {
  const contenders = [ours, ...peers]
  const sizes: number[] = []
  const time = effort.ms === 0 ? 0 : (ms ?? effort.ms)
  for (const contender of contenders) {
    if (size === undefined) sizes.push(await sizeOf(contender, time, Math.min(most, effort.most)))
    else sizes.push(Math.min(size, effort.most))
  }

  const rounds: Measured[][] = []
  for (let round = 0; round < Math.min(few, effort.rounds); round++) {
    const turns: Measured[] = []
    for (let turn = 0; turn < contenders.length; turn++) {
      // Nobody always comes first.
      const who = (turn + round) % contenders.length
      turns[who] = await contenders[who]!.run(sizes[who]!)
    }
    rounds.push(turns)
  }

  const { also = [] } = row
  const meanings: readonly Meaning[] = [row, ...(typeof also === 'function' ? also(sizes[0] as number) : also)]
  return meanings.map(({ name, unit, better }, which) => {
    const values = rounds.map(turns => turns.map(({ value, also = [] }) => [value, ...also][which]!))
    const beside = (index: number): Beside => {
      const ratios = values.map(round => (better === 'more' ? round[0]! / round[index]! : round[index]! / round[0]!))
      return { value: median(values.map(round => round[index]!)), ratio: median(ratios), spread: quartiles(ratios) }
    }
    const ours = median(values.map(round => round[0]!))
    const of = which === 0 ? {} : { of: row.name }
    return { name, ...of, unit, ours, peers: Object.fromEntries(peers.map((peer, index) => [peer.name, beside(index + 1)])) }
  })
}

/** How many operations take about `ms`. Finding out also warms up whoever needs that, and connects whoever is not connected. */
async function sizeOf(contender: Contender, ms: number, most: number): Promise<number> {
  for (let n = Math.min(most, 100); ;) {
    // The better of two: a hiccup must not make all later runs small.
    const took = Math.max(Math.min((await contender.run(n)).ms, (await contender.run(n)).ms), 0.001)
    const fitting = Math.max(1, Math.round((n * ms) / took))
    if (took >= ms / 2 || n >= most) return Math.min(most, fitting, n * 2)
    n = Math.min(most, n * 10, fitting)
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The value below which so much of all lies: 0.99 */
export const percentile = (values: readonly number[], part: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * part)]!

/** Of trips, each in nanoseconds: the median in µs, and also the 99th percentile */
export const latency = (trips: readonly number[]): Measured => ({
  ms: trips.reduce((sum, one) => sum + one, 0) / 1e6,
  value: median(trips) / 1000,
  also: [percentile(trips, 0.99) / 1000],
})

/** A quarter of the values lie below the first, and a quarter above the second. */
export function quartiles(values: readonly number[]): [low: number, high: number] {
  const sorted = values.toSorted((a, b) => a - b)
  const quarter = Math.floor(sorted.length / 4)
  return [sorted[quarter]!, sorted[sorted.length - 1 - quarter]!]
}

/** So many things in that time, as a number per second. */
export const perSecond = (count: number, ms: number): Measured => ({ ms, value: (count * 1000) / ms })
