/** Who is traced in this place, for whom, and what is told of it. Every place has one; main tells the others who is to be traced. */
import { nextTick } from 'node:process'
import type { Kernel } from '../../node/kernel.js'
import type { InitialCall, LocalProcess, Tap, To } from '../../process/index.js'
import { Atom, atom, Pid, Reference, type Sendable, type Term, tuple } from '../../term/index.js'
import { eventOf } from './event.js'
import { changed, type Flag, type Flags, noFlags } from './flags.js'
import type { Outlet } from './outlet.js'

/** `existing`: all that live here; `new`: all that are spawned from now on; `all`: both */
export type Whom = Pid | 'all' | 'existing' | 'new'

interface Session {
  readonly outlet: Outlet
  /** By the pid's key */
  readonly flags: Map<string | number, Flags>
  /** Of processes that are yet to come */
  fresh: Flags
}

const closure: Term = tuple(atom('erlang'), atom('apply'), 2)
const has = (flags: Flags, flag: Flag): boolean => flags.has(flag) || (flag === 'running' && flags.has('running_procs'))

export class Tracer implements Tap {
  readonly #kernel: Kernel<any>
  /** By the session's own key */
  readonly #sessions = new Map<string, Session>()
  /** Who takes the events: whoever traces is not traced. */
  readonly #tracers = new Set<string | number>()
  /** Whose turn it is, where somebody wants to know */
  #turn: LocalProcess | null = null
  #before: ((pid: Pid) => void) | null | undefined

  constructor(kernel: Kernel<any>) {
    this.#kernel = kernel
  }

