/** Clusters of BEAM nodes, of all three releases, and TypeScript nodes: what each is asked is the same. */
import type { Test } from 'tap'
import { env } from 'node:process'
import { type Atom, atom, isPid, type Node, type Pid, type Sendable, type Term } from '../../src/index.js'
import { type Beam, releases, startBeam } from '../../src/interop/index.js'
import { startNode } from './pair.js'
import { until } from './until.js'

/** Milliseconds */
const patience = 30_000

export interface Member {
  readonly name: string
  connect(to: string): Promise<void>
  disconnect(from: string): Promise<void>
  /** Visible nodes that are connected, sorted */
  nodes(): Promise<string[]>
  sync(): Promise<void>
  whereis(name: Sendable): Promise<Pid | undefined>
  /** Gives a process of its own that name. */
  register(name: Sendable): Promise<boolean>
  /** `global:disconnect` */
  leave(): Promise<void>
  stop(): Promise<unknown>
}

const registered = `
  Me = self(),
  spawn(fun() -> Me ! {answer, global:register_name(Name, self())}, receive stop -> ok end end),
  receive {answer, Answer} -> Answer end.`

export function beamMember(beam: Beam): Member {
  const { name } = beam
  const evaluate = (source: string, bindings: Readonly<Record<string, Sendable>> = {}): Promise<Term> =>
    beam.eval(source, { bindings, timeout: patience })
  return {
    name,
    connect: async to => void (await evaluate('net_kernel:connect_node(To).', { To: atom(to) })),
    disconnect: async from => void (await evaluate('erlang:disconnect_node(From).', { From: atom(from) })),
    nodes: async () => ((await evaluate('lists:sort(nodes()).')) as unknown as readonly Atom[]).map(({ name }) => name),
    sync: async () => void (await evaluate('global:sync().')),
    whereis: async name => {
      const pid = await evaluate('global:whereis_name(Name).', { Name: name })
      return isPid(pid) ? pid : undefined
    },
    register: async name => (await evaluate(registered, { Name: name })) === atom('yes'),
    leave: async () => void (await evaluate('global:disconnect().')),
    stop: () => beam.stop(),
  }
}

export function nodeMember(node: Node): Member {
  return {
    name: node.name,
    connect: to => node.connect(to),
    disconnect: async from => void node.disconnect(from),
    nodes: async () => node.nodes().sort(),
    sync: () => node.global.sync({ timeout: patience }),
    whereis: async name => node.global.whereis(name),
    register: name => {
      const pid = node.spawn(async self => {
        for await (const _ of self);
      })
      return node.global.register(name, pid, { timeout: patience })
    },
    leave: async () => void (await node.global.disconnect({ timeout: patience })),
    stop: () => node.close(),
  }
}

/** 'beam' for one of the next release, 'ts' for one of ours */
export type Kinds = readonly ('beam' | 'ts')[]

export interface MixedOptions {
  /** Kernel's prevent_overlapping_partitions */
  readonly prevent?: boolean | undefined
}

/**
 * Starts them, none connected. Their names sort as they are listed. They stop when the test is done.
 */
export async function startMembers(t: Test, kinds: Kinds, { prevent = true }: MixedOptions = {}): Promise<Member[]> {
  const only = env['OTP']
  const cluster = `${process.pid}-${Math.random().toString(36).slice(2)}`
  const cookie = `mixed-${cluster}`
  let beams = 0
  const members: Member[] = []
  t.teardown(() => Promise.allSettled(members.map(member => member.stop())))
  for (const [index, kind] of kinds.entries()) {
    const name = `m${index}-${kind}-${cluster}@127.0.0.1`
    if (kind === 'ts')
      members.push(nodeMember(await startNode({ cookie } as Beam, { name, hidden: false, preventOverlappingPartitions: prevent })))
    else {
      const otp = only === undefined ? releases[beams++ % releases.length] : Number(only)
      const args = ['-kernel', 'prevent_overlapping_partitions', String(prevent)]
      members.push(beamMember(await startBeam({ otp, name, cookie, args })))
    }
  }
  return members
}

/** Whom each sees, by their numbers: `0:1,2 1:0,2 2:0,1` */
export async function graphOf(members: readonly Member[]): Promise<string> {
  const seen = await Promise.all(members.map(member => member.nodes()))
  const numbers = new Map(members.map(({ name }, index) => [name, index]))
  return seen.map((names, index) => `${index}:${names.map(name => numbers.get(name)).join(',')}`).join(' ')
}

export const fullGraph = (count: number): string =>
  Array.from(
    { length: count },
    (_, index) =>
      `${index}:${Array.from({ length: count }, (_, other) => other)
        .filter(other => other !== index)
        .join(',')}`,
  ).join(' ')

/** Waits until they see each other so, and those that do are in sync. */
export async function settled(members: readonly Member[], graph: string = fullGraph(members.length)): Promise<void> {
  await until(async () => (await graphOf(members)) === graph, graph).catch(async (error: unknown) => {
    throw new Error(`${String(error)}: it is ${await graphOf(members)}`)
  })
  for (const member of members) await member.sync()
}

/** What they see of each other when nothing changes any more, and it is one of these. */
export async function rest(members: readonly Member[], graphs: readonly string[]): Promise<string> {
  let [graph, same] = ['', 0]
  await until(async () => {
    const now = await graphOf(members)
    same = now === graph ? same + 1 : 0
    graph = now
    // A second, and what was on its way has come.
    return same >= 50 && graphs.includes(graph)
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}: it is ${graph}`)
  })
  for (const member of members) await member.sync()
  return graph
}
