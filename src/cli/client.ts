/** The node that `ping`, `call` and `send` are for a moment. */
import { stderr } from 'node:process'
import { Node } from '../index.js'
import { parseNodeName } from '../node/node-name.js'
import { ownName } from '../node/own-name.js'
import { type CommonOptions, tlsOf } from './options.js'

/** The longest that each step of connecting may take: kernel's net_setuptime */
const setupTime = 7000

/**
 * Runs `work` on a node that is connected to `target`, and closes it whatever comes. It is hidden and unknown to EPMD, unless it shall be
 * visible: then it is a node that others can dial, as `global` among visible nodes expects.
 *
 * @throws NodeError that says why there is no connection; what `work` throws.
 */
export async function connected<T>(target: string, options: CommonOptions, work: (node: Node) => Promise<T>): Promise<T> {
  await using node = await asking(target, options)
  await node.connect(target)
  return await work(node)
}

/** Such a node, with a name that fits `target`; it is not connected yet. */
export function asking(target: string, options: CommonOptions): Promise<Node> {
  const { cookie, hidden = true, timeout, epmdPort } = options
  return Node.start({
    name: ownName(options.name, parseNodeName(target).host),
    cookie,
    hidden,
    epmdPort,
    tls: tlsOf(options),
    // 1.0 is to print as 1.0.
    floats: 'exact',
    listen: hidden ? false : undefined,
    netSetupTime: Math.min(timeout, setupTime),
    // What a called function prints is not its result.
    output: text => void stderr.write(text),
  })
}
