/** A frame of `beamlet top`: a head, and the processes that lead. */
import type { Row, Sample } from './top-sample.js'

export const sorts = ['reductions', 'memory', 'queue'] as const
export type Sort = (typeof sorts)[number]

/** The first so many by what they are sorted by; `since` the frame before, where there was one. */
export function leaders({ rows }: Sample, before: ReadonlyMap<string, Row> | null, sort: Sort, count: number): Row[] {
  const counted = before ? rows.map(row => ({ ...row, reductions: row.reductions - (before.get(row.pid)?.reductions ?? 0) })) : [...rows]
  return counted.sort((a, b) => b[sort] - a[sort] || a.pid.localeCompare(b.pid)).slice(0, count)
}

const columns = [14, 34, 12, 12, 8] as const

export function inText(target: string, sample: Sample, top: readonly Row[], sort: Sort, width: number): string {
  const of = (item: string): string => megabytes(sample.memory.get(item) ?? 0)
  const looked = sample.looked < sample.processes ? `, ${sample.looked} of them looked at` : ''
  const parts = ['processes', 'binary', 'code', 'ets'].map(item => `${item} ${of(item)}`).join(', ')
  const head = [
    `${target}  ${sample.processes} processes${looked}  run queue ${sample.runQueue}`,
    `memory ${of('total')} MB: ${parts}`,
    '',
    line(['pid', 'name or initial call', ...sorts.map(name => (name === sort ? `${name}*` : name))], 'current function'),
  ]
  const lines = top.map(row => line([row.pid, row.name, row.reductions, row.memory, row.queue].map(String), row.current))
  return [...head, ...lines].map(text => text.slice(0, width)).join('\n')
}

/** On one line */
export const inJson = (target: string, { processes, looked, runQueue, memory }: Sample, top: readonly Row[]): string =>
  JSON.stringify({ node: target, processes, looked, runQueue, memory: Object.fromEntries(memory), top })

function line(cells: readonly string[], last: string): string {
  const fitted = cells.map((cell, index) => {
    const width = columns[index] as number
    if (index < 2) return (cell.length > width ? `${cell.slice(0, width - 1)}…` : cell).padEnd(width)
    return cell.padStart(width)
  })
  return `${fitted.join(' ')}  ${last}`.trimEnd()
}

const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1)
