/** From options to a node that listens and is registered: name, cookie, EPMD, listener, creation, in this order. */
import { randomInt } from 'node:crypto'
import { AtomBudget, defaultLimits } from '../etf/index.js'
import type { ConnectionOptions } from '../net/connection.js'
import { openEpmd } from '../net/epmd.js'
import { listen, type Listener } from '../net/listener.js'
import { NodeError } from '../term/index.js'
import { findCookie } from './cookie.js'
import type { Kernel } from './kernel.js'
import { ownNodeName } from './node-name.js'
import type { NodeOptions } from './options.js'
import { localEnd, type Parts } from './parts.js'

/** @throws NodeError: NAME_…, COOKIE_…, EPMD_…, NET_LISTEN. Nothing is left open then. */
export async function open<K extends Kernel<any>>(options: NodeOptions, make: (parts: Parts) => K): Promise<K> {
  const name = await ownNodeName(options.name)
  const { value: cookie } = await findCookie({ cookie: options.cookie })
  const epmd = await openEpmd(options.epmd ?? 'auto', {
    port: options.epmdPort,
    host: epmdHost(name.host),
    lookupsOnly: options.listen === false,
  })
  const connection = connectionOptions(options)
  let listener: Listener | null = null
  let kernel: K | null = null
  try {
    if (options.listen !== false) {
      listener = await listen({
        ...connection,
        ...options.listen,
        timeout: options.netSetupTime,
        cookieFor: () => cookie,
        self: () => kernel?.incoming.self() ?? localEnd({ name, creation: 0, options }),
        // Nobody knows our port before we are registered; whoever guessed it may try again.
        status: attempt => kernel?.incoming.status(attempt) ?? 'nok',
        connection: connection => (kernel ? kernel.incoming.connection(connection) : connection.close()),
        failed: (error, attempt) => kernel?.incoming.failed(error, attempt),
      })
    }
    const hidden = options.hidden ?? true
    const lost = new NodeError(
      'EPMD_LOST',
      'EPMD is gone: new peers cannot find this node until it is back and the node is registered again.',
    )
    const events = { lost: () => kernel?.tellError(lost), failed: (error: NodeError) => kernel?.tellError(error) }
    // A node that nobody can dial has nothing to register; its creation is as good as one of EPMD's.
    const { creation } = listener
      ? await epmd.register({ name: name.alive, port: listener.port, hidden, events })
      : { creation: randomInt(4, 2 ** 32) }
    kernel = make({ options, name, cookie, creation, epmd, connection, listener })
    return kernel
  } catch (error) {
    await listener?.close()
    await epmd.close()
    throw error
  }
}

/** One budget of atoms for all connections of a node. */
function connectionOptions({
  floats,
  limits,
  clock,
  netTickTime,
  netTickIntensity,
  sendBufferLimit,
  sendBufferMax,
}: NodeOptions): ConnectionOptions {
  const atoms = new AtomBudget(limits?.atoms ?? defaultLimits.atoms)
  return { netTickTime, netTickIntensity, sendBufferLimit, sendBufferMax, clock, decoding: { floats, limits, atoms } }
}

/** Where an embedded EPMD listens: only here for a node that only this machine can reach, else everywhere, as the system's does. */
function epmdHost(host: string): string | undefined {
  const local = host === 'localhost' || host === '::1' || host.startsWith('127.')
  return local ? undefined : '0.0.0.0,::'
}
