/**
 * The registered process `rex`: the older face of rpc, for `erl_call`, `rpc:block_call`, `sbcast` and nodes that ask for erpc.
 *
 *   {Pid, features_request}                        → {features_reply, Node, [erpc]}
 *   gen call {call | block_call, M, F, A, GL}      → Value | {badrpc, {'EXIT', Reason}}
 *   gen cast {cast, M, F, A, GL}
 *   {Pid, {call, M, F, A, GL}}  (C nodes)          → {rex, Reply}; GL is a pid, `user`, or
 *                                                    `send_stdout_to_caller` → {rex_stdout, Text} … before that
 *   {Pid, {sbcast, Name, Message}}                 → {rex, Node, Node | {nonexisting_name, Name}}
 *   {Pid, {send, Name, Message}}                   → to Name {Pid, Message}, or {rex, Node, {nonexisting_name, Name}}
 *
 * A block_call is run by `rex` itself: what comes meanwhile waits. Source: rpc.erl (handle_call, handle_cast, handle_info) and
 * erl_interface's ei_rpc.
 */
import type { Code } from '../../node/code.js'
import { Begun, ErlangError, ExitError, type Process, reason } from '../../process/index.js'
import { Atom, atom, Pid, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'
import { apply, call, RpcError } from './erpc.js'
import { parseRequest, reply } from '../gen/gen.js'
import { ioServer } from '../io/server.js'

/** The body of `rex`. */
export const rex = (code: Code) =>
  async function (self: Process): Promise<void> {
    for await (const message of self) {
      const parsed = parseRequest(message)
      const { request } = parsed
      if (parsed.kind === 'call') await onCall(self, code, callOf(request), (worker, value) => reply(worker, parsed.from, value))
      else if (parsed.kind === 'cast') onCast(self, code, callOf(request))
      else if (request instanceof Tuple && request.length === 2 && request.elements[0] instanceof Pid)
        onInfo(self, code, request.elements[0], request.elements[1])
    }
  }

/** `{call | block_call | cast, Module, Function, Args, GroupLeader}` */
interface Call {
  readonly how: string
  readonly module: Term
  readonly fun: Term
  readonly args: Term
  readonly leader: Term
}

function callOf(request: Term): Call | null {
  if (!(request instanceof Tuple) || request.length !== 5) return null
  const [how, module, fun, args, leader] = request.elements as readonly [Term, Term, Term, Term, Term]
  return how instanceof Atom ? { how: how.name, module, fun, args, leader } : null
}

/** Those that run a block_call themselves */
export const blocked = new WeakSet<Process>()

type Answer = (worker: Process, value: Sendable) => void

async function onCall(self: Process, code: Code, what: Call | null, answer: Answer): Promise<void> {
  if (what?.how === 'call') return inWorker(self, what.leader, async worker => answer(worker, await valueOf(worker, code, what)))
  // As in OTP, what is neither gets no answer.
  if (what?.how !== 'block_call') return
  const own = self.groupLeader
  if (what.leader instanceof Pid) self.groupLeader = what.leader
  blocked.add(self)
  const value = await valueOf(self, code, what)
  blocked.delete(self)
  self.groupLeader = own
  answer(self, value)
}

/** What it throws is a crash of the worker. */
function onCast(self: Process, code: Code, what: Call | null): void {
  if (what?.how !== 'cast') return
  inWorker(self, what.leader, async worker => void (await run(worker, code, what)))
}

/** All that run a call or a cast for another node */
export const rexWorker = new Begun(null)

function inWorker(self: Process, leader: Term, work: (worker: Process) => Promise<void>): void {
  const body = async (worker: Process): Promise<void> => {
    if (leader instanceof Pid) worker.groupLeader = leader
    await work(worker)
  }
  self.spawn(body, { begun: rexWorker })
}

function onInfo(self: Process, code: Code, from: Pid, request: Term): void {
  if (request === atom('features_request')) return void self.send(from, tuple(atom('features_reply'), self.pid.node, [atom('erpc')]))
  const what = callOf(request)
  if (what?.how === 'call') return onCNode(self, code, from, what)
  if (!(request instanceof Tuple) || request.length !== 3) return
  const [how, name, message] = request.elements as readonly [Term, Term, Term]
  if (how !== atom('sbcast') && how !== atom('send')) return
  const there = name instanceof Atom && self.host.registry.pidOf(name) !== undefined
  if (there) self.send(name, how === atom('send') ? tuple(from, message) : message)
  if (!there) self.send(from, tuple(atom('rex'), self.pid.node, tuple(atom('nonexisting_name'), name)))
  else if (how === atom('sbcast')) self.send(from, tuple(atom('rex'), self.pid.node, self.pid.node))
}

/** A C node's call. What it prints comes before its result, so both come from the process that prints. */
function onCNode(self: Process, code: Code, from: Pid, what: Call): void {
  const toCaller = what.leader === atom('send_stdout_to_caller')
  inWorker(self, what.leader, async worker => {
    const speaker = toCaller ? await printer(worker, from) : worker
    speaker.send(from, tuple(atom('rex'), await valueOf(worker, code, what)))
    if (toCaller) worker.exit(speaker.pid, atom('kill'))
  })
}

/** Becomes the group leader of the worker: text goes to the C node. */
const printer = (worker: Process, from: Pid): Promise<Process> =>
  new Promise(resolve => {
    worker.groupLeader = worker.spawn(leader => {
      resolve(leader)
      return ioServer({ output: text => leader.send(from, tuple(atom('rex_stdout'), text)) })(leader)
    })
  })

/** What rpc:call returns: the value, or what `catch apply(…)` gives inside badrpc. */
async function valueOf(self: Process, code: Code, what: Call): Promise<Term> {
  try {
    return await run(self, code, what)
  } catch (thrown) {
    if (!(thrown instanceof Error)) return reason.termOf(thrown)
    const why = thrown instanceof ExitError ? thrown.reason : reason.reasonOf(thrown)
    return tuple(atom('badrpc'), tuple(atom('EXIT'), why))
  }
}

/** Runs it here, or where its module is placed. */
async function run(self: Process, code: Code, { module, fun, args }: Call): Promise<Term> {
  const placed = module instanceof Atom && fun instanceof Atom && Array.isArray(args) && code.placementOf(module) !== undefined
  if (!placed) return apply(self, code, module, fun, args)
  try {
    return await call(self, self.pid.node, module, fun, args as readonly Term[], { timeout: Infinity })
  } catch (error) {
    throw error instanceof RpcError ? raised(error) : error
  }
}

/** As it was thrown there */
function raised(error: RpcError): unknown {
  if (error.class === 'throw') return error.reason
  return error.class === 'error' ? new ErlangError(error.reason, error.stacktrace) : new ExitError(error.reason)
}
