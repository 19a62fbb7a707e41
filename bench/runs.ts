/** What make bench found, the last run of each major version of Node.js: bench/results.json for bench-check, bench/results.md for people. */
import { readFileSync, writeFileSync } from 'node:fs'
import type { Results } from './check.js'
import { figures } from './figures.js'
import { page } from './page.js'

export interface Run {
  readonly date: string
  readonly machine: {
    readonly node: string
    readonly beam: string
    readonly cores: number
    readonly cpu: string
    /** When it ended */
    readonly load: number
  }
  readonly results: Results
}

const file = new URL('results.json', import.meta.url)

const majorOf = (version: string): string => version.split('.')[0] as string

function runs(): Readonly<Record<string, Run>> {
  let text
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
  return (JSON.parse(text) as { readonly runs?: Readonly<Record<string, Run>> }).runs ?? {}
}

/** With that major version of Node.js: `v20.20.2` */
export const lastRun = (version: string): Run | undefined => runs()[majorOf(version)]

export function save(run: Run): void {
  const all = { ...runs(), [majorOf(run.machine.node)]: run }
  writeFileSync(file, `${JSON.stringify({ runs: all }, null, 2)}\n`)
  const oldestFirst = Object.values(all).toSorted((a, b) => a.machine.node.localeCompare(b.machine.node, 'en', { numeric: true }))
  writeFileSync(new URL('results.md', import.meta.url), page(oldestFirst, figures))
}
