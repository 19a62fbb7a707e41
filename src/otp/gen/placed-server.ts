/**
 * Servers in other places. A definition is found again there by the module that holds it (`module: import.meta.url`) and by which of that
 * module's servers it is: the first that the module defines is number 0.
 *
 *   starter → place    spawn of `start(Url, Number, Args, Parent | undefined, Starter, Ref, [FarName])`, watched by the starter
 *   place → starter    {Ref, started | name_taken}, or the process's exit
 */
import type { Starter } from '../../node/spawner.js'
import { CodeError } from '../../node/code.js'
import { type LocalProcess, type Process, ProcessError, type Runner } from '../../process/index.js'
import { atom, Pid, type Reference, type Term, text, tuple } from '../../term/index.js'
import { begin, definitionAt } from './latest.js'
import type { Behaviour, Coded } from './runner.js'
import type { FarName } from './server-name.js'

/** The name under which places know it */
export const placedServer = atom('$gen_server')

/** Runs a server that was started from another place. */
export const startPlaced: Starter = (self, args) => new PlacedServer(self, args)

type Placed = readonly [Term, number, unknown[], Term, Pid, Reference, readonly FarName[]]

/** Its module is being loaded. */
export class PlacedServer implements Runner {
  readonly #self: Process
  readonly #args: readonly Term[]
  #loading = false

  constructor(self: Process, args: readonly Term[]) {
    this.#self = self
    this.#args = args
  }

  run(process: LocalProcess): void {
    if (!this.#loading) void this.#load(process)
  }

  exited(_process: LocalProcess, why: Term): void {
    this.#self.exited(why)
  }

  /** Never rejects: what does not load ends the process. */
  async #load(process: LocalProcess): Promise<void> {
    this.#loading = true
    const [url, number, args, parent, starter, ref, [name]] = this.#args as Placed
    try {
      const definition = await find(text(url), number)
      if (!process.alive) return
      const started = (): void => void this.#self.send(starter, tuple(ref, atom('started')))
      const failed = (error: unknown): void => {
        if (error instanceof ProcessError && error.code === 'ERR_NAME_TAKEN') this.#self.send(starter, tuple(ref, atom('name_taken')))
      }
      const life = { args, parent: parent instanceof Pid ? parent : null, name, started, failed }
      process.runner = begin((this.#self as Coded).node.code, definition, this.#self, life)
      this.#self.host.scheduler.ready(process)
    } catch (error) {
      this.#self.host.crash(process, error)
    }
  }
}

async function find(url: string, number: number): Promise<Behaviour> {
  await import(url)
  const definition = definitionAt(url, number)
  if (definition) return definition as Behaviour
  const why = `The module ${url} defines no server number ${number} when it is loaded: call genServer() at its top level.`
  throw new CodeError('ERR_NOT_PORTABLE', why)
}
