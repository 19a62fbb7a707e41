import { atom } from 'beamlet'
import { genServer, reply, stop } from 'beamlet/otp'

export const counter = genServer({
  module: import.meta.url,
  /** @param {number} start */
  init: start => (start < 0 ? stop(atom('negative')) : start),
  call: {
    /**
     * @param {number} n
     * @param {number} by
     */
    add: (n, by) => reply(n + by, n + by),
    get: n => reply(n, n),
    where: n => reply(process.pid, n),
    crash: () => {
      throw new TypeError('crash')
    },
  },
  cast: { reset: () => 0 },
})
