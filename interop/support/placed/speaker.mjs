/** What prints and logs, wherever it runs. */
/** @import { NodeProcess, Pid, Term, Tuple } from 'beamlet' */
import { atom } from 'beamlet'
import { genServer, reply } from 'beamlet/otp'

/**
 * @this {NodeProcess}
 * @param {Term} word
 */
export const hello = async function (word) {
  await this.io.format('~ts in ~w~n', [word, this.groupLeader.node])
  return atom('ok')
}

/**
 * Prints what it is told to.
 *
 * @this {NodeProcess}
 */
export const loop = async function () {
  for await (const message of this) {
    const [from, word] = /** @type {Tuple<[Pid, Term]>} */ (message).elements
    await this.io.putChars(word)
    this.send(from, atom('said'))
  }
}

export function fails() {
  throw new TypeError('no')
}

export const speaker = genServer({
  module: import.meta.url,
  init: () => 1,
  call: {
    async say(n, word) {
      await this.io.putChars(word)
      return reply(atom('ok'), n)
    },
    link(n, pid) {
      this.link(pid)
      return reply(atom('ok'), n)
    },
  },
  cast: {
    crash() {
      throw new TypeError('no')
    },
  },
})
