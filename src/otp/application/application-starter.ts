/**
 * The start phases of an application, when its own processes have started:
 *
 *   for each phase of the application         in the order of its `startPhases`
 *     its startPhase                          and, with `applicationStarter`,
 *     that of each application it includes    in their order, each followed by those that it includes in turn, where it has an `applicationStarter`, too
 *
 * An included application is called for the phases that it has itself, with its own arguments; a phase that it alone has is never run. One that is a library
 * is passed by. Applications that include each other, which OTP would run for ever, do not start: `{circular_dependency, Path}`.
 *
 * Source: application_starter.erl.
 */
import type { Process } from '../../process/index.js'
import { type Atom, atom, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'
import { caught, exited } from './caught.js'
import { namesOf } from './application-keys.js'
import type { LoadedApplications } from './loaded-applications.js'
import type { ApplicationCode } from './types.js'
import { stateTerm } from '../gen/runner.js'

const normal = atom('normal')

/** Resolves to null, or to why the application does not start. Never rejects. */
export async function runPhases(self: Process, code: ApplicationCode, loaded: LoadedApplications): Promise<Term | null> {
  for (const phase of Object.keys(code.definition.startPhases ?? {})) {
    const failed = await new StartPhase(self, phase, loaded).run(code, [])
    if (failed !== null) return failed
  }
  return null
}

class StartPhase {
  readonly #self: Process
  readonly #phase: string
  readonly #loaded: LoadedApplications

  constructor(self: Process, phase: string, loaded: LoadedApplications) {
    this.#self = self
    this.#phase = phase
    this.#loaded = loaded
  }

  /** @param path which include it */
  async run(code: ApplicationCode, path: readonly Atom[]): Promise<Term | null> {
    const here = [...path, code.name]
    if (path.includes(code.name)) return tuple(atom('circular_dependency'), here)
    const { applicationStarter, includedApplications, startPhases } = code.definition
    const failed = startPhases ? await this.#call(code) : tuple(atom('start_phases_undefined'), code.name)
    if (failed !== null || !applicationStarter) return failed
    for (const name of namesOf(includedApplications)) {
      const included = this.#loaded.get(name)
      if (included?.definition.start === undefined) continue
      const why = await this.run(included, here)
      if (why !== null) return why
    }
    return null
  }

  async #call({ module, definition }: ApplicationCode): Promise<Term | null> {
    const { startPhases = {}, startPhase } = definition
    const [self, phase] = [this.#self, this.#phase]
    if (!Object.hasOwn(startPhases, phase)) return null
    const args = self.host.copy(startPhases[phase] as Sendable)
    const call = tuple(module, atom('start_phase'), [atom(phase), normal, args])
    const out = startPhase
      ? await caught(() => startPhase.call(self as never, phase, 'normal', args))
      : exited(tuple(atom('undef'), [tuple(...call.elements, [])]))
    if (out === undefined || out === atom('ok')) return null
    if (out instanceof Tuple && out.length === 2 && out.elements[0] === atom('error')) return tuple(out.elements[1] as Term, call)
    return tuple(atom('bad_return_value'), tuple(call, stateTerm(self, out)))
  }
}
