/**
 * Who is told of the changes of a scope's groups, of one or of all: `{Ref, join, Group, [Pid]}` and `{Ref, leave, Group, [Pid]}`. Source:
 * pg.erl, monitor/2, monitor_scope/1.
 */
import type { Process } from '../../process/index.js'
import { atom, type Pid, Reference, type Sendable, type Term, type Tuple, tuple } from '../../term/index.js'
import { TermTable } from '../term-table.js'

interface Subscriber {
  readonly pid: Pid
  readonly ref: Reference
  /** undefined: all groups */
  readonly group: Term | undefined
}

const [join, leave] = [atom('join'), atom('leave')]
/** In place of 'DOWN', so that it is not taken for the end of a member */
const over = atom('$subscriber')

export class PgMonitors {
  readonly #self: Process
  readonly #send: (to: Pid, message: Sendable) => void
  readonly #subscribers = new Map<string, Subscriber>()
  readonly #ofScope = new Set<Subscriber>()
  readonly #ofGroup = new TermTable<Set<Subscriber>>()

  constructor(self: Process, send: (to: Pid, message: Sendable) => void) {
    this.#self = self
    this.#send = send
  }

  add(pid: Pid, group?: Term): Reference {
    const ref = this.#self.monitor(pid, { tag: over })
    const subscriber: Subscriber = { pid, ref, group }
    this.#subscribers.set(String(ref), subscriber)
    if (group === undefined) this.#ofScope.add(subscriber)
    else {
      const known = this.#ofGroup.get(group)
      if (known) known.add(subscriber)
      else this.#ofGroup.set(group, new Set([subscriber]))
    }
    return ref
  }

  remove(ref: Reference): boolean {
    const subscriber = this.#subscribers.get(String(ref))
    if (!subscriber) return false
    this.#subscribers.delete(String(ref))
    this.#self.demonitor(ref, { flush: true })
    const { group } = subscriber
    if (group === undefined) this.#ofScope.delete(subscriber)
    else {
      const known = this.#ofGroup.get(group)
      if (known?.delete(subscriber) && known.size === 0) this.#ofGroup.delete(group)
    }
    return true
  }

  /** Is that the end of one who was told? */
  onDown(message: Tuple): boolean {
    const [tag, ref] = message.elements as readonly Term[]
    if (tag !== over) return false
    if (ref instanceof Reference) this.remove(ref)
    return true
  }

  tell(group: Term, added: readonly Pid[], removed: readonly Pid[]): void {
    for (const set of [this.#ofScope, this.#ofGroup.get(group)]) {
      for (const { ref, pid } of set ?? []) {
        if (added.length > 0) this.#send(pid, tuple(ref, join, group, added))
        if (removed.length > 0) this.#send(pid, tuple(ref, leave, group, removed))
      }
    }
  }
}
