/** What the controller of applications tells the logger. Source: application_controller.erl (info_started, info_exited). */
import type { Process } from '../../process/index.js'
import { type Atom, atom, type Term, tuple } from '../../term/index.js'
import { type Kind, log } from '../logger/report.js'
import type { RestartType } from './types.js'

const kind = { module: 'application_controller', tag: 'info_report' } as const
const progress: Kind = { ...kind, type: 'progress', sasl: true, title: 'PROGRESS REPORT' }
const exit: Kind = { ...kind, type: 'std_info' }

export function reportStarted(controller: Process, name: Atom): void {
  const report = [tuple(atom('application'), name), tuple(atom('started_at'), controller.pid.node)]
  log(controller, 'info', progress, () => ({ label: tuple(atom('application_controller'), atom('progress')), report }))
}

export function reportExited(controller: Process, name: Atom, why: Term, type: RestartType): void {
  const report = [tuple(atom('application'), name), tuple(atom('exited'), why), tuple(atom('type'), atom(type))]
  log(controller, 'notice', exit, () => ({ label: tuple(atom('application_controller'), atom('exit')), report }))
}
