/** Is a figure worse than it was? Ratios are compared, for they hold on another day; and only what is beyond the noise of both counts. */
import type { Beside, Result } from './harness.js'

export type Results = Readonly<Record<string, readonly Result[]>>

/** A ratio may fall to so much of what it was: less is a regression. */
const tolerance = 0.8

export interface Regression {
  readonly figure: string
  readonly row: string
  readonly peer: string
  readonly before: number
  readonly now: number
}

interface Pair {
  readonly figure: string
  readonly row: string
  readonly peer: string
  readonly last: Beside
  readonly here: Beside
}

/** What both have measured */
const pairs = (before: Results, now: Results): Pair[] =>
  Object.entries(now).flatMap(([figure, results]) =>
    results.flatMap(({ name, of, unit, peers }) => {
      const known = before[figure]?.find(last => last.name === name && last.of === of)?.peers ?? {}
      const row = of === undefined ? name : `${of}, ${name.trim() || unit}`
      return Object.entries(peers).flatMap(([peer, here]) => (known[peer] ? [{ figure, row, peer, last: known[peer], here }] : []))
    }),
  )

/** What is now worse: the best quarter of now below the worst quarter of before, by a fifth. */
export const regressions = (before: Results, now: Results): Regression[] =>
  pairs(before, now).flatMap(({ figure, row, peer, last, here }) =>
    here.spread[1] < last.spread[0] * tolerance ? [{ figure, row, peer, before: last.ratio, now: here.ratio }] : [],
  )

/** How many ratios both have */
export const compared = (before: Results, now: Results): number => pairs(before, now).length

export const sentence = ({ figure, row, peer, before, now }: Regression): string =>
  `${figure}: ${row} was ${before.toFixed(2)}× of ${peer}, and is ${now.toFixed(2)}×.`
