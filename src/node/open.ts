/** From options to a node that listens and is registered: name, cookie, EPMD, listener, creation, in this order. */
import { randomInt } from 'node:crypto'
import { AtomBudget, defaultLimits } from '../etf/index.js'
import type { ConnectionOptions } from '../net/connection.js'
import { openEpmd } from '../net/epmd.js'
import { listen, type Listener } from '../net/listener.js'
import { Tls } from '../net/tls.js'
import { NodeError } from '../term/index.js'
import { Allowed } from './allowed.js'
import { checkOptions } from './check-options.js'
import { findCookie } from './cookie.js'
import { Cookies } from './cookies.js'
import type { Kernel } from './kernel.js'
import { askForName, wantsName } from './named-by.js'
import { ownNodeName, parseNodeName } from './node-name.js'
import { isHidden, type NodeOptions } from './options.js'
import { localEnd, type Parts } from './parts.js'
import { checkPort } from './resolve.js'

/** @throws NodeError: NODE_OPTION, NAME_…, COOKIE_…, RESOLVE_PORT, TLS_…, EPMD_…, NET_LISTEN; with `namedBy` as `connect`. Nothing is left open then. */
export async function open<K extends Kernel<any>>(options: NodeOptions, make: (parts: Parts) => K): Promise<K> {
  checkOptions(options)
  const name = await ownNodeName(options.name, { domain: options.nameDomain })
  const cookies = new Cookies(await findCookie({ cookie: options.cookie }), options.cookies)
  const allowed = new Allowed(options.allow)
  const fixedPort = typeof options.resolve === 'number' ? checkPort(options.resolve, 'for every node') : undefined
  const nameless = wantsName(name.alive, options)
  const dialsOnly = nameless || options.listen === false
  const tls = options.tls ? await Tls.open(options.tls, { listens: !dialsOnly }) : null
  let kernel: K | null = null
  const epmd = await openEpmd(options.epmd ?? 'auto', {
    port: options.epmdPort,
    host: epmdHost(name.host),
    lookupsOnly: dialsOnly,
    events: { fault: (error, remoteAddress) => kernel?.epmdFault(error, remoteAddress) },
  })
  const connection = connectionOptions(options)
  let listener: Listener | null = null
  try {
    if (nameless) {
      const ends = { options: { ...options, hidden: true }, cookies, allowed, epmd, connection, tls, listener }
      const giver = await askForName({ ...ends, name })
      const given = { ...parseNodeName(giver.self.name), domain: name.domain }
      kernel = make({ ...ends, name: given, creation: giver.selfCreation })
      kernel.main?.peers.namedBy(giver)
      return kernel
    }
    if (!dialsOnly) {
      const { host, port = fixedPort } = options.listen || {}
      listener = await listen({
        ...connection,
        host,
        port,
        tls,
        timeout: options.netSetupTime,
        maxHandshakes: options.maxHandshakes,
        cookieFor: peer => cookies.of(peer),
        self: () => kernel?.main?.incoming.self() ?? localEnd({ name, creation: 0, options }),
        // Nobody knows our port before we are registered; whoever guessed it may try again.
        status: attempt => kernel?.main?.incoming.status(attempt) ?? 'nok',
        connection: connection => (kernel?.main ? kernel.main.incoming.connection(connection) : connection.close()),
        failed: (error, attempt) => kernel?.main?.incoming.failed(error, attempt),
      })
    }
    const hidden = isHidden(options)
    const lost = new NodeError(
      'EPMD_LOST',
      'EPMD is gone: new peers cannot find this node until it is back and the node is registered again.',
    )
    const events = { lost: () => kernel?.tellError(lost), failed: (error: NodeError) => kernel?.tellError(error) }
    // A node that nobody can dial has nothing to register; its creation is as good as one of EPMD's.
    const { creation } = listener
      ? await epmd.register({ name: name.alive, port: listener.port, hidden, events })
      : { creation: randomInt(4, 2 ** 32) }
    kernel = make({ options, name, cookies, allowed, creation, epmd, connection, tls, listener })
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
  maxUnfinished,
}: NodeOptions): ConnectionOptions {
  const atoms = new AtomBudget(limits?.atoms ?? defaultLimits.atoms)
  return { netTickTime, netTickIntensity, sendBufferLimit, sendBufferMax, maxUnfinished, clock, decoding: { floats, limits, atoms } }
}

/** Where an embedded EPMD listens: only here for a node that only this machine can reach, else everywhere, as the system's does. */
function epmdHost(host: string): string | undefined {
  const local = host === 'localhost' || host === '::1' || host.startsWith('127.')
  return local ? undefined : '0.0.0.0,::'
}
