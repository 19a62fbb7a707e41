/**
 * Options of a spawn that tune the new process. They mean something on a BEAM; a TypeScript node checks them as a BEAM does, and has no use
 * for them. What is no option, or has a value that it cannot have, is refused with `badopt`.
 *
 * Source: erlang:spawn_opt/5; which of them a node takes on the wire was seen on OTP 25, 27 and 29.
 */
import { Atom, atom, type Sendable, type Term, Tuple, tuple } from '../term/index.js'
import { isCount } from './trace.js'

/** The limit of a process's heap: words, or more about it. */
export interface MaxHeapSize {
  /** Words; 0: none */
  readonly size: number
  /** Ends the process above it. Default, on the BEAM: true */
  readonly kill?: boolean | undefined
  readonly errorLogger?: boolean | undefined
  readonly includeSharedBinaries?: boolean | undefined
}

/** `spawn_opt`'s options for the new process. `asyncDist` is refused by nodes before OTP 26. */
export interface SpawnOpt {
  readonly priority?: 'low' | 'normal' | 'high' | 'max' | undefined
  readonly fullsweepAfter?: number | undefined
  /** Words */
  readonly minHeapSize?: number | undefined
  /** Words */
  readonly minBinVheapSize?: number | undefined
  /** Words */
  readonly maxHeapSize?: number | MaxHeapSize | undefined
  readonly messageQueueData?: 'on_heap' | 'off_heap' | undefined
  /** The number of the scheduler that it is bound to */
  readonly scheduler?: number | undefined
  readonly asyncDist?: boolean | undefined
}

interface Option {
  readonly name: Atom
  readonly toTerm: (value: never) => Sendable
  readonly isValid: (value: Term) => boolean
}

const same = (value: number | boolean): Sendable => value
const oneOf =
  (...names: string[]) =>
  (value: Term): boolean =>
    value instanceof Atom && names.includes(value.name)

const maxHeapSize = (value: number | MaxHeapSize): Sendable => {
  if (typeof value === 'number') return value
  const { size, kill, errorLogger, includeSharedBinaries } = value
  const all = { size, kill, error_logger: errorLogger, include_shared_binaries: includeSharedBinaries }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Record<string, Sendable>
}

const flags = ['kill', 'error_logger', 'include_shared_binaries'].map(name => atom(name))

/** Words of the smallest heap on the BEAM: a limit is no less. */
const smallestHeap = 233
const isLimit = (size: unknown): boolean => isCount(size) && (size === 0 || size >= smallestHeap)

function isMaxHeapSize(value: Term): boolean {
  if (!(value instanceof Map)) return isLimit(value)
  return isLimit(value.get(atom('size'))) && flags.every(flag => !value.has(flag) || typeof value.get(flag) === 'boolean')
}

function option(name: string, isValid: Option['isValid'], toTerm: (value: never) => Sendable = same): Option {
  return { name: atom(name) as Atom, toTerm, isValid }
}

const options: Readonly<Record<keyof SpawnOpt, Option>> = {
  priority: option('priority', oneOf('low', 'normal', 'high', 'max'), atom),
  fullsweepAfter: option('fullsweep_after', isCount),
  minHeapSize: option('min_heap_size', isCount),
  minBinVheapSize: option('min_bin_vheap_size', isCount),
  maxHeapSize: option('max_heap_size', isMaxHeapSize, maxHeapSize),
  messageQueueData: option('message_queue_data', oneOf('on_heap', 'off_heap'), atom),
  scheduler: option('scheduler', value => isCount(value) && value <= 1024),
  asyncDist: option('async_dist', value => typeof value === 'boolean'),
}

const byName = new Map(Object.values(options).map(option => [option.name, option]))

/** As they go over the wire */
export function spawnOptTerms(spawnOpt: SpawnOpt): Term[] {
  const terms: Term[] = []
  for (const [key, { name, toTerm }] of Object.entries(options)) {
    const value = spawnOpt[key as keyof SpawnOpt]
    if (value !== undefined) terms.push(tuple(name, toTerm(value as never)) as Term)
  }
  return terms
}

export interface Wanted {
  readonly link: boolean
  readonly monitor: boolean
}

/** What the options of a request ask for; null: they are refused, `badopt`. */
export function parseSpawnOptions(terms: Term): Wanted | null {
  if (!Array.isArray(terms)) return null
  let link = false
  let monitor = false
  for (const term of terms as readonly Term[]) {
    const pair = term instanceof Tuple && term.length === 2
    const [name, value] = pair ? (term.elements as readonly Term[]) : [term]
    if (name === atom('link')) link = true
    else if (name === atom('monitor')) monitor = true
    else if (!pair || !byName.get(name as Atom)?.isValid(value as Term)) return null
    // `{monitor, Options}` and `{link, Options}`: what they say concerns the one who asks.
    if (pair && (name === atom('link') || name === atom('monitor')) && !Array.isArray(value)) return null
  }
  return { link, monitor }
}
