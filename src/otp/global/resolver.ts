/**
 * Compares the names of another partition with ours, in a process of its own: methods may take their time, and locks do not wait for them.
 * Where both have given a name to different processes, the node of the lesser name has the method decide, on the node of our process; the other node
 * is told.
 *
 * Source: global.erl, exchange_names.
 */
import type { Process } from '../../process/index.js'
import { type Atom, atom, compare, equals, Pid, type Sendable, Tuple, tuple } from '../../term/index.js'
import * as erpc from '../rpc/erpc.js'
import { deleteOp, insertOp, type NameTerm, type Op } from './messages.js'
import type { GlobalMethods } from './methods.js'
import type { GlobalName, GlobalNames } from './names.js'

/** What is to be done here, and what there */
interface Outcome {
  readonly ops: Op[]
  readonly theirs: Op[]
}

export async function resolveNames(
  self: Process,
  own: GlobalNames,
  methods: GlobalMethods,
  node: Atom,
  names: readonly NameTerm[],
): Promise<Outcome> {
  const outcome: Outcome = { ops: [], theirs: [] }
  for (const theirs of names) {
    const [name, pid, method] = theirs.elements
    const entry = own.get(name)
    if (!entry) outcome.ops.unshift(insertOp(name, pid, method))
    else if (!equals(entry.pid, pid) && compare(self.pid.node, node) < 0) await decide(self, entry, methods, theirs, outcome)
  }
  return outcome
}

async function decide(self: Process, entry: GlobalName, methods: GlobalMethods, theirs: NameTerm, outcome: Outcome): Promise<void> {
  const [name, pid, method] = theirs.elements
  const kept = await ask(self, entry, methods, pid)
  if (kept === null || (kept instanceof Pid && equals(kept, pid))) outcome.ops.unshift(insertOp(name, pid, method))
  else if (kept instanceof Pid && equals(kept, entry.pid)) outcome.theirs.unshift(insertOp(name, entry.pid, entry.method))
  else {
    outcome.ops.unshift(deleteOp(name))
    outcome.theirs.unshift(deleteOp(name))
  }
}

/**
 * What the method says. null where its node could not be asked, or it crashed, as seen from OTP: there `rpc:call` makes `badrpc` of both, and theirs
 * is taken, although the manual of `global` has the name unregistered.
 */
async function ask(self: Process, entry: GlobalName, methods: GlobalMethods, other: Pid): Promise<Sendable | null> {
  const answer = await asked(self, entry, methods, other)
  return answer instanceof Tuple && answer.tag === 'EXIT' && answer.length === 2 ? null : answer
}

async function asked(self: Process, { name, pid, method }: GlobalName, methods: GlobalMethods, other: Pid): Promise<Sendable | null> {
  if (pid.node === self.pid.node) return methods.apply(self, method, name, other, pid)
  const args = [method, name, other, pid]
  return erpc.call(self, pid.node, atom('global'), atom('resolve_it'), args, { timeout: Infinity }).catch((error: unknown) => {
    if (error instanceof erpc.RpcError) return null
    throw error
  })
}

/** `{exchange_ops, Node, Tag, Ops, Resolved}` */
export const exchangeOps = (node: Atom, tag: number, { ops, theirs }: Outcome): Sendable =>
  tuple(atom('exchange_ops'), node, tag, ops, theirs)
