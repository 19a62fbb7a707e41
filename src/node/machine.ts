/** A look at this machine: what a node would find that is started here. */
import { createServer } from 'node:net'
import { hostname } from 'node:os'
import { EpmdError } from '../dist/epmd-error.js'
import { epmdPort as portOfEpmd } from '../net/epmd-address.js'
import { names } from '../net/epmd-client.js'
import { NetError } from '../net/errors.js'
import { addressesOf, reasonOf } from '../net/host.js'
import { findCookie } from './cookie.js'
import * as found from './diagnosis.js'
import type { DiagnosisStep, DiagnosisStepName, Found } from './diagnosis.js'
import { NodeNameError, ownNodeName } from './node-name.js'

export interface DiagnoseHereOptions {
  readonly cookie?: string | undefined
  /** EPMD's port. Default: ERL_EPMD_PORT, then 4369 */
  readonly epmdPort?: number | undefined
  /** Milliseconds for each step, at most 7000. Default: 7000 */
  readonly timeout?: number | undefined
}

/**
 * Says what a node will find on this machine: the host's names and addresses, EPMD and what is registered there, where the cookie is from,
 * and whether a port can be had. The steps do not depend on each other, so all are taken.
 */
export async function* diagnoseHere({ cookie, epmdPort, timeout: given = 7000 }: DiagnoseHereOptions = {}): AsyncGenerator<
  DiagnosisStep,
  void,
  void
> {
  const timeout = Math.min(given, 7000)
  const work: readonly [DiagnosisStepName, () => Promise<Found>][] = [
    ['host', () => host(timeout)],
    ['epmd', () => epmd(portOfEpmd(epmdPort), timeout)],
    ['cookie', async () => found.ownCookieFound((await findCookie({ cookie })).from)],
    ['listen', listens],
  ]
  for (const [step, take] of work) {
    const since = performance.now()
    const lap = (): number => performance.now() - since
    yield await take().then(
      ({ says, details }) => ({ step, ok: true, says, details, milliseconds: lap() }),
      (error: unknown) => found.failed(step, error, lap()),
    )
  }
}

async function host(timeout: number): Promise<Found> {
  const [short = ''] = hostname().split('.')
  const addresses = await addressesOf(short, timeout)
  return found.machineFound(short, await longHostName(), addresses)
}

async function longHostName(): Promise<string | undefined> {
  try {
    return (await ownNodeName('any', { domain: 'long' })).host
  } catch (error) {
    if (error instanceof NodeNameError && error.code === 'NAME_NO_DOMAIN') return undefined
    throw error
  }
}

async function epmd(port: number, timeout: number): Promise<Found> {
  try {
    return found.localEpmdFound(port, await names('127.0.0.1', { epmdPort: port, timeout }))
  } catch (error) {
    if (error instanceof EpmdError && error.code === 'EPMD_UNREACHABLE') return found.localEpmdFound(port, null)
    throw error
  }
}

function listens(): Promise<Found> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', cause => {
      const remedy = 'Look at the limits and rules that this machine sets for its programs.'
      reject(new NetError('NET_LISTEN', `No port can be listened at: ${reasonOf(cause)}.`, { cause, remedy }))
    })
    server.listen(0, () => server.close(() => resolve(found.listenFound)))
  })
}
