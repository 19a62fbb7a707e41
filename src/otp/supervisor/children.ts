/** A supervisor's children: in the order of their starts, by id, and by pid. Source: supervisor.erl (find_child, count_children, del_child). */
import type { ProcessTable } from '../../process/process-table.js'
import { atom, equals, Pid, type Sendable, type Term, tuple } from '../../term/index.js'
import type { Child } from './child-spec.js'
import type { Strategy } from './types.js'

const undef = atom('undefined')

export class Children {
  readonly #table: ProcessTable
  readonly #all = new Set<Child>()
  readonly #byPid = new Map<string | number, Child>()
  strategy: Strategy = 'oneForOne'
  /** What the children of a simple_one_for_one are made after */
  template: Child | null = null

  constructor(table: ProcessTable) {
    this.#table = table
  }

  /** Children that have no id, and are forgotten when they end */
  get isDynamic(): boolean {
    return this.strategy === 'simpleOneForOne' || this.strategy === 'dynamic'
  }

  /** In the order of their starts */
  get all(): Child[] {
    return [...this.#all]
  }

  has(child: Child): boolean {
    return this.#all.has(child)
  }

  add(child: Child): void {
    this.#all.add(child)
  }

  delete(child: Child): void {
    this.#all.delete(child)
  }

  clear(): void {
    this.#all.clear()
  }

  /** The child with that id; of dynamic ones, with that pid. */
  find(id: Term): Child | undefined {
    if (!this.isDynamic) return this.all.find(child => equals(child.id, id))
    if (!(id instanceof Pid)) return undefined
    const found = this.ofPid(id) ?? this.all.find(({ last }) => last && equals(last, id))
    if (found || !this.template) return found
    // As in OTP: a process that has ended may have been a child.
    return this.#table.find(id) ? undefined : this.template
  }

  ofPid(pid: Pid): Child | undefined {
    return this.#byPid.get(this.#table.keyOf(pid))
  }

  /** Its process runs; null: it is kept without one. */
  runs(child: Child, pid: Pid | null): void {
    child.pid = pid
    child.last = null
    if (pid) this.#byPid.set(this.#table.keyOf(pid), child)
  }

  /** That pid is no child's any more. */
  release(pid: Pid): void {
    this.#byPid.delete(this.#table.keyOf(pid))
  }

  /** Its process has ended, and does not start again by itself. */
  forget(child: Child): void {
    child.pid = null
    child.again = null
    if (this.isDynamic || child.restart === 'temporary') this.#all.delete(child)
  }

  /** As `supervisor:which_children` tells them, the latest first */
  which(): Sendable {
    return this.all.toReversed().map(childInfo)
  }

  /** As `supervisor:count_children` does */
  count(): Sendable {
    const children = this.all
    const supervisors = children.filter(({ type }) => type === 'supervisor').length
    const counts = {
      specs: this.template ? 1 : children.length,
      active: children.filter(({ pid }) => pid instanceof Pid).length,
      supervisors,
      workers: children.length - supervisors,
    }
    return Object.entries(counts).map(([key, value]) => tuple(atom(key), value))
  }
}

/** `{Id, Pid, Type, Modules}` */
export function childInfo({ id, pid, type, modules }: Child): Sendable {
  return tuple(id, pid === 'restarting' ? atom('restarting') : (pid ?? undef), atom(type), modules)
}
