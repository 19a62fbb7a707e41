/**
 * The registered process `global_name_server` of a visible node, in the smallest mode that harms nobody. Source: global.erl, protocol 8.
 *
 *   cast {init_connect, …, Node, …}   ← cast {in_sync, Me, true}: the peer does not wait for an exchange of names
 *   call {set_lock, Lock}             → true | false; {del_lock, Lock} → true: `global:trans` asks every visible node
 *   call get_known → [], {register, Name, Pid, Method} → yes, {unregister, Name} → ok
 *
 * Its names are nobody's and it never asks for a lock. Answering more of the exchange without all of it freezes `global` in the peer's
 * whole partition.
 */
import type { Process } from '../process/index.js'
import { Atom, atom, type Term, Tuple, tuple } from '../term/index.js'
import { castOf, parseRequest, reply } from './gen.js'
import { GlobalLocks } from './global-locks.js'

const name = atom('global_name_server')

export async function globalNameServer(self: Process): Promise<void> {
  const locks = new GlobalLocks(self)
  for await (const message of self) {
    const parsed = parseRequest(message)
    const { kind, request } = parsed
    const [, argument, node] = request instanceof Tuple ? (request.elements as readonly Term[]) : []
    const tag = request instanceof Tuple ? request.tag : request instanceof Atom ? request.name : undefined
    if (kind === 'cast' && tag === 'init_connect' && node instanceof Atom) {
      self.send({ name, node }, castOf(tuple(atom('in_sync'), self.pid.node, true)))
    } else if (kind === 'info') {
      locks.onMessage(request)
    } else if (kind === 'call') {
      const answer = answers[tag ?? '']?.(locks, parsed.from.pid, argument ?? null)
      if (answer !== undefined) reply(self, parsed.from, answer)
    }
  }
}

type Answer = (locks: GlobalLocks, from: Parameters<GlobalLocks['set']>[0], argument: Term) => Term

/** As in OTP, what is not here gets no answer. */
const answers: Readonly<Record<string, Answer>> = {
  set_lock: (locks, from, lock) => locks.set(from, lock),
  del_lock: (locks, from, lock) => locks.delete(from, lock),
  get_known: () => [],
  register: () => atom('yes'),
  unregister: () => atom('ok'),
}
