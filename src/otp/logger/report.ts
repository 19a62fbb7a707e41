/**
 * Log events in OTP's shapes: a report, and what is known of who makes it. As in OTP, an event of a process whose group leader is on another
 * node goes to that node's logger, too.
 *
 * Source: proc_lib.erl (crash_report), logger.erl (log_allowed) and the reports of each behaviour.
 */
import type { LogLevel, LogReport, Process } from '../../process/index.js'
import { type Atom, atom, ExportFun, type Pid, type Sendable, type Term, Tuple, tuple, charlist } from '../../term/index.js'
import type { Cause } from '../gen/cause.js'
import { nameOf } from '../gen/process-name.js'
import { neighboursOf } from './neighbours.js'
import type { ServerStatus } from '../gen/server-types.js'

/** How the event is told, besides its report. */
export interface Kind {
  /** The module whose `format_log/2` makes text of it */
  readonly module: string
  readonly sasl?: boolean
  readonly title?: string
  readonly tag: string
  readonly type?: string
}

/** The kind of what OTP tells by `error_logger:error_report/1` */
const plainReport: Kind = { module: 'error_logger', tag: 'error_report', type: 'std_error' }

const formatReport = new ExportFun(atom('logger') as Atom, atom('format_otp_report') as Atom, 1)

/** `error_logger:error_report/1` */
export function errorReport(self: Process, report: () => Sendable): void {
  log(self, 'error', plainReport, () => ({ label: tuple(atom('error_logger'), atom('error_report')), report: report() }))
}

const now = (): number => Math.round((performance.timeOrigin + performance.now()) * 1000)

/** `report` is made only when somebody listens. */
export function log(self: Process, level: LogLevel, kind: Kind, report: () => Readonly<Record<string, Sendable>>): void {
  tell(self, () => ({ level, report: self.host.copy(report()), meta: self.host.copy(metaOf(self, kind)) }))
}

/** A process that was started as any function may be has crashed: what the BEAM itself tells of it. */
export function logCrash(self: Process, reason: Term): void {
  tell(self, () => {
    const { pid, groupLeader, host } = self
    const args: Term = [pid, pid.node, reason]
    const meta = host.copy({ pid, gl: groupLeader, time: now(), error_logger: { tag: atom('error'), emulator: true } })
    return { level: 'error', report: null, format: [crashFormat, args], meta }
  })
}

const crashFormat: Term = charlist('Error in process ~p on node ~p with exit value:~n~p~n')

/** To whoever listens here, and to the node of its group leader. */
function tell({ host, groupLeader, pid }: Process, make: () => LogReport): void {
  const far = groupLeader.node !== pid.node
  if (!far && !host.logger.wanted()) return
  const event = make()
  const { level, report, format, meta } = event
  host.logger.tell(event)
  if (far)
    host.send(
      host.init,
      { name: 'logger_proxy', node: groupLeader.node },
      new Tuple([atom('log'), atom(level), ...(format ?? [report]), meta]),
    )
}

function metaOf({ pid, groupLeader }: Process, { module, sasl, title, tag, type }: Kind): Readonly<Record<string, Sendable>> {
  const base = { pid, gl: groupLeader, time: now() }
  if (module === 'error_logger') return { ...base, report_cb: formatReport, error_logger: { tag: atom(tag), type: atom(type as string) } }
  const name = module === 'proc_lib' ? 'report_cb' : 'format_log'
  return {
    ...base,
    domain: sasl ? [atom('otp'), atom('sasl')] : [atom('otp')],
    report_cb: new ExportFun(atom(module) as Atom, atom(name) as Atom, 2),
    error_logger: {
      tag: atom(tag),
      ...(type === undefined ? {} : { type: atom(type) }),
      ...(module === 'proc_lib' ? {} : { report_cb: new ExportFun(atom(module) as Atom, atom(name) as Atom, 1) }),
    },
    ...(title === undefined ? {} : { logger_formatter: { title: charlist(title) } }),
  }
}

/** The crash report of a process that ends for another reason than `normal`, `shutdown` or `{shutdown, _}`. */
export function crashReport(self: Process, module: Atom, parent: Pid, cause: Cause): void {
  const kind = { module: 'proc_lib', sasl: true, title: 'CRASH REPORT', tag: 'error_report', type: 'crash_report' }
  log(self, 'error', kind, () => {
    const { local, pid, host } = self
    const links = local.linked
    const pair = (name: string, value: Sendable): Sendable => tuple(atom(name), value)
    const own = [
      pair('initial_call', tuple(module, atom('init'), [atom('Argument__1')])),
      pair('pid', pid),
      pair('registered_name', local.name ?? []),
      // OTP 25 and 26 know none, and would print what is no label.
      ...(local.rare?.label === undefined ? [] : [pair('process_label', local.rare.label)]),
      pair('error_info', tuple(atom(cause.class), cause.error, cause.stack ?? [])),
      pair('ancestors', parent === pid ? [] : [parent]),
      pair('message_queue_len', local.mailbox.size),
      pair('messages', []),
      pair('links', links),
      pair('dictionary', []),
      pair('trap_exit', local.traps),
      pair('status', atom('running')),
      // What a process of ours has no number for.
      ...['heap_size', 'stack_size', 'reductions'].map(name => pair(name, 0)),
    ]
    return { label: tuple(atom('proc_lib'), atom('crash')), report: [own, neighboursOf(local, host)] }
  })
}

/** What a gen_server says last. */
export function serverReport(
  self: Process,
  { stack }: Cause,
  { message, state, reason, log: events }: ServerStatus,
  client: Pid | undefined,
): void {
  log(self, 'error', { module: 'gen_server', tag: 'error' }, () => ({
    label: tuple(atom('gen_server'), atom('terminate')),
    name: nameOf(self),
    last_message: message ?? [],
    state,
    log: events,
    reason: stack === undefined ? (reason ?? []) : tuple(reason ?? [], stack),
    client_info: clientInfo(self, client),
    process_label: self.local.rare?.label ?? atom('undefined'),
  }))
}

/** Who was waiting for an answer when a server ended: `undefined`, or what is known of him. */
const clientInfo = (self: Process, client: Pid | undefined): Term =>
  client ? tuple(client, client.node === self.pid.node ? tuple(client, []) : atom('remote')) : atom('undefined')

/** What a service of the node has to say of itself. */
export function warn(self: Process, report: Readonly<Record<string, Sendable>>): void {
  const { host, pid, groupLeader } = self
  if (!host.logger.wanted()) return
  const meta = host.copy({ pid, gl: groupLeader, time: now(), domain: [atom('otp')] })
  host.logger.tell({ level: 'warning', report: host.copy(report), meta })
}
