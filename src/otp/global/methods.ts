/**
 * The methods that decide whose a name is, when two partitions join that have both given it: a fun of the name and the two processes, which returns
 * the one that keeps it, or `none`. It runs on the node of the process that this partition has.
 *
 *   fun global:random_exit_name/3     one is killed
 *   fun global:random_notify_name/3   one is sent {global_name_conflict, Name}
 *   fun global:notify_all_name/3      both are sent {global_name_conflict, Name, OtherPid}, and nobody has the name
 *
 * A fun of the BEAM is applied on the node that made it. A function of TypeScript stands on the wire as an external fun that only this node
 * knows: elsewhere it fails, and as after any failure the other process has the name.
 *
 * Source: global.erl, resolve_it, random_exit_name, random_notify_name, notify_all_name.
 */
import { type Process, reason } from '../../process/index.js'
import type { Pid } from '../../term/index.js'
import { type Atom, atom, compare, ExportFun, Fun, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'
import { applyFun } from '../rpc/apply-fun.js'

/** Decides whose the name is: one of the two, or null for nobody. Where it throws, it is the first: that of the other partition. */
export type Resolve = (name: Term, pid1: Pid, pid2: Pid) => Pid | null | Promise<Pid | null>

/** How a name's conflicts are resolved: OTP's three methods by their names, a function, or a fun of a loaded module. */
export type ResolveMethod = 'randomExitName' | 'randomNotifyName' | 'notifyAllName' | Resolve | ExportFun

const [globalModule, none] = [atom('global') as Atom, atom('none') as Atom]
/** Which no module is called */
const functionsModule = atom('$beamlet_global_resolve') as Atom

type Method = (self: Process, name: Term, pid1: Pid, pid2: Pid) => Sendable

/** The one of the lesser node keeps the name. */
const lesserFirst = (pid1: Pid, pid2: Pid): readonly [Pid, Pid] => (compare(pid1.node, pid2.node) < 0 ? [pid1, pid2] : [pid2, pid1])

const methods: Readonly<Record<string, Method>> = {
  random_exit_name(self, _, pid1, pid2) {
    const [kept, other] = lesserFirst(pid1, pid2)
    self.exit(other, atom('kill'))
    return kept
  },
  random_notify_name(self, name, pid1, pid2) {
    const [kept, other] = lesserFirst(pid1, pid2)
    self.send(other, tuple(atom('global_name_conflict'), name))
    return kept
  },
  notify_all_name(self, name, pid1, pid2) {
    self.send(pid1, tuple(atom('global_name_conflict'), name, pid2))
    self.send(pid2, tuple(atom('global_name_conflict'), name, pid1))
    return none
  },
}

const namesOf = {
  randomExitName: 'random_exit_name',
  randomNotifyName: 'random_notify_name',
  notifyAllName: 'notify_all_name',
} as const satisfies Record<string, string>

export const isNamed = (method: unknown): method is keyof typeof namesOf => typeof method === 'string' && Object.hasOwn(namesOf, method)

/** `fun global:random_exit_name/3` and its like */
export const namedMethod = (name: keyof typeof namesOf): ExportFun => new ExportFun(globalModule, atom(namesOf[name]) as Atom, 3)

export class GlobalMethods {
  readonly #functions = new Map<Atom, { readonly resolve: Resolve; uses: number }>()
  #count = 0

  /** What stands for a function of TypeScript. It is kept for as long as a name, or whoever asked, uses it. */
  keep(resolve: Resolve): ExportFun {
    const fun = atom(String(++this.#count)) as Atom
    this.#functions.set(fun, { resolve, uses: 1 })
    return new ExportFun(functionsModule, fun, 3)
  }

  used(method: Term): void {
    const kept = this.#kept(method)
    if (kept) kept.uses++
  }

  released(method: Term): void {
    const kept = this.#kept(method)
    if (kept && --kept.uses === 0) this.#functions.delete((method as ExportFun).fun)
  }

  /** Is it a function of this node, which no other can run? */
  has(method: Term): boolean {
    return this.#kept(method) !== undefined
  }

  get size(): number {
    return this.#functions.size
  }

  /** `global:resolve_it/4`: what the method says, or {'EXIT', Reason}. */
  async apply(self: Process, method: Term, name: Term, pid1: Pid, pid2: Pid): Promise<Sendable> {
    try {
      return await this.#apply(self, method, name, pid1, pid2)
    } catch (error) {
      return tuple(atom('EXIT'), reason.reasonOf(error))
    }
  }

  async #apply(self: Process, method: Term, name: Term, pid1: Pid, pid2: Pid): Promise<Sendable> {
    const kept = this.#kept(method)
    if (kept) return (await kept.resolve(name, pid1, pid2)) ?? none
    const fun = externalOf(method)
    const known = fun?.module === globalModule && fun.arity === 3 ? methods[fun.fun.name] : undefined
    if (known) return known(self, name, pid1, pid2)
    if (fun || method instanceof Fun)
      return applyFun(self, fun ?? (method as Fun), self.pid.node, [name, pid1, pid2], { timeout: Infinity })
    return none
  }

  #kept(method: Term): { readonly resolve: Resolve; uses: number } | undefined {
    return method instanceof ExportFun && method.module === functionsModule ? this.#functions.get(method.fun) : undefined
  }
}

/** An external fun, or a pair of module and function, which once was as good */
function externalOf(method: Term): ExportFun | null {
  if (method instanceof ExportFun) return method
  if (!(method instanceof Tuple) || method.length !== 2) return null
  const [module, fun] = method.elements as readonly [Atom, Atom]
  return new ExportFun(module, fun, 3)
}
