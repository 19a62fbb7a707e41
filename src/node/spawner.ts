/** Starts processes, here or in another place. */
import { TermPayload } from '../dist/signal.js'
import { atomOf, type Body, type InitialCall, type Process, type Processes, type Runner, type SpawnOptions } from '../process/index.js'
import { type Atom, NodeError, type Pid, type Sendable, type Term, tuple } from '../term/index.js'
import type { Code } from './code.js'
import type { PlacedSpawn, Placement, Places } from './outside.js'

/** A function of a loaded module, called with these arguments: the one kind of process that any place can run. */
export interface Portable {
  readonly module: string | Atom
  readonly fun: string | Atom
  readonly args?: readonly Sendable[] | undefined
}

export interface NodeSpawnOptions extends SpawnOptions {
  /** 'main': the node's first thread; 'pool': a scheduler, see docs/places.md; 'isolated': an OS process of its own. Default: where it is spawned. */
  readonly on?: Placement | undefined
}

const calls = (module: Atom, fun: Atom, arity: number): InitialCall => tuple(module, fun, arity)

/** Makes the code of a process out of arguments that came from another place. */
export type Starter = (self: Process, args: readonly Term[]) => Runner

export class Spawner {
  readonly #processes: Processes
  readonly #code: Code
  readonly #places: () => Places
  /** What the layers above start in any place, by a name that no module has */
  readonly starters = new Map<Atom, Starter>()

  constructor(processes: Processes, code: Code, places: () => Places) {
    this.#processes = processes
    this.#code = code
    this.#places = places
  }

  isHere(on: Placement | undefined): boolean {
    return on === undefined || this.#places().isHere(on)
  }

  /** Shall the next process that is placed so run here? Asked once for each. */
  stays(on: Placement): boolean {
    return this.#places().stays(on)
  }

  /** Starts either. @throws as both do */
  spawn(code: Body<any> | Portable, options: NodeSpawnOptions): Pid {
    return typeof code === 'function' ? this.closure(code, options) : this.portable(code, options)
  }

  /** @throws NodeError ERR_NOT_PORTABLE; ProcessError as `spawn` does. */
  closure(body: Body, options: NodeSpawnOptions): Pid {
    if (this.isHere(options.on)) return this.#processes.spawn(body, options).pid
    const remedy = 'spawn { module, fun, args } of a module loaded from a URL'
    throw new NodeError('ERR_NOT_PORTABLE', `A closure runs in the place that made it, for it shares the heap there: ${remedy}.`)
  }

  /** @throws NodeError ERR_NOT_PORTABLE, NODE_CLOSED; ProcessError ERR_NAME_TAKEN, ERR_SYSTEM_LIMIT; EtfError. */
  portable(code: Portable, options: NodeSpawnOptions): Pid {
    const { module, fun, args = [] } = code
    const { on } = options
    if (on !== undefined && !this.stays(on)) return this.away(on, code, options)
    return this.here(atomOf(module), atomOf(fun), this.#processes.copy(args) as Term[], options).pid
  }

  /** Starts it in another place. @throws as `portable` does */
  away(on: Placement, { module: moduleName, fun: funName, args = [] }: Portable, options: SpawnOptions): Pid {
    const [module, fun] = [atomOf(moduleName), atomOf(funName)]
    const { link, parent = link?.pid, monitor, token, groupLeader = this.#processes.init.groupLeader } = options
    if (this.#code.isBound(module)) {
      const why = `The module '${module.name}' was loaded as functions of main, which share its heap: load it from a URL.`
      throw new NodeError('ERR_NOT_PORTABLE', why)
    }
    const { registry, links, monitors } = this.#processes
    const name = options.name === undefined ? undefined : atomOf(options.name)
    if (name) registry.checkFree(name)
    const pid = this.#places().spawn(on, {
      module,
      fun,
      groupLeader,
      args: new TermPayload(args as Term),
      ...(name && { name }),
      ...(parent && { parent }),
      ...(link && { linked: link.pid }),
      ...(monitor && { watcher: monitor.owner.pid, watch: monitor.ref }),
      ...(token && { token }),
    })
    this.#processes.tap?.spawned(parent ?? this.#processes.init.pid, pid, calls(module, fun, args.length))
    if (link) {
      links.linked(link, pid)
      this.#processes.tap?.linked(link, 'link', pid)
    }
    if (monitor) monitors.monitoring(monitor.owner, pid, monitor.ref)
    return pid
  }

  /** Starts it in another place, for whoever is linked to it and watches it already. @throws as Places.spawn does */
  elsewhere(on: Placement, spawn: PlacedSpawn): Pid {
    return this.#places().spawn(on, spawn)
  }

  /** Starts a function of a loaded module, or what a starter makes, in this place. */
  here(module: Atom, fun: Atom, args: readonly Term[], options: SpawnOptions): Process {
    const starter = this.starters.get(module)
    if (starter) return this.#processes.start(self => starter(self, args), options)
    const begun = this.#code.begun(module, fun, args.length)
    return this.#processes.spawn(self => this.#code.apply(self, module, fun, args), { ...options, begun })
  }
}
