/**
 * Child specifications: as TypeScript writes them, and as Erlang sends them, a map or the old tuple. What is wrong with one is told as OTP does.
 *
 * Source: supervisor.erl (check_childspec, do_check_childspec, child_to_spec, extract_child).
 */
import type { StartName } from '../gen/server-name.js'
import { Atom, atom, type Pid, type Reference, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'
import { type Definition, definitionOf } from '../gen/start.js'
import type { AnyChildSpec, AutoShutdown, ChildFunction } from './types.js'

/** How a child is started */
export type Start =
  | {
      readonly kind: 'behaviour'
      readonly definition: Definition
      readonly name: StartName | undefined
      readonly on: 'main' | 'pool' | 'isolated' | undefined
    }
  | { readonly kind: 'function'; readonly fun: ChildFunction }
  | { readonly kind: 'mfa'; readonly module: Atom; readonly fun: Atom }

export class Child {
  /** Null: it does not run. `restarting`: it did not start again yet */
  pid: Pid | 'restarting' | null = null
  /** The process that is to be started again */
  last: Pid | null = null
  /** Stands for the next attempt, while it is restarting */
  again: Reference | null = null
  readonly id: Term
  readonly start: Start
  readonly args: readonly unknown[]
  /** As `{Module, Function, Args}` */
  readonly mfargs: Term
  readonly restart: 'permanent' | 'transient' | 'temporary'
  readonly significant: boolean
  readonly shutdown: number | 'brutal_kill'
  readonly type: 'worker' | 'supervisor'
  readonly modules: Term

  constructor(parts: Omit<Child, 'pid' | 'last' | 'again' | 'report' | 'spec' | 'record' | 'with'>) {
    this.id = parts.id
    this.start = parts.start
    this.args = parts.args
    this.mfargs = parts.mfargs
    this.restart = parts.restart
    this.significant = parts.significant
    this.shutdown = parts.shutdown
    this.type = parts.type
    this.modules = parts.modules
  }

  /** Another of its kind, with more arguments. */
  with(more: readonly Term[]): Child {
    const [module, fun, args] = (this.mfargs as Tuple).elements as readonly [Term, Term, readonly Term[]]
    return new Child({ ...this, id: atom('undefined'), args: [...this.args, ...more], mfargs: tuple(module, fun, [...args, ...more]) })
  }

  /** As the reports of a supervisor tell it */
  get report(): Sendable {
    const { restart, significant, shutdown, type } = this.terms
    const pairs = { pid: this.pidTerm, id: this.id, mfargs: this.mfargs, restart_type: restart, significant, shutdown, child_type: type }
    return Object.entries(pairs).map(([key, value]) => tuple(atom(key), value))
  }

  /** As `supervisor:get_childspec` tells it */
  get spec(): Sendable {
    return { id: this.id, start: this.mfargs, modules: this.modules, ...this.terms }
  }

  /** As OTP's record `child` */
  get record(): Term {
    const { restart, significant, shutdown, type } = this.terms
    return tuple(atom('child'), this.pidTerm, this.id, this.mfargs, restart, significant, shutdown, type, this.modules)
  }

  private get terms(): { restart: Term; significant: Term; shutdown: Term; type: Term } {
    const shutdown = this.shutdown === Infinity ? atom('infinity') : this.shutdown === 'brutal_kill' ? atom('brutal_kill') : this.shutdown
    return { restart: atom(this.restart), significant: this.significant, shutdown, type: atom(this.type) }
  }

  private get pidTerm(): Term {
    if (this.pid === 'restarting') return tuple(atom('restarting'), this.last ?? atom('undefined'))
    return this.pid ?? atom('undefined')
  }
}

/** What is wrong with a specification, as OTP's term */
export class BadSpec extends Error {
  readonly reason: Term

  constructor(reason: Term) {
    super('A child specification is wrong.')
    this.reason = reason
  }
}

const bad = (what: string, value: Term): never => {
  throw new BadSpec(tuple(atom(what), value))
}

/** A specification that was written in TypeScript. @throws BadSpec */
export function childOf(spec: AnyChildSpec, autoShutdown: AutoShutdown): Child {
  const { id, start, args = [], name, on, restart = 'permanent', significant = false, type = typeOf(start) } = spec
  const definition = definitionOf(start)
  const written: Start = definition
    ? { kind: 'behaviour', definition, name, on }
    : typeof start === 'function'
      ? { kind: 'function', fun: start as ChildFunction }
      : { kind: 'mfa', module: atom(start.module as string) as Atom, fun: atom(start.fun as string) as Atom }
  const given = written.kind === 'mfa' ? ((start as { args?: readonly Sendable[] }).args ?? args) : args
  const mfa = mfaOf(written, definition?.erlangModule)
  const shutdown = spec.shutdown ?? (type === 'supervisor' ? Infinity : 5000)
  return checked({
    id: typeof id === 'string' ? atom(id) : (id as Term),
    start: written,
    args: given,
    mfargs: tuple(...mfa, given as readonly Term[]),
    restart: atom(restart),
    significant,
    shutdown:
      shutdown === 'brutalKill' ? atom('brutal_kill') : shutdown === 'infinity' || shutdown === Infinity ? atom('infinity') : shutdown,
    type: atom(type),
    modules: spec.modules === 'dynamic' ? atom('dynamic') : (spec.modules?.map(module => atom(module)) ?? [mfa[0]]),
    autoShutdown,
  })
}

const typeOf = (start: unknown): 'worker' | 'supervisor' => (definitionOf(start)?.supervises === true ? 'supervisor' : 'worker')

function mfaOf(start: Start, module: Atom | undefined): [Atom, Atom] {
  if (start.kind === 'mfa') return [start.module, start.fun]
  if (start.kind === 'behaviour') return [module as Atom, atom('start_link') as Atom]
  return [atom('erlang') as Atom, atom(start.fun.name === '' ? 'apply' : start.fun.name) as Atom]
}

/** A specification that came as a term. @throws BadSpec */
export function childFrom(term: Term, autoShutdown: AutoShutdown): Child {
  if (term instanceof Tuple && term.length === 6) {
    const [id, start, restart, shutdown, type, modules] = term.elements as readonly Term[]
    return fromParts({ id, start, restart, shutdown, type, modules }, autoShutdown)
  }
  if (!(term instanceof Map)) throw new BadSpec(tuple(atom('invalid_child_spec'), term))
  return fromParts(
    Object.fromEntries([...(term as Map<Term, Term>)].map(([key, value]) => [key instanceof Atom ? key.name : '', value])),
    autoShutdown,
  )
}

function fromParts(parts: Readonly<Record<string, Term | undefined>>, autoShutdown: AutoShutdown): Child {
  const { id, start, restart = atom('permanent'), significant = false, type = atom('worker') } = parts
  if (id === undefined) throw new BadSpec(atom('missing_id'))
  if (start === undefined) throw new BadSpec(atom('missing_start'))
  const [module, fun, args] = start instanceof Tuple && start.length === 3 ? (start.elements as readonly Term[]) : []
  if (!(module instanceof Atom && fun instanceof Atom && Array.isArray(args))) return bad('invalid_mfa', start)
  const shutdown = parts['shutdown'] ?? (type === atom('supervisor') ? atom('infinity') : 5000)
  const modules = parts['modules'] ?? [module]
  return checked({
    id,
    start: { kind: 'mfa', module, fun },
    args,
    mfargs: start,
    restart,
    significant,
    shutdown,
    type,
    modules,
    autoShutdown,
  })
}

interface Unchecked {
  readonly id: Term
  readonly start: Start
  readonly args: readonly unknown[]
  readonly mfargs: Term
  readonly restart: Term
  readonly significant: Term
  readonly shutdown: Term
  readonly type: Term
  readonly modules: Term
  readonly autoShutdown: AutoShutdown
}

function checked({ id, start, args, mfargs, restart, significant, shutdown, type, modules, autoShutdown }: Unchecked): Child {
  const pair = (key: string, value: Term): Term => tuple(atom(key), value)
  if (!isOneOf(restart, 'permanent', 'transient', 'temporary')) bad('invalid_restart_type', restart)
  if (significant === true && autoShutdown === 'never')
    bad('bad_combination', [pair('auto_shutdown', atom('never')), pair('significant', true)])
  if (significant === true && restart === atom('permanent')) bad('bad_combination', [pair('restart', restart), pair('significant', true)])
  if (typeof significant !== 'boolean') bad('invalid_significant', significant)
  if (!isOneOf(type, 'worker', 'supervisor')) bad('invalid_child_type', type)
  const counts = typeof shutdown === 'number' && Number.isInteger(shutdown) && shutdown >= 0
  if (!counts && !isOneOf(shutdown, 'infinity', 'brutal_kill')) bad('invalid_shutdown', shutdown)
  if (modules !== atom('dynamic')) {
    if (!Array.isArray(modules)) bad('invalid_modules', modules)
    for (const module of modules as readonly Term[]) if (!isErlangAtom(module)) bad('invalid_module', module)
  }
  return new Child({
    id,
    start,
    args,
    mfargs,
    restart: (restart as Atom).name as Child['restart'],
    significant: significant as boolean,
    shutdown: counts ? (shutdown as number) : shutdown === atom('infinity') ? Infinity : 'brutal_kill',
    type: (type as Atom).name as Child['type'],
    modules,
  })
}

const isOneOf = (term: Term, ...names: string[]): boolean => term instanceof Atom && names.includes(term.name)

const isErlangAtom = (term: Term): boolean => term instanceof Atom || typeof term === 'boolean' || term === null

/** Elixir's DynamicSupervisor sends `{{M, F, A}, Restart, Shutdown, Type, Modules}`. @throws BadSpec */
export function dynamicChildFrom(term: Term): Child {
  const parts = term instanceof Tuple && term.length === 5 ? (term.elements as readonly Term[]) : undefined
  if (!parts) return childFrom(term, 'never')
  const [start, restart, shutdown, type, modules] = parts
  return fromParts({ id: atom('undefined'), start, restart, shutdown, type, modules }, 'never')
}
