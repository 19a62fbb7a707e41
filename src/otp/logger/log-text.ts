/**
 * Log events as text: what OTP's default handler prints of them, on several lines. Reports of OTP's own behaviours print as their modules print
 * them, others as `logger:format_report/1` does.
 *
 * Source: logger_formatter.erl, logger.erl (format_report), and `format_log` of gen_server, gen_statem, gen_event, supervisor, application_controller
 * and `report_cb` of proc_lib in OTP 29.
 */
import type { LogReport } from '../../process/index.js'
import { type Atom, atom, ExportFun, format, Fun, get, Pid, type Term, Tuple } from '../../term/index.js'
import { isPrintable } from '../../term/format-text.js'
import { formatException } from './erl-error.js'
import { formatted } from '../io/chars.js'
import { ioLibFormat } from '../io/io-lib-format.js'

type Fields = ReadonlyMap<Term, Term>
/** The text of a report, or undefined when it is not of that shape. */
type Formatter = (report: Fields) => string | undefined

const fieldOf = (map: Term | undefined, key: string): Term | undefined => (map instanceof Map ? get(map as Fields, atom(key)) : undefined)

/** `message` of a log event. Never throws: a format that does not fit its arguments is told as OTP tells it. */
export function logText({ report, format: text, meta }: LogReport): string {
  if (text === undefined) return reportText(report, fieldOf(meta, 'report_cb'))
  return formattedOr('FORMAT ERROR', ...text)
}

function formattedOr(fault: string, chars: Term, args: Term): string {
  try {
    return formatted(chars, args)
  } catch {
    // As there, what does not fit is shown.
    return ioLibFormat(`${fault}: ~tp - ~tp`, [chars, args])
  }
}

/** `=ERROR REPORT==== 30-Nov-2026::12:00:00.000000 ===`, the message, and a line feed: what the default handler of a BEAM node prints. */
export function loggerFormat({ level, meta, message }: { readonly level: string; readonly meta: Term; readonly message: string }): string {
  const time = Number(fieldOf(meta, 'time') ?? Date.now() * 1000)
  const title = fieldOf(fieldOf(meta, 'logger_formatter'), 'title')
  const shown = level === 'notice' && fieldOf(meta, 'error_logger') !== undefined ? 'info' : level
  const name = title === undefined ? `${shown.toUpperCase()} REPORT` : charsOf(title)
  return `=${name}==== ${localTime(time)} ===\n${message}\n`
}

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

function localTime(microseconds: number): string {
  const date = new Date(microseconds / 1000)
  const two = (number: number): string => String(number).padStart(2, '0')
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
  const fraction = String(Math.floor(microseconds) % 1_000_000).padStart(6, '0')
  return `${date.getDate()}-${months[date.getMonth()]}-${String(date.getFullYear()).padStart(4)}::${clock}.${fraction}`
}

function charsOf(term: Term): string {
  try {
    return ioLibFormat('~ts', [term])
  } catch {
    return format(term)
  }
}

/** Is it a function of OTP's that prints a report here as it does there? */
export const printsHere = ({ module }: Fun | ExportFun): boolean => Object.hasOwn(formatters, module.name) || module.name === 'logger'

function reportText(report: Term, callback: Term | undefined): string {
  const known = callback instanceof ExportFun || callback instanceof Fun ? formatters[callback.module.name] : undefined
  const text = known && report instanceof Map ? known(report as Fields) : undefined
  if (text !== undefined) return text
  // Its function did not say: see report-callbacks.ts.
  const [label, inner] = [fieldOf(report, 'label'), fieldOf(report, 'report')]
  return formatReport(callback !== undefined && label !== undefined && inner !== undefined ? inner : report)
}

/** `logger:format_report/1`: `    key: value`, a line for each */
function formatReport(report: Term): string {
  const list: Term = report instanceof Map ? [...(report as Fields)].map(pair => new Tuple(pair) as Term) : report
  if (!Array.isArray(list)) return ioLibFormat('~tp', [list])
  if (list.length === 0) return '[]'
  const text = printable(list)
  if (text !== undefined) return text
  return list
    .map(entry => (entry instanceof Tuple && entry.length === 2 ? pairText(entry) : ioLibFormat('    ~tp', [entry as Term])))
    .join('\n')
}

function pairText({ elements: [tag, value] }: Tuple): string {
  const text = printable(value as Term)
  return text === undefined
    ? ioLibFormat('    ~tp: ~tp', [tag as Term, value as Term])
    : ioLibFormat('    ~tp: ~ts', [tag as Term, [...text].map(codeOf)])
}

const codeOf = (char: string): number => char.codePointAt(0)!

