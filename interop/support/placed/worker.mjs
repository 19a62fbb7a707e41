/** A server that ends in many ways, and supervisors that have such servers in every place. */
import { atom } from 'beamlet'
import { genServer, reply, supervisor } from 'beamlet/otp'

/** @import { Atom } from 'beamlet' */

const stubbornly = atom('stubborn')

export const worker = genServer({
  module: import.meta.url,
  /** @param {Atom} how `stubborn`: it traps exits, and its terminate never ends */
  init(how) {
    this.trapExit = how === stubbornly
    return how
  },
  call: {
    get: how => reply(how, how),
    where: how => reply(process.pid, how),
    crash: () => {
      throw new TypeError('crash')
    },
  },
  cast: {
    loop: () => {
      for (;;);
    },
    exit: () => process.exit(3),
  },
  terminate: (_why, how) => (how === stubbornly ? new Promise(() => {}) : undefined),
})

const flags = /** @type {const} */ ({ module: import.meta.url, intensity: 100, period: 600 })
/**
 * @param {string} id
 * @param {'main' | 'pool' | 'isolated' | undefined} on
 * @param {string} how
 */
const child = (id, on, how = 'mild') => ({ id, start: worker, args: /** @type {[Atom]} */ ([atom(how)]), name: `${id}_worker`, on })

export const oneForOne = supervisor({
  ...flags,
  children: [child('here', undefined), child('pool', 'pool'), child('isolated', 'isolated')],
})

export const restForOne = supervisor({
  ...flags,
  strategy: 'restForOne',
  children: [child('here', undefined), child('pool', 'pool'), child('isolated', 'isolated'), child('last', undefined)],
})

export const oneForAll = supervisor({
  ...flags,
  strategy: 'oneForAll',
  children: [child('here', undefined), child('pool', 'pool'), child('isolated', 'isolated')],
})

export const stubborn = supervisor({
  ...flags,
  children: [
    { ...child('pool', 'pool', 'stubborn'), shutdown: 100 },
    { ...child('isolated', 'isolated', 'stubborn'), shutdown: 100 },
    { ...child('brutal', 'pool', 'stubborn'), shutdown: 'brutalKill' },
    { ...child('busy', 'isolated'), shutdown: 60_000 },
  ],
})

export const pool = supervisor({ ...flags, children: [child('one', 'pool'), child('two', 'pool')] })
