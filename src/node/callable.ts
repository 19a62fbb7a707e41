/** Who may call what: the modules of a node, and which function a call gets. What is loaded, and in which version, code.ts decides. */
import { Begun, ErlangError, type Process } from '../process/index.js'
import { type Atom, atom, type Sendable, type Term, tuple } from '../term/index.js'
import { codeName } from './code-error.js'
import { fileOf } from './code-file.js'
import { type Fun, type Functions, Version } from './code-version.js'
import type { Placement } from './outside.js'

export interface Loaded<P extends Process> {
  current: Version<P> | null
  old: Version<P> | null
  /** One that servers are about to move to */
  next: Version<P> | null
  /** Where servers may still be: what `codeChange` is told that it changes from */
  vsns: Map<string, Sendable>
  /** How many versions there have been */
  count: number
  on: Placement | undefined
  readonly reserved: boolean
}

/** `P` is the process that the functions get as `this`: all processes of one node are of one class. */
export class Callable<P extends Process = any> {
  protected readonly modules = new Map<Atom, Loaded<P>>()
  /** By the URL of the file, whichever version was imported */
  protected readonly files = new Map<string, Atom>()
  /** Functions that every module has, and nobody has written: `module_info` */
  readonly generated = new Map<Atom, (module: Atom) => Fun<P> | undefined>()

  /** Where what other nodes spawn and call of this module runs; undefined: where they are answered. */
  placementOf(module: Atom): Placement | undefined {
    return this.modules.get(module)?.on
  }

  /** Modules that came from a URL can be loaded in every place of a node. */
  portable(): [name: string, url: string][] {
    return [...this.modules].flatMap(([name, { current }]) =>
      typeof current?.url === 'string' ? [[name.name, current.url] as [string, string]] : [],
    )
  }

  /** Is it loaded as functions of this thread alone? */
  isBound(module: Atom): boolean {
    return this.current(module)?.url === null && !this.isReserved(module)
  }

  /** Is it one of Beamlet's own? */
  isReserved(module: Atom): boolean {
    return this.modules.get(module)?.reserved === true
  }

  /** Built-in modules, which nobody can replace. */
  reserve(module: string, functions: Functions<P>): void {
    const name = codeName(module)
    const version = new Version<P>(name, 1, functions, null, null, true)
    this.modules.set(name, { current: version, old: null, next: null, vsns: new Map(), count: 1, on: undefined, reserved: true })
  }

  /** @internal The URL of the current version of the module that came from this file, in whichever version; null: there is none. */
  currentOf(url: string): string | null {
    if (this.files.size === 0) return null
    const name = this.files.get(fileOf(url))
    return name === undefined ? null : (this.current(name)?.url ?? null)
  }

  /** @internal Does what was imported by this URL belong to that module? */
  isOf(name: Atom, url: string): boolean {
    return this.files.get(fileOf(url)) === name
  }

  /** @internal What `codeChange` is told that it changes from, by URL */
  vsnsOf(name: Atom): [url: string, vsn: Sendable][] {
    const { vsns = [], old } = this.modules.get(name) ?? {}
    return typeof old?.url === 'string' ? [[old.url, old.vsn], ...vsns] : [...vsns]
  }

  /** @internal */
  current(module: Atom): Version<P> | undefined {
    return this.modules.get(module)?.current ?? undefined
  }

  /** The function of that name when it takes so few arguments; undefined is `undef`. */
  find(module: Atom, fun: Atom, arity: number): Fun<P> | undefined {
    return this.current(module)?.find(fun, arity) ?? this.generated.get(fun)?.(module)
  }

  /** What a process that was started with a loaded function is told by: one for all of them. Undefined: there is no such function. */
  begun(module: Atom, fun: Atom, arity: number): Begun | undefined {
    return this.current(module)?.begun(fun, arity)
  }

  /** Calls a loaded function in a process. @throws ErlangError `undef`, with Erlang's stack, when there is none. */
  apply(self: P, module: Atom, fun: Atom, args: readonly unknown[]): unknown {
    const found = this.find(module, fun, args.length)
    if (!found) throw new ErlangError(atom('undef'), [tuple(module, fun, args as readonly Term[], [])])
    const version = this.current(module)
    return version ? version.call(self, found, args) : found.apply(self, [...args])
  }

  /** @internal A process leaves the function in which it was, for this one. @throws as `apply` does */
  goOn(self: P, module: Atom, fun: Atom, args: readonly unknown[]): unknown {
    const begun = this.begun(module, fun, args.length)
    if (begun && self.runner instanceof Begun) self.runner = begun
    return this.apply(self, module, fun, args)
  }

  /** The functions of a module; undefined: it is not loaded. */
  functionsOf(module: Atom): ReadonlyMap<Atom, Fun<P>> | undefined {
    return this.current(module)?.functions
  }

  /** All that are loaded, Beamlet's own too */
  loaded(): Atom[] {
    return [...this.modules].flatMap(([name, { current }]) => (current ? [name] : []))
  }

  isLoaded(module: Atom): boolean {
    return this.current(module) !== undefined
  }
}
