/**
 * supervisor: starts processes, and starts them again when they end. On the wire it is OTP's: `supervisor:which_children`, `start_child` and all
 * others work on it, from any node.
 *
 * @example
 * ```ts
 * import { atom, Node } from 'beamlet'
 * import { genServer, reply, supervisor } from 'beamlet/otp'
 * import assert from 'node:assert/strict'
 *
 * const counter = genServer({ init: (start: number) => start, call: { get: n => reply(n, n) } })
 * const sup = supervisor({
 *   strategy: 'oneForOne',
 *   intensity: 3,
 *   period: 5,
 *   children: [{ id: 'counter', start: counter, args: [10], name: 'counter', restart: 'permanent' }],
 * })
 * await using node = await Node.start({ name: 'sup-docs@127.0.0.1', cookie: 'secret' })
 * const ref = await node.start(sup, { name: 'sup' })
 * assert.deepEqual(await ref.countChildren(), { specs: 1, active: 1, supervisors: 0, workers: 1 })
 * assert.equal(await node.call('counter', atom('get')), 10)
 * ```
 */
import { type Process } from '../../process/index.js'
import { type Atom, atom, format, NodeError, Pid, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'
import { call } from '../gen/gen.js'
import { moduleOf } from '../gen/runner.js'
import { pidOf, type RefOptions, type ServerName } from '../gen/gen-server.js'
import { isHere } from '../gen/server-name.js'
import { lend } from './handed-specs.js'
import { define, type Starting } from '../gen/start.js'
import { type SupervisorCode, SupervisorRunner } from './runner.js'
import type { AnyChildSpec, ChildInfo, Startable, SupervisorDefinition, SupervisorFlags, SupervisorInit, SupervisorRef } from './types.js'

/** What a supervisor refused, or a child that did not start; `reason` is OTP's. Code ERR_SUPERVISOR. */
export class SupervisorError extends NodeError {
  readonly reason: Term

  constructor(reason: Term) {
    super('ERR_SUPERVISOR', `The supervisor answered {error, ${format(reason)}}.`)
    this.reason = reason
  }
}

/** Defines a supervisor; with a function, its children depend on the arguments that it is started with. */
export function supervisor<A extends unknown[]>(
  init: (...args: A) => SupervisorInit | Promise<SupervisorInit>,
  options?: Pick<SupervisorFlags, 'module'>,
): Startable<A, SupervisorRef>
export function supervisor<const S extends readonly unknown[]>(definition: SupervisorDefinition<S>): Startable<[], SupervisorRef>
export function supervisor(
  what: SupervisorInit | ((...args: any[]) => SupervisorInit | Promise<SupervisorInit>),
  { module }: Pick<SupervisorFlags, 'module'> = typeof what === 'function' ? {} : what,
): Startable<any, SupervisorRef> {
  const erlangModule = moduleOf(module, 'supervisor')
  return define<Startable<any, SupervisorRef>, SupervisorCode>({
    module,
    erlangModule,
    behaviour: atom('supervisor') as Atom,
    supervises: true,
    code: { erlangModule, init: typeof what === 'function' ? what : () => what },
    runner(self, life) {
      return new SupervisorRunner(self, this, life)
    },
    refOf: supervisorRef,
  })
}

/** A way to a supervisor: see SupervisorRef. Its calls wait for ever by default, as OTP's do. */
export function supervisorRef(node: Starting, to: ServerName, options: RefOptions = {}): SupervisorRef {
  const run = <T>(work: (self: Process) => Promise<T>): Promise<T> => (options.self ? work(options.self) : node.run(work))
  const ask = (request: Sendable): Promise<Term> => run(self => call(self, to, request, { timeout: Infinity, ...options }))
  const about = async (what: string, id: Sendable): Promise<Term> => answer(await ask(tuple(atom(what), id)))
  return {
    get pid() {
      return pidOf(node, to)
    },
    with: more => supervisorRef(node, to, { ...options, ...more }),
    startChild: async (what: AnyChildSpec | readonly Sendable[]) => {
      if (Array.isArray(what)) return pidIn(await about('start_child', what as Sendable))
      const ref = node.processes.table.makeRef()
      const spec = what as AnyChildSpec
      if (!isHere(options.self ?? node.processes.init, to)) return pidIn(await about('start_child', asTerm(spec)))
      return pidIn(await lend(spec, ref, term => about('start_child', term)))
    },
    restartChild: async id => pidIn(await about('restart_child', idOf(id))),
    terminateChild: async id => void (await about('terminate_child', idOf(id))),
    deleteChild: async id => void (await about('delete_child', idOf(id))),
    whichChildren: async () => ((await ask(atom('which_children'))) as Tuple<[Term, Term, Atom, Term]>[]).map(childInfo),
    countChildren: async () => {
      const counts = (await ask(atom('count_children'))) as Tuple<[Atom, number]>[]
      return Object.fromEntries(counts.map(({ elements: [key, count] }) => [key.name, count])) as never
    },
  }
}

const idOf = (id: string | Term): Sendable => (typeof id === 'string' ? atom(id) : id)

/** A specification for a supervisor of another node: only code that it has there can be started. */
function asTerm({ id, start, restart, shutdown, type, modules, args = [] }: AnyChildSpec): Sendable {
  const { module, fun, args: given = args } = start as { module?: unknown; fun?: unknown; args?: readonly Sendable[] }
  if (typeof module !== 'string' || typeof fun !== 'string') {
    const remedy = 'give { module, fun, args } of a module that it has there'
    throw new NodeError('ERR_NOT_PORTABLE', `A supervisor of another node cannot start what is defined here: ${remedy}.`)
  }
  const how =
    shutdown === 'infinity' || shutdown === Infinity ? atom('infinity') : shutdown === 'brutalKill' ? atom('brutal_kill') : shutdown
  return {
    id: idOf(id),
    start: tuple(atom(module), atom(fun), given as readonly Sendable[]),
    ...(restart && { restart: atom(restart) }),
    ...(how === undefined ? {} : { shutdown: how }),
    ...(type && { type: atom(type) }),
    ...(modules && { modules: modules === 'dynamic' ? atom('dynamic') : modules.map(module => atom(module)) }),
  }
}

function answer(term: Term): Term {
  if (term instanceof Tuple && term.tag === 'error') throw new SupervisorError(term.elements[1] as Term)
  return term
}

const pidIn = (term: Term): Pid | null => (term instanceof Tuple && term.elements[1] instanceof Pid ? term.elements[1] : null)

function childInfo({ elements: [id, pid, type, modules] }: Tuple<[Term, Term, Atom, Term]>): ChildInfo {
  return {
    id,
    pid: pid instanceof Pid ? pid : pid === atom('restarting') ? 'restarting' : null,
    type: type.name as ChildInfo['type'],
    modules: Array.isArray(modules) ? (modules as unknown as Atom[]).map(({ name }) => name) : 'dynamic',
  }
}
