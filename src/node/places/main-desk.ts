/** What other places say to main: signals for others, notices of what happens there, and questions that main alone can answer. */
import type { Signal } from '../../dist/signal.js'
import { type EtfCode, EtfError } from '../../etf/index.js'
import type { LogLevel, LogReport } from '../../process/index.js'
import { Atom, atom, equals, type Pid, type Sendable, type Term, text, tuple } from '../../term/index.js'
import { type Desk, PlaceError } from './channel.js'
import type { Place } from './place.js'
import type { Roaming } from './roaming.js'
import type { Schedulers, SchedulersOptions } from './schedulers.js'

export class MainDesk {
  readonly #options: SchedulersOptions
  readonly #schedulers: Pick<Schedulers, 'drained' | 'isAlive'>
  readonly #roaming: Roaming

  constructor(options: SchedulersOptions, schedulers: Pick<Schedulers, 'drained' | 'isAlive'>, roaming: Roaming) {
    this.#options = options
    this.#schedulers = schedulers
    this.#roaming = roaming
  }

  /** As that place meets it */
  for(place: Place): Omit<Desk, 'closed'> {
    return {
      signal: signal => this.#onSignal(place, signal),
      told: (what, args) => this.#told(place, what, args),
      asked: (what, args) => this.#asked(what, args),
    }
  }

  #onSignal(place: Place, signal: Signal): void {
    place.ledger.goesOut(signal)
    try {
      if (signal.op === 'start') this.#roaming.start(place, signal)
      else this.#options.route(signal)
    } catch (error) {
      if (!(error instanceof EtfError)) throw error
      place.kill(tuple(atom('bad_signal'), atom(error.code)))
    }
  }

  #told(place: Place, what: string, args: readonly any[]): void {
    const { processes, nodes, access, emit, fault } = this.#options
    switch (what) {
      case 'ready':
        return place.started()
      case 'failed':
        place.why ??= tuple(atom('not_started'), atom(text(args[0])))
        return place.failed(new PlaceError(text(args[0]), text(args[1])))
      case 'ended':
        if (place.root && equals(place.root, args[0] as Pid)) {
          place.root = null
          place.finished = true
        }
        if (!place.ended(args[0])) this.#roaming.ended(args[0])
        return
      case 'freed':
        return processes.registry.released(args[0], args[1])
      case 'setCookie':
        return access.setCookie(text(args[0]), text(args[1]))
      case 'allow':
        return access.allow((args[0] as Term[]).map(text))
      case 'reach':
        return nodes.reach(args[0])
      case 'fault':
        return fault(args[0], new EtfError(text(args[1]) as EtfCode, text(args[2])))
      case 'crash': {
        const error = Object.assign(new Error(text(args[2])), { stack: text(args[3]) })
        if (!emit('crash', args[0], { reason: args[1] as Term, error })) console.error(`Error in process ${String(args[0])}:`, error)
        return
      }
      case 'logger':
        return processes.logger.tell(reportOf(args))
      case 'stray':
        place.why ??= args[0] as Term
        return
      case 'trapping':
        if (place.root && equals(place.root, args[0] as Pid)) place.trapExit = args[1] as boolean
    }
  }

  async #asked(what: string, args: readonly any[]): Promise<Sendable> {
    const { processes, nodes } = this.#options
    switch (what) {
      case 'claim':
        processes.registry.claim(args[0], args[1])
        break
      case 'unregister':
        processes.registry.unregister(args[0])
        break
      case 'connect':
        await nodes.connect(args[0])
        break
      case 'disconnect':
        return nodes.disconnect(args[0])
      case 'heard':
        break
      case 'drained':
        if (args[0] instanceof Atom) await nodes.drained(args[0])
        else await this.#schedulers.drained(args[0] as Pid | null)
        break
      case 'alive':
        return processes.table.locate(args[0]) === 0 ? processes.table.find(args[0]) !== undefined : this.#schedulers.isAlive(args[0])
    }
    return atom('ok')
  }
}

/** A log event as another place tells it: Level, Report, Meta, and for one that is text Format, Args */
function reportOf([level, report, meta, format, args]: readonly any[]): LogReport {
  const event = { level: text(level) as LogLevel, report: report as Term, meta: meta as Term }
  return format === undefined ? event : { ...event, format: [format, args] }
}
