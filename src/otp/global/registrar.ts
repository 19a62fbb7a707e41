/**
 * The registrar: registers names on all nodes, and unregisters them, one after the other, each while the resource `global` is locked on all nodes.
 *
 *   from the name server  {trans_all_known, {Caller, Tag}, {register | re_register, Name, Pid, Method} | {unregister, Name}}
 *   to each name server   call {register, Name, Pid, Method} → yes, {unregister, Name} → ok
 *
 * Source: global.erl, register_name, re_register_name, unregister_name, loop_the_registrar.
 */
import type { Process } from '../../process/index.js'
import { type Atom, atom, type Pid, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'
import { callerOf, multiCall, reply } from '../gen/gen.js'
import { serverName, transAllKnown } from './lock-calls.js'
import type { GlobalLocks } from './locks.js'

export interface RegistrarOutside {
  readonly locks: GlobalLocks
  /** May that process have that name? */
  isFree(name: Term, pid: Pid): boolean
}

const [yes, no, ok] = [atom('yes'), atom('no'), atom('ok')]

export async function registrar(self: Process, outside: RegistrarOutside): Promise<void> {
  for await (const message of self) {
    if (!(message instanceof Tuple) || message.tag !== 'trans_all_known' || message.length !== 3) continue
    const [, from, job] = message.elements as readonly Term[]
    const caller = callerOf(from as Term)
    if (!caller || !(job instanceof Tuple)) continue
    reply(self, caller, await transAllKnown(self, outside.locks, nodes => perform(self, job, nodes, outside)))
  }
}

async function perform(self: Process, job: Tuple, nodes: readonly Atom[], { isFree }: RegistrarOutside): Promise<Sendable> {
  const [, name, pid, method] = job.elements as readonly [Term, Term, Pid, Term]
  if (job.tag === 'unregister') {
    await multiCall(self, nodes, serverName, tuple(atom('unregister'), name))
    return ok
  }
  if (job.tag === 'register' && !isFree(name, pid)) return no
  await multiCall(self, nodes, serverName, tuple(atom('register'), name, pid, method))
  return yes
}
