/**
 * One version of a loaded module: its functions, and who runs them. As on the BEAM there are two at most, the current one and an old one, and a process
 * stays in the one that it began in until it goes on in the current one of its own accord.
 */
import { Begun, BodyRunner, type LocalProcess, type Process } from '../process/index.js'
import { type Atom, type Sendable, tuple } from '../term/index.js'
import { codeName } from './code-error.js'

/** What a loaded function is called as. It may be async; what it returns must be sendable. */
export type Fun<P extends Process = Process> = (this: P, ...args: any[]) => unknown

export type Functions<P extends Process = Process> = Readonly<Record<string, Fun<P>>>

/** Of a function in Erlang */
const maxArity = 255

/** A process that was started with a function of this version. */
class BegunIn extends Begun {
  readonly version: Version

  constructor(version: Version, fun: Atom, arity: number) {
    super(tuple(version.module, fun, arity))
    this.version = version
  }
}

export class Version<P extends Process = any> {
  readonly module: Atom
  /** 1 for the first of its module, 2 for the next … */
  readonly number: number
  /** Where it came from: with `#2` and so on where that URL was loaded before */
  readonly url: string | null
  /** That URL as it was given */
  readonly source: string | null
  /** What the module exports as `vsn`, else its number */
  readonly vsn: Sendable
  /** Beamlet's own: there is one for ever, and nobody asks who runs it. */
  readonly standing: boolean
  readonly functions: ReadonlyMap<Atom, Fun<P>>
  /** By function and arity */
  readonly #begun = new Map<Atom, Begun[]>()
  /** Processes of others that are within a function of this version, and how often */
  readonly #callers = new Map<LocalProcess, number>()

  /** @throws CodeError ERR_CODE_NAME */
  constructor(
    module: Atom,
    number: number,
    exported: Readonly<Record<string, unknown>>,
    url: string | null,
    source: string | null,
    standing = false,
  ) {
    this.module = module
    this.number = number
    this.url = url
    this.source = source
    this.standing = standing
    this.vsn = (exported['vsn'] as Sendable | undefined) ?? number
    const functions = Object.entries(exported).filter(([, value]) => typeof value === 'function')
    this.functions = new Map(functions.map(([name, fun]) => [codeName(name), fun as Fun<P>]))
  }

  get size(): number {
    return this.functions.size
  }

  /** The function of that name when it takes so few arguments. */
  find(fun: Atom, arity: number): Fun<P> | undefined {
    const found = this.functions.get(fun)
    return found && found.length <= arity ? found : undefined
  }

  /** What a process that was started with a function of this version is told by: one for all of them. Undefined: there is no such function. */
  begun(fun: Atom, arity: number): Begun | undefined {
    if (arity > maxArity || !this.find(fun, arity)) return undefined
    let begun = this.#begun.get(fun)
    if (!begun) this.#begun.set(fun, (begun = []))
    return (begun[arity] ??= new BegunIn(this, fun, arity))
  }

  /** Calls a function in a process, which runs this version until that has returned. */
  call(self: P, fun: Fun<P>, args: readonly unknown[]): unknown {
    const value = fun.apply(self, [...args])
    if (!(value instanceof Promise) || this.standing || versionOf(self) === this) return value
    this.#callers.set(self, (this.#callers.get(self) ?? 0) + 1)
    return value.finally(() => {
      const left = (this.#callers.get(self) ?? 1) - 1
      if (left === 0) this.#callers.delete(self)
      else this.#callers.set(self, left)
    })
  }

  /** Does that process run it? */
  runsIn(process: LocalProcess): boolean {
    return versionOf(process) === this || this.#callers.has(process)
  }
}

function versionOf({ runner }: LocalProcess): Version | undefined {
  const begun = runner instanceof BodyRunner ? runner.begun : runner
  return begun instanceof BegunIn ? begun.version : undefined
}
