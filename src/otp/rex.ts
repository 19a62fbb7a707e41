/**
 * The registered process `rex`: the older face of rpc, for `erl_call`, `rpc:cast`, `sbcast` and nodes that ask for erpc.
 *
 *   {Pid, features_request}                        → {features_reply, Node, [erpc]}
 *   gen call {call | block_call, M, F, A, GL}      → Value | {badrpc, {'EXIT', Reason}}
 *   gen cast {cast, M, F, A, GL}
 *   {Pid, {call, M, F, A, user}}  (C nodes)        → {rex, Reply}
 *   {Pid, {sbcast, Name, Message}}                 → {rex, Node, Node | {nonexisting_name, Name}}
 *
 * Source: rpc.erl (handle_call, handle_info) and erl_interface's ei_rpc.
 */
import type { Code } from '../node/code.js'
import { ExitError, type Process, reason } from '../process/index.js'
import { Atom, atom, Pid, type Sendable, type Term, Tuple, tuple } from '../term/index.js'
import { apply } from './erpc.js'
import { parseRequest, reply } from './gen.js'

/** The body of `rex`. */
export const rex = (code: Code) =>
  async function (self: Process): Promise<void> {
    for await (const message of self) {
      const { kind, request, ...rest } = parseRequest(message)
      if (kind === 'call' && 'from' in rest) {
        const { from } = rest
        onCall(self, code, request, (worker, value) => reply(worker, from, value))
      } else if (kind === 'cast') {
        onCall(self, code, request, () => {})
      } else if (request instanceof Tuple && request.length === 2 && request.elements[0] instanceof Pid) {
        onInfo(self, code, request.elements[0], request.elements[1])
      }
    }
  }

type Answer = (worker: Process, value: Sendable) => void

/** Runs `{_, Module, Function, Args, GroupLeader}` in a process of its own. */
function onCall(self: Process, code: Code, request: Term, answer: Answer): void {
  const [, module, fun, args, leader] = request instanceof Tuple && request.length === 5 ? (request.elements as readonly Term[]) : []
  self.spawn(async worker => {
    if (leader instanceof Pid) worker.groupLeader = leader
    answer(worker, await valueOf(worker, code, module ?? null, fun ?? null, args ?? null))
  })
}

function onInfo(self: Process, code: Code, from: Pid, request: Term): void {
  if (request === atom('features_request')) {
    self.send(from, tuple(atom('features_reply'), self.pid.node, [atom('erpc')]))
  } else if (request instanceof Tuple && request.tag === 'call') {
    onCall(self, code, request, (worker, value) => worker.send(from, tuple(atom('rex'), value)))
  } else if (request instanceof Tuple && request.tag === 'sbcast') {
    const [, name, message] = request.elements as readonly Term[]
    const there = name instanceof Atom && self.host.registry.pidOf(name) !== undefined
    if (there) self.send(name, message as Term)
    self.send(from, tuple(atom('rex'), self.pid.node, there ? self.pid.node : tuple(atom('nonexisting_name'), name as Term)))
  }
}

/** What rpc:call returns: the value, or what `catch apply(…)` gives inside badrpc. */
async function valueOf(self: Process, code: Code, module: Term, fun: Term, args: Term): Promise<Term> {
  try {
    return await apply(self, code, module, fun, args)
  } catch (thrown) {
    if (!(thrown instanceof Error)) return reason.termOf(thrown)
    const why = thrown instanceof ExitError ? thrown.reason : reason.reasonOf(thrown)
    return tuple(atom('badrpc'), tuple(atom('EXIT'), why))
  }
}