  /** Once for each session. @param relay takes the events: it is not traced. */
  open(key: string, outlet: () => Outlet, relay: Pid): void {
    if (this.#sessions.has(key)) return
    this.#sessions.set(key, { outlet: outlet(), flags: new Map(), fresh: noFlags })
    this.#tracers.add(this.#keyOf(relay))
    for (const { flags } of this.#sessions.values()) flags.delete(this.#keyOf(relay))
    this.#kernel.processes.tap = this
  }

  close(key: string, relay: Pid): void {
    this.#sessions.delete(key)
    this.#tracers.delete(this.#keyOf(relay))
    if (this.#sessions.size === 0) this.#kernel.processes.tap = null
    this.#watch()
  }

  /** How many processes it was */
  set(key: string, whom: Whom, on: boolean, flags: Flags): number {
    const session = this.#sessions.get(key)
    if (!session) return 0
    if (whom === 'all' || whom === 'new') session.fresh = changed(session.fresh, on, flags)
    const pids = whom instanceof Pid ? [whom] : whom === 'new' ? [] : this.#processes()
    const living = pids.filter(pid => this.#kernel.processes.table.find(pid) && !this.#tracers.has(this.#keyOf(pid)))
    for (const pid of living) this.#set(session, pid, changed(session.flags.get(this.#keyOf(pid)) ?? noFlags, on, flags))
    this.#watch()
    return living.length
  }

  /** What is traced of it, for whomever */
  flagsOf(pid: Pid): Flags {
    return new Set([...this.#sessions.values()].flatMap(({ flags }) => [...(flags.get(this.#keyOf(pid)) ?? [])]))
  }

  sent({ pid }: LocalProcess, to: To, message: Sendable): void {
    if (!this.#isTraced(pid, 'send')) return
    const { processes } = this.#kernel
    const dead =
      to instanceof Pid && processes.table.owns(to) && processes.table.locate(to) === processes.table.place && !processes.table.find(to)
    this.#tell(pid, 'send', dead ? 'send_to_non_existing_process' : 'send', [processes.copy(message), receiverOf(to)])
  }

  received({ pid }: LocalProcess, message: Term): void {
    this.#tell(pid, 'receive', 'receive', [message])
  }

  spawned(parent: Pid, child: Pid, call: InitialCall | null): void {
    this.#tell(parent, 'procs', 'spawn', [child, call ?? closure])
    for (const session of this.#sessions.values()) this.#inherit(session, parent, child)
    this.#tell(child, 'procs', 'spawned', [parent, call ?? closure])
  }

  exited({ pid, name }: LocalProcess, reason: Term): void {
    this.#tell(pid, 'procs', 'exit', [reason])
    if (name) this.named(pid, 'unregister', name)
    for (const { flags } of this.#sessions.values()) flags.delete(this.#keyOf(pid))
  }

  linked({ pid }: LocalProcess, what: 'link' | 'unlink' | 'getting_linked' | 'getting_unlinked', peer: Pid): void {
    this.#tell(pid, 'procs', what, [peer])
  }

  named(pid: Pid, what: 'register' | 'unregister', name: Atom): void {
    this.#tell(pid, 'procs', what, [name])
  }

  #inherit(session: Session, parent: Pid, child: Pid): void {
    const { fresh, flags } = session
    const own = flags.get(this.#keyOf(parent)) ?? noFlags
    const first = own.has('set_on_first_spawn')
    const inherited = own.has('set_on_spawn') ? own : first ? changed(own, false, new Set(['set_on_spawn', 'set_on_first_spawn'])) : noFlags
    if (first) this.#set(session, parent, changed(own, false, new Set(['set_on_first_spawn'])))
    if (this.#kernel.processes.table.find(child)) this.#set(session, child, changed(fresh, true, inherited))
  }

  #set({ flags }: Session, pid: Pid, wanted: Flags): void {
    if (wanted.size === 0) flags.delete(this.#keyOf(pid))
    else flags.set(this.#keyOf(pid), wanted)
  }

  #isTraced(pid: Pid, flag: Flag): boolean {
    const key = this.#keyOf(pid)
    for (const { flags } of this.#sessions.values()) if (flags.get(key)?.has(flag)) return true
    return false
  }

  #tell(pid: Pid, flag: Flag, what: string, args: readonly Sendable[]): void {
    const key = this.#keyOf(pid)
    for (const { flags, outlet } of this.#sessions.values()) {
      const wanted = flags.get(key)
      if (wanted && has(wanted, flag)) outlet.take(eventOf(pid, what, args, wanted))
    }
  }

  /** Who runs is watched as long as somebody wants to know. */
  #watch(): void {
    const { scheduler } = this.#kernel.processes
    const wanted = [...this.#sessions.values()].some(({ flags, fresh }) => [fresh, ...flags.values()].some(one => has(one, 'running')))
    if (wanted === (this.#before !== undefined)) return
    if (!wanted) {
      scheduler.watch = this.#before ?? null
      this.#before = undefined
      return
    }
    const before = scheduler.watch
    this.#before = before
    scheduler.watch = pid => {
      before?.(pid)
      this.#began(pid)
    }
  }

  #began(pid: Pid): void {
    if (this.#turn === null) nextTick(this.#over)
    else this.#runs(this.#turn, 'out')
    this.#turn = this.#kernel.processes.table.find(pid) ?? null
    if (this.#turn) this.#runs(this.#turn, 'in')
  }

  readonly #over = (): void => {
    if (this.#turn) this.#runs(this.#turn, 'out')
    this.#turn = null
  }

  #runs({ pid }: LocalProcess, what: 'in' | 'out'): void {
    this.#tell(pid, 'running', what, [0])
  }

  #processes(): Pid[] {
    const { table, init } = this.#kernel.processes
    return [...table].flatMap(process => (process === init ? [] : process.pid))
  }

  #keyOf(pid: Pid): string | number {
    return this.#kernel.processes.table.keyOf(pid)
  }
}

/** As the sender wrote it */
function receiverOf(to: To): Sendable {
  if (to instanceof Pid || to instanceof Reference || to instanceof Atom) return to
  if (typeof to === 'string') return atom(to)
  const nameOf = (name: string | Atom): Term => (typeof name === 'string' ? atom(name) : name)
  return tuple(nameOf(to.name), nameOf(to.node))
}