/** The text of a list of printable characters, however deep it is; the empty list is none. */
function printable(term: Term): string | undefined {
  if (!Array.isArray(term)) return undefined
  const codes: unknown[] = (term as any[]).flat(1000)
  if (codes.length === 0 || !codes.every(code => typeof code === 'number' && Number.isInteger(code) && isPrintable(code))) return undefined
  return codes.map(code => String.fromCodePoint(code as number)).join('')
}

const isLabel = (report: Fields, module: string, what?: string): boolean => {
  const label = fieldOf(report as unknown as Term, 'label')
  return label instanceof Tuple && label.tag === module && (what === undefined || label.elements[1] === atom(what))
}

/** The values of those fields; undefined when one of them is missing. */
function fieldsOf<K extends string>(report: Fields, ...names: K[]): Record<K, Term> | undefined {
  const found = names.map(name => [name, fieldOf(report as unknown as Term, name)] as const)
  return found.some(([, value]) => value === undefined) ? undefined : (Object.fromEntries(found) as Record<K, Term>)
}

const undefinedAtom = atom('undefined')
const line = (title: string, value: Term): string => ioLibFormat(`${title}~tp~n`, [value])

function labelLine(title: string, report: Fields): string {
  const label = fieldOf(report as unknown as Term, 'process_label') ?? undefinedAtom
  return label === undefinedAtom ? '' : line(title, label)
}

/** An undefined function is told as the node sees it that prints it, which has none of another node's modules. */
function reasonText(reason: Term): Term {
  const [error, stack] = reason instanceof Tuple && reason.length === 2 ? (reason.elements as readonly Term[]) : []
  if (error !== atom('undef') || !Array.isArray(stack) || stack.length === 0) return reason
  return new Tuple([atom('module could not be loaded'), stack]) as Term
}

function clientText(client: Term): string {
  const [from, what] = client instanceof Tuple && client.length === 2 ? (client.elements as readonly Term[]) : []
  if (from === undefined || what === undefined) return ''
  if (what === atom('dead')) return ioLibFormat('** Client ~p is dead~n', [from])
  if (what === atom('remote'))
    return ioLibFormat('** Client ~p is remote on node ~p~n', [from, from instanceof Pid ? from.node : undefinedAtom])
  const [name, stack] = what instanceof Tuple ? (what.elements as readonly Term[]) : []
  return ioLibFormat('** Client ~tp stacktrace~n** ~tp~n', [name as Term, stack as Term])
}

function undefinedHandleInfo(report: Fields): string | undefined {
  const of = fieldsOf(report, 'module', 'message')
  return of && ioLibFormat('** Undefined handle_info in ~p~n** Unhandled message: ~tp~n', [of.module, of.message])
}

function genServer(report: Fields): string | undefined {
  if (isLabel(report, 'gen_server', 'no_handle_info')) return undefinedHandleInfo(report)
  const of = fieldsOf(report, 'name', 'last_message', 'state', 'log', 'reason', 'client_info')
  if (!of || !isLabel(report, 'gen_server', 'terminate')) return undefined
  return [
    ioLibFormat('** Generic server ~tp terminating \n', [of.name]),
    labelLine('** Process label == ', report),
    line('** Last message in was ', of.last_message),
    line('** When Server state == ', of.state),
    line('** Reason for termination ==~n** ', reasonText(of.reason)),
    serverLog(of.log),
    clientText(of.client_info),
  ].join('')
}

function serverLog(log: Term): string {
  if (!Array.isArray(log) || log.length === 0) return ''
  return ioLibFormat(`** Log ==~n** [${log.map(() => '~tp').join(',~n    ')}]~n`, log as Term[])
}

function genStatem(report: Fields): string | undefined {
  const of = fieldsOf(
    report, 'name', 'queue', 'postponed', 'modules', 'callback_mode', 'state_enter', 'state', 'timeouts', 'log', 'reason', 'client_info',
  ) // prettier-ignore
  if (!of || !isLabel(report, 'gen_statem', 'terminate')) return undefined
  const [kind, reason, stack] = (of.reason as Tuple).elements as readonly [Term, Term, Term]
  const [why, rest] = undefinedIn(kind, reason, stack)
  const queue = Array.isArray(of.queue) ? (of.queue as Term[]) : []
  const some = (title: string, value: Term): string => (Array.isArray(value) && value.length === 0 ? '' : line(title, value))
  const timeouts = of.timeouts instanceof Tuple && of.timeouts.elements[0] === 0
  return [
    line('** State machine ', of.name).replace(/\n$/, ' terminating\n'),
    labelLine('** Process label = ', report),
    queue.length > 0 ? line('** Last event = ', queue[0] as Term) : '',
    line('** When server state  = ', of.state),
    ioLibFormat('** Reason for termination = ~tp:~tp~n', [kind, why]),
    line('** Callback modules = ', of.modules),
    line('** Callback mode = ', of.state_enter === true ? [of.callback_mode, atom('state_enter')] : of.callback_mode),
    queue.length > 1 ? line('** Queued = ', queue.slice(1)) : '',
    some('** Postponed = ', of.postponed),
    some('** Stacktrace =~n**  ', rest),
    timeouts ? '' : line('** Time-outs: ', of.timeouts),
    some('** Log =~n**  ', of.log),
    clientText(of.client_info),
  ].join('')
}

