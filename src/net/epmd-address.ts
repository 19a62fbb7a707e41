/** Where EPMD is, as the environment says: the same variables that `epmd` and `erl` read. */
import { isIP } from 'node:net'
import { EpmdError } from '../dist/epmd-error.js'

/** Where EPMD listens unless somebody has said otherwise */
export const usualPort = 4369

/** Given, or ERL_EPMD_PORT, or 4369. @throws EpmdError EPMD_PORT. */
export function epmdPort(given?: number, env: NodeJS.ProcessEnv = process.env): number {
  const text = env['ERL_EPMD_PORT']
  const port = given ?? (text === undefined ? usualPort : Number(text))
  if (Number.isInteger(port) && port > 0 && port < 65536) return port
  const whose = given === undefined ? `The environment says ERL_EPMD_PORT=${text}` : `EPMD's port is given as ${given}`
  throw new EpmdError('EPMD_PORT', `${whose}: make it a number from 1 to 65535, or leave it out for 4369.`)
}

/**
 * The addresses for a server to listen at, loopback first. As `epmd -address` has it: a list, or text with commas; `0.0.0.0` and `::`
 * mean all of a family; the loopback addresses are always there, for nodes register at them.
 *
 * @throws EpmdError EPMD_LISTEN for a host name: only an address can be listened at.
 */
export function listenAddresses(given: string | readonly string[] | undefined, env: NodeJS.ProcessEnv = process.env): string[] {
  const list = given ?? env['ERL_EPMD_ADDRESS'] ?? ''
  const wanted = (typeof list === 'string' ? list.split(/[ ,]+/) : list).filter(address => address !== '')
  const wrong = wanted.find(address => isIP(address) === 0)
  if (wrong !== undefined)
    throw new EpmdError('EPMD_LISTEN', `EPMD cannot listen at '${wrong}': give IP addresses, such as 0.0.0.0 for all.`)
  const v4 = wanted.includes('0.0.0.0') ? '0.0.0.0' : '127.0.0.1'
  const v6 = wanted.includes('::') ? '::' : '::1'
  return [...new Set([v4, v6, ...wanted])]
}

/** Only a process on this machine may register: it comes from a loopback address, or from the very address that it dialled. */
export function isLocalPeer(remote: string | undefined, local: string | undefined): boolean {
  if (remote === undefined) return false
  const address = remote.replace(/^::ffff:/i, '')
  return address === '::1' || address.startsWith('127.') || remote === local
}
