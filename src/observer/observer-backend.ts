/**
 * What OTP's `observer` and `etop` ask of a node, by rpc or as a process that they spawn here:
 *
 *   rpc         sys_info, get_port_list, get_table_list, get_socket_list, socket_info, vsn
 *   spawn_link  fetch_stats(Parent, Ms)      {stats, 1, SchedulerWallTime, IO, Memory} again and again, until any message comes
 *               procs_info(Collector)        {procs_info, Self, [#etop_proc_info{}]}, some of them at a time
 *               etop_collect(Collector)      {Self, #etop_info{}}
 *
 * Source: observer_backend.erl and observer_backend.hrl of runtime_tools, OTP 25 to 29.
 */
import type { Kernel } from '../node/kernel.js'
import type { Builtins } from '../otp/rpc/builtins.js'
import type { ProcessInfo, Row } from '../otp/process-info/process-info.js'
import { type Wanted, wantedItems } from '../otp/process-info/items.js'
import { type Process, ProcessError } from '../process/index.js'
import { Atom, atom, format, Pid, type Sendable, type Term, text, tuple, charlist } from '../term/index.js'
import { portList } from './ports.js'
import { allocators, type SystemInfo } from './system-info.js'

/** Of runtime_tools, whose part this plays: etop and ttb want one. */
const version = '2.5'

const none = atom('undefined')
const dictionary = (key: string): Term => tuple(atom('dictionary'), atom(key))

const wanted = wantedItems([
  ...['registered_name', 'initial_call'].map(item => atom(item)),
  dictionary('$initial_call'),
  dictionary('$process_label'),
  ...['memory', 'reductions', 'current_function', 'message_queue_len'].map(item => atom(item)),
]) as Wanted

export function observerBuiltins(kernel: Kernel<any>, info: ProcessInfo, system: SystemInfo): Builtins {
  return {
    observer_backend: {
      'vsn/0': () => tuple(atom('ok'), charlist(version)),
      'sys_info/0': () => sysInfo(kernel, system),
      'get_port_list/0': () => portList(kernel),
      // It has none of the module `socket`, and no tables.
      'get_socket_list/0': () => [],
      'socket_info/0': () => [],
      'get_table_list/2': (_, type) => tableList(kernel, type),
      'get_table/3': (self, parent, _table, type) => getTable(self, parent, type),
      'fetch_stats/2': (self, parent, ms) => fetchStats(self, parent, ms, kernel, system),
      'procs_info/1': async (self, collector) => {
        if (!(collector instanceof Pid)) return undefined
        for await (const rows of info.all(self.pid, wanted)) {
          if (!self.send(collector, tuple(atom('procs_info'), self.pid, records(self, rows)))) await kernel.drained(collector.node)
        }
        return atom('ok')
      },
      'etop_collect/1': async (self, collector) => {
        if (!(collector instanceof Pid)) return undefined
        const all: Term[] = []
        for await (const rows of info.all(self.pid, wanted)) all.push(...records(self, rows))
        self.send(collector, tuple(self.pid, await etopInfo(all, kernel, system)))
        return atom('ok')
      },
    },
  }
}

/** {etop_proc_info, Pid, Memory, Reductions, Name, Runtime, CurrentFunction, MessageQueueLen}: of all but the one that asks */
function records(self: Process, rows: readonly Row[]): Term[] {
  return rows.flatMap(([pid, values]) => {
    if (pid === self.pid) return []
    const [name, call, first, label, memory, reductions, current, queue] = values as [Term, Term, Term, Term, Term, Term, Term, Term]
    return tuple(atom('etop_proc_info'), pid, memory, reductions, nameOf(name, label, first, call), 0, current, queue)
  })
}

function nameOf(name: Term, label: Term, first: Term, call: Term): Term {
  if (name instanceof Atom) return name
  if (label === none) return first === none ? call : first
  try {
    return Buffer.from(Array.isArray(label) || Buffer.isBuffer(label) ? text(label) : format(label))
  } catch {
    return Buffer.from(format(label)) // A list that is no text
  }
}

