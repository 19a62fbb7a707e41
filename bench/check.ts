/** Is a figure worse than it was? Ratios are compared, for they hold on another day; and only what is beyond the noise of both counts. */
import type { Result } from './harness.js'

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

/** What both have measured, and is now worse: the best quarter of now below the worst quarter of before, by a fifth. */
export function regressions(before: Results, now: Results): Regression[] {
  return Object.entries(now).flatMap(([figure, results]) =>
    results.flatMap(({ name: row, peers }) =>
      Object.entries(peers).flatMap(([peer, { ratio, spread }]) => {
        const last = before[figure]?.find(({ name }) => name === row)?.peers[peer]
        const isWorse = last !== undefined && spread[1] < last.spread[0] * tolerance
        return isWorse ? [{ figure, row, peer, before: last.ratio, now: ratio }] : []
      }),
    ),
  )
}

/** How many ratios both have */
export const compared = (before: Results, now: Results): number =>
  Object.entries(now).flatMap(([figure, results]) =>
    results.flatMap(({ name, peers }) => {
      const last = before[figure]?.find(each => each.name === name)?.peers
      return Object.keys(peers).filter(peer => last !== undefined && peer in last)
    }),
  ).length

export const sentence = ({ figure, row, peer, before, now }: Regression): string =>
  `${figure}: ${row} was ${before.toFixed(2)}× of ${peer}, and is ${now.toFixed(2)}×.`
