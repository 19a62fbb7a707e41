/** What becomes of a supervisor when a child has ended. Source: supervisor.erl (restart_child, do_restart, restart, do_auto_shutdown). */
import type { Process } from '../../process/index.js'
import { atom, equals, type Pid, type Term, tuple } from '../../term/index.js'
import { isShutdown } from '../gen/cause.js'
import type { Child } from './child-spec.js'
import type { ChildProcesses } from './child-processes.js'
import type { Children } from './children.js'
import { RestartIntensity } from './restart-intensity.js'
import type { SupervisorReports } from './reports.js'
import type { AutoShutdown } from './types.js'

const normal = atom('normal')

/** The message `{'$try_again_restart', Ref}` of a supervisor to itself */
export const tryAgainRestart = atom('$try_again_restart')

/** What the end of a child is to the supervisor: to go on, or to end. */
export type Verdict = 'goesOn' | 'ends'

export class SupervisorRestarts {
  readonly #self: Process
  readonly #children: Children
  readonly #processes: ChildProcesses
  readonly #reports: SupervisorReports
  intensity = new RestartIntensity(1, 5)
  autoShutdown: AutoShutdown = 'never'

  constructor(self: Process, children: Children, processes: ChildProcesses, reports: SupervisorReports) {
    this.#self = self
    this.#children = children
    this.#processes = processes
    this.#reports = reports
  }

  /** A process has ended that was linked to the supervisor. */
  async ended(pid: Pid, why: Term): Promise<Verdict> {
    const child = this.#children.ofPid(pid)
    if (!child) return 'goesOn'
    this.#children.release(pid)
    const wellDone = why === normal || isShutdown(why)
    if (child.restart === 'permanent' || !wellDone) this.#reports.error('child_terminated', why, child)
    child.last = pid
    if (child.restart === 'permanent' || (child.restart === 'transient' && !wellDone)) return this.#restart(child)
    this.#children.forget(child)
    if (!child.significant || this.autoShutdown === 'never') return 'goesOn'
    if (this.autoShutdown === 'anySignificant') return 'ends'
    return this.#children.all.some(({ significant, pid }) => significant && pid !== null) ? 'goesOn' : 'ends'
  }

  /** The next attempt at a child that did not start again */
  async again(ref: Term): Promise<Verdict> {
    const child = this.#children.all.find(({ again }) => again !== null && equals(again, ref))
    return child?.pid === 'restarting' ? this.#restart(child) : 'goesOn'
  }

  async #restart(child: Child): Promise<Verdict> {
    child.again = null
    if (!this.intensity.add(this.#self.host.clock.now())) {
      this.#reports.error('shutdown', atom('reached_max_restart_intensity'), child)
      this.#children.forget(child)
      return 'ends'
    }
    const { strategy, isDynamic, all } = this.#children
    if (strategy === 'oneForAll') await this.#restartAll(child, all)
    else if (strategy === 'restForOne') await this.#restartAll(child, all.slice(all.indexOf(child)))
    else if ((await this.#processes.start(child)) !== null) this.#tryAgain(child)
    else if (child.pid === null && isDynamic) this.#children.delete(child)
    return 'goesOn'
  }

  async #restartAll(child: Child, all: readonly Child[]): Promise<void> {
    child.pid = null
    for (const other of all.toReversed()) {
      await this.#processes.end(other)
      if (other.restart === 'temporary') this.#children.delete(other)
    }
    for (const other of all) {
      if (!this.#children.has(other)) continue
      if (other !== child) other.last = null
      if ((await this.#processes.start(other)) === null) continue
      return this.#tryAgain(other)
    }
  }

  /** It did not start: the next attempt comes after what waits already, and counts as a restart, too. */
  #tryAgain(child: Child): void {
    child.pid = 'restarting'
    child.again = this.#self.makeRef()
    this.#self.send(this.#self.pid, tuple(tryAgainRestart, child.again))
  }
}
