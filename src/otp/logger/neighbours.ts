/**
 * The neighbours of a process that crashes: those linked to it that trap no exits, theirs, and so on, 15 at most, as far as they live in its place.
 * They end with it, so its crash report tells of them.
 *
 * Source: proc_lib.erl (linked_info, make_neighbour_report).
 */
import type { LocalProcess, Processes } from '../../process/index.js'
import { type Atom, atom, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'
import { LocalFacts } from '../process-info/facts.js'
import { toldOf, type Wanted, wantedItems } from '../process-info/items.js'

const most = 15

/** `[{neighbour, [{Key, Value}]}]` */
export function neighboursOf(process: LocalProcess, processes: Processes): Sendable[] {
  const found = new Set<LocalProcess>([process])
  visit(adjacents(process, processes), found, processes)
  found.delete(process)
  return [...found].reverse().map(one => tuple(atom('neighbour'), reportOf(one, processes)))
}

/** As there, the processes beside come before those behind. */
function visit(list: readonly LocalProcess[], found: Set<LocalProcess>, processes: Processes): void {
  const added = list.filter(one => found.size <= most && !found.has(one) && found.add(one))
  for (const one of added.reverse()) visit(adjacents(one, processes), found, processes)
}

function adjacents({ linked }: LocalProcess, { table }: Processes): LocalProcess[] {
  return linked.flatMap(peer => {
    const other = table.find(peer)
    return other && !other.traps ? [other] : []
  })
}

const names = 'current_function message_queue_len links trap_exit status heap_size stack_size reductions current_stacktrace'
const wanted = wantedItems(names.split(' ').map(name => atom(name))) as Wanted

function reportOf(process: LocalProcess, processes: Processes): Sendable[] {
  const facts = new LocalFacts(process, processes, process.pid, { bytesOf: () => 0 })
  const { dictionary, name, label, initialCall, status } = facts
  const kept = (key: string): Term | undefined => dictionary.get(atom(key) as Atom)
  const pair = (key: string, value: Sendable): Sendable => tuple(atom(key), value)
  const [current, ...more] = toldOf(facts, wanted).map(told =>
    told.tag === 'status' && status === 'running' ? (tuple(atom('status'), atom('waiting')) as Tuple) : told,
  )
  return [
    pair('pid', process.pid),
    pair('registered_name', name ?? []),
    ...(label === undefined ? [] : [pair('process_label', label)]),
    pair('initial_call', callOf(kept('$initial_call') ?? initialCall, kept('$initial_call') !== undefined)),
    current as Tuple,
    pair('ancestors', kept('$ancestors') ?? []),
    ...more,
  ]
}

/** `{M, F, ['Argument__1', …]}` of what proc_lib started, `{M, F, Arity}` of the rest */
function callOf(call: Term, started: boolean): Term {
  const [module, fun, arity] = (call as Tuple).elements as readonly [Term, Term, number]
  if (!started) return call
  return new Tuple([module, fun, Array.from({ length: arity }, (_, i) => atom(`Argument__${i + 1}`))]) as Term
}