/** {etop_info, Now, Processes, WallClock, Runtime, RunQueue, AllocAreas, Memory, ProcessInfo} */
async function etopInfo(all: readonly Term[], kernel: Kernel<any>, system: SystemInfo): Promise<Term> {
  const micros = Math.round((performance.timeOrigin + performance.now()) * 1000)
  const now = tuple(Math.floor(micros / 1e12), Math.floor(micros / 1e6) % 1e6, micros % 1e6)
  const memory = new Map(await system.memory())
  const told = ['total', 'processes', 'ets', 'atom', 'code', 'binary'].map(item => tuple(atom(item), memory.get(item) ?? 0))
  const runQueue = kernel.processes.scheduler.length
  return tuple(atom('etop_info'), now, all.length, none, await system.schedulerWallTime(), runQueue, [], told, all)
}

async function sysInfo(kernel: Kernel<any>, system: SystemInfo): Promise<Sendable> {
  const { bytesIn = 0, bytesOut = 0 } = kernel.main?.peers.traffic ?? {}
  const items = (names: readonly string[]): Promise<Sendable[]> =>
    Promise.all(names.map(async name => tuple(atom(name), ((await system.info(atom(name) as Term)) ?? none) as Term)))
  return [
    tuple(atom('uptime'), system.uptime),
    tuple(atom('run_queue'), kernel.processes.scheduler.length),
    tuple(atom('io_input'), bytesIn),
    tuple(atom('io_output'), bytesOut),
    ...(await items([
      'logical_processors',
      'logical_processors_online',
      'logical_processors_available',
      'schedulers',
      'schedulers_online',
    ])),
    tuple(atom('schedulers_available'), (await system.info(atom('schedulers'))) as Term),
    ...(await items(['otp_release', 'version', 'system_architecture', 'kernel_poll', 'smp_support', 'threads', 'thread_pool_size'])),
    tuple(atom('wordsize_internal'), 8),
    tuple(atom('wordsize_external'), 8),
    tuple(atom('alloc_info'), allocators() as Term),
    ...(await items(['process_count', 'atom_limit', 'atom_count', 'process_limit'])),
    // There is no limit to show a share of.
    ...['port_limit', 'ets_limit'].map(limit => tuple(atom(limit), none)),
    ...(await items(['port_count', 'ets_count', 'dist_buf_busy_limit'])),
    ...((await system.memoryList()) as Sendable[]),
  ]
}

/** The answer to one who wants Mnesia's is thrown, as on a BEAM node where it does not run. */
function tableList(kernel: Kernel<any>, type: Term): Sendable | undefined {
  if (type === atom('ets')) return []
  if (type !== atom('mnesia')) return undefined
  // oxlint-disable-next-line no-throw-literal, only-throw-error: a term is thrown, as Erlang throws it
  throw tuple(atom('error'), charlist(`Mnesia is not running on: ${kernel.name}`))
}

/** The process that sends a table: an empty one, for there is none. */
function getTable(self: Process, parent: Term, type: Term): Pid | undefined {
  if (!(parent instanceof Pid) || type !== atom('ets')) return undefined
  return self.spawn(worker => {
    worker.link(parent)
    worker.send(parent, tuple(worker.pid, atom('$end_of_table')))
  })
}

async function fetchStats(self: Process, parent: Term, ms: Term, kernel: Kernel<any>, system: SystemInfo): Promise<Sendable | undefined> {
  if (!(parent instanceof Pid) || !Number.isInteger(ms) || (ms as number) < 0) return undefined
  self.trapExit = true
  while (!(await somethingComes(self, ms as number))) {
    const stats = tuple(atom('stats'), 1, await system.schedulerWallTime(), system.io(), (await system.memoryList()) as Term)
    if (!self.send(parent, stats)) await kernel.drained(parent.node)
  }
  return atom('ok')
}

/** False when nothing has come in so many milliseconds */
async function somethingComes(self: Process, timeout: number): Promise<boolean> {
  try {
    await self.receive((_: unknown): _ is Term => true, { timeout })
    return true
  } catch (error) {
    if (error instanceof ProcessError && error.code === 'ERR_TIMEOUT') return false
    throw error
  }
}
