/** An event as it is told: `{trace, Pid, What, …}`, or `{trace_ts, Pid, What, …, Timestamp}` where one is wanted. */
import { hrtime } from 'node:process'
import { atom, type Pid, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'
import type { Flags } from './flags.js'

let strict = 0

export function eventOf(pid: Pid, what: string, args: readonly Sendable[], flags: Flags): Term {
  const time = timestamp(flags)
  const [tag, ...last] = time === undefined ? [atom('trace')] : [atom('trace_ts'), time]
  return new Tuple([tag, pid, atom(what), ...args, ...last]) as Term
}

function timestamp(flags: Flags): Term | undefined {
  if (flags.has('strict_monotonic_timestamp')) return tuple(Number(hrtime.bigint()), ++strict)
  if (flags.has('monotonic_timestamp')) return Number(hrtime.bigint())
  if (!flags.has('timestamp')) return undefined
  const micros = Math.round((performance.timeOrigin + performance.now()) * 1000)
  return tuple(Math.floor(micros / 1e12), Math.floor(micros / 1e6) % 1e6, micros % 1e6)
}
