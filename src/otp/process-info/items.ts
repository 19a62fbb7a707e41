/**
 * The items of `erlang:process_info`, in OTP's shapes. What one of our processes has not (a heap of its own, a stack that Erlang could read) is 0,
 * empty or `undefined`.
 *
 * Source: the manual of erlang, process_info/1 and process_info/2; erts/emulator/beam/erl_bif_info.c for what the manual leaves out.
 */
import { Atom, atom, Pid, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'
import type { ProcessFacts } from './facts.js'

type Item = (facts: ProcessFacts) => Sendable

const none = atom('undefined')
const zero: Item = () => 0
const empty: Item = () => []
const maxHeapSize = { error_logger: true, include_shared_binaries: false, kill: true, size: 0 }

/** In the order in which process_info/1 tells them */
const items: Readonly<Record<string, Item>> = {
  registered_name: ({ name }) => name ?? [],
  current_function: ({ currentFunction }) => currentFunction ?? none,
  initial_call: ({ initialCall }) => initialCall,
  status: ({ status }) => atom(status),
  message_queue_len: ({ messageQueueLength }) => messageQueueLength,
  links: ({ links }) => links,
  dictionary: ({ dictionary }) => [...dictionary].map(entry => tuple(...entry)),
  trap_exit: ({ trapExit }) => trapExit,
  error_handler: () => atom('error_handler'),
  priority: () => atom('normal'),
  group_leader: ({ groupLeader }) => groupLeader,
  total_heap_size: zero,
  heap_size: zero,
  stack_size: zero,
  reductions: ({ reductions }) => reductions,
  garbage_collection: () => [
    tuple(atom('max_heap_size'), maxHeapSize),
    ...['min_bin_vheap_size', 'min_heap_size', 'fullsweep_after', 'minor_gcs'].map(name => tuple(atom(name), 0)),
  ],
  suspending: empty,
}

/** What process_info/2 tells besides */
const more: Readonly<Record<string, Item>> = {
  async_dist: () => false,
  backtrace: () => '',
  binary: empty,
  catchlevel: zero,
  current_location: ({ currentFunction }) => (currentFunction ? tuple(...currentFunction.elements, []) : none),
  current_stacktrace: ({ currentFunction }) => (currentFunction ? [tuple(...currentFunction.elements, [])] : []),
  fullsweep_after: zero,
  garbage_collection_info: empty,
  label: ({ label }) => label ?? none,
  last_calls: () => false,
  magic_ref: empty,
  max_heap_size: () => maxHeapSize,
  memory: ({ memory }) => memory,
  message_queue_data: () => atom('on_heap'),
  messages: ({ messages }) => messages,
  min_bin_vheap_size: zero,
  min_heap_size: zero,
  monitored_by: ({ monitoredBy }) => monitoredBy,
  monitors: ({ monitors }) =>
    monitors.map(target => tuple(atom('process'), target instanceof Pid ? target : tuple(target.name, target.node))),
  parent: ({ parent }) => parent ?? none,
  priority_messages: () => false,
  sequential_trace_token: ({ traceToken }) => traceToken,
  trace: zero,
}

/** Items that somebody asks for: what each is called in the answer, and how it is told. */
export interface Wanted {
  readonly names: readonly Term[]
  readonly items: readonly Item[]
}

/** Null, which is `badarg`, when one of them is no item. */
export function wantedItems(list: readonly Term[]): Wanted | null {
  const found = list.map(itemOf)
  return found.includes(null) ? null : { names: list, items: found as Item[] }
}

/** What process_info/1 tells */
export const usualItems: Wanted = { names: Object.keys(items).map(name => atom(name) as Term), items: Object.values(items) }

function itemOf(name: Term): Item | null {
  if (name instanceof Atom) return own(items, name.name) ?? own(more, name.name) ?? null
  if (!(name instanceof Tuple) || name.length !== 2 || name.tag !== 'dictionary') return null
  const key: Term = name.elements[1]
  return ({ dictionary }) => (key instanceof Atom ? dictionary.get(key) : undefined) ?? none
}

const own = (table: Readonly<Record<string, Item>>, name: string): Item | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined

/** `{Item, Value}` each */
export const toldOf = (facts: ProcessFacts, { names, items }: Wanted): Tuple[] =>
  items.map((item, index) => tuple(names[index] as Term, item(facts) as Term))

/** The values alone */
export const valuesOf = (facts: ProcessFacts, { items }: Wanted): Sendable[] => items.map(item => item(facts))
