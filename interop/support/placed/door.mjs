/** A state machine, and an event manager, for places. */
import { atom, tuple } from 'beamlet'
import { eventHandler, genEvent, genStatem, keep, next, reply, stop } from 'beamlet/otp'

/** @import { Term } from 'beamlet' */

/** @param {readonly Term[]} seen */
const all = seen => reply(/** @type {Term} */ ([...seen]), keep(seen))

export const door = genStatem({
  module: import.meta.url,
  /** @param {Term} first */
  init: first => (first === atom('bad') ? stop(atom('bad')) : next('locked', /** @type {readonly Term[]} */ ([first]))),
  states: {
    locked: {
      enter: (seen, from) => keep([tuple(atom('enter'), from), ...seen]),
      call: {
        seen: all,
        where: seen => reply(process.pid, keep(seen)),
        unlock: seen => reply(atom('ok'), next('open', seen)),
        push: seen => keep(seen, { postpone: true }),
        timer: seen => reply(atom('ok'), keep(seen, { stateTimeout: [0, atom('s')] })),
        crash() {
          this.exit(atom('crashed'))
        },
      },
      info: (seen, message) => keep([tuple(atom('info'), message), ...seen]),
      stateTimeout: (seen, what) => keep([tuple(atom('state_timeout'), what), ...seen]),
    },
    open: {
      call: { push: seen => reply(atom('pushed'), keep([atom('push'), ...seen])), seen: all },
      cast: { lock: seen => next('locked', seen) },
    },
  },
})

const tally = eventHandler({
  /** @param {Term} first */
  init: first => /** @type {readonly Term[]} */ ([first]),
  handleEvent(event, seen) {
    if (event === atom('crash')) this.exit(atom('crashed'))
    return [event, ...seen]
  },
  call: {
    seen: seen => reply(/** @type {Term} */ ([...seen]), seen),
    where: seen => reply(process.pid, seen),
  },
  handleInfo: (message, seen) => [tuple(atom('info'), message), ...seen],
  terminate: why => tuple(atom('done'), why),
})

export const events = genEvent({ module: import.meta.url, handlers: { tally } })
