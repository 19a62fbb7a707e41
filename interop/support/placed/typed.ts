/** A module in TypeScript, with what stripping of types can take away. */
import { genServer, reply } from 'beamlet/otp'

interface Sum {
  readonly total: number
}

export const sum = genServer({
  module: import.meta.url,
  init: (): Sum => ({ total: 0 }),
  call: { add: ({ total }: Sum, by: number) => reply(total + by, { total: total + by }) },
})

export const double = (n: number): number => (2 * n) satisfies number
