/** Nodes that find each other without an EPMD of the machine's: one embedded, on a port of its own. */
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:net'
import { Node, type NodeOptions } from '../../src/index.js'

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

export interface Cluster {
  start(options?: Partial<NodeOptions>): Promise<Node>
  close(): Promise<void>
}

export const uniqueName = (): string => `t${randomBytes(6).toString('hex')}@127.0.0.1`

/** Nodes of one cookie; the first serves EPMD for all. They are hidden, so that nothing goes between them but what a test has them say. */
export async function cluster(): Promise<Cluster> {
  const epmdPort = await freePort()
  const nodes: Node[] = []
  return {
    async start(options = {}) {
      const listen = { host: '127.0.0.1' }
      const node = await Node.start({ name: uniqueName(), cookie: 'secret', epmd: 'auto', epmdPort, listen, hidden: true, ...options })
      nodes.push(node)
      return node
    },
    async close() {
      for (const node of nodes.reverse()) await node.close()
    },
  }
}

/** Resolves with what the event tells, the next time. */
export const once = <K extends 'nodeup' | 'nodedown' | 'protocol' | 'crash'>(
  node: Node,
  event: K,
): Promise<Parameters<Parameters<typeof node.on<K>>[1]>> => new Promise(resolve => node.once(event, (...args) => resolve(args)))
