/** A genServer that counts casts, echoes calls, and answers `{From, Message}` with the message: what the one of Erlang in bench/placed.ts does. */
import { genServer, reply } from 'beamlet/otp'

/** @import { Pid, Process, Term, Tuple } from 'beamlet' */

export const server = genServer({
  module: import.meta.url,
  init: () => 0,
  call: {
    /**
     * @param {number} taken
     * @param {Term} term
     */
    echo: (taken, term) => reply(term, taken),
    taken: taken => reply(taken, 0),
  },
  cast: {
    /**
     * @param {number} taken
     * @param {Term} _
     */
    take: (taken, _) => taken + 1,
  },
  info(taken, message) {
    const [from, answer] = /** @type {Tuple<[Pid, Term]>} */ (message).elements
    this.send(from, answer)
    return taken
  },
})

/**
 * Says that it is there, and waits.
 *
 * @this {Process}
 * @param {Pid} parent
 */
export const wait = async function (parent) {
  this.send(parent, this.pid)
  await this.receive()
}
