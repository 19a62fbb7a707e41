/** bench/results.md: goals first, then each figure as each Node.js had it. */
import type { Figure } from './figure.js'
import { type Goal, goals, linesFor, type Reached } from './goals.js'
import type { Run } from './runs.js'
import { lines, markdown, short, times } from './table.js'

export function page(runs: readonly Run[], figures: readonly Pick<Figure, 'name' | 'about'>[]): string {
  const machines = runs.map(({ date, machine: { node, beam, cores, cpu, load } }) => {
    const there = `${beam}, ${cores} cores (${cpu}), at a load of ${load.toFixed(1)} when it ended`
    return `- Node.js ${node}, ${there}, ${date.slice(0, 10)}`
  })
  const parts = figures.map(({ name, about }) => {
    const tables = runs.map(
      ({ machine, results }) => `Node.js ${machine.node}:\n\n${results[name] ? markdown(results[name]) : 'It failed.'}\n`,
    )
    return `## ${name}\n\n${about}\n\n${tables.join('\n')}`
  })
  const about =
    'How to read them: docs/bench.md. A time that may be 0.9 of the peer’s has the ratio 1.11; an exponent is to be at most its goal.'
  return `# Results\n\n${machines.join('\n')}\n\n${about}\n\n## Goals\n\n${goalTable(runs)}\n\n${parts.join('\n')}`
}

/** A line for each that was to be reached, or to be seen */
function goalTable(runs: readonly Run[]): string {
  const rows = goals.flatMap(goal => {
    const byRun = runs.map(({ results }) => linesFor(goal, results[goal.figure] ?? []))
    const keys = new Map(byRun.flat().map(line => [keyOf(line), line]))
    return [...keys].map(([key, { result, peer }]) => [
      goal.figure,
      nameOf(result),
      peer ?? '–',
      goal.goal === null ? 'shown' : `${result.unit === 'exponent' ? '≤ ' : '≥ '}${goal.goal}`,
      ...byRun.map(found =>
        cell(
          goal,
          found.find(line => keyOf(line) === key),
        ),
      ),
    ])
  })
  return lines([['figure', '', 'beside', 'goal', ...runs.map(({ machine }) => `Node.js ${machine.node}`)], ...rows])
}

const nameOf = ({ name, of, unit }: Reached['result']): string => (of === undefined ? `${name} (${unit})` : `${of}, ${name.trim() || unit}`)
const keyOf = ({ result, peer }: Reached): string => JSON.stringify([nameOf(result), peer])

function cell({ goal }: Goal, line: Reached | undefined): string {
  if (!line) return ''
  const { result, beside, reached } = line
  const value = result.unit === 'exponent' || !beside ? short(result.ours) : `${times(beside.ratio)}×`
  return goal === null || reached ? value : `**${value}**`
}