function undefinedIn(kind: Term, reason: Term, stack: Term): [reason: Term, stack: Term] {
  const [first] = Array.isArray(stack) ? (stack as readonly Term[]) : []
  if (kind !== atom('error') || reason !== atom('undef') || !(first instanceof Tuple)) return [reason, stack]
  return [new Tuple([atom('module could not be loaded'), first.elements[0] as Term]) as Term, (stack as Term[]).slice(1)]
}

function genEvent(report: Fields): string | undefined {
  if (isLabel(report, 'gen_event', 'no_handle_info')) return undefinedHandleInfo(report)
  const of = fieldsOf(report, 'handler', 'name', 'last_message', 'state', 'reason')
  if (!of || !isLabel(report, 'gen_event', 'terminate')) return undefined
  const reason = of.reason instanceof Tuple && of.reason.tag === 'EXIT' ? reasonText(of.reason.elements[1] as Term) : of.reason
  return [
    line('** gen_event handler ', of.handler).replace(/\n$/, ' crashed.\n'),
    line('** Was installed in ', of.name),
    labelLine('** Process label == ', report),
    line('** Last event was: ', of.last_message),
    line('** When handler state == ', of.state),
    line('** Reason == ', reason),
  ].join('')
}

/** `    key: value` for each pair of the report, as supervisors and application_controller print theirs */
function pairs(report: Fields): string | undefined {
  const list = fieldOf(report as unknown as Term, 'report')
  if (!Array.isArray(list) || !list.every(pair => pair instanceof Tuple && pair.length === 2)) return undefined
  return (list as Tuple[]).map(({ elements: [key, value] }) => line(`    ${(key as Atom).name}: `, value as Term)).join('')
}

function procLib(report: Fields): string | undefined {
  const both = fieldOf(report as unknown as Term, 'report')
  if (!isLabel(report, 'proc_lib', 'crash') || !Array.isArray(both) || both.length !== 2) return undefined
  const [own, linked] = both as unknown as readonly [readonly Term[], readonly Term[]]
  const neighbours = linked.map(one => `    neighbour:\n${items(one instanceof Tuple ? (one.elements[1] as Term) : one, 6)}`)
  return `  crasher:\n${items(own as Term, 4)}\n  neighbours:\n${neighbours.join('\n')}`
}

function items(list: Term, indent: number): string {
  const space = ' '.repeat(indent)
  const lines = (list as readonly Tuple[]).flatMap(({ elements: [tag, value] }) => {
    if (tag === atom('process_label') && value === undefinedAtom) return []
    if (tag === atom('initial_call') && value instanceof Tuple && Array.isArray(value.elements[2])) {
      const [module, fun, args] = value.elements as readonly [Term, Term, Term[]]
      return ioLibFormat('~sinitial call: ~tw:~tw/~w', [codesOf(space), module, fun, args.length])
    }
    if (tag === atom('error_info') && value instanceof Tuple && value.length === 3) {
      const [kind, reason, stack] = value.elements as readonly [Atom, Term, Term]
      return space + formatException(kind.name, reason, stack, indent)
    }
    return ioLibFormat('~s~p: ~.18tp', [codesOf(space), tag as Term, value as Term])
  })
  return lines.join('\n')
}

const codesOf = (text: string): number[] => Array.from(text, codeOf)

/** What came by the functions of error_logger */
function errorLogger(map: Fields): string | undefined {
  const [report, chars, args] = ['report', 'format', 'args'].map(key => fieldOf(map as unknown as Term, key))
  if (report instanceof Map) return ioLibFormat('~tp~n', [report as Term])
  return chars === undefined || args === undefined ? undefined : formattedOr('ERROR', chars, args)
}

/** By the module of `report_cb` */
const formatters: Readonly<Record<string, Formatter>> = {
  proc_lib: procLib,
  gen_server: genServer,
  gen_statem: genStatem,
  gen_event: genEvent,
  error_logger: errorLogger,
  supervisor: pairs,
  supervisor_bridge: pairs,
  application_controller: pairs,
}
