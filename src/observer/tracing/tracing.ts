/**
 * Tracing of the whole node, as main has it: a session for each relay that somebody's `dbg` has started here. Each place traces its own processes, and
 * sends what it sees to the relay.
 *
 *   main → place    trace, Session, Relay, Whom, On, [Flag]    how many processes it was; the session begins there with it
 *                   trace_fresh, Session, Relay, [Flag]        to a place that begins later, before it runs anything: what is traced of new processes
 *                   trace_flags, Pid                           [Flag]
 *                   trace_over, Session, Relay
 *                   trace_flush                                all that was seen there until now is on its way
 */
import type { Kernel } from '../../node/kernel.js'
import { type Atom, atom, format, Pid, type Sendable, type Term, tuple } from '../../term/index.js'
import { changed, type Flags, flagsOf, noFlags, toTerm } from './flags.js'
import { type Outlet, PidOutlet } from './outlet.js'
import { Tracer, type Whom } from './tracer.js'

interface Session {
  readonly key: string
  readonly relay: Pid
  /** What stands for it in answers, and what takes its events: OTP 25 names a session by that. */
  readonly term: Term
  readonly tracer: Term
  /** Of processes that are yet to come, in places that are yet to come */
  fresh: Flags
}

export class Tracing {
  readonly #kernel: Kernel<any>
  readonly #here: Tracer
  readonly #sessions = new Map<string, Session>()

  /** In every place */
  constructor(kernel: Kernel<any>) {
    this.#kernel = kernel
    const here = (this.#here = new Tracer(kernel))
    if (!kernel.uplink) {
      kernel.greetings.push(() => this.#greeting())
      return
    }
    const { inquiries, notices } = kernel
    const begin = (key: Term, relay: Pid): void => here.open(format(key), () => new PidOutlet(kernel, relay), relay)
    notices.set('trace_fresh', (key: Term, relay: Pid, flags: Term) => {
      begin(key, relay)
      here.set(format(key), 'new', true, flagsOf(flags) ?? noFlags)
    })
    inquiries.set('trace', (key: Term, relay: Pid, whom: Pid | Atom, on: boolean, flags: Term) => {
      begin(key, relay)
      return here.set(format(key), whom instanceof Pid ? whom : (whom.name as Whom), on, flagsOf(flags) ?? noFlags)
    })
    inquiries.set('trace_flags', (pid: Pid) => toTerm(here.flagsOf(pid)))
    inquiries.set('trace_over', (key: Term, relay: Pid) => {
      here.close(format(key), relay)
      return atom('ok')
    })
  }

  /** In main. @param tracer who takes the events: the relay, or its port */
  open(relay: Pid, name: Term, tracer: Term, outlet: Outlet): Session {
    const { table } = this.#kernel.processes
    const term: Term = tuple(table.makeRef(), tuple(name, table.makeRef()))
    const session: Session = { key: format(relay), relay, tracer, term, fresh: noFlags }
    this.#sessions.set(session.key, session)
    this.#here.open(session.key, () => outlet, relay)
    return session
  }

  close({ key, relay }: Session): void {
    this.#sessions.delete(key)
    this.#here.close(key, relay)
    // A place that does not answer is told all the same.
    void this.#ask(this.#places(), 'trace_over', key, relay)
  }

  /** By what stands for it, or by who takes its events */
  find(term: Term): Session | undefined {
    const wanted = format(term)
    return [...this.#sessions.values()].find(({ term, tracer }) => format(term) === wanted || format(tracer) === wanted)
  }

  /** How many processes it was, in all places */
  async set(session: Session, whom: Whom, on: boolean, flags: Flags): Promise<number> {
    const { key, relay } = session
    if (whom === 'all' || whom === 'new') session.fresh = changed(session.fresh, on, flags)
    const { table } = this.#kernel.processes
    const home = whom instanceof Pid ? table.locate(whom) : undefined
    const places = this.#places().filter(place => home === undefined || place === home)
    const elsewhere = await this.#ask(places, 'trace', key, relay, whom instanceof Pid ? whom : atom(whom), on, toTerm(flags))
    const here = home === undefined || home === table.place ? this.#here.set(key, whom, on, flags) : 0
    return elsewhere.reduce<number>((sum, told) => sum + (typeof told === 'number' ? told : 0), here)
  }

  async flagsOf(pid: Pid): Promise<Flags> {
    const { table } = this.#kernel.processes
    if (table.locate(pid) === table.place) return this.#here.flagsOf(pid)
    const [told] = await this.#ask([table.locate(pid)], 'trace_flags', pid)
    return (told !== undefined && flagsOf(told)) || noFlags
  }

  /** All that has been seen until now is on its way. */
  async flush(): Promise<void> {
    await this.#ask(this.#places(), 'trace_flush')
  }

  #greeting(): [what: string, ...args: Sendable[]][] {
    const wanted = [...this.#sessions.values()].filter(({ fresh }) => fresh.size > 0)
    return wanted.map(({ key, relay, fresh }) => ['trace_fresh', key, relay, toTerm(fresh)])
  }

  /** The other places */
  #places(): readonly number[] {
    return this.#kernel.main?.schedulers.census.numbers() ?? []
  }

  /** Undefined of one that does not answer */
  async #ask(places: readonly number[], what: string, ...args: readonly Sendable[]): Promise<(Term | undefined)[]> {
    const { census } = (this.#kernel.main as NonNullable<Kernel['main']>).schedulers
    return Promise.all(places.map(place => census.ask(place, what, ...args)))
  }
}
