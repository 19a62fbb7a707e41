/**
 * `erlang:process_info` of a process that is TypeScript. What a BEAM process has and this one has not (a heap of its own, reductions) is 0, and
 * the function that it is in is `undefined`, as for one that runs native code.
 *
 * Source: the manual of erlang, process_info/1 and process_info/2.
 */
import { type LocalProcess, placeOf, type Processes } from '../process/index.js'
import { Atom, atom, Pid, type Sendable, type Term, tuple } from '../term/index.js'

type Item = (process: LocalProcess) => Sendable

const none = atom('undefined')
const zero: Item = () => 0
const empty: Item = () => []

/** In the order in which process_info/1 tells them */
const items: Readonly<Record<string, Item>> = {
  registered_name: ({ name }) => name ?? [],
  current_function: () => none,
  initial_call: () => tuple(atom('erlang'), atom('apply'), 2),
  status: ({ ready }) => atom(ready ? 'runnable' : 'waiting'),
  message_queue_len: ({ mailbox }) => mailbox.size,
  links: ({ links }) => [...(links?.values() ?? [])].flatMap(({ peer, unlinking }) => (unlinking === 0n ? [peer] : [])),
  dictionary: empty,
  trap_exit: ({ traps }) => traps,
  error_handler: () => atom('error_handler'),
  priority: () => atom('normal'),
  group_leader: ({ groupLeader }) => groupLeader,
  total_heap_size: zero,
  heap_size: zero,
  stack_size: zero,
  reductions: zero,
  garbage_collection: empty,
  suspending: empty,
}

/** What process_info/2 tells besides */
const more: Readonly<Record<string, Item>> = {
  current_location: () => none,
  current_stacktrace: empty,
  memory: zero,
  monitors: ({ monitors }) =>
    [...(monitors?.values() ?? [])].map(({ target }) =>
      tuple(atom('process'), target instanceof Pid ? target : tuple(target.name, target.node)),
    ),
  monitored_by: ({ watchers }) => [...(watchers?.values() ?? [])].map(({ from }) => from),
}

/** `undefined` for one that has ended. Undefined, which is `badarg`, for one whose items are not known here: it lives in another place. */
export function processInfo({ table }: Processes, pid: Pid): Sendable | undefined {
  if (!isHere(table, pid)) return undefined
  const process = table.find(pid)
  if (!process) return none
  const told = Object.entries(items).map(([name, item]) => [name, item(process)] as const)
  return told.flatMap(([name, value]) => (name === 'registered_name' && !process.name ? [] : [tuple(atom(name), value)]))
}

/** For an item or a list of them. Undefined, which is `badarg`, also for an item that is none. */
export function processInfoOf({ table }: Processes, pid: Pid, wanted: Term): Sendable | undefined {
  const names = Array.isArray(wanted) ? (wanted as readonly Term[]) : [wanted]
  const known = names.map(name => (name instanceof Atom ? (items[name.name] ?? more[name.name]) : undefined))
  if (known.includes(undefined) || !isHere(table, pid)) return undefined
  const process = table.find(pid)
  if (!process) return none
  const told = known.map((item, index) => tuple(names[index] as Term, item?.(process) ?? none))
  if (Array.isArray(wanted)) return told
  return wanted === atom('registered_name') && !process.name ? [] : told[0]
}

const isHere = (table: Processes['table'], pid: Pid): boolean => !table.owns(pid) || placeOf(pid) === table.place
