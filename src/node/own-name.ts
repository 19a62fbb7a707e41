/** The name of the node that a command is. */
import { randomBytes } from 'node:crypto'
import { hostname, networkInterfaces } from 'node:os'
import { pid } from 'node:process'
import { domainOf } from './node-name.js'

/**
 * A name from which `target` (a host) can be dialled: short for a short one, long for a long one. A name that was given keeps its host, if it
 * has one; without a name a new one is made, which no other run has.
 *
 *     ownName(undefined, 'myhost')          // beamlet_4711_9f86d081@thishost
 *     ownName('probe', '127.0.0.1')         // probe@127.0.0.1
 */
export function ownName(given: string | undefined, target: string): string {
  const name = given ?? `beamlet_${pid}_${randomBytes(4).toString('hex')}`
  return name.includes('@') ? name : `${name}@${hostFor(target)}`
}

function hostFor(target: string): string {
  const name = hostname()
  if (domainOf(target) === 'short') return name.split('.')[0] || 'nohost'
  if (/^127\.|^::1$/.test(target)) return target
  // Nobody dials this node, so a reverse look-up, which may take seconds, would tell nobody anything.
  return name.includes('.') ? name : ownAddress()
}

const ownAddress = (): string =>
  Object.values(networkInterfaces())
    .flat()
    .find(address => address?.family === 'IPv4' && !address.internal)?.address ?? '127.0.0.1'
