/**
 * Loaded code: the only functions that other nodes can call or spawn here. Joining a cluster hands it no shell.
 *
 * A function is called with `this` = the process it runs in, and with the arguments as terms.
 */
import { Begun, ErlangError, type Process } from '../process/index.js'
import { atom, Atom, NodeError, type Term, tuple } from '../term/index.js'
import type { Placement } from './outside.js'

/** Codes: ERR_CODE_MODULE, ERR_CODE_NAME, ERR_CODE_RESERVED, ERR_NOT_PORTABLE. */
export class CodeError extends NodeError {}

/** Of a function in Erlang */
const maxArity = 255

/** What a loaded function is called as. It may be async; what it returns must be sendable. */
export type Fun<P extends Process = Process> = (this: P, ...args: any[]) => unknown

export type Functions<P extends Process = Process> = Readonly<Record<string, Fun<P>>>

export interface LoadOptions {
  /** Where what other nodes spawn and call of it runs: 'main' (default), 'pool' or 'isolated'. What this node spawns says so itself. */
  readonly on?: Placement | undefined
}

/** `P` is the process that the functions get as `this`: all processes of one node are of one class. */
export class Code<P extends Process = any> {
  readonly #modules = new Map<Atom, ReadonlyMap<Atom, Fun<P>>>()
  /** Where the modules that came from a URL came from */
  readonly #urls = new Map<Atom, string>()
  readonly #placements = new Map<Atom, Placement>()
  readonly #reserved = new Set<Atom>()
  /** By module, function and arity */
  readonly #begun = new WeakMap<ReadonlyMap<Atom, Fun<P>>, Map<Atom, Begun[]>>()
  /** Functions that every module has, and nobody has written: `module_info` */
  readonly generated = new Map<Atom, (module: Atom) => Fun<P> | undefined>()
  readonly #elsewhere: (name: string, url: string | null) => Promise<void>

  /** @param elsewhere has the other places load it, too, or forget it (null) */
  constructor(elsewhere: (name: string, url: string | null) => Promise<void> = async () => {}) {
    this.#elsewhere = elsewhere
  }

  /**
   * Makes functions callable from other nodes, under a module's name. Loading again replaces the whole module; calls in progress go on in
   * the old one. A URL is imported, and every function that it exports counts.
   *
   * @throws CodeError ERR_CODE_MODULE when the import fails or holds no function, ERR_CODE_NAME for what cannot name a module,
   * ERR_CODE_RESERVED for one of Beamlet's own, ERR_NOT_PORTABLE for functions that shall run elsewhere than on main.
   */
  async load(module: string | Atom, source: Functions<P> | URL | string, { on }: LoadOptions = {}): Promise<void> {
    const name = nameOf(module)
    if (this.#reserved.has(name))
      throw new CodeError('ERR_CODE_RESERVED', `The module '${name.name}' is Beamlet's own: choose another name.`)
    const url = typeof source === 'string' || source instanceof URL ? String(source) : null
    if (url === null && on !== undefined && on !== 'main') {
      const remedy = 'load it from a URL'
      throw new CodeError('ERR_NOT_PORTABLE', `The functions of '${name.name}' share main's heap, so they cannot run '${on}': ${remedy}.`)
    }
    this.#set(name, url === null ? (source as Functions<P>) : await importFrom(url))
    if (url === null) this.#urls.delete(name)
    else this.#urls.set(name, url)
    if (on === undefined) this.#placements.delete(name)
    else this.#placements.set(name, on)
    await this.#elsewhere(name.name, url)
  }

  /** Where what other nodes spawn and call of this module runs; undefined: where they are answered. */
  placementOf(module: Atom): Placement | undefined {
    return this.#placements.get(module)
  }

  /** Modules that came from a URL can be loaded in every place of a node. */
  portable(): [name: string, url: string][] {
    return [...this.#urls].map(([name, url]) => [name.name, url])
  }

  /** Is it loaded as functions of this thread alone? */
  isBound(module: Atom): boolean {
    return this.#modules.has(module) && !this.#urls.has(module) && !this.#reserved.has(module)
  }

  /** Built-in modules, which nobody can replace. */
  reserve(module: string, functions: Functions<P>): void {
    const name = nameOf(module)
    this.#reserved.add(name)
    this.#set(name, functions)
  }

  /** False when it was not loaded. */
  delete(module: string | Atom): boolean {
    const name = nameOf(module)
    if (this.#reserved.has(name) || !this.#modules.delete(name)) return false
    if (this.#urls.delete(name)) void this.#elsewhere(name.name, null)
    return true
  }

  /** The function of that name when it takes so few arguments; undefined is `undef`. */
  find(module: Atom, fun: Atom, arity: number): Fun<P> | undefined {
    const found = this.#modules.get(module)?.get(fun) ?? this.generated.get(fun)?.(module)
    return found && found.length <= arity ? found : undefined
  }

  /** What a process that was started with a loaded function is told by: one for all of them. Undefined: there is no such function. */
  begun(module: Atom, fun: Atom, arity: number): Begun | undefined {
    if (arity > maxArity || !this.find(module, fun, arity)) return undefined
    const functions = this.#modules.get(module)
    if (!functions) return undefined
    let known = this.#begun.get(functions)
    if (!known) this.#begun.set(functions, (known = new Map()))
    let begun = known.get(fun)
    if (!begun) known.set(fun, (begun = []))
    return (begun[arity] ??= new Begun(tuple(module, fun, arity)))
  }

  /** Calls a loaded function in a process. @throws ErlangError `undef`, with Erlang's stack, when there is none. */
  apply(self: P, module: Atom, fun: Atom, args: readonly Term[]): unknown {
    const found = this.find(module, fun, args.length)
    if (!found) throw new ErlangError(atom('undef'), [tuple(module, fun, args, [])])
    return found.apply(self, [...args])
  }

  /** The functions of a module; undefined: it is not loaded. */
  functionsOf(module: Atom): ReadonlyMap<Atom, Fun<P>> | undefined {
    return this.#modules.get(module)
  }

  /** All that are loaded, Beamlet's own too */
  loaded(): Atom[] {
    return [...this.#modules.keys()]
  }

  isLoaded(module: Atom): boolean {
    return this.#modules.has(module)
  }

  #set(name: Atom, functions: Functions<P>): void {
    const table = new Map<Atom, Fun<P>>()
    for (const [fun, value] of Object.entries(functions)) if (typeof value === 'function') table.set(nameOf(fun), value)
    if (table.size === 0)
      throw new CodeError('ERR_CODE_MODULE', `The module '${name.name}' holds no function: give { name: function } or a URL.`)
    this.#modules.set(name, table)
  }
}

async function importFrom(url: string): Promise<Functions<any>> {
  try {
    return (await import(url)) as Functions<any>
  } catch (cause) {
    throw new CodeError('ERR_CODE_MODULE', `The module at ${url} does not load: ${String(cause)}.`, { cause })
  }
}

function nameOf(name: string | Atom): Atom {
  const made: Term = typeof name === 'string' ? atom(name) : name
  if (made instanceof Atom) return made
  throw new CodeError('ERR_CODE_NAME', `'${String(name)}' cannot name a module or a function: choose another.`)
}
