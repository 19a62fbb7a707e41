import { atom } from 'beamlet'
import { genServer, noreply } from 'beamlet/otp'

/** Answers all that it was asked when it is told to. */
export const keeper = genServer({
  module: import.meta.url,
  init: () => /** @type {import('beamlet/otp').From<number>[]} */ ([]),
  call: {
    keep(kept) {
      const from = this.from()
      return noreply([...kept, from], from)
    },
  },
  cast: {
    answer: kept => {
      for (const from of kept) from.reply(process.pid)
      return []
    },
  },
})

/** @type {(this: import('beamlet').NodeProcess, name: import('beamlet').Atom) => Promise<unknown>} */
export const ask = function (name) {
  return this.call(name, atom('keep'), { timeout: 100_000 })
}
