/** A TypeScript node in a process of its own, for the test that stops or kills it. Dials the node that it is given, and tells its name. */
import { argv } from 'node:process'
import { Node } from '../../src/index.js'

const [peer, cookie, netTickTime] = argv.slice(2) as [string, string, string]
const node = await Node.start({ name: `lone-${process.pid}@127.0.0.1`, cookie, hidden: true, netTickTime: Number(netTickTime) })
node.on('nodedown', (name, { reason }) => process.send?.([name, reason]))
await node.connect(peer)
process.send?.(node.name)
// It lives as long as the test that started it.
process.on('disconnect', () => process.exit())
