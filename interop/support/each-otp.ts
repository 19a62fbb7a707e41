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
import { type Beam, type BeamOptions, type Release, releases, startBeam as startFromSource } from '../../src/interop/index.js'

export interface Real<B extends Judged = Beam> {
  readonly otp: Release
  /** A node of that release. It is stopped, and its log judged, when the suite is done. */
  readonly start: (options?: Omit<BeamOptions, 'otp'>) => Promise<B>
}

type Judged = Pick<Beam, 'name' | 'stop' | 'unexpectedLogs'>

/** @param startBeam that of the package as it is shipped, where the whole suite is to run on that */
export async function eachOtp<B extends Judged = Beam>(
  t: Test,
  suite: (t: Test, real: Real<B>) => Promise<void>,
  startBeam = startFromSource as unknown as (options: BeamOptions) => Promise<B>,
): Promise<void> {
  const chosen = env['OTP'] === undefined ? releases : [Number(env['OTP'])]
  for (const otp of chosen) {
    await t.test(`OTP ${otp}`, async t => {
      const beams: B[] = []
      const start = async (options: Omit<BeamOptions, 'otp'> = {}): Promise<B> => {
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
