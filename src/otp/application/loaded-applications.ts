/**
 * The applications that a node has loaded: their keys and their configuration. What is set with `persistent` outlives their being loaded.
 *
 * Source: application_controller.erl (load, unload, get_env, set_env, get_all_key).
 */
import type { Processes } from '../../process/index.js'
import { type Atom, atom, type Sendable, type Term, tuple, charlist } from '../../term/index.js'
import type { ApplicationCode, ApplicationKey } from './types.js'

const undef = atom('undefined')

type EnvTable = Map<string, Term>

export class LoadedApplications {
  readonly #processes: Pick<Processes, 'copy'>
  readonly #loaded = new Map<Atom, ApplicationCode>()
  /** Also of those that are not loaded */
  readonly #env = new Map<Atom, EnvTable>()
  readonly #persistent = new Map<Atom, EnvTable>()

  constructor(processes: Pick<Processes, 'copy'>) {
    this.#processes = processes
  }

  get(name: Atom): ApplicationCode | undefined {
    return this.#loaded.get(name)
  }

  /** @throws EtfError for a configuration that is none; then it is not loaded. */
  load(code: ApplicationCode): void {
    const { env = {} } = code.definition
    const given = Object.entries(env).map(([key, value]) => [key, this.#processes.copy(value as Sendable)] as const)
    const table = this.#tableOf(this.#env, code.name)
    for (const [key, value] of [...given, ...(this.#persistent.get(code.name) ?? [])]) table.set(key, value)
    this.#loaded.set(code.name, code)
  }

  unload(name: Atom): void {
    this.#loaded.delete(name)
    this.#env.delete(name)
  }

  /** `[{Name, Description, Vsn}]` */
  list(): Term[] {
    return [...this.#loaded.values()].map(({ name }) => this.describe(name))
  }

  describe(name: Atom): Term {
    return tuple(name, this.#key(name, 'description') as Term, this.#key(name, 'vsn') as Term)
  }

  /** Whose module it is */
  withModule(module: Atom): Atom | undefined {
    return [...this.#loaded.values()].find(({ definition }) => definition.modules?.includes(module.name))?.name
  }

  env(name: Atom, key: string): Term | undefined {
    return this.#env.get(name)?.get(key)
  }

  allEnv(name: Atom): readonly (readonly [key: string, value: Term])[] {
    return [...(this.#env.get(name) ?? [])]
  }

  /** @throws EtfError for what is no term */
  setEnv(name: Atom, key: string, value: Sendable, persistent: boolean): void {
    const term = this.#processes.copy(value)
    this.#tableOf(this.#env, name).set(key, term)
    if (persistent) this.#tableOf(this.#persistent, name).set(key, term)
  }

  unsetEnv(name: Atom, key: string, persistent: boolean): void {
    this.#env.get(name)?.delete(key)
    if (persistent) this.#persistent.get(name)?.delete(key)
  }

  /** Undefined when it is not loaded, or for what is no key. */
  key(name: Atom, key: string): Term | undefined {
    const value = this.#key(name, key)
    return value === undefined ? undefined : this.#processes.copy(value)
  }

  /** In OTP's order; undefined when it is not loaded. */
  keys(name: Atom): Term | undefined {
    if (!this.#loaded.has(name)) return undefined
    return keys.map(key => tuple(atom(key), this.key(name, key) as Term))
  }

  #tableOf(tables: Map<Atom, EnvTable>, name: Atom): EnvTable {
    const table = tables.get(name) ?? new Map<string, Term>()
    tables.set(name, table)
    return table
  }

  #key(name: Atom, key: string): Sendable | undefined {
    const code = this.#loaded.get(name)
    if (!code) return undefined
    const { definition, module } = code
    const { vsn = '', description = '', applications = [], modules = [], registered = [], startPhases, start } = definition
    switch (key as ApplicationKey) {
      case 'description':
        return charlist(description)
      case 'vsn':
        return charlist(vsn)
      case 'modules':
        return modules.map(module => atom(module))
      case 'registered':
        return registered.map(name => atom(name))
      case 'applications':
        return applications.map(needed => atom(typeof needed === 'string' ? needed : needed.name))
      case 'maxP':
      case 'maxT':
        return atom('infinity')
      case 'id':
      case 'included_applications':
      case 'optional_applications':
        return []
      case 'env':
        return this.allEnv(name).map(([key, value]) => tuple(atom(key), value))
      case 'mod':
        return start ? tuple(module, []) : []
      case 'start_phases':
        return startPhases ? Object.entries(startPhases).map(([phase, args]) => tuple(atom(phase), args as Term)) : undef
      default:
        return undefined
    }
  }
}

const keys: readonly ApplicationKey[] = [
  'description',
  'id',
  'vsn',
  'modules',
  'maxP',
  'maxT',
  'registered',
  'included_applications',
  'optional_applications',
  'applications',
  'env',
  'mod',
  'start_phases',
]

/** As Erlang has text in these places */
