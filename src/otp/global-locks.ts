/**
 * The locks that other nodes set here with `global:set_lock` and `global:trans`: `{ResourceId, LockRequesterId}`, held by one requester at a time,
 * through one process or several, until each has deleted it or ended. Source: global.erl, handle_set_lock, handle_del_lock.
 */
import type { Process } from '../process/index.js'
import { equals, type Pid, type Reference, type Term, Tuple } from '../term/index.js'

interface Lock {
  readonly resource: Term
  readonly requester: Term
  readonly holders: { readonly pid: Pid; readonly monitor: Reference }[]
}

export class GlobalLocks {
  readonly #self: Process
  #locks: Lock[] = []

  constructor(self: Process) {
    this.#self = self
  }

  /** True when the lock is the requester's now, false when it is another's. */
  set(pid: Pid, id: Term): boolean {
    if (!(id instanceof Tuple) || id.length !== 2) return false
    const [resource, requester] = id.elements as readonly [Term, Term]
    const known = this.#locks.find(lock => equals(lock.resource, resource))
    if (known && !equals(known.requester, requester)) return false
    const lock = known ?? { resource, requester, holders: [] }
    if (!known) this.#locks.push(lock)
    if (!lock.holders.some(holder => equals(holder.pid, pid))) lock.holders.push({ pid, monitor: this.#self.monitor(pid) })
    return true
  }

  /** True, as in OTP, also when there was no such lock. */
  delete(pid: Pid, id: Term): boolean {
    if (id instanceof Tuple && id.length === 2) {
      const [resource, requester] = id.elements as readonly [Term, Term]
      this.#release(pid, lock => equals(lock.resource, resource) && equals(lock.requester, requester))
    }
    return true
  }

  /** A holder that has ended holds nothing any more. */
  onMessage(message: Term): void {
    if (message instanceof Tuple && message.tag === 'DOWN' && message.length === 5) this.#release(message.elements[3] as Pid, () => true)
  }

  #release(pid: Pid, concerns: (lock: Lock) => boolean): void {
    for (const lock of this.#locks.filter(concerns)) {
      const index = lock.holders.findIndex(holder => equals(holder.pid, pid))
      if (index < 0) continue
      const [holder] = lock.holders.splice(index, 1)
      if (holder) this.#self.demonitor(holder.monitor, { flush: true })
    }
    this.#locks = this.#locks.filter(lock => lock.holders.length > 0)
  }
}
