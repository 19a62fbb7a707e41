/**
 * Runs a suite once for each release that `make setup` brings, and judges it by what the BEAM nodes' logs say afterwards.
 *
 *     await eachOtp(t, async (t, { otp, start }) => {
 *       const beam = await start({ code: '…' })
 *       …
 *     })
 *
 * `OTP=27 node_modules/.bin/tap run interop/…` runs one release alone.
 */
import { env } from 'node:process'
import type { Test } from 'tap'
import { type Beam, type BeamOptions, type Release, releases, startBeam } from '../../src/interop/index.js'

export interface Real {
  readonly otp: Release
  /** A node of that release. It is stopped, and its log judged, when the suite is done. */
  readonly start: (options?: Omit<BeamOptions, 'otp'>) => Promise<Beam>
}

export async function eachOtp(t: Test, suite: (t: Test, real: Real) => Promise<void>): Promise<void> {
  const chosen = env['OTP'] === undefined ? releases : [Number(env['OTP'])]
  for (const otp of chosen) {
    await t.test(`OTP ${otp}`, async t => {
      const beams: Beam[] = []
      const start = async (options: Omit<BeamOptions, 'otp'> = {}): Promise<Beam> => {
        const beam = await startBeam({ otp, ...options })
        beams.push(beam)
        return beam
      }
      try {
        await suite(t, { otp, start })
      } finally {
        const stops = await Promise.allSettled(beams.map(beam => beam.stop()))
        for (const [index, beam] of beams.entries()) {
          t.equal(stops[index]?.status, 'fulfilled', `${beam.name} stopped`)
          t.strictSame(beam.unexpectedLogs().map(describe), [], `the log of ${beam.name} holds nothing unexpected`)
        }
      }
    })
  }
}

const describe = ({ level, text }: { level: string; text: string }): string => `${level}: ${text}`
