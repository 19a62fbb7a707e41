/**
 * Funs. A local fun of the BEAM cannot run here; it is carried, so that it comes back to its node unharmed.
 *
 * Source: erl_ext_dist, NEW_FUN_EXT and EXPORT_EXT.
 */
import { inspect } from 'node:util'
import type { Atom } from './atom.js'
import { formatAtom } from './format-text.js'
import type { Pid } from './identity.js'
import type { Term } from './types.js'

/** `fun lists:reverse/1` */
export class ExportFun {
  readonly kind = 'export fun'
  readonly module: Atom
  readonly fun: Atom
  readonly arity: number

  constructor(module: Atom, fun: Atom, arity: number) {
    this.module = module
    this.fun = fun
    this.arity = arity
    Object.freeze(this)
  }

  /** `fun lists:reverse/1` */
  toString(): string {
    return `fun ${formatAtom(this.module.name)}:${formatAtom(this.fun.name)}/${this.arity}`
  }

  [inspect.custom](): string {
    return `ExportFun(${this})`
  }
}

export interface FunParts {
  readonly arity: number
  /** 16 bytes: the MD5 of the significant parts of the BEAM file */
  readonly uniq: Buffer
  readonly index: number
  readonly module: Atom
  readonly oldIndex: number
  readonly oldUniq: number
  readonly pid: Pid
  /** The values that the fun closed over */
  readonly free: readonly Term[]
}

/** A closure made on a BEAM node. */
export class Fun implements FunParts {
  readonly kind = 'fun'
  readonly arity: number
  readonly uniq: Buffer
  readonly index: number
  readonly module: Atom
  readonly oldIndex: number
  readonly oldUniq: number
  readonly pid: Pid
  readonly free: readonly Term[]

  constructor(parts: FunParts) {
    this.arity = parts.arity
    this.uniq = parts.uniq
    this.index = parts.index
    this.module = parts.module
    this.oldIndex = parts.oldIndex
    this.oldUniq = parts.oldUniq
    this.pid = parts.pid
    this.free = parts.free
    Object.freeze(this)
  }

  /** `#Fun<module.0.1234>`: index and uniq as the module's file has them. erts writes the module's name as it is, without quotes. */
  toString(): string {
    return `#Fun<${this.module.name}.${this.oldIndex}.${this.oldUniq}>`
  }

  [inspect.custom](): string {
    return `Fun(${this} ${this.pid.node})`
  }
}
