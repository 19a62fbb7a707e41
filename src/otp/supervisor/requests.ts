/** What a supervisor answers to those who ask: OTP's requests, with OTP's answers. Source: supervisor.erl (handle_call). */
import { ErlangError } from '../../process/index.js'
import { Atom, atom, Pid, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'
import { BadSpec, Child, childFrom, childOf, dynamicChildFrom } from './child-spec.js'
import type { ChildProcesses } from './child-processes.js'
import { childInfo, type Children } from './children.js'
import { handed } from './handed-specs.js'
import type { Started } from './start-child.js'
import type { SupervisorRestarts } from './restarts.js'

const undef = atom('undefined')
const ok = atom('ok')
const error = (why: Sendable): Sendable => tuple(atom('error'), why)
const simple = error(atom('simple_one_for_one'))

export class SupervisorRequests {
  readonly #children: Children
  readonly #processes: ChildProcesses
  readonly #restarts: Pick<SupervisorRestarts, 'autoShutdown'>

  constructor(children: Children, processes: ChildProcesses, restarts: Pick<SupervisorRestarts, 'autoShutdown'>) {
    this.#children = children
    this.#processes = processes
    this.#restarts = restarts
  }

  /** @throws ErlangError function_clause for what is no request of a supervisor */
  async answer(request: Term): Promise<Sendable> {
    const [what, value] = request instanceof Tuple && request.length === 2 ? (request.elements as readonly Term[]) : [request]
    const isSimple = this.#children.strategy === 'simpleOneForOne'
    switch (what instanceof Atom ? what.name : '') {
      case 'which_children':
        return this.#children.which()
      case 'count_children':
        return this.#children.count()
      case 'start_child':
        return this.#start(value as Term)
      case 'which_child':
        return this.#with(value as Term, child => tuple(ok, childInfo(child)))
      case 'get_childspec':
        return this.#with(value as Term, child => tuple(ok, child.spec))
      case 'terminate_child':
        return this.#with(value as Term, child => this.#terminate(child))
      case 'restart_child':
        return isSimple ? simple : this.#with(value as Term, child => stopped(child) ?? this.#restart(child))
      case 'delete_child':
        return isSimple ? simple : this.#with(value as Term, child => stopped(child) ?? (this.#children.delete(child), ok))
      default:
        throw new ErlangError(atom('function_clause'), [tuple(atom('supervisor'), atom('handle_call'), [request], [])])
    }
  }

  async #with(id: Term, use: (child: Child) => Sendable | Promise<Sendable>): Promise<Sendable> {
    if (this.#children.strategy === 'simpleOneForOne' && !(id instanceof Pid)) return simple
    const child = this.#children.find(id)
    return child ? use(child) : error(atom('not_found'))
  }

  async #start(what: Term): Promise<Sendable> {
    const child = this.#childFor(what)
    if (!(child instanceof Child)) return error(child)
    const { isDynamic } = this.#children
    const known = isDynamic ? undefined : this.#children.find(child.id)
    if (known) return error(known.pid instanceof Pid ? tuple(atom('already_started'), known.pid) : atom('already_present'))
    const started = await this.#processes.startFor(child)
    if ('error' in started) {
      const { error: why } = started
      const bare = isDynamic || (why instanceof Tuple && why.tag === 'already_started')
      return error(bare ? why : tuple(why, child.record))
    }
    const keeps = started.pid !== null || !(isDynamic || child.restart === 'temporary')
    if (keeps) this.#children.add(child)
    return answerOf(started)
  }

  /** The child that is asked for, or what is wrong with the request. */
  #childFor(what: Term): Child | Term {
    const { template, isDynamic } = this.#children
    const { autoShutdown } = this.#restarts
    try {
      if (template) return Array.isArray(what) ? template.with(what as readonly Term[]) : atom('badarg')
      const lent = handed(what)
      if (lent) return childOf(isDynamic ? { ...lent, id: undef } : lent, autoShutdown)
      return isDynamic ? dynamicChildFrom(what) : childFrom(what, autoShutdown)
    } catch (thrown) {
      if (thrown instanceof BadSpec) return thrown.reason
      throw thrown
    }
  }

  async #restart(child: Child): Promise<Sendable> {
    const started = await this.#processes.startFor(child)
    return 'error' in started ? error(started.error) : answerOf(started)
  }

  async #terminate(child: Child): Promise<Sendable> {
    await this.#processes.end(child)
    this.#children.forget(child)
    return ok
  }
}

/** Why something that wants a child that does not run cannot be done. */
function stopped({ pid }: Child): Sendable | undefined {
  if (pid === null) return undefined
  return error(atom(pid === 'restarting' ? 'restarting' : 'running'))
}

const answerOf = ({ pid, extra }: Exclude<Started, { error: Term }>): Sendable =>
  tuple(ok, pid ?? undef, ...(extra === undefined ? [] : [extra]))
