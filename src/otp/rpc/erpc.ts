/**
 * erpc, both ways: a remote call is a spawn request for `erpc:execute_call(Ref, Module, Function, Args)` with a monitor, and the exit reason
 * of that process is the result:
 *
 *   {Ref, return, Value} | {Ref, throw, Term} | {Ref, exit, Reason} | {Ref, error, Reason, Stack} | {Ref, error, {erpc, Reason}}
 *
 * Source: erpc.erl (call/5, execute_call/4, execute_cast/3). `rpc:call` of OTP 23 and later uses the same.
 */
import type { Code } from '../../node/code.js'
import { ErlangError, ExitError, type Process, ProcessError, reason } from '../../process/index.js'
import { Atom, atom, equals, format, NodeError, type Reference, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'
import { type CallOptions, defaultTimeout } from '../gen/gen.js'

/**
 * Why a remote call gave no value. Code ERR_RPC_ERROR, ERR_RPC_EXIT, ERR_RPC_THROW or ERR_RPC_ERPC, after `class`, as the classes that erpc
 * raises: error:{exception, Reason, Stack}, exit:{exception | signal, Reason}, throw:Term, error:{erpc, Reason}.
 */
export class RpcError extends NodeError {
  /** `erpc`: the call itself failed, with `noconnection` or `notsup`, say. */
  readonly class: 'error' | 'exit' | 'throw' | 'erpc'
  readonly reason: Term
  /** The remote stack trace; [] where there is none */
  readonly stacktrace: Term
  /** An exit that came to the called process as a signal, {signal, Reason}, and was not raised by what it ran */
  readonly signal: boolean

  constructor(kind: RpcError['class'], reason: Term, stacktrace: Term = [], what = 'The remote call', signal = false) {
    const how = kind === 'erpc' ? 'error {erpc, Reason}' : signal ? 'an exit signal' : kind
    super(`ERR_RPC_${kind.toUpperCase()}`, `${what} failed with ${how}: ${format(reason)}.`)
    this.class = kind
    this.reason = reason
    this.stacktrace = stacktrace
    this.signal = signal
  }
}

/** A call that was sent, whose response comes to the process that sent it: see ProcessRpc.sendRequest. */
export class RpcRequest {
  /** Stands second in the message that is the response */
  readonly reference: Reference
  /** @internal What it calls, in words */
  readonly about: string

  /** @internal */
  constructor(reference: Reference, about: string) {
    this.reference = reference
    this.about = about
  }
}

const erpc = atom('erpc')
const executeCall = atom('execute_call')
const executeCast = atom('execute_cast')

/** Asks for a call. @throws EtfError when an argument cannot be sent. */
export function sendRequest(self: Process, node: Atom, module: Atom, fun: Atom, args: readonly Sendable[]): RpcRequest {
  const ref = self.makeRef()
  const request = { node, module: erpc, fun: executeCall, args: [ref, module, fun, args], monitor: true, reply: 'error_only' } as const
  if (self.local.alive) self.host.spawnRequests.request(self.local, ref, request)
  return new RpcRequest(ref, `The call of ${format(module)}:${format(fun)}/${args.length} on ${node.name}`)
}

/**
 * The value of a call that was asked for. After a timeout or an abort its result never arrives, though the function may go on there.
 *
 * @throws RpcError; ProcessError ERR_TIMEOUT; the signal's reason.
 */
export async function receiveResponse(self: Process, request: RpcRequest, options: CallOptions = {}): Promise<Term> {
  const { timeout = defaultTimeout, signal } = options
  const answer = answerTo(request)
  try {
    return resultOf(await self.receive(answer, { timeout, signal }), request)
  } catch (error) {
    if (error instanceof RpcError) throw error
    self.spawnRequestAbandon(request.reference)
    self.demonitor(request.reference)
    // It may have come in the very moment, and nobody else would ever take it.
    if (self.local.alive) self.local.mailbox.take(answer, 0)
    if (!(error instanceof ProcessError && error.code === 'ERR_TIMEOUT')) throw error
    throw new ProcessError('ERR_TIMEOUT', `${request.about} gave no result within ${timeout} ms; it may go on there.`, { cause: error })
  }
}

/**
 * Calls a function on a node. After a timeout or an abort a late result never arrives, though the function may go on there.
 *
 * @throws RpcError; ProcessError ERR_TIMEOUT; the signal's reason; EtfError when an argument cannot be sent.
 */
export async function call(
  self: Process,
  node: Atom,
  module: Atom,
  fun: Atom,
  args: readonly Sendable[],
  options: CallOptions = {},
): Promise<Term> {
  options.signal?.throwIfAborted()
  return receiveResponse(self, sendRequest(self, node, module, fun, args), options)
}

/** Calls a function on a node without waiting for a result. */
export function cast(self: Process, node: Atom, module: Atom, fun: Atom, args: readonly Sendable[]): void {
  const ref = self.makeRef()
  if (!self.local.alive) return
  self.host.spawnRequests.request(self.local, ref, { node, module: erpc, fun: executeCast, args: [module, fun, args], reply: 'no' })
}

/** {spawn_reply, Ref, error, Reason}, or the end of the spawned process. */
export const answerTo = ({ reference }: RpcRequest): ((term: unknown) => term is Tuple) & { readonly reference: Reference } =>
  Object.assign(
    (term: unknown): term is Tuple =>
      term instanceof Tuple && (term.length === 4 || term.length === 5) && equals(term.elements[1], reference),
    { reference },
  )

/** @throws RpcError */
export function resultOf(message: Tuple, { reference: ref, about }: RpcRequest): Term {
  if (message.length === 4) throw new RpcError('erpc', message.elements[3], [], about)
  const why: Term = message.elements[4]
  if (!(why instanceof Tuple) || !equals(why.elements[0], ref)) {
    // It ended otherwise than by its own result: killed, or its node is gone.
    throw why === reason.noconnection ? new RpcError('erpc', why, [], about) : new RpcError('exit', why, [], about, true)
  }
  const [, kind, value, stack] = why.elements as readonly Term[]
  if (kind === atom('return')) return value as Term
  const erpcReason =
    kind === atom('error') && why.length === 3 && value instanceof Tuple && value.tag === 'erpc' ? value.elements[1] : undefined
  if (erpcReason !== undefined) throw new RpcError('erpc', erpcReason, [], about)
  throw new RpcError(kind instanceof Atom ? (kind.name as RpcError['class']) : 'error', value as Term, stack ?? [], about)
}

/** The functions that peers spawn here: they reach loaded modules and nothing else. */
export function serveErpc(code: Code): void {
  code.reserve('erpc', {
    async execute_call(this: Process, ref: Term, module: Term, fun: Term, args: Term) {
      throw new ExitError(await outcome(this, code, ref, module, fun, args))
    },
    async execute_cast(this: Process, module: Term, fun: Term, args: Term) {
      await apply(this, code, module, fun, args)
    },
  })
}

/** How a call of a loaded function ends, as `apply` inside a try would see it. */
async function outcome(self: Process, code: Code, ref: Term, module: Term, fun: Term, args: Term): Promise<Term> {
  try {
    return tuple(ref, atom('return'), await apply(self, code, module, fun, args))
  } catch (thrown) {
    if (thrown instanceof ExitError) return tuple(ref, atom('exit'), thrown.reason)
    if (!(thrown instanceof Error)) return tuple(ref, atom('throw'), reason.termOf(thrown))
    const [error, stack] = (reason.reasonOf(thrown) as Tuple).elements
    return tuple(ref, atom('error'), error, stack)
  }
}

/** Calls a loaded function. A function that returns nothing returns `ok`. */
export async function apply(self: Process, code: Code, module: Term, fun: Term, args: Term): Promise<Term> {
  if (!(module instanceof Atom && fun instanceof Atom && Array.isArray(args)))
    throw new ErlangError(atom('badarg'), [tuple(atom('erlang'), atom('apply'), [module, fun, args], [])])
  const value: unknown = await code.apply(self, module, fun, args as readonly Term[])
  return value === undefined ? atom('ok') : self.host.copy(value as Sendable)
}
