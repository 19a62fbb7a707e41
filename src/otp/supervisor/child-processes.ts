/** The processes of a supervisor's children: they start, they end, and both are told. Source: supervisor.erl (start_children, do_terminate, terminate_dynamic_children). */
import { Pid, type Term } from '../../term/index.js'
import type { Child } from './child-spec.js'
import type { Children } from './children.js'
import { endChild, endChildren } from './shutdown.js'
import { startChild, type Started, type Supervising } from './start-child.js'
import type { SupervisorReports } from './reports.js'

export class ChildProcesses {
  readonly #self: Supervising
  readonly #children: Children
  readonly #reports: SupervisorReports

  constructor(self: Supervising, children: Children, reports: SupervisorReports) {
    this.#self = self
    this.#children = children
    this.#reports = reports
  }

  /** Starts a child for whoever asks: what goes wrong is the answer. */
  async startFor(child: Child): Promise<Started> {
    const started = await startChild(this.#self, child)
    if (!('error' in started)) this.#runs(child, started.pid, 'debug')
    return started
  }

  /** Starts a child of the supervisor's own accord: what goes wrong is reported. Null, or why it did not start. */
  async start(child: Child): Promise<Term | null> {
    const started = await startChild(this.#self, child)
    if ('error' in started) {
      this.#reports.error('start_error', started.error, child)
      return started.error
    }
    this.#runs(child, started.pid, 'info')
    if (started.pid === null && child.restart === 'temporary') this.#children.delete(child)
    return null
  }

  #runs(child: Child, pid: Pid | null, level: 'info' | 'debug'): void {
    this.#children.runs(child, pid)
    if (pid && !this.#children.template) this.#reports.progress(child, level)
  }

  /** It is to end, and its pid is not its any more. */
  async end(child: Child): Promise<void> {
    const { pid } = child
    const why = await endChild(this.#self, child)
    if (pid instanceof Pid) this.#children.release(pid)
    if (why !== null) this.#reports.error('shutdown_error', why, child)
    child.pid = null
  }

  /** One after the other, the latest first; dynamic ones at once. */
  async endAll(): Promise<void> {
    const children = this.#children.all.toReversed()
    if (!this.#children.isDynamic) for (const child of children) await this.end(child)
    else for (const [child, why] of await endChildren(this.#self, children)) this.#reports.error('shutdown_error', why, child)
  }
}
