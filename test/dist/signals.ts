/** Two nodes, and things that live on them, for tests of what travels between. */
import { Pid, Reference, type Term, Tuple, type Atom, atom, tuple } from '../../src/term/index.js'
import { type Payload, type RegisteredName, type Signal, type SpawnRequestSignal, TermPayload } from '../../src/dist/signal.js'

export const self = atom('us@host') as Atom
export const peer = atom('them@host') as Atom
export const third = atom('third@host') as Atom

/** As seen by `self`: what it receives comes from `peer`. */
export const ends = { self, peer }
/** As seen by the other end. */
export const otherEnds = { self: peer, peer: self }

export const theirPid = new Pid(peer, 7, 1, 40)
export const ourPid = new Pid(self, 64, 2, 50)
export const thirdPid = new Pid(third, 9, 0, 60)
export const theirRef = new Reference(peer, 40, [1, 2, 3])
export const ourRef = new Reference(self, 50, [4, 5, 6])
export const token = tuple(0, atom('label'), 1, theirPid, 0)
export const ourName: RegisteredName = { name: atom('name') as Atom, node: self }
export const theirName: RegisteredName = { name: atom('name') as Atom, node: peer }

export const payload = (term: Term): Payload => new TermPayload(term)

/** A signal of each kind and shape from `peer` to `self`. */
export const signalsFromPeer: readonly Signal[] = [
  { op: 'send', from: theirPid, to: ourPid, message: payload(tuple(atom('hello'), [1, 2, 300])) },
  { op: 'send', from: theirPid, to: ourPid, message: payload([]), token },
  { op: 'send', from: theirPid, to: ourPid, message: payload(1), priority: true },
  { op: 'send', from: theirPid, to: ourPid, message: payload(1), priority: true, token },
  { op: 'send', from: null, to: ourPid, message: payload(1) },
  { op: 'send', from: null, to: ourPid, message: payload(1), token },
  { op: 'send', from: theirPid, to: ourName, message: payload(atom('to_name')) },
  { op: 'send', from: theirPid, to: ourName, message: payload(1), token },
  { op: 'send', from: theirPid, to: ourName, message: payload(1), priority: true },
  { op: 'send', from: theirPid, to: ourRef, message: payload(atom('to_alias')) },
  { op: 'send', from: theirPid, to: ourRef, message: payload(1), token },
  { op: 'link', from: theirPid, to: ourPid },
  { op: 'unlink', id: 1n, from: theirPid, to: ourPid },
  { op: 'unlink', id: (1n << 64n) - 1n, from: theirPid, to: ourPid },
  { op: 'unlinkAck', id: 1n << 40n, from: theirPid, to: ourPid },
  { op: 'linkExit', from: theirPid, to: ourPid, reason: payload(atom('normal')) },
  { op: 'linkExit', from: theirPid, to: ourPid, reason: payload(tuple(atom('boom'), [])), token },
  { op: 'exit', from: theirPid, to: ourPid, reason: payload(atom('kill')) },
  { op: 'exit', from: theirPid, to: ourPid, reason: payload(1), token },
  { op: 'exit', from: theirPid, to: ourPid, reason: payload(1), priority: true },
  { op: 'exit', from: theirPid, to: ourRef, reason: payload(1) },
  { op: 'monitor', from: theirPid, to: ourPid, ref: theirRef },
  { op: 'monitor', from: theirPid, to: ourName, ref: theirRef },
  { op: 'demonitor', from: theirPid, to: ourPid, ref: theirRef },
  { op: 'demonitor', from: theirPid, to: ourName, ref: theirRef },
  { op: 'down', from: theirPid, to: ourPid, ref: ourRef, reason: payload(atom('noproc')) },
  { op: 'down', from: theirName, to: ourPid, ref: ourRef, reason: payload(atom('noproc')) },
  { op: 'groupLeader', from: theirPid, to: ourPid },
  { op: 'groupLeader', from: thirdPid, to: ourPid },
  spawnRequest([atom('link'), tuple(atom('priority'), atom('high'))]),
  { ...spawnRequest([]), token },
  { op: 'spawnReply', ref: ourRef, to: ourPid, link: true, monitor: false, result: theirPid },
  { op: 'spawnReply', ref: ourRef, to: ourPid, link: false, monitor: true, result: theirPid },
  { op: 'spawnReply', ref: ourRef, to: ourPid, link: false, monitor: false, result: atom('badopt') as Atom, token },
]

function spawnRequest(options: Term): SpawnRequestSignal {
  const [module, fun] = [atom('lists'), atom('reverse')]
  return {
    op: 'spawnRequest',
    ref: theirRef,
    from: theirPid,
    to: self,
    groupLeader: theirPid,
    module,
    fun,
    arity: 1,
    options,
    args: payload([[1, 2]]),
  }
}

/** A signal with its payload read, so that two can be compared. */
export function plain(signal: Signal): Record<string, unknown> {
  const read = (value: unknown): unknown => {
    if (value instanceof Tuple || value === null || typeof value !== 'object') return value
    return 'read' in value ? (value as Payload).read() : value
  }
  return Object.fromEntries(Object.entries(signal).map(([key, value]) => [key, read(value)]))
}
