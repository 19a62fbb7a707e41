/** Where the Erlang/OTP releases of this machine are. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { InteropError } from './errors.js'

/** Any release may be asked for; these are the ones that `make setup` brings. */
export const releases = [25, 27, 29] as const
export type Release = number

/**
 * A program of that release: below `BEAMLET_OTP_<release>` (a folder with `bin/erl`) when it is set, below the folder that `make setup`
 * fills, else the one on the PATH, whose release is checked once it runs.
 */
export function programOf(name: 'erl' | 'epmd', release: Release | undefined): string {
  if (release === undefined) return name
  const chosen = env[`BEAMLET_OTP_${release}`]
  if (chosen !== undefined) return join(chosen, 'bin', name)
  const ours = join(home(), String(release))
  return existsSync(join(ours, 'release')) ? join(ours, 'bin', name) : name
}

const home = (): string => env['BEAMLET_OTP'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'beamlet', 'otp')

export const missing = (release: Release | undefined, found: string): InteropError =>
  new InteropError(
    'ERR_INTEROP_NO_OTP',
    `Erlang/OTP${release === undefined ? '' : ` ${release}`} is not here (${found}). ` +
      `Run 'make setup' in a checkout of Beamlet, put its erl on the PATH, or name its folder in BEAMLET_OTP_${release ?? 25}.`,
  )
