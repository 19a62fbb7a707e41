/**
 * The locks that are set here, by this node and by others: `{ResourceId, LockRequesterId}`, held by one requester at a time, through one process or
 * several, until each has deleted it or ended. The resource `global` protects the names.
 *
 * Source: global.erl, handle_set_lock, handle_del_lock, remove_lock, lock_still_set.
 */
import { atom, equals, type Pid, type Reference, type Term, Tuple } from '../../term/index.js'
import type { Monitoring } from './names.js'
import { TermTable } from '../term-table.js'

interface Holder {
  readonly pid: Pid
  readonly monitor: Reference
}

interface Lock {
  readonly resource: Term
  readonly requester: Term
  readonly holders: Holder[]
}

/** The resource that is locked while names change */
export const globalResource = atom('global')

/** `{ResourceId, LockRequesterId}` */
export type LockId = Tuple<readonly [resource: Term, requester: Term]>

export const isLockId = (term: unknown): term is LockId => term instanceof Tuple && term.length === 2

export class GlobalLocks {
  readonly #monitoring: Monitoring
  readonly #locks = new TermTable<Lock>()
  readonly #byMonitor = new Map<string, readonly [Lock, Holder]>()
  /** Was the names' lock freed by the end of its holder, and not set since? */
  #namesLockDown = false

  constructor(monitoring: Monitoring) {
    this.#monitoring = monitoring
  }

  /** Is nobody else's requester in the way? */
  canSet({ elements: [resource, requester] }: LockId): boolean {
    const lock = this.#locks.get(resource)
    return !lock || equals(lock.requester, requester)
  }

  isSet(resource: Term): boolean {
    return this.#locks.get(resource) !== undefined
  }

  /** True when the lock is the requester's now, false when it is another's. */
  set(pid: Pid, id: LockId): boolean {
    if (!this.canSet(id)) return false
    const [resource, requester] = id.elements
    const known = this.#locks.get(resource)
    const lock: Lock = known ?? { resource, requester, holders: [] }
    if (!known) this.#locks.set(resource, lock)
    if (!lock.holders.some(holder => equals(holder.pid, pid))) {
      const holder: Holder = { pid, monitor: this.#monitoring.monitor(pid) }
      lock.holders.push(holder)
      this.#byMonitor.set(String(holder.monitor), [lock, holder])
    }
    return true
  }

  delete(pid: Pid, { elements: [resource, requester] }: LockId): void {
    const lock = this.#locks.get(resource)
    const holder = lock && equals(lock.requester, requester) ? lock.holders.find(({ pid: held }) => equals(held, pid)) : undefined
    if (!lock || !holder) return
    this.#release(lock, holder, false)
    this.#monitoring.demonitor(holder.monitor)
  }

  /** A holder that has ended holds nothing any more. */
  onDown(monitor: Reference): void {
    const held = this.#byMonitor.get(String(monitor))
    if (held) this.#release(...held, true)
  }

  /** Forgets those of a node's processes: where no monitor tells it, for the connection stays. */
  forget(node: Term): void {
    for (const [lock, holder] of [...this.#byMonitor.values()]) {
      if (holder.pid.node !== node) continue
      this.#release(lock, holder, true)
      this.#monitoring.demonitor(holder.monitor)
    }
  }

  /**
   * Names that come late, from a node that has lost its lock on them meanwhile, do not count.
   *
   * @param by the process that registers, or the id of the lock under which two partitions joined
   */
  protects(by: Pid | Term): boolean {
    const lock = this.#locks.get(globalResource)
    if (!lock) return !this.#namesLockDown
    return isLockId(by) ? equals(lock.requester, by.elements[1]) : lock.holders.some(({ pid }) => equals(pid, by))
  }

  #release(lock: Lock, holder: Holder, down: boolean): void {
    lock.holders.splice(lock.holders.indexOf(holder), 1)
    this.#byMonitor.delete(String(holder.monitor))
    if (lock.holders.length > 0) return
    this.#locks.delete(lock.resource)
    if (lock.resource === globalResource) this.#namesLockDown = down
  }
}
