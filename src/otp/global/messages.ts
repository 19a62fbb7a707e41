/**
 * What the name servers of two nodes say to each other: protocol version 8, OTP 25.1 to 29. Tags tell one attempt from the next.
 *
 *   both      cast  {init_connect, {8, MyTag}, Me, {locker, no_longer_a_pid, Known, MyLocker}}
 *   both      plain {init_connect_ack, Me, HisTag, MyTag}
 *             The lockers lock the resource `global` in both partitions: see global-locker.ts.
 *   both      cast  {lock_set, MyLocker, true | false, Known, HisTag}
 *   both      cast  {exchange, Me, [{Name, Pid, Method}], [], HisTag}
 *   both      cast  {resolved, Me, Ops, [{Known, Version}], unused, NamesExt, HisTag}       Op: {insert, {Name, Pid, Method}} | {delete, Name}
 *   both      cast  {new_nodes, Me, Ops, NamesExt, [{New, Version}], [{vsn, V}, {lock, LockId}]}   to whom they knew before
 *   everybody cast  {in_sync, Me, true}                                                      to each new node, over a connection that it makes
 *   either    plain {cancel_connect, Me, HisTag}                                             begin anew
 *
 *   plain {lost_connection, A, Creation, OpId, B} · {remove_connection, Me}: see global-partitions.ts
 *
 * Source: global.erl.
 */
import { Atom, atom, Pid, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'

export const version = 8

/** `{Name, Pid, Method}` */
export type NameTerm = Tuple<readonly [name: Term, pid: Pid, method: Term]>

export type Op = Tuple<readonly [op: Atom<'insert'>, name: NameTerm]> | Tuple<readonly [op: Atom<'delete'>, name: Term]>

/** `{Name, Pid, RegNode}` */
export type ExternalName = Tuple<readonly [name: Term, pid: Pid, registrar: Term]>

const isTriple = (term: unknown): term is NameTerm => term instanceof Tuple && term.length === 3 && term.elements[1] instanceof Pid

const isOp = (term: unknown): term is Op =>
  term instanceof Tuple && term.length === 2 && (term.tag === 'delete' || (term.tag === 'insert' && isTriple(term.elements[1])))

const isListOf =
  <T extends Term>(fits: (term: unknown) => term is T) =>
  (term: unknown): term is readonly T[] =>
    Array.isArray(term) && term.every(fits)

export const areNames: (term: unknown) => term is readonly NameTerm[] = isListOf(isTriple)
export const areOps: (term: unknown) => term is readonly Op[] = isListOf(isOp)
export const areExternal: (term: unknown) => term is readonly ExternalName[] = isListOf(isTriple)

export const insertOp = (name: Term, pid: Pid, method: Term): Op => tuple(atom('insert'), tuple(name, pid, method)) as Op
export const deleteOp = (name: Term): Op => tuple(atom('delete'), name) as Op

/** Nodes and their versions: `[Node | {Node, Version}]`, 0 where that is not said. */
export type Versions = readonly (readonly [node: Atom, version: number])[]

/** null: it is no such list. */
export function versionsOf(term: unknown): Versions | null {
  if (!Array.isArray(term)) return null
  const versions: (readonly [Atom, number])[] = []
  for (const entry of term as readonly Term[]) {
    if (entry instanceof Atom) versions.push([entry, 0])
    else if (entry instanceof Tuple && entry.length === 2) {
      const [node, version] = entry.elements as readonly Term[]
      if (!(node instanceof Atom) || typeof version !== 'number') return null
      versions.push([node, version])
    } else return null
  }
  return versions
}

export const versionsTerm = (versions: Iterable<readonly [node: Atom, version: number]>): Term[] =>
  [...versions].map(([node, version]) => tuple(node, version) as Term)

/** What is known of a peer when it begins: null when that is no beginning. */
export function initConnectOf(message: Tuple): { version: number; tag: Term; node: Atom; locker: Pid } | null {
  const [, vsn, node, about] = message.elements as readonly Term[]
  if (!(vsn instanceof Tuple && about instanceof Tuple && node instanceof Atom)) return null
  const [version, tag] = vsn.elements as readonly Term[]
  const [, , , locker] = about.elements as readonly Term[]
  return typeof version === 'number' && tag !== undefined && locker instanceof Pid ? { version, tag, node, locker } : null
}

/** `{lock, LockId}` of what a `new_nodes` message adds */
export function lockOf(extraInfo: Term): Term {
  const entries = Array.isArray(extraInfo) ? (extraInfo as readonly Term[]) : []
  const lock = entries.find((entry): entry is Tuple => entry instanceof Tuple && entry.tag === 'lock' && entry.length === 2)
  return (lock?.elements[1] as Term | undefined) ?? null
}

/** The casts of a message of that name to several nodes, as the locker sends them: `[{Node, Message}]`. */
export const castsTo = (nodes: Iterable<Atom>, message: Sendable): Sendable[] => [...nodes].map(node => tuple(node, message))
