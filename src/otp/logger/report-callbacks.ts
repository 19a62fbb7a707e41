/**
 * Reports whose text a function makes that is on another node, `report_cb` in the metadata of their events: that node is asked to apply it.
 *
 *   a function of one argument      fun(Report) → {Format, Args}
 *   a function of two               fun(Report, #{depth, chars_limit, single_line}) → characters
 *
 * A fun is asked of the node that made it, a function of a module of the node of the process that logs; both only when it is connected. An event waits for its
 * text, and those that come from the same node after it wait with it, so they keep their order; none waits longer than five seconds, and no more than a
 * thousand of a node wait. Whatever has no text by then is printed as `logger:format_report/1` prints it.
 *
 * Source: logger_formatter.erl (format_msg).
 */
import type { LogReport, LogSink, Process } from '../../process/index.js'
import {
  type Atom,
  atom,
  charlist,
  ExportFun,
  type Fun,
  get,
  isFun,
  Pid,
  type Sendable,
  type Term,
  Tuple,
  tuple,
} from '../../term/index.js'
import { printsHere } from './log-text.js'
import { applyFun } from '../rpc/apply-fun.js'
import { RpcError } from '../rpc/erpc.js'

/** Milliseconds that an event waits for its text */
const patience = 5000
/** How many events of one node may wait */
const most = 1000

interface Callback {
  readonly fun: Fun | ExportFun
  readonly arity: 1 | 2
  readonly node: Atom
}

interface Waiting {
  readonly event: LogReport
  readonly callback: Callback | null
  readonly deadline: number
}

export class ReportCallbacks {
  readonly #self: Process
  readonly #logger: LogSink
  readonly #isConnected: (node: Atom) => boolean
  readonly #queues = new Map<Atom, Waiting[]>()

  constructor(self: Process, logger: LogSink, isConnected: (node: Atom) => boolean) {
    this.#self = self
    this.#logger = logger
    this.#isConnected = isConnected
  }

  /** Tells the logger of an event, at once where nobody has to be asked. */
  tell(event: LogReport): void {
    const node = nodeOf(event)
    const queue = node && this.#queues.get(node)
    const callback = node ? this.#callbackOf(event, node) : null
    if (!node || (!queue && !callback) || (queue && queue.length >= most)) return this.#logger.tell(event)
    const waiting = { event, callback, deadline: this.#now() + patience }
    if (queue) return void queue.push(waiting)
    const first = [waiting]
    this.#queues.set(node, first)
    void this.#work(node, first)
  }

  #now(): number {
    return this.#self.host.clock.now()
  }

  /** Never rejects. */
  async #work(node: Atom, queue: Waiting[]): Promise<void> {
    for (let next = queue[0]; next; next = queue[0]) {
      this.#logger.tell(next.callback ? await this.#asked(next.event, next.callback, next.deadline - this.#now()) : next.event)
      queue.shift()
    }
    this.#queues.delete(node)
  }

  /** Null: it is printed here. */
  #callbackOf({ report, meta, format }: LogReport, from: Atom): Callback | null {
    const fun = fieldOf(meta, 'report_cb')
    if (format || !isFun(fun) || printsHere(fun)) return null
    const { arity } = fun
    const node = fun instanceof ExportFun ? from : fun.pid.node
    if ((arity !== 1 && arity !== 2) || report === null || node === this.#self.pid.node || !this.#isConnected(node)) return null
    return { fun, arity, node }
  }

  /** The event with its text, or as it was. */
  async #asked(event: LogReport, { fun, arity, node }: Callback, timeout: number): Promise<LogReport> {
    if (timeout <= 0) return event
    const { report } = event
    try {
      const args = arity === 1 ? [report] : [report, this.#self.host.copy(config)]
      return { ...event, format: textOf(await applyFun(this.#self, fun, node, args, { timeout }), report, arity) }
    } catch (error) {
      // Its node did not answer, or cannot be asked: the report is printed without it.
      if (!(error instanceof RpcError) || error.class === 'erpc') return event
      const why = tuple(atom(error.class), error.reason, error.stacktrace)
      return { ...event, format: [charlist(`REPORT_CB/${arity} CRASH: ~tp; Reason: ~tp`), [report, why]] }
    }
  }
}

const config: Sendable = { depth: atom('unlimited'), chars_limit: atom('unlimited'), single_line: false }

/** What a callback has returned, as format and arguments */
function textOf(out: Term, report: Term, arity: 1 | 2): readonly [Term, Term] {
  if (arity === 1 && out instanceof Tuple && out.length === 2 && out.elements.every(part => Array.isArray(part)))
    return [out.elements[0] as Term, out.elements[1] as Term]
  if (arity === 2 && (Array.isArray(out) || out instanceof Uint8Array)) return [charlist('~ts'), [out as Term]]
  return [charlist(`REPORT_CB/${arity} ERROR: ~tp; Returned: ~tp`), [report, out]]
}

/** That of the process that logs */
function nodeOf({ meta }: LogReport): Atom | null {
  const pid = fieldOf(meta, 'pid')
  return pid instanceof Pid ? pid.node : null
}

const fieldOf = (map: Term, key: string): Term | undefined =>
  map instanceof Map ? get(map as ReadonlyMap<Term, Term>, atom(key)) : undefined
