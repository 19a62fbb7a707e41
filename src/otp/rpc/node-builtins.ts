/** What a node tells of itself and its process groups by rpc. Source: the manuals of erlang and pg. */
import type { Kernel } from '../../node/kernel.js'
import { Atom, atom, type Sendable, type Term } from '../../term/index.js'
import type { Builtins } from './builtins.js'
import type { PgScopes } from '../pg/pg.js'

export function nodeBuiltins(kernel: Kernel<any>, pg: PgScopes): Builtins {
  const { table, registry } = kernel.processes
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
      'registered/0': () => registry.names(),
      'whereis/1': (_, name) => (name instanceof Atom ? (registry.pidOf(name) ?? nobody) : undefined),
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
