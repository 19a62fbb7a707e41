/** A way to an event manager, from TypeScript: see EventRef. */
import { ExitError, isFarName, type Process, ProcessError, type To } from '../../process/index.js'
import {
  any,
  type Atom,
  atom,
  equals,
  format,
  match,
  NodeError,
  type Reference,
  type Sendable,
  type Term,
  Tuple,
  tuple,
} from '../../term/index.js'
import { receiveResponse, sendRequest } from './gen.js'
import { handlerTerm } from './event-runner.js'
import type { EventRef, HandlerName } from './event-types.js'
import { pidOf, type RefOptions, requestOf, type ServerName } from './gen-server.js'
import { castTo, located } from './server-name.js'
import type { Starting } from './start.js'

/** What an event manager refused, or a handler that failed; `reason` is OTP's. Code ERR_EVENT. */
export class EventError extends NodeError {
  readonly reason: Term

  constructor(reason: Term) {
    super('ERR_EVENT', `The event manager answered ${format(reason)}: the handler is not there, was refused by its init, or failed.`)
    this.reason = reason
  }
}

const manager = 'the event manager'

/** @internal */
export function eventRef(node: Starting, to: ServerName, options: RefOptions = {}): EventRef<any> {
  const run = <T>(work: (self: Process) => Promise<T>): Promise<T> => (options.self ? work(options.self) : node.run(work))
  const ask = (request: Sendable, usual = Infinity): Promise<Term> =>
    run(self => receiveResponse(self, sendRequest(self, to, request, self.pid), { timeout: usual, ...options }, manager))
  const add = async (request: Sendable): Promise<void> => {
    const answer = await ask(request)
    if (answer !== atom('ok')) throw new EventError(errorIn(answer) ?? answer)
  }
  const request = async (handler: HandlerName, what: Sendable): Promise<Term> =>
    checked(await ask(tuple(atom('call'), handlerTerm(handler), what), 5000), 'bad_module')
  type Swapped = readonly [HandlerName, Sendable]
  const swap = (kind: string, [from, args1]: Swapped, [into, args2]: Swapped, ...supervisor: Sendable[]): Promise<void> =>
    add(tuple(atom(kind), handlerTerm(from), args1, handlerTerm(into), args2, ...supervisor))
  return {
    get pid() {
      return pidOf(node, to)
    },
    with: more => eventRef(node, to, { ...options, ...more }),
    notify(event) {
      const [self, message] = [options.self ?? node.processes.init, tuple(atom('notify'), event)]
      if (isFarName(to)) castTo(self, to, message)
      else self.send(to, message)
    },
    syncNotify: async event => void (await ask(tuple(atom('sync_notify'), event))),
    call: async (handler: HandlerName, name: string, ...args: Sendable[]) => (await request(handler, requestOf(name, args))) as never,
    request,
    addHandler: (handler: HandlerName, args: Sendable = []) => add(tuple(atom('add_handler'), handlerTerm(handler), args)),
    addSupHandler: async (handler: HandlerName, args: Sendable = []) =>
      add(tuple(atom('add_sup_handler'), handlerTerm(handler), args, supervisorOf(options).pid)),
    deleteHandler: async (handler, args = []) =>
      checked(await ask(tuple(atom('delete_handler'), handlerTerm(handler), args)), 'module_not_found'),
    swapHandler: (from, into) => swap('swap_handler', from, into),
    swapSupHandler: async (from, into) => swap('swap_sup_handler', from, into, supervisorOf(options).pid),
    whichHandlers: async () => ((await ask(atom('which_handlers'))) as readonly Term[]).map(handlerName),
    stop: (why = atom('normal')) => run(self => stop(self, to, why, options)),
  }
}

/** `sys:terminate`, and its end. Source: proc_lib.erl (stop/3). */
async function stop(self: Process, to: ServerName, why: Term, options: RefOptions): Promise<void> {
  const at = located(self, to) as Exclude<To, Reference>
  const end = self.monitor(at)
  try {
    const wait = { timeout: Infinity, ...options }
    await receiveResponse(self, sendRequest(self, at, tuple(atom('terminate'), why), atom('system')), wait, manager)
    const down = await self.receive(match([atom('DOWN'), end, any, any, any]), wait)
    if (!equals(down.elements[4], why)) throw new ExitError(down.elements[4])
  } finally {
    self.demonitor(end, { flush: true })
  }
}

function supervisorOf({ self }: RefOptions): Process {
  if (self) return self
  throw new ProcessError('ERR_BADARG', 'A process supervises a handler: say which, by `ref.with({ self })`.')
}

/** The answer, unless it says that there is no such handler, or that it failed. */
function checked(answer: Term, missing: string): Term {
  const why = errorIn(answer)
  if (isExit(answer)) throw new EventError(answer)
  if (why !== undefined && (why === atom(missing) || isExit(why))) throw new EventError(why)
  return answer
}

const isExit = (term: Term): boolean => term instanceof Tuple && term.length === 2 && term.tag === 'EXIT'

const errorIn = (term: Term): Term | undefined =>
  term instanceof Tuple && term.length === 2 && term.tag === 'error' ? (term.elements[1] as Term) : undefined

function handlerName(term: Term): HandlerName {
  if (!(term instanceof Tuple)) return (term as Atom).name
  return [(term.elements[0] as Atom).name, term.elements[1] as Term]
}
