/**
 * The applications that a node has loaded: their keys and their configuration. What is set with `persistent` outlives their being loaded. One brings those
 * that it includes, and takes them with it.
 *
 * Source: application_controller.erl (load, unload, get_env, set_env, do_change_apps).
 */
import type { Processes } from '../../process/index.js'
import { type Atom, atom, NodeError, type Sendable, type Term, tuple, charlist } from '../../term/index.js'
import { ApplicationError, codeOf } from './application.js'
import { type EnvTable, keyNames, keyOf, nameOf, namesOf } from './application-keys.js'
import type { ApplicationCode, Env } from './types.js'

type OwnTable = Map<string, Term>

/** What of an application can change while it is loaded */
export interface Loaded {
  readonly code: ApplicationCode
  readonly env: EnvTable
}

export class LoadedApplications {
  readonly #processes: Pick<Processes, 'copy'>
  readonly #loaded = new Map<Atom, ApplicationCode>()
  /** Also of those that are not loaded */
  readonly #env = new Map<Atom, OwnTable>()
  readonly #persistent = new Map<Atom, OwnTable>()

  constructor(processes: Pick<Processes, 'copy'>) {
    this.#processes = processes
  }

  get(name: Atom): ApplicationCode | undefined {
    return this.#loaded.get(name)
  }

  /**
   * With those that it includes, and are not loaded yet. When one cannot be, none is; OTP keeps what it has loaded until then.
   *
   * @throws ApplicationError for an included one that is not to be found; EtfError for a configuration that is none
   */
  load(code: ApplicationCode): void {
    const found = this.#withIncluded(code)
    const loading = found.map(each => [each, this.#given(each.definition.env)] as const)
    for (const [each, env] of loading) {
      const table = this.#tableOf(this.#env, each.name)
      for (const [key, value] of [...env, ...(this.#persistent.get(each.name) ?? [])]) table.set(key, value)
      this.#loaded.set(each.name, each)
    }
  }

  /**
   * Those of them that are loaded are what these definitions say, and their configuration is that of these, with what is persistent in it.
   *
   * @param config what is persistent from now on, of all applications; else that stays
   * @throws EtfError for a configuration that is none, NodeError ERR_NOT_DISTRIBUTED; then nothing has changed.
   */
  change(codes: readonly ApplicationCode[], config?: Readonly<Record<string, Env>>): void {
    const tables = codes.filter(({ name }) => this.#loaded.has(name)).map(code => [code, this.#given(code.definition.env)] as const)
    const persistent = config && Object.entries(config).map(([name, env]) => [atom(name) as Atom, this.#given(env)] as const)
    for (const [name, table] of persistent ?? []) for (const [key, value] of table) refuseDistributed(name, key, value)
    if (persistent) {
      this.#persistent.clear()
      for (const [name, table] of persistent) this.#persistent.set(name, table)
    }
    for (const [code, table] of tables) this.restore({ code, env: new Map([...table, ...(this.#persistent.get(code.name) ?? [])]) })
  }

  /** All that are loaded, as they are now */
  current(): Loaded[] {
    return [...this.#loaded.values()].map(code => ({ code, env: new Map(this.#env.get(code.name)) }))
  }

  /** One is again what it was. */
  restore({ code, env }: Loaded): void {
    this.#loaded.set(code.name, code)
    this.#env.set(code.name, new Map(env))
  }

  /** @throws EtfError */
  #given(env: Env = {}): OwnTable {
    return new Map(Object.entries(env).map(([key, value]) => [key, this.#processes.copy(value as Sendable)]))
  }

  /** With those that it includes. */
  unload(name: Atom): void {
    for (const each of this.included(name)) {
      this.#loaded.delete(each)
      this.#env.delete(each)
    }
  }

  /** The application itself, those that it includes, and so on: what is loaded of them. */
  included(name: Atom, found: readonly Atom[] = []): readonly Atom[] {
    const code = this.#loaded.get(name)
    if (!code || found.includes(name)) return found
    let all: readonly Atom[] = [...found, name]
    for (const each of namesOf(code.definition.includedApplications)) all = this.included(each, all)
    return all
  }

  #withIncluded(code: ApplicationCode, found: readonly ApplicationCode[] = []): readonly ApplicationCode[] {
    let all = [...found, code]
    for (const each of code.definition.includedApplications ?? []) {
      const name = nameOf(each)
      if (this.#loaded.has(name) || all.some(known => known.name === name)) continue
      const included = codeOf(each)
      if (!included) throw noSuchFile(name)
      all = [...this.#withIncluded(included, all)]
    }
    return all
  }

  /** `[{Name, Description, Vsn}]` */
  list(): Term[] {
    return [...this.#loaded.values()].map(({ name }) => this.describe(name))
  }

  describe(name: Atom): Term {
    return tuple(name, this.key(name, 'description') as Term, this.key(name, 'vsn') as Term)
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

  /** @throws EtfError for what is no term; NodeError ERR_NOT_DISTRIBUTED */
  setEnv(name: Atom, key: string, value: Sendable, persistent: boolean): void {
    const term = this.#processes.copy(value)
    refuseDistributed(name, key, term)
    this.#tableOf(this.#env, name).set(key, term)
    if (persistent) this.#tableOf(this.#persistent, name).set(key, term)
  }

  unsetEnv(name: Atom, key: string, persistent: boolean): void {
    this.#env.get(name)?.delete(key)
    if (persistent) this.#persistent.get(name)?.delete(key)
  }

  /** Undefined when it is not loaded, or for what is no key. */
  key(name: Atom, key: string): Term | undefined {
    const code = this.#loaded.get(name)
    const value = code && keyOf(code, this.#env.get(name) ?? new Map<string, Term>(), key)
    return value === undefined ? undefined : this.#processes.copy(value)
  }

  /** In OTP's order; undefined when it is not loaded. */
  keys(name: Atom): Term | undefined {
    if (!this.#loaded.has(name)) return undefined
    return keyNames.map(key => tuple(atom(key), this.key(name, key) as Term))
  }

  #tableOf(tables: Map<Atom, OwnTable>, name: Atom): OwnTable {
    const table = tables.get(name) ?? new Map<string, Term>()
    tables.set(name, table)
    return table
  }
}

/** What would have applications move between nodes is not taken without a word. @throws NodeError ERR_NOT_DISTRIBUTED */
function refuseDistributed(name: Atom, key: string, value: Term): void {
  if (name.name !== 'kernel' || key !== 'distributed' || (Array.isArray(value) && value.length === 0)) return
  const remedy = 'start it where it shall run, and give its servers global names'
  throw new NodeError('ERR_NOT_DISTRIBUTED', `An application of this node runs here, and nowhere instead of here: ${remedy}.`)
}

/** There is no file to load it from. */
export const noSuchFile = ({ name }: Atom): ApplicationError =>
  new ApplicationError(
    tuple(charlist('no such file or directory'), charlist(`${name}.app`)),
    ' Load its definition first, or give that instead of its name.',
  )
