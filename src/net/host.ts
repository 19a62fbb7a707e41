/** Hosts: their addresses, and what is said where there is none. */
import { lookup } from 'node:dns/promises'
import { type Clock, systemClock } from '../process/clock.js'
import type { NodeErrorOptions } from '../term/index.js'
import { NetError } from './errors.js'

/** Sentence and options of the error; each layer has a code of its own for it. */
export function unknownHost(host: string, cause: NodeJS.ErrnoException): [says: string, options: NodeErrorOptions] {
  if (cause.code === 'EAI_AGAIN') {
    const remedy = 'Look whether the DNS servers of this machine can be reached, or put the host into /etc/hosts.'
    return [`The host '${host}' could not be looked up, for no DNS server answered (EAI_AGAIN).`, { cause, remedy }]
  }
  // A container's name is known to its network alone, and the search domains of a resolver are not to be relied on.
  const short = host.includes('.') ? '' : ` A short name is the host's own: this machine must know it as '${host}', without a domain.`
  const remedy = `Look at its spelling, and at its entry in DNS or /etc/hosts.${short}`
  return [`The host '${host}' has no address (${cause.code}).`, { cause, remedy }]
}

/** One line about a system's error. Several attempts that failed have no message of their own. */
export const reasonOf = ({ message, code }: NodeJS.ErrnoException): string => message || (code ?? 'no reason was given')

/**
 * Every address of a host, as the operating system has them.
 *
 * @throws NetError NET_UNKNOWN_HOST; NET_TIMEOUT after so many milliseconds.
 */
export async function addressesOf(host: string, timeout: number, clock: Clock = systemClock): Promise<string[]> {
  const late = new NetError('NET_TIMEOUT', `The host '${host}' was not looked up within ${timeout} ms.`, {
    remedy: 'Look whether the DNS servers of this machine can be reached.',
  })
  return new Promise((resolve, reject) => {
    const cancel = clock.after(timeout, () => reject(late))
    lookup(host, { all: true })
      .then(
        addresses => resolve([...new Set(addresses.map(({ address }) => address))]),
        (cause: NodeJS.ErrnoException) => reject(new NetError('NET_UNKNOWN_HOST', ...unknownHost(host, cause))),
      )
      .finally(cancel)
  })
}
