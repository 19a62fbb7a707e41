/** Results for a person: the ratio first, for it holds on another machine; what was measured beside it. */
import type { Beside, Result } from './harness.js'

const header = ['', 'Beamlet', '', 'beside', 'ratio', '', ''] as const

export function table(results: readonly Result[]): string {
  const lines = linesOf(results)
  const widths = header.map((title, column) => Math.max(title.length, ...lines.map(line => line[column]!.length)))
  return [header, ...lines]
    .map(line =>
      line
        .map((cell, column) => pad(cell, widths[column]!, column))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** The same in Markdown */
export function markdown(results: readonly Result[]): string {
  return lines([['', 'Beamlet', '', 'beside', 'ratio', 'half of the rounds', ''], ...linesOf(results)])
}

/** A table in Markdown, its head first */
export function lines([head = [], ...rows]: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map(row => `| ${row.join(' | ')} |`).join('\n')
}

/** What has no peer stands alone. */
const linesOf = (results: readonly Result[]): string[][] =>
  results.flatMap(({ name, unit, ours, peers }) => {
    const beside = Object.entries(peers).map(([peer, { value, ratio, spread }]) => [peer, `${times(ratio)}×`, range(spread), short(value)])
    return (beside.length > 0 ? beside : [['–', '', '', '']]).map((cells, index) => [
      ...(index === 0 ? [name, short(ours), unit] : ['', '', '']),
      ...cells,
    ])
  })

const range = ([low, high]: Beside['spread']): string => (low === high ? '' : `${times(low)}–${times(high)}`)
export const times = (ratio: number): string => (ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(0))

const numeric = new Set([1, 4, 6])
const pad = (cell: string, width: number, column: number): string => (numeric.has(column) ? cell.padStart(width) : cell.padEnd(width))

/** Three digits are all that a figure is good for. */
export const short = (value: number): string => {
  const [divisor, suffix] = value >= 1e6 ? [1e6, 'M'] : value >= 1e4 ? [1e3, 'k'] : [1, '']
  return `${Number((value / divisor).toPrecision(3))}${suffix}`
}
