/** Registered names of this node's processes. A process has one name at most, as on the BEAM. */
import { Atom } from '../term/index.js'
import { ProcessError } from './errors.js'
import type { LocalProcess } from './local-process.js'

export class Registry {
  readonly #names = new Map<Atom, LocalProcess>()

  get size(): number {
    return this.#names.size
  }

  whereis(name: Atom): LocalProcess | undefined {
    return this.#names.get(name)
  }

  /**
   * @throws ProcessError ERR_NAME_TAKEN: another process has it; ERR_ALREADY_REGISTERED: this process has a name; ERR_NAME: `undefined` is
   * no name; ERR_NOPROC: the process has ended.
   */
  register(name: Atom, process: LocalProcess): void {
    this.checkFree(name)
    if (!process.alive) throw new ProcessError('ERR_NOPROC', `'${name.name}' cannot be registered: the process has ended.`)
    if (process.name) {
      throw new ProcessError(
        'ERR_ALREADY_REGISTERED',
        `The process is registered as '${process.name.name}' already: a process has one name.`,
      )
    }
    this.#names.set(name, process)
    process.name = name
  }

  /** @throws ProcessError ERR_NOT_REGISTERED when nothing has that name. */
  unregister(name: Atom): void {
    const process = this.#names.get(name)
    if (!process) throw new ProcessError('ERR_NOT_REGISTERED', `No process is registered as '${name.name}'.`)
    this.exited(process)
  }

  /** @throws ProcessError ERR_NAME, ERR_NAME_TAKEN */
  checkFree(name: Atom): void {
    if (!(name instanceof Atom) || name.name === 'undefined')
      throw new ProcessError('ERR_NAME', `${String(name)} cannot be a registered name: choose another.`)
    if (this.#names.has(name))
      throw new ProcessError('ERR_NAME_TAKEN', `The name '${name.name}' belongs to another process: unregister that first.`)
  }

  exited(process: LocalProcess): void {
    if (process.name) this.#names.delete(process.name)
    process.name = null
  }

  names(): Atom[] {
    return [...this.#names.keys()]
  }
}
