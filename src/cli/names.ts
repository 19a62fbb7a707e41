/** `beamlet names [HOST]`: what `epmd -names` prints. */
import { epmdPort } from '../net/epmd-address.js'
import { names as ask } from '../net/epmd-client.js'
import type { CommonOptions } from './options.js'
import { result } from './output.js'

export async function names(host: string, options: CommonOptions): Promise<void> {
  const port = epmdPort(options.epmdPort)
  const nodes = await ask(host, { epmdPort: port, timeout: options.timeout })
  if (options.json) return result(JSON.stringify({ host, epmdPort: port, nodes: nodes.map(({ name, port }) => ({ name, port })) }))
  result(`epmd: up and running on port ${port} with data:`)
  for (const { name, port } of nodes) result(`name ${name} at port ${port}`)
}
