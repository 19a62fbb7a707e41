/**
 * What a node tells of itself by rpc and erpc (`erpc:execute_call/4`), as a BEAM node would: `rpc:call(Node, erlang, process_info, [Pid])`. These functions tell, and
 * change nothing: other nodes are handed no shell.
 *
 * Source: the manuals of erlang, net_kernel, net_adm and pg.
 */
import type { Kernel } from '../node/kernel.js'
import { ErlangError, type Process } from '../process/index.js'
import { Atom, atom, Pid, type Sendable, Tuple, tuple, type Term } from '../term/index.js'
import type { PgScopes } from './pg.js'
import { processInfo, processInfoOf } from './process-info.js'

type Builtin = (self: Process, ...args: any[]) => Sendable | undefined | Promise<Sendable | undefined>

/** Of a node: module → `function/arity` → what it answers; undefined is `badarg`. */
const builtins = (kernel: Kernel<any>, pg: PgScopes): Readonly<Record<string, Readonly<Record<string, Builtin>>>> => {
  const { processes } = kernel
  const { table, registry } = processes
  const own = (pid: unknown): pid is Pid => pid instanceof Pid && pid.node === table.node
  const atoms = (names: readonly string[]): Sendable => names.map(name => atom(name))
  const kinds: Readonly<Record<string, () => readonly string[]>> = {
    visible: () => kernel.nodes(),
    hidden: () => kernel.nodes('hidden'),
    connected: () => kernel.nodes('connected'),
    this: () => [kernel.name],
    known: () => [kernel.name, ...kernel.nodes('connected')],
  }
  const nodes = (kind: unknown): Sendable | undefined => {
    const wanted = Array.isArray(kind) ? kind : [kind]
    const all = wanted.map(one => (one instanceof Atom ? kinds[one.name]?.() : undefined))
    return all.includes(undefined) ? undefined : atoms([...new Set(all.flatMap(names => names ?? []))])
  }
  const scope = (name: unknown): ReturnType<PgScopes['scope']> => (name instanceof Atom ? pg.known(name) : null)
  const [defaultScope, nobody] = [atom('pg'), atom('undefined')]
  return {
    erlang: {
      'node/0': () => table.node,
      'node/1': (_, of) => (of && typeof of === 'object' && 'node' in of ? (of.node as Atom) : undefined),
      'nodes/0': () => atoms(kernel.nodes()),
      'nodes/1': (_, kind) => nodes(kind),
      'is_alive/0': () => true,
      'self/0': self => self.pid,
      'group_leader/0': self => self.groupLeader,
      'is_process_alive/1': (_, pid) => (own(pid) ? kernel.isAlive(pid) : undefined),
      'processes/0': () => [...table].flatMap(({ pid }) => (pid === processes.init.pid ? [] : pid)),
      'process_info/1': (_, pid) => (own(pid) ? processInfo(processes, pid) : undefined),
      'process_info/2': (_, pid, items) => (own(pid) ? processInfoOf(processes, pid, items) : undefined),
      'registered/0': () => registry.names(),
      'whereis/1': (_, name) => (name instanceof Atom ? (registry.pidOf(name) ?? nobody) : undefined),
    },
    net_kernel: {
      'get_net_ticktime/0': () => kernel.netTickTime,
    },
    net_adm: {
      'names/0': () => names(kernel),
    },
    pg: {
      'get_members/1': (_, group) => [...(scope(defaultScope)?.all.members(group as Term) ?? [])],
      'get_members/2': (_, name, group) => [...(scope(name)?.all.members(group as Term) ?? [])],
      'get_local_members/1': (_, group) => [...(scope(defaultScope)?.local.members(group as Term) ?? [])],
      'get_local_members/2': (_, name, group) => [...(scope(name)?.local.members(group as Term) ?? [])],
      'which_groups/0': () => scope(defaultScope)?.all.names(),
      'which_groups/1': (_, name) => scope(name)?.all.names(),
      'which_local_groups/0': () => scope(defaultScope)?.local.names(),
      'which_local_groups/1': (_, name) => scope(name)?.local.names(),
    },
  }
}

/** `{ok, [{Name, Port}]}`, as EPMD of this machine tells; `{error, address}` when it cannot be asked. */
async function names({ epmd }: Kernel<any>): Promise<Sendable> {
  try {
    const known = await epmd.names('127.0.0.1')
    return tuple(
      atom('ok'),
      known.map(({ name, port }) => tuple([...Buffer.from(name)], port)),
    )
  } catch {
    // Why is for whoever operates this node to see; net_adm says no more than that.
    return tuple(atom('error'), atom('address'))
  }
}

/** Makes them callable. Nobody can load modules of these names. */
export function serveBuiltins(kernel: Kernel<any>, pg: PgScopes): void {
  for (const [module, functions] of Object.entries(builtins(kernel, pg))) {
    const names = new Set(Object.keys(functions).map(name => name.split('/')[0] as string))
    const made = [...names].map(name => [
      name,
      async function (this: Process, ...args: Term[]): Promise<Sendable> {
        const builtin = functions[`${name}/${args.length}`]
        const answer = await builtin?.(this, ...args)
        if (answer !== undefined) return answer
        throw new ErlangError(atom(builtin ? 'badarg' : 'undef'), [new Tuple([atom(module), atom(name), args, []]) as Term])
      },
    ])
    kernel.code.reserve(module, Object.fromEntries(made))
  }
}
