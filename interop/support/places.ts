/** Places beside real nodes: all on the package as it is shipped, so that a place starts as quickly as it does for users. */
import { any, atom, format, isRef, match, Node, type NodeOptions, type Pid, type Sendable, type Term, type Tuple } from 'beamlet'
import type { Beam } from 'beamlet/interop'

export const work: URL = new URL('./placed/work.mjs', import.meta.url)

let started = 0

/** A node that has the module `work` */
export async function startNode(beam: Pick<Beam, 'cookie'>, options: Partial<NodeOptions> = {}): Promise<Node> {
  const node = await Node.start({ name: `ts-${process.pid}-places-${++started}@127.0.0.1`, cookie: beam.cookie, hidden: true, ...options })
  await node.code.load('work', work)
  return node
}

/** `beam.eval` with `Ts` bound to the TypeScript node's name */
export const evaluator =
  (beam: Beam, node: Node) =>
  (source: string, bindings: Readonly<Record<string, Sendable>> = {}): Promise<Term> =>
    beam.eval(source, { bindings: { Ts: atom(node.name), ...bindings } })

export const spawn = (node: Node, on: 'pool' | 'isolated', fun: string, ...args: Sendable[]): Pid =>
  node.spawn({ module: 'work', fun, args }, { on })

/** How a process ended that was told to do `how`, as links and monitors saw it on the BEAM and here: all saw the same. */
export async function ending(beam: Beam, node: Node, on: 'pool' | 'isolated', how: string, then = ''): Promise<string> {
  return node.run(async self => {
    const pid = spawn(node, on, 'end', how)
    self.trapExit = true
    self.link(pid)
    self.monitor(pid)
    const source = `process_flag(trap_exit, true), link(Pid), Ref = monitor(process, Pid),
      Pid ! {go, self()}, receive going -> ok; {'DOWN', Ref, _, _, W0} -> exit({early, W0}) end, ${then}
      {receive {'DOWN', Ref, process, Pid, W} -> W end, receive {'EXIT', Pid, E} -> E end}.`
    const there = (await beam.eval(source, { bindings: { Pid: pid }, timeout: 100_000 })) as Tuple<[Term, Term]>
    const down = await self.receive(match([atom('DOWN'), isRef, any, any, any]))
    const exit = await self.receive(match([atom('EXIT'), any, any]))
    const seen = new Set([...there.elements, down.elements[4] as Term, exit.elements[2] as Term].map(reason => format(reason)))
    return [...seen].join(' or ')
  })
}
