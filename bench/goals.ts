/** What the figures are to reach. A ratio says how many times as good as the peer: a time that may be 0.9 of the peer's has the ratio 1.11. */
import type { Beside, Result } from './harness.js'

export interface Goal {
  readonly figure: string
  /** Rows of the figure; lines that the same runs give belong to their row. Default: all */
  readonly row?: RegExp
  /** Default: any */
  readonly unit?: RegExp
  /** Null: nobody does the like. Default: the BEAM */
  readonly peer?: RegExp | null
  /** At least, and of an exponent: at most. Null: to be seen */
  readonly goal: number | null
}

const beam = /^BEAM/
const linear = 1.05

export const goals: readonly Goal[] = [
  { figure: 'codec', peer: /^erlpack$/, goal: 4 },
  { figure: 'codec', row: /^decode/, peer: /^(msgpackr|JSON)$/, goal: 1.2 },
  { figure: 'codec', row: /^encode/, peer: /^(msgpackr|JSON)$/, goal: 1 },
  { figure: 'codec', row: /^decode/, goal: 1.5 },
  { figure: 'codec', row: /^encode/, goal: 0.5 },
  { figure: 'round-trip', unit: /p50/, goal: 1.11 },
  { figure: 'round-trip', unit: /p99/, goal: 1 },
  { figure: 'round-trip-awake', unit: /p50/, goal: 1.11 },
  { figure: 'round-trip-awake', unit: /p99/, goal: 1 },
  { figure: 'messages', row: /TypeScript to BEAM/, goal: 2.5 },
  { figure: 'messages', row: /BEAM to TypeScript/, goal: 1 },
  { figure: 'messages', row: /TypeScript to TypeScript/, goal: 4 },
  { figure: 'gen-call', goal: 1 },
  { figure: 'binaries', row: /TypeScript to BEAM|BEAM to TypeScript/, goal: 1 },
  { figure: 'bulk-latency', unit: /p99/, goal: 1 },
  { figure: 'ping-pong', goal: 1 },
  { figure: 'local', goal: 1 },
  { figure: 'spawn', goal: 1 },
  { figure: 'processes', unit: /bytes/, goal: 2.5 },
  { figure: 'connections', row: /weigh/, unit: /bytes/, goal: 2.5 },
  { figure: 'processes', unit: /exponent/, goal: linear },
  { figure: 'slopes', unit: /exponent/, goal: linear },
  { figure: 'atoms', unit: /exponent/, goal: linear },
  { figure: 'connections', unit: /exponent/, goal: linear },
  { figure: 'placed', row: /^main .*: casts/, peer: /on main/, goal: 0.7 },
  { figure: 'placed', row: /^a BEAM .*: casts/, peer: /on main/, goal: 0.7 },
  { figure: 'placed', row: /round trip|callers/, peer: /on main/, goal: null },
  { figure: 'placed', goal: null },
  { figure: 'placed-start', goal: null },
  { figure: 'cpu', goal: 1 },
  { figure: 'start', row: /first message/, goal: null },
  { figure: 'start', row: /^import/, peer: null, goal: null },
  { figure: 'start', row: /^npm package/, peer: null, goal: null },
]

export interface Reached {
  readonly result: Result
  readonly peer: string | null
  readonly beside: Beside | null
  /** Undefined where nothing is to be reached */
  readonly reached: boolean | undefined
}

/** The lines of a figure for which a goal was set */
export function linesFor({ row, unit, peer = beam, goal }: Goal, results: readonly Result[]): Reached[] {
  const chosen = results.filter(result => (row?.test(result.of ?? result.name) ?? true) && (unit?.test(result.unit) ?? true))
  if (peer === null) return chosen.map(result => ({ result, peer: null, beside: null, reached: undefined }))
  return chosen.flatMap(result =>
    Object.entries(result.peers).flatMap(([name, beside]) => {
      if (!peer.test(name)) return []
      const reached = goal === null ? undefined : result.unit === 'exponent' ? result.ours <= goal : beside.ratio >= goal
      return [{ result, peer: name, beside, reached }]
    }),
  )
}
