/**
 * Registered names of the node's processes. A process has one name at most, as on the BEAM. Main keeps them; every other place has a copy of
 * them all, so that a name is resolved where a message is sent.
 */
import { Atom, type Pid } from '../term/index.js'
import { ProcessError } from './errors.js'
import type { LocalProcess } from './local-process.js'
import type { ProcessTable } from './process-table.js'

/** Told of each name that is given or freed here. */
export interface NameChanges {
  given?(name: Atom, pid: Pid): void
  freed?(name: Atom, pid: Pid): void
}

export class Registry {
  readonly #table: ProcessTable
  readonly #changes: NameChanges
  readonly #names = new Map<Atom, Pid>()
  /** The names of processes in other places, by the key of their pid */
  readonly #elsewhere = new Map<string | number, Atom>()

  constructor(table: ProcessTable, changes: NameChanges = {}) {
    this.#table = table
    this.#changes = changes
  }

  get size(): number {
    return this.#names.size
  }

  /** The process of that name, when it lives in this place. */
  whereis(name: Atom): LocalProcess | undefined {
    const pid = this.#names.get(name)
    return pid && this.#table.find(pid)
  }

  /** The pid of that name, wherever on this node its process lives. */
  pidOf(name: Atom): Pid | undefined {
    return this.#names.get(name)
  }

  /**
   * @throws ProcessError ERR_NAME_TAKEN: another process has it; ERR_ALREADY_REGISTERED: this process has a name; ERR_NAME: `undefined` is
   * no name; ERR_NOPROC: the process has ended.
   */
  register(name: Atom, process: LocalProcess): void {
    this.check(name, process)
    this.told(name, process.pid)
    this.#changes.given?.(name, process.pid)
  }

  /** Names a process of another place. @throws ProcessError ERR_NAME_TAKEN, ERR_ALREADY_REGISTERED, ERR_NAME */
  claim(name: Atom, pid: Pid): void {
    this.checkFree(name)
    this.#checkNameless(this.#elsewhere.get(this.#table.keyOf(pid)))
    this.told(name, pid)
    this.#changes.given?.(name, pid)
  }

  /** @throws ProcessError ERR_NOT_REGISTERED when nothing has that name. */
  unregister(name: Atom): void {
    const pid = this.#names.get(name)
    if (!pid) throw new ProcessError('ERR_NOT_REGISTERED', `No process is registered as '${name.name}'.`)
    this.told(name, null)
    this.#changes.freed?.(name, pid)
  }

  /** Could that process have that name, as far as is known here? @throws ProcessError as `register` does */
  check(name: Atom, process: LocalProcess): void {
    this.checkFree(name)
    if (!process.alive) throw new ProcessError('ERR_NOPROC', `'${name.name}' cannot be registered: the process has ended.`)
    this.#checkNameless(process.name)
  }

  /** @throws ProcessError ERR_NAME, ERR_NAME_TAKEN */
  checkFree(name: Atom): void {
    if (!(name instanceof Atom) || name.name === 'undefined')
      throw new ProcessError('ERR_NAME', `${String(name)} cannot be a registered name: choose another.`)
    if (this.#names.has(name))
      throw new ProcessError('ERR_NAME_TAKEN', `The name '${name.name}' belongs to another process: unregister that first.`)
  }

  exited(process: LocalProcess): void {
    if (process.name) this.unregister(process.name)
    process.name = null
  }

  /** The name of a process in another place is free again, if it is that process's. */
  released(name: Atom, pid: Pid): void {
    const known = this.#names.get(name)
    if (known && this.#table.keyOf(known) === this.#table.keyOf(pid)) this.unregister(name)
  }

  /** Main has not given it. */
  refused(name: Atom, pid: Pid): void {
    const known = this.#names.get(name)
    if (known && this.#table.keyOf(known) === this.#table.keyOf(pid)) this.told(name, null)
  }

  /** Takes over a change that was made elsewhere. */
  told(name: Atom, pid: Pid | null): void {
    const before = this.#names.get(name)
    if (before) {
      this.#names.delete(name)
      this.#elsewhere.delete(this.#table.keyOf(before))
      const process = this.#table.find(before)
      if (process) process.name = null
    }
    if (!pid) return
    this.#names.set(name, pid)
    const process = this.#table.find(pid)
    if (process) process.name = name
    else this.#elsewhere.set(this.#table.keyOf(pid), name)
  }

  /** The name of a process, wherever on this node it lives */
  nameOf(pid: Pid): Atom | undefined {
    return this.#table.find(pid)?.name ?? this.#elsewhere.get(this.#table.keyOf(pid))
  }

  names(): Atom[] {
    return [...this.#names.keys()]
  }

  /** Every name and whose it is */
  entries(): IterableIterator<[Atom, Pid]> {
    return this.#names.entries()
  }

  #checkNameless(name: Atom | null | undefined): void {
    if (!name) return
    throw new ProcessError('ERR_ALREADY_REGISTERED', `The process is registered as '${name.name}' already: a process has one name.`)
  }
}
