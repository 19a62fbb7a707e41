/** What a supervisor tells the logger of its children. Source: supervisor.erl (report_progress, report_error). */
import type { Process } from '../../process/index.js'
import { type Atom, atom, type Sendable, type Term, tuple } from '../../term/index.js'
import type { Child } from './child-spec.js'
import { farNameOf } from '../gen/process-name.js'
import { log } from '../logger/report.js'

export class SupervisorReports {
  readonly #self: Process
  readonly #module: Atom

  /** @param module the Erlang module that its definition stands for */
  constructor(self: Process, module: Atom) {
    this.#self = self
    this.#module = module
  }

  /** `{local, Name}`, `{global, Name}`, `{via, Module, Name}`, or `{Pid, Module}` */
  get name(): Sendable {
    const { local, pid } = this.#self
    return local.name ? tuple(atom('local'), local.name) : (farNameOf(this.#self) ?? tuple(pid, this.#module))
  }

  /** A child has started. */
  progress(child: Child, level: 'info' | 'debug'): void {
    const kind = { module: 'supervisor', sasl: true, title: 'PROGRESS REPORT', tag: 'info_report', type: 'progress' }
    const report = (): Sendable => [tuple(atom('supervisor'), this.name), tuple(atom('started'), child.report)]
    log(this.#self, level, kind, () => ({ label: tuple(atom('supervisor'), atom('progress')), report: report() }))
  }

  /** Something is amiss with a child. */
  error(context: string, why: Term, child: Child): void {
    const kind = { module: 'supervisor', sasl: true, title: 'SUPERVISOR REPORT', tag: 'error_report', type: 'supervisor_report' }
    const pair = (key: string, value: Sendable): Sendable => tuple(atom(key), value)
    log(this.#self, 'error', kind, () => ({
      label: tuple(atom('supervisor'), atom(context)),
      report: [pair('supervisor', this.name), pair('errorContext', atom(context)), pair('reason', why), pair('offender', child.report)],
    }))
  }

  /** A message that is none for a supervisor */
  unexpected(message: Term): void {
    log(this.#self, 'error', { module: 'supervisor', tag: 'error' }, () => ({
      label: tuple(atom('supervisor'), atom('unexpected_message')),
      message,
    }))
  }
}
