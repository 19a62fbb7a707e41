/**
 * The gen protocol: how one process calls another.
 *
 *   caller → server  MONITOR_P, then {'$gen_call', {Caller, Tag}, Request}
 *   server → caller  {Tag, Reply}, to the alias when Tag is alias-shaped, else to Caller
 *   cast             {'$gen_cast', Request}
 *
 * Tag is `[alias | Ref]` (improper), `[[alias | Alias] | Monitor]`, a reference or `{Ref, Node}`; it is echoed as it came.
 * Source: gen.erl (do_call, reply) and gen_server.erl.
 */
import { atomOf, ExitError, type Process, ProcessError, type Watcher } from '../../process/index.js'
import { addressed, castTo, located, type Server, textOf } from './server-name.js'
import type { Atom } from '../../term/index.js'
import { atom, equals, format, ImproperList, Pid, Reference, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'

export interface CallOptions {
  /** Milliseconds; Infinity for ever. Default: 5000 */
  readonly timeout?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** Who waits for a reply. */
export interface Caller {
  readonly pid: Pid
  readonly tag: Term
  answered: boolean
  /** Known to wait for an answer that comes later */
  watcher: Watcher | undefined
}

export const defaultTimeout = 5000

const alias = atom('alias')
const genCall = atom('$gen_call')
const genCast = atom('$gen_cast')

/**
 * Calls a server and returns its reply. After a timeout or an abort a late reply never arrives.
 *
 * @throws ExitError with the server's exit reason: `noproc` when there is none, `noconnection` when its node is lost. ProcessError
 * ERR_TIMEOUT. The signal's reason. EtfError when the request cannot be sent.
 */
export async function call(self: Process, to: Server, request: Sendable, options: CallOptions = {}): Promise<Term> {
  options.signal?.throwIfAborted()
  const ref = sendRequest(self, to, request)
  return receiveResponse(self, ref, options, textOf(to))
}

/** Sends a request, whose reply `receiveResponse` takes: what it returns stands for it. @throws ProcessError ERR_BADARG; EtfError. */
export function sendRequest(self: Process, server: Server, request: Sendable, kind: Atom | Pid = genCall): Reference {
  const to = located(self, server)
  if (to instanceof Reference) throw new ProcessError('ERR_BADARG', 'A call goes to a pid or a name: an alias cannot be monitored.')
  const ref = self.monitor(to, { alias: 'reply_demonitor' })
  try {
    self.send(addressed(self, to), tuple(kind, tuple(self.pid, new ImproperList([alias], ref)), request))
  } catch (error) {
    self.demonitor(ref, { flush: true })
    throw error
  }
  return ref
}

/** Waits for the reply to a request. After a timeout or an abort it never arrives. @throws as `call` does */
export async function receiveResponse(
  self: Process,
  ref: Reference,
  { timeout = defaultTimeout, signal }: CallOptions = {},
  server = 'the server',
): Promise<Term> {
  const answer = Object.assign((term: unknown): term is Tuple => isAnswer(term, ref), { reference: ref })
  try {
    const message = await self.receive(answer, { timeout, signal })
    if (message.length === 2) return message.elements[1]
    const reason: Term = message.elements[4]
    throw new ExitError(reason, `The call to ${server} failed: the server's exit reason is ${format(reason)}.`)
  } catch (error) {
    self.demonitor(ref)
    // It may have come in the very moment, and nobody else would ever take it.
    if (self.local.alive) self.local.mailbox.take(answer, 0)
    if (!(error instanceof ProcessError && error.code === 'ERR_TIMEOUT')) throw error
    const hint = 'it may be busy, or may never reply to this request'
    throw new ProcessError('ERR_TIMEOUT', `The call to ${server} got no reply within ${timeout} ms: ${hint}.`, { cause: error })
  }
}

/** What `multiCall` gathered */
export interface MultiCall {
  /** Each node that answered, with its answer */
  readonly replies: readonly (readonly [node: string, reply: Term])[]
  /** Those where nobody has the name, or that did not answer in time, or cannot be reached */
  readonly badNodes: readonly string[]
}

/** `gen_server:multi_call/4`: calls the servers of one name on several nodes at once. Default of `timeout`: for ever. @throws the signal's reason */
export async function multiCall(
  self: Process,
  nodes: readonly (string | Atom)[],
  name: string | Atom,
  request: Sendable,
  { timeout = Infinity, signal }: CallOptions = {},
): Promise<MultiCall> {
  signal?.throwIfAborted()
  const asked = nodes.map(node => [atomOf(node).name, sendRequest(self, { name, node }, request)] as const)
  const answered = asked.map(([node, ref]) => receiveResponse(self, ref, { timeout, signal }).then(reply => [node, reply] as const))
  const settled = await Promise.allSettled(answered)
  signal?.throwIfAborted()
  const replies = settled.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  const badNodes = asked.flatMap(([node], index) => (settled[index]?.status === 'rejected' ? [node] : []))
  return { replies, badNodes }
}

/** Sends a cast. To a name that nobody has it is dropped, as in OTP. */
export function cast(self: Process, server: Server, request: Sendable): void {
  castTo(self, server, castOf(request))
}

/** `gen_server:abcast/3`: a cast to the servers of one name on several nodes. */
export function abcast(self: Process, nodes: readonly (string | Atom)[], name: string | Atom, request: Sendable): void {
  for (const node of nodes) cast(self, { name, node }, request)
}

export const castOf = (request: Sendable): Tuple => tuple(genCast, request)

/** Answers a call, once. */
export function reply(self: Process, caller: Caller, value: Sendable): void {
  const { pid, tag } = caller
  self.send(aliasOf(tag) ?? pid, tuple(tag, value))
  caller.answered = true
  if (caller.watcher) caller.watcher.waits = false
  self.host.activity?.done()
}

/** The call will be answered later. As long as its caller watches, it is known to wait: see `unanswered`. */
export function answersLater(self: Process, caller: Caller): void {
  if (caller.answered) return
  caller.watcher = watcherOf(self, caller.tag)
  if (caller.watcher) caller.watcher.waits = true
}

/** How many callers wait for an answer to what the process has taken and has not answered at once? */
export const unanswered = (self: Process): number => self.host.monitors.waitFor(self)

/** Has whoever called given it up? Who waits for an answer by an alias watches whom it has called. */
export const isGivenUp = (self: Process, { tag }: Caller): boolean => tag instanceof ImproperList && watcherOf(self, tag) === undefined

/** The caller's monitor, whose reference stands in the tag */
function watcherOf(self: Process, tag: Term): Watcher | undefined {
  const ref: unknown = tag instanceof ImproperList ? tag.tail : tag
  return self.watchers && ref instanceof Reference ? self.host.monitors.watcherOf(self, ref) : undefined
}

export type Request =
  | { readonly kind: 'call'; readonly from: Caller; readonly request: Term }
  | { readonly kind: 'cast'; readonly request: Term }
  | { readonly kind: 'info'; readonly request: Term }

/** What a message to a server is. */
export function parseRequest(message: Term): Request {
  if (message instanceof Tuple) {
    const [tag, from, request] = message.elements as readonly Term[]
    if (tag === genCast && message.length === 2) return { kind: 'cast', request: from as Term }
    if (tag === genCall && message.length === 3) {
      const caller = callerOf(from as Term)
      if (caller) return { kind: 'call', from: caller, request: request as Term }
    }
  }
  return { kind: 'info', request: message }
}

/** `{Pid, Tag}` */
export function callerOf(from: Term): Caller | null {
  if (!(from instanceof Tuple) || from.length !== 2) return null
  const [pid, tag] = from.elements as readonly Term[]
  return pid instanceof Pid ? { pid, tag: tag as Term, answered: false, watcher: undefined } : null
}

/** The alias that takes the reply to a call with this tag */
export function aliasOf(tag: Term): Reference | null {
  if (!(tag instanceof ImproperList) || tag.elements.length !== 1) return null
  const [head] = tag.elements
  if (head === alias) return tag.tail instanceof Reference ? tag.tail : null
  return head instanceof ImproperList ? aliasOf(head) : null
}

function isAnswer(term: unknown, ref: Reference): boolean {
  if (!(term instanceof Tuple)) return false
  const [first, second] = term.elements as readonly Term[]
  if (term.length === 5) return second instanceof Reference && equals(second, ref)
  return term.length === 2 && first instanceof ImproperList && first.tail instanceof Reference && equals(first.tail, ref)
}
