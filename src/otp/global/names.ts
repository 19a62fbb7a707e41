/**
 * The names that `global` knows: each with its process, anywhere in the cluster, and the method that decides when two partitions join that have
 * both given it. Processes are monitored here, each node for itself.
 *
 * Source: global.erl, ins_name, delete_global_name2, del_name; the tables global_names, global_names_ext and global_pid_names.
 */
import type { Pid, Reference, Term } from '../../term/index.js'
import { keyOf } from '../pg/groups.js'
import { TermTable } from '../term-table.js'

export interface GlobalName {
  readonly name: Term
  readonly pid: Pid
  /** A fun of three arguments */
  readonly method: Term
  readonly monitor: Reference
}

/** What names and locks need of the process that keeps them. */
export interface Monitoring {
  monitor(pid: Pid): Reference
  demonitor(ref: Reference): void
}

/** Told of the methods that names have, so that nobody keeps one for longer. */
export interface MethodUse {
  used(method: Term): void
  released(method: Term): void
}

export class GlobalNames {
  readonly #monitoring: Monitoring
  readonly #methods: MethodUse
  readonly #changed: (name: Term, pid: Pid | null) => void
  readonly #names = new TermTable<GlobalName>()
  readonly #byMonitor = new Map<string, GlobalName>()
  /** How many names a process has: more than one only where somebody let it */
  readonly #ofPid = new Map<string, number>()
  /** Names of C nodes' processes: the node that registered each, which is not theirs */
  readonly #external = new TermTable<readonly [pid: Pid, registrar: Term]>()

  /** @param changed who has a name now; null: nobody */
  constructor(monitoring: Monitoring, methods: MethodUse, changed: (name: Term, pid: Pid | null) => void = () => {}) {
    this.#changed = changed
    this.#monitoring = monitoring
    this.#methods = methods
  }

  get(name: Term): GlobalName | undefined {
    return this.#names.get(name)
  }

  has(pid: Pid): boolean {
    return this.#ofPid.has(keyOf(pid))
  }

  /** In place of whoever had it. */
  insert(name: Term, pid: Pid, method: Term): void {
    this.#methods.used(method)
    this.delete(name)
    const entry: GlobalName = { name, pid, method, monitor: this.#monitoring.monitor(pid) }
    this.#names.set(name, entry)
    this.#byMonitor.set(String(entry.monitor), entry)
    this.#ofPid.set(keyOf(pid), (this.#ofPid.get(keyOf(pid)) ?? 0) + 1)
    this.#changed(name, pid)
  }

  /** … for a process of a C node, which has no name server of its own. */
  insertExternal(name: Term, pid: Pid, method: Term, registrar: Term): void {
    this.insert(name, pid, method)
    this.#external.set(name, [pid, registrar])
  }

  delete(name: Term): void {
    const entry = this.#names.get(name)
    if (!entry) return
    this.#remove(entry)
    this.#monitoring.demonitor(entry.monitor)
  }

  /** Its process has ended, or its node is lost. */
  onDown(monitor: Reference): void {
    const entry = this.#byMonitor.get(String(monitor))
    if (entry) this.#remove(entry)
  }

  /** Forgets those of a node's processes: where no monitor tells it, for the connection stays. */
  forget(node: Term): void {
    for (const { name, pid } of this.entries()) if (pid.node === node) this.delete(name)
  }

  entries(): GlobalName[] {
    return [...this.#names].map(([, entry]) => entry)
  }

  /** `[{Name, Pid, RegNode}]` of C nodes */
  external(): (readonly [name: Term, pid: Pid, registrar: Term])[] {
    return [...this.#external].map(([name, [pid, registrar]]) => [name, pid, registrar] as const)
  }

  #remove({ name, pid, method, monitor }: GlobalName): void {
    this.#names.delete(name)
    this.#external.delete(name)
    this.#byMonitor.delete(String(monitor))
    const count = (this.#ofPid.get(keyOf(pid)) ?? 1) - 1
    if (count > 0) this.#ofPid.set(keyOf(pid), count)
    else this.#ofPid.delete(keyOf(pid))
    this.#methods.released(method)
    this.#changed(name, null)
  }
}
