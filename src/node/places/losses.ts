/** The end of a place: what is known of it is undone, and what its processes cannot say any more is said here. */
import { reason as reasons, SharedPayload } from '../../process/index.js'
import { atom, format, type Term, tuple } from '../../term/index.js'
import { PlaceError } from './channel.js'
import type { Place } from './place.js'
import type { Roaming } from './roaming.js'
import type { SchedulersOptions } from './schedulers.js'

/** @param closing does the whole node end? */
export function lose(place: Place, why: Term, closing: boolean, roaming: Roaming, { processes, route, emit }: SchedulersOptions): void {
  const { number } = place.id
  place.failed(new PlaceError('ERR_PLACE_LOST', `The place ended before it had started: ${format(why)}.${place.os.lastWords}`))
  const reason = reasonFor(place, why, closing)
  for (const [name, pid] of [...processes.registry.entries()]) {
    if (processes.table.locate(pid) === number) processes.registry.released(name, pid)
  }
  roaming.lost(place)
  processes.later(lastSignals(place, new SharedPayload(reason, processes), route))
  const unused = place.spare || why === reasons.noproc
  if (!place.finished && !unused && !closing) emit('placedown', { kind: place.kind, number, reason })
}

function reasonFor(place: Place, why: Term, closing: boolean): Term {
  // It has told everybody: what is left came when it no longer read.
  if (place.finished) return reasons.noproc
  if (closing) return atom('shutdown')
  return place.kind === 'isolated' || why === reasons.killed ? why : tuple(atom('scheduler_down'), why)
}

function* lastSignals(place: Place, reason: SharedPayload, route: SchedulersOptions['route']): Generator<void, void, undefined> {
  for (const signal of place.lastSignals(reason)) {
    route(signal)
    yield
  }
}
