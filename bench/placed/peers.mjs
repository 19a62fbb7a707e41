/**
 * Many nodes: `peers.mjs COOKIE`. Asked for `{ count }`, it says the names of so many; asked whether it is `{ quiet }`, it says so when no node has a
 * connection. Ends with its channel.
 */
import process from 'node:process'
import { Node } from 'beamlet'

/** @type {Node[]} */
const nodes = []
let connections = 0
let tell = () => {}

async function start() {
  const name = `bench-peer-${process.pid}-${nodes.length}@127.0.0.1`
  // Hidden, or they would connect to each other.
  const options = /** @type {const} */ ({ hidden: true, distAutoConnect: 'never' })
  const node = await Node.start({ name, cookie: /** @type {string} */ (process.argv[2]), ...options })
  node.on('nodeup', () => connections++)
  node.on('nodedown', () => --connections === 0 && tell())
  nodes.push(node)
}

/** @param {{ readonly count?: number, readonly quiet?: boolean }} asked */
async function answer({ count = 0, quiet = false }) {
  while (nodes.length < count) await start()
  if (quiet && connections > 0) await new Promise(resolve => (tell = () => resolve(undefined)))
  process.send?.(quiet ? 'quiet' : nodes.slice(0, count).map(({ name }) => name))
}

process.on('message', asked => void answer(/** @type {any} */ (asked)))
process.once('disconnect', () => void Promise.all(nodes.map(node => node.close())))
process.send?.('here')
