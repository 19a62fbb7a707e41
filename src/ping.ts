/** What net_adm:ping asks, and what is said of an answer that is none. */
import type { Node, NodeProcess } from './beamlet.js'
import { atom, format, NodeError, type Term, tuple } from './term/index.js'

/** What `net_adm:ping` asks; a node answers `yes`. It comes after all that this connection has carried before. */
export const isAuth = (self: NodeProcess, target: string, timeout: number): Promise<Term> =>
  self.call({ name: 'net_kernel', node: target }, tuple(atom('is_auth'), self.pid.node), { timeout })

/** Resolves for a pong. @throws NodeError ERR_PANG for another answer; ExitError; ProcessError ERR_TIMEOUT. */
export async function ping(node: Node, target: string, timeout: number): Promise<void> {
  const answer = await node.run(self => isAuth(self, target, timeout))
  if (answer === atom('yes')) return
  throw new NodeError('ERR_PANG', `The node ${target} is connected, but answers a ping with ${format(answer)}.`, {
    remedy: "Its net_kernel is not OTP's: look what runs there.",
  })
}
