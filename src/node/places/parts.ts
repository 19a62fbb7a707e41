import type { Connection } from '../../net/connection.js'
import { epmdClient } from '../../net/epmd.js'
import { NodeError } from '../../term/index.js'
import { parseNodeName, domainOf } from '../node-name.js'
import type { Parts } from '../parts.js'
import type { PlaceConfig } from './config.js'

/** What a node is made of, in a place that is not main: no way out but to main, and no secrets. */
export function placeParts(config: PlaceConfig, connection: Connection): Parts {
  const { creation, hidden, netTickTime, floats, limits, sendBufferLimit, sendBufferMax } = config
  const name = parseNodeName(config.node)
  return {
    options: { name: config.node, hidden, netTickTime, floats, limits, sendBufferLimit, sendBufferMax },
    name: { ...name, domain: domainOf(name.host) },
    creation,
    listener: null,
    tls: null,
    place: { connection, config },
    epmd: epmdClient(config.epmd.mode, config.epmd.port, async () => onlyMain('how to register names')),
    get cookies() {
      return onlyMain('cookies, which are given out to no other place')
    },
    get allowed() {
      return onlyMain('the list of nodes that may connect')
    },
    get connection() {
      return onlyMain('how to connect')
    },
  }
}

/** @throws NodeError ERR_ONLY_MAIN */
export function onlyMain(what: string): never {
  throw new NodeError('ERR_ONLY_MAIN', `Only main knows ${what}: have a process there do it.`)
}
