/** What is wanted of a process that is traced. Source: the manual of erlang, trace/3. */
import { Atom, atom, type Term, Tuple } from '../../term/index.js'

export const allFlags = [
  ...['send', 'receive', 'call', 'procs', 'ports', 'garbage_collection', 'running'],
  ...['set_on_spawn', 'set_on_first_spawn', 'set_on_link', 'set_on_first_link'],
  ...['timestamp', 'monotonic_timestamp', 'strict_monotonic_timestamp'],
  ...['arity', 'return_to', 'silent', 'running_procs', 'running_ports', 'exiting'],
] as const
export type Flag = (typeof allFlags)[number]
export type Flags = ReadonlySet<Flag>

export const noFlags: Flags = new Set()

/** As they were given, without who traces; null: they are none. */
export function flagsOf(term: Term): Flags | null {
  if (!Array.isArray(term)) return null
  const flags = new Set<Flag>()
  for (const one of term as readonly Term[]) {
    if (one instanceof Tuple && one.tag === 'tracer') continue
    if (one === atom('all')) for (const flag of allFlags) flags.add(flag)
    else if (one instanceof Atom && (allFlags as readonly string[]).includes(one.name)) flags.add(one.name as Flag)
    else return null
  }
  return flags
}

/** The pid or port in `{tracer, Tracer}`, which OTP 25 tells with each request */
export const tracerOf = (term: Term): Term | undefined =>
  (term as readonly Term[]).flatMap(one => (one instanceof Tuple && one.tag === 'tracer' ? [one.elements[1] as Term] : []))[0]

export const changed = (before: Flags, on: boolean, flags: Flags): Flags =>
  on ? new Set([...before, ...flags]) : new Set([...before].filter(flag => !flags.has(flag)))

export const toTerm = (flags: Flags): Term[] => [...flags].map(flag => atom(flag) as Term)
