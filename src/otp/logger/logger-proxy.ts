/**
 * The registered process `logger_proxy`: takes the log events of processes on other nodes whose group leader is here.
 *
 *   {log, Level, Format, Args, Meta}
 *   {log, Level, Report | String, Meta}
 *
 * Source: logger.erl (log_remote), logger_proxy.erl (handle_load).
 */
import { type LogLevel, logLevels, type LogReport, type LogSink, type Process } from '../../process/index.js'
import { Atom, type Term, Tuple, charlist } from '../../term/index.js'
import { ReportCallbacks } from './report-callbacks.js'

/** The body of `logger_proxy`. What is no log event is dropped, as there. */
export const loggerProxy = (logger: LogSink, isConnected: (node: Atom) => boolean) =>
  async function (self: Process): Promise<void> {
    const callbacks = new ReportCallbacks(self, logger, isConnected)
    for await (const message of self) {
      const event = logger.wanted() ? parse(message) : null
      if (event) callbacks.tell(event)
    }
  }

const levels = new Set<string>(logLevels)

function parse(message: Term): LogReport | null {
  if (!(message instanceof Tuple) || message.tag !== 'log' || message.length < 4 || message.length > 5) return null
  const [, level, ...rest] = message.elements as readonly Term[]
  const meta = rest.pop() as Term
  if (!(level instanceof Atom) || !levels.has(level.name) || !(meta instanceof Map)) return null
  const [what, args] = rest as readonly Term[] as readonly [Term, Term?]
  const event = { level: level.name as LogLevel, meta }
  if (args !== undefined) return { ...event, report: null, format: [what, args] }
  return isReport(what) ? { ...event, report: what } : { ...event, report: null, format: [charlist('~ts'), [what]] }
}

/** A map, or a list that begins with a tuple; everything else is text. */
const isReport = (term: Term): boolean => term instanceof Map || (Array.isArray(term) && term[0] instanceof Tuple)
