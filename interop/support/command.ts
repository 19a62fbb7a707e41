/** The command `beamlet` beside real nodes. */
import { beamlet, type Ended } from '../../test/cli/beamlet.js'

export const cookie = 'shared'

export const environment = (epmdPort: number): Record<string, string> => ({ ERL_EPMD_PORT: String(epmdPort), BEAMLET_COOKIE: cookie })

/** Runs a command with that cookie and that EPMD. */
export const at =
  (epmdPort: number) =>
  (...args: string[]): Promise<Ended> =>
    beamlet(args, { env: environment(epmdPort) })
