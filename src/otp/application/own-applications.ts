/**
 * `kernel` and `stdlib`, which run on every node. Here they are this package's, not OTP's, and say so: their version is its own.
 */
import { application, codeOf } from './application.js'
import type { ApplicationCode } from './types.js'
import { version } from '../version.js'

/** Beamlet's modules that other nodes call as OTP's kernel's, and the names that its services have */
const modules = ['application', 'application_controller', 'application_master', 'erpc', 'net_adm', 'net_kernel', 'pg']
const registered = ['application_controller', 'net_kernel', 'pg', 'rex', 'user']

export function ownApplications({ netTickTime }: { readonly netTickTime: number }): ApplicationCode[] {
  const kernel = application({
    name: 'kernel',
    vsn: version,
    description: "Beamlet, for OTP's kernel",
    modules,
    registered,
    env: { net_ticktime: netTickTime },
  })
  const stdlib = application({ name: 'stdlib', vsn: version, description: "Beamlet, for OTP's stdlib", applications: ['kernel'] })
  return [kernel, stdlib].map(app => codeOf(app) as ApplicationCode)
}
