/**
 * What `sys` can have a process note down: a trace, a log of its last events, statistics, and functions that are given each event.
 *
 * Source: sys.erl (debug_cmd, handle_debug, stat).
 */
import { type Process } from '../../process/index.js'
import { Atom, atom, equals, type Fun, ExportFun, isFun, type Pid, type Term, Tuple, tuple } from '../../term/index.js'
import { applyFun } from '../rpc/apply-fun.js'
import { nameOf } from './process-name.js'

const ok = atom('ok')
const usualLog = 10
/** A function that is that far behind is removed, as one that fails is. */
const maxBehind = 1000

/** How a behaviour tells an event as text */
export type FormatEvent = (event: Term, name: Term) => string

interface Installed {
  readonly id: Term
  readonly fun: Fun | ExportFun
  readonly node: Atom
  state: Term
  behind: number
  /** Each event after the one before it */
  turn: Promise<void>
}

interface Statistics {
  readonly start: Date
  in: number
  out: number
}

export class Debug {
  readonly #self: Process
  readonly #format: FormatEvent
  #trace = false
  #log: { readonly max: number; readonly events: Term[] } | null = null
  #statistics: Statistics | null = null
  #installed: Installed[] = []

  constructor(self: Process, format: FormatEvent) {
    this.#self = self
    this.#format = format
  }

  get isIdle(): boolean {
    return !this.#trace && !this.#log && !this.#statistics && this.#installed.length === 0
  }

  get log(): readonly Term[] {
    return this.#log?.events ?? []
  }

  /** The answer to `{debug, Command}`. */
  command(command: Term, from: Pid): Term {
    if (command === atom('no_debug')) return this.#clear()
    const [what, value] = command instanceof Tuple ? (command.elements as readonly Term[]) : []
    if (value === undefined || !(what instanceof Atom)) return atom('unknown_debug')
    switch (what.name) {
      case 'trace':
        return typeof value === 'boolean' ? ((this.#trace = value), ok) : atom('unknown_debug')
      case 'log':
        return this.#logCommand(value)
      case 'log_to_file':
        // Who is in the cluster shall not write files of ours.
        return value === false ? ok : tuple(atom('error'), atom('open_file'))
      case 'statistics':
        return this.#statisticsCommand(value)
      case 'install':
        return this.#install(value, from)
      case 'remove':
        this.#installed = this.#installed.filter(({ id }) => !equals(id, value))
        return ok
      default:
        return atom('unknown_debug')
    }
  }

  /** Something has happened: `{in, Message}`, `{out, Reply, To, State}`, `{noreply, State}` … */
  event(event: Tuple, name: Term): void {
    if (this.#trace) this.#print(this.#format(event, name))
    if (this.#log) {
      this.#log.events.push(event)
      if (this.#log.events.length > this.#log.max) this.#log.events.shift()
    }
    if (this.#statistics && event.tag === 'in') this.#statistics.in++
    if (this.#statistics && event.tag === 'out') this.#statistics.out++
    for (const installed of this.#installed) this.#tell(installed, event, name)
  }

  /** As OTP's processes keep them, `[dbg_opt()]`: of a log, how many more there is room for, then the events, the latest first */
  options(behaviour: Atom, name: Term): Term {
    const format = new ExportFun(behaviour, atom('print_event') as Atom, 3)
    const { events, max } = this.#log ?? { events: [], max: 0 }
    const log = [max - events.length, ...events.toReversed().map(event => tuple(event, name, format))] as Term
    const counted = this.#statistics
    const counts = counted && tuple(localTime(counted.start), tuple(atom('reductions'), 0), counted.in, counted.out)
    return [
      ...(this.#trace ? [tuple(atom('trace'), true)] : []),
      ...(this.#log ? [tuple(atom('log'), log)] : []),
      ...(counts ? [tuple(atom('statistics'), counts)] : []),
      ...this.#installed.map(({ id, fun, state }) => tuple(id, tuple(fun, state))),
    ]
  }

  #clear(): Term {
    this.#trace = false
    this.#log = this.#statistics = null
    this.#installed = []
    return ok
  }

  #logCommand(value: Term): Term {
    const events = this.#log?.events ?? []
    const max = value instanceof Tuple && value.length === 2 && value.elements[0] === true ? (value.elements[1] as Term) : usualLog
    if (value === true || value instanceof Tuple) {
      if (!Number.isSafeInteger(max) || (max as number) < 1) return atom('unknown_debug')
      // As in OTP, one that is there already stays as long as it is.
      this.#log ??= { max: max as number, events: [] }
    } else if (value === false) {
      this.#log = null
    } else if (value === atom('get')) {
      return tuple(ok, [...events])
    } else if (value === atom('print')) {
      const name = nameOf(this.#self)
      for (const event of events) this.#print(this.#format(event, name))
    } else {
      return atom('unknown_debug')
    }
    return ok
  }

  #statisticsCommand(value: Term): Term {
    if (value === atom('get')) return tuple(ok, this.#statistics ? this.#counted() : atom('no_statistics'))
    if (typeof value !== 'boolean') return atom('unknown_debug')
    if (!value) this.#statistics = null
    else this.#statistics ??= { start: new Date(), in: 0, out: 0 }
    return ok
  }

  /** One reduction for each message: what a delivery costs here. */
  #counted(): Term {
    const { start, in: received, out } = this.#statistics as Statistics
    const pair = (name: string, value: Term): Term => tuple(atom(name), value)
    return [
      pair('start_time', localTime(start)),
      pair('current_time', localTime(new Date())),
      pair('reductions', received + out),
      pair('messages_in', received),
      pair('messages_out', out),
    ]
  }

  #install(value: Term, { node }: Pid): Term {
    const parts = value instanceof Tuple ? (value.elements as readonly Term[]) : []
    const [id, fun, state] = parts.length === 2 ? [parts[0], ...parts] : parts
    if (parts.length < 2 || parts.length > 3 || !isFun(fun)) return atom('unknown_debug')
    const known = this.#installed.some(installed => equals(installed.id, id))
    if (!known) this.#installed.push({ id: id as Term, fun, node, state: state as Term, behind: 0, turn: Promise.resolve() })
    return ok
  }

  /** The function lives on its node: it is given the events in order, and the process does not wait for it. */
  #tell(installed: Installed, event: Term, name: Term): void {
    if (++installed.behind > maxBehind) return this.#remove(installed)
    installed.turn = installed.turn.then(async () => {
      installed.behind--
      if (!this.#installed.includes(installed)) return
      try {
        const state = await applyFun(this.#self, installed.fun, installed.node, [installed.state, event, name])
        if (state === atom('done')) this.#remove(installed)
        else installed.state = state
      } catch {
        // As in OTP: a function that fails is not called again, and harms nobody.
        this.#remove(installed)
      }
    })
  }

  #remove(installed: Installed): void {
    this.#installed = this.#installed.filter(other => other !== installed)
  }

  /** To the group leader. Its answer goes to the node's own process, which drops it. */
  #print(text: string): void {
    const { host, groupLeader } = this.#self
    const request = tuple(atom('put_chars'), atom('unicode'), text)
    host.send(host.init, groupLeader, tuple(atom('io_request'), host.init.pid, host.table.makeRef(), request))
  }
}

/** `{{Year, Month, Day}, {Hour, Minute, Second}}` */
const localTime = (date: Date): Term =>
  tuple(tuple(date.getFullYear(), date.getMonth() + 1, date.getDate()), tuple(date.getHours(), date.getMinutes(), date.getSeconds()))
