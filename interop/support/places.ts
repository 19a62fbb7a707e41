/** Places beside real nodes: all on the package as it is shipped, so that a place starts as quickly as it does for users. */
import { atom, format, Node, type NodeOptions, type Pid, type Sendable, type Term } from 'beamlet'
import type { Beam } from 'beamlet/interop'

export const work: URL = new URL('./placed/work.mjs', import.meta.url)

let started = 0

export const startNode = (beam: Beam, options: Partial<NodeOptions> = {}): Promise<Node> =>
  Node.start({ name: `ts-${process.pid}-places-${++started}@127.0.0.1`, cookie: beam.cookie, ...options })

/** `beam.eval` with `Ts` bound to the TypeScript node's name */
export const evaluator =
  (beam: Beam, node: Node) =>
  (source: string, bindings: Readonly<Record<string, Sendable>> = {}): Promise<Term> =>
    beam.eval(source, { bindings: { Ts: atom(node.name), ...bindings } })

export const spawn = (node: Node, on: 'pool' | 'isolated', fun: string, ...args: (Term | string)[]): Pid =>
  node.spawn({ module: 'work', fun, args }, { on })

/** What a monitor of the BEAM says of a process that does `how` when it gets a message. */
export async function ending(beam: Beam, node: Node, on: 'pool' | 'isolated', how: string, then = ''): Promise<string> {
  const pid = spawn(node, on, 'end', how)
  const source = `Ref = monitor(process, Pid), process_flag(trap_exit, true), link(Pid), Pid ! go, ${then}
    Why = receive {'DOWN', Ref, process, Pid, W} -> W end, Why = receive {'EXIT', Pid, E} -> E end.`
  return format(await beam.eval(source, { bindings: { Pid: pid }, timeout: 120_000 }))
}
