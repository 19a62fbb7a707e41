/**
 * What a node's processes do at one moment, asked with functions that every node has: `erlang:process_info` of many processes in one call, by
 * `lists:zipwith`, so that a node with 100,000 processes answers some calls and not 100,000. A node of Beamlet, which has no `lists`, tells it
 * as it tells observer: `observer_backend:procs_info`.
 */
import {
  any,
  atom,
  Atom,
  ExportFun,
  format,
  match,
  type Node,
  type NodeProcess,
  type Pid,
  RpcError,
  type Term,
  text,
  Tuple,
} from '../index.js'

export interface Row {
  /** As on its own node: `<0.95.0>` */
  readonly pid: string
  /** Its registered name, or the function that it was spawned with */
  readonly name: string
  readonly reductions: number
  /** Bytes */
  readonly memory: number
  readonly queue: number
  /** The function in which it is */
  readonly current: string
}

export interface Sample {
  /** How many processes the node has */
  readonly processes: number
  /** How many of them were asked: all, up to `most` */
  readonly looked: number
  readonly runQueue: number
  /** Bytes, by OTP's names: `total`, `processes`, `binary` … */
  readonly memory: ReadonlyMap<string, number>
  /** Of those that were asked and have not ended meanwhile */
  readonly rows: readonly Row[]
  /** Those that proc_lib has started, and that have no name: `initialCalls` tells what they run. */
  readonly nameless: ReadonlyMap<string, Pid>
}

/** What proc_lib has started */
const procLib = 'proc_lib:init_p/5'

/** Processes that are asked of in one call */
const slice = 2000

const items = ['registered_name', 'initial_call', 'current_function', 'memory', 'reductions', 'message_queue_len'].map(item => atom(item))

/** @throws RpcError; ProcessError ERR_TIMEOUT, for each call */
export async function sample(node: Node, target: string, { most, timeout }: { most: number; timeout: number }): Promise<Sample> {
  const ask = (module: string, fun: string, args: readonly Term[] = []): Promise<Term> =>
    node.rpc.call(target, module, fun, args, { timeout })
  const [memory, runQueue, all] = await Promise.all([
    ask('erlang', 'memory'),
    ask('erlang', 'statistics', [atom('run_queue') as Term]),
    ask('erlang', 'processes'),
  ])
  const pids = all as readonly Pid[]
  const asked = pids.slice(0, most)
  const rows = await zipped(asked, ask)
  const isNameless = new Set(rows?.flatMap(({ pid, name }) => (name === procLib ? [pid] : [])))
  return {
    processes: pids.length,
    looked: asked.length,
    runQueue: Number(runQueue),
    memory: new Map((memory as readonly Tuple[]).map(({ elements: [item, bytes] }) => [(item as Atom).name, Number(bytes)])),
    rows: rows ?? (await told(node, target, most, timeout)),
    nameless: new Map(asked.map(pid => [pidText(pid), pid] as const).filter(([pid]) => isNameless.has(pid))),
  }
}

/** Undefined: the node has no `lists`. */
async function zipped(
  pids: readonly Pid[],
  ask: (module: string, fun: string, args: readonly Term[]) => Promise<Term>,
): Promise<Row[] | undefined> {
  const info = new ExportFun(atom('erlang') as Atom, atom('process_info') as Atom, 2)
  const rows: Row[] = []
  for (let from = 0; from < pids.length; from += slice) {
    const some = pids.slice(from, from + slice)
    try {
      const infos = (await ask('lists', 'zipwith', [info, some, some.map(() => items)] as never)) as readonly Term[]
      // One that has ended meanwhile is told of as `undefined`.
      rows.push(...infos.flatMap((one, index) => (Array.isArray(one) ? infoRow(some[index] as Pid, one as readonly Tuple[]) : [])))
    } catch (error) {
      if (error instanceof RpcError && error.class === 'error' && error.reason === atom('undef')) return undefined
      throw error
    }
  }
  return rows
}

/** What is told of a process, in the order of `items` without its initial call */
function rowOf(pid: Pid, name: string, [current, memory, reductions, queue]: readonly Term[]): Row {
  return {
    pid: pidText(pid),
    name,
    reductions: Number(reductions),
    memory: Number(memory),
    queue: Number(queue),
    current: callText(current as Term),
  }
}

/** Of `items` */
function infoRow(pid: Pid, told: readonly Tuple[]): Row {
  const [name, initial, ...rest] = told.map(({ elements }) => elements[1] as Term)
  return rowOf(pid, name instanceof Atom ? name.name : callText(initial as Term), rest)
}

const isInfos = match([atom('procs_info'), any, any])
const isDown = match([atom('DOWN'), any, any, any, any])

/** Some at a time: {procs_info, Pid, [{etop_proc_info, Pid, Memory, Reductions, Name, Runtime, CurrentFunction, MessageQueueLen}]} */
function told(node: Node, target: string, most: number, timeout: number): Promise<Row[]> {
  return node.run(async (self: NodeProcess) => {
    await self.spawnMonitorAt(target, { module: 'observer_backend', fun: 'procs_info', args: [self.pid] }, { timeout })
    const rows: Row[] = []
    for (;;) {
      const { elements } = await self.receive(match.oneOf(isInfos, isDown), { timeout })
      if (elements[0] === atom('DOWN')) return rows.slice(0, most)
      for (const info of elements[2] as readonly Tuple[]) {
        const [, pid, memory, reductions, name, , current, queue] = info.elements as readonly Term[]
        const called = Buffer.isBuffer(name) ? text(name) : callText(name as Term)
        rows.push(rowOf(pid as Pid, called, [current, memory, reductions, queue] as readonly Term[]))
      }
    }
  })
}

/** With what those run that proc_lib has started, as it tells: asked of those that are shown alone */
export async function withInitialCalls(
  node: Node,
  target: string,
  rows: readonly Row[],
  { nameless }: Sample,
  timeout: number,
): Promise<Row[]> {
  const asked = rows.flatMap(({ pid }) => nameless.get(pid) ?? [])
  if (asked.length === 0) return [...rows]
  const translate = new ExportFun(atom('proc_lib') as Atom, atom('translate_initial_call') as Atom, 1)
  const calls = (await node.rpc.call(target, 'lists', 'map', [translate, asked] as never, { timeout })) as readonly Term[]
  const names = new Map(asked.map((pid, index) => [pidText(pid), callText(calls[index] as Term)]))
  return rows.map(row => ({ ...row, name: names.get(row.pid) ?? row.name }))
}

const pidText = ({ id, serial }: Pid): string => `<0.${id}.${serial}>`

/** `gen_server:loop/5` */
function callText(term: Term): string {
  if (!(term instanceof Tuple) || term.length !== 3) return term instanceof Atom ? term.name : format(term)
  const [module, fun, arity] = term.elements as readonly Term[]
  return `${format(module as Term)}:${format(fun as Term)}/${format(arity as Term)}`
}
