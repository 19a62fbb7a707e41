/** Log events for a logger of JavaScript: pino, winston, console, or whatever has methods named after levels. */
import type { LogEvent, LogLevel } from '../../process/index.js'
import { Atom, atom, format, get, Pid, Reference, type Term, text, Tuple } from '../../term/index.js'

type LogMethod = (fields: Record<string, unknown>, message: string) => void

/** What is needed of a logger: `fatal` may be missing, as in console, which says `error` then. */
export interface Logger {
  readonly fatal?: LogMethod | undefined
  readonly error: LogMethod
  readonly warn: LogMethod
  readonly info: LogMethod
  readonly debug: LogMethod
}

const methods: Readonly<Record<LogLevel, 'fatal' | 'error' | 'warn' | 'info' | 'debug'>> = {
  emergency: 'fatal',
  alert: 'fatal',
  critical: 'fatal',
  error: 'error',
  warning: 'warn',
  notice: 'info',
  info: 'info',
  debug: 'debug',
}

/**
 * Takes log events for a logger: `node.on('logger', logTo(pino()))`, as the option `logger` does. Each is a call such as
 * `logger.error({ time, pid, node, mfa, file, line, domain … }, message)`: see logFields.
 */
export function logTo(logger: Logger): (event: LogEvent) => void {
  return event => {
    const method = methods[event.level]
    const name = method === 'fatal' && !logger.fatal ? 'error' : method
    ;(logger[name] as LogMethod).call(logger, logFields(event), event.message)
  }
}

/** What a program asks of an event, as plain values */
export interface LogFields extends Record<string, unknown> {
  /** Milliseconds since 1970 */
  readonly time: number
  /** As Erlang names it: `emergency` … `debug` */
  readonly severity: LogLevel
  /** The process, as Erlang prints it */
  readonly pid?: string
  /** The node of that process */
  readonly node?: string
  /** `module:function/arity` */
  readonly mfa?: string
  readonly file?: string
  readonly line?: number
  /** `['otp', 'sasl']` */
  readonly domain?: readonly string[]
  /** Which of OTP's reports it is: `gen_server:terminate`, `proc_lib:crash` */
  readonly label?: string
}

/** Kept by the logger, and for nobody else */
const inner = new Set(['time', 'report_cb', 'error_logger', 'logger_formatter'])

/** The metadata of an event as an object of plain values: numbers, strings, booleans; what is neither is printed as Erlang prints it. */
export function logFields({ level, meta, report }: Pick<LogEvent, 'level' | 'meta' | 'report'>): LogFields {
  const map = meta instanceof Map ? (meta as ReadonlyMap<Term, Term>) : new Map<Term, Term>()
  const time = Number(get(map, atom('time')) ?? 0) / 1000
  const label = report instanceof Map ? get(report as ReadonlyMap<Term, Term>, atom('label')) : undefined
  const fields: Record<string, unknown> = { time: Math.floor(time), severity: level }
  const pid = get(map, atom('pid'))
  if (pid instanceof Pid) fields['node'] = pid.node.name
  for (const [key, value] of map) {
    const name = key instanceof Atom ? key.name : format(key)
    if (!inner.has(name)) fields[name] = name === 'mfa' ? mfaOf(value) : plainOf(value)
  }
  if (label !== undefined)
    fields['label'] = label instanceof Tuple ? label.elements.map(part => plainOf(part as Term)).join(':') : plainOf(label)
  return fields as LogFields
}

function mfaOf(term: Term): unknown {
  const [module, fun, args] = term instanceof Tuple && term.length === 3 ? (term.elements as readonly Term[]) : []
  if (!(module instanceof Atom && fun instanceof Atom)) return plainOf(term)
  return `${module.name}:${fun.name}/${Array.isArray(args) ? args.length : String(args)}`
}

function plainOf(term: Term): unknown {
  if (typeof term === 'number' || typeof term === 'boolean' || term === null) return term
  if (term instanceof Atom) return term.name
  if (term instanceof Pid || term instanceof Reference) return String(term)
  if (Array.isArray(term) && term.length > 0 && term.every(one => one instanceof Atom)) return term.map(one => (one as Atom).name)
  return textOf(term) ?? format(term)
}

/** Of what is text alone: an empty list is none. */
function textOf(term: Term): string | undefined {
  if (!(term instanceof Uint8Array) && !(Array.isArray(term) && term.length > 0)) return undefined
  try {
    return text(term as Term)
  } catch {
    // It is a list, or bytes: it is printed as a term.
    return undefined
  }
}
