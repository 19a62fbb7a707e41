/**
 * One scope of `pg`: a process, registered by the scope's name on each node, that knows the members of all groups of that scope. There are two
 * versions of what they say to each other.
 *
 *                          version 0 (OTP 23 to 28)                      version 1 (OTP 29)
 *   a node comes up        {discover, Me}                                {discover, Me, 1}
 *   ← one that discovers   cast {sync, Me, [{Group, [Pid]}]}             cast {local_data, Me, 1, #{Group => [Pid]}}
 *                          and, if it is new here, discover it
 *   a join                 {join, Me, Group, [Pid]}                      {update, Me, [{Group, Add, Remove}]}
 *   a leave                {leave, Me, [Pid], [Group]}                   the same
 *   a member ends          {leave, Me, [Pid], Groups}                    the same
 *
 * A version 1 message crashes a scope of OTP 25, so this one begins in version 0 and speaks 1 to those that have done so. A peer's members
 * are gone with its scope, which is monitored; members are monitored on their own node alone. Whatever else comes is dropped.
 *
 * Source: pg.erl of OTP 25 to 28; pg.erl and data_publisher.erl of OTP 29.
 */
import { EtfError } from '../../etf/index.js'
import type { Process } from '../../process/index.js'
import { type Atom, atom, equals, Pid, Reference, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'
import { castOf, type Caller, parseRequest, reply } from '../gen/gen.js'
import { keyOf, PgGroups } from './groups.js'
import { PgMonitors } from './monitors.js'

type Version = 0 | 1

interface Peer {
  readonly pid: Pid
  readonly monitor: Reference
  version: Version
  groups: PgGroups
}

interface Member {
  readonly monitor: Reference
  /** As often as it joined */
  readonly groups: Term[]
}

/** What a scope needs of its node */
export interface PgOutside {
  /** What goes to other nodes is worth no new connection. */
  isConnected(node: Atom): boolean
  /** Told of each change of who is in a group, on any node */
  changed(group: Term, add: readonly Pid[], remove: readonly Pid[]): void
}

/** What a peer says of one group */
type Change = readonly [group: Term, add: readonly Pid[], remove: readonly Pid[]]

const [discover, sync, join, leave, localData, update] = ['discover', 'sync', 'join', 'leave', 'local_data', 'update'].map(name =>
  atom(name),
) as [Atom, Atom, Atom, Atom, Atom, Atom]

export class PgScope {
  /** Members of all nodes */
  readonly all = new PgGroups()
  /** … and those of this one */
  readonly local = new PgGroups()
  readonly #self: Process
  readonly #name: Atom
  readonly #outside: PgOutside
  readonly #monitors: PgMonitors
  readonly #members = new Map<string, Member>()
  readonly #peers = new Map<string, Peer>()
  /** Its node drains: nobody joins any more */
  #drains = false
  /** Told when a peer has answered, or is gone */
  readonly #asked = new Map<string, () => void>()

  /**
   * @param self the scope's process
   * @param name of the scope, and of the process
   */
  constructor(self: Process, name: Atom, outside: PgOutside) {
    this.#self = self
    this.#name = name
    this.#outside = outside
    this.#monitors = new PgMonitors(self, (pid, message) => this.#send(pid, message))
  }

  /** Asks for a node's scope of this name. */
  discover(node: Atom): void {
    this.#send({ name: this.#name, node }, tuple(discover, this.#self.pid))
  }

  join(group: Term, pids: readonly Pid[]): void {
    if (pids.length === 0 || this.#drains) return
    for (const pid of pids) this.#memberOf(pid).groups.push(group)
    this.local.add(group, pids)
    this.#apply([[group, pids, []]])
    for (const peer of this.#peers.values()) {
      if (peer.version === 1) this.#tell(peer, tuple(update, this.#self.pid, [tuple(group, pids, [])]))
      else this.#tell(peer, tuple(join, this.#self.pid, group, pids))
    }
  }

  /** False when none of them was in it. */
  leave(group: Term, pids: readonly Pid[]): boolean {
    const gone = this.local.remove(group, pids)
    for (const pid of gone) this.#forget(pid, group)
    if (gone.length > 0) this.#left(gone, [group])
    return gone.length > 0
  }

  /**
   * All members of this node leave, and whoever joins from now on is in no group. A peer answers a `discover` behind all that it was told before: so this
   * resolves when no other node has them any more.
   *
   * @returns how many memberships there were
   */
  async drain(): Promise<number> {
    this.#drains = true
    const groups = this.local.entries()
    for (const [group, pids] of groups) this.leave(group, [...pids])
    const answers = [...this.#peers].map(([key, peer]) => new Promise<void>(resolve => this.#ask(key, peer, resolve)))
    await Promise.all(answers)
    return groups.reduce((sum, [, pids]) => sum + pids.length, 0)
  }

  #ask(key: string, peer: Peer, answered: () => void): void {
    if (!this.#outside.isConnected(peer.pid.node)) return answered()
    this.#asked.set(key, answered)
    const { pid } = this.#self
    this.#tell(peer, peer.version === 1 ? tuple(discover, pid, 1) : tuple(discover, pid))
  }

  #answered(key: string): void {
    this.#asked.get(key)?.()
    this.#asked.delete(key)
  }

  onMessage(message: Term): void {
    const parsed = parseRequest(message)
    if (parsed.kind === 'call') return this.#onCall(parsed.from, parsed.request)
    const { request } = parsed
    if (!(request instanceof Tuple)) return
    if (request.tag === 'DOWN' && request.length === 5) return this.#onDown(request.elements[3])
    if (this.#monitors.onDown(request)) return
    this.#onPeer(request)
  }

  #onCall(from: Caller, request: Term): void {
    const answer = request instanceof Tuple ? this.#answer(from.pid, request) : request === atom('monitor') ? this.#monitor(from.pid) : null
    // OTP's scope crashes on anything else; the caller's monitor would tell it then. It is told so.
    reply(this.#self, from, answer ?? tuple(atom('error'), atom('badarg')))
  }

  #answer(from: Pid, request: Tuple): Sendable | null {
    const [, first, second] = request.elements as readonly Term[]
    switch (`${request.tag}/${request.length}`) {
      case 'join_local/3': {
        const pids = this.#ownPids(second)
        if (pids) this.join(first as Term, pids)
        return pids && atom('ok')
      }
      case 'leave_local/3': {
        const pids = this.#ownPids(second)
        return pids && (this.leave(first as Term, pids) ? atom('ok') : atom('not_joined'))
      }
      case 'monitor/2':
        return tuple(this.#monitors.add(from, first as Term), [...this.all.members(first as Term)])
      case 'demonitor/2':
        return first instanceof Reference && this.#monitors.remove(first) ? atom('ok') : false
    }
    return null
  }

  #monitor(from: Pid): Sendable {
    return tuple(this.#monitors.add(from), new Map(this.all.entries()) as ReadonlyMap<Term, Term>)
  }

  #onPeer(message: Tuple): void {
    const [tag, pid, first, second] = message.elements as readonly Term[]
    if (!(pid instanceof Pid) || pid.node === this.#self.pid.node) return
    const peer = this.#peers.get(keyOf(pid))
    switch (`${String(tag)}/${message.length}`) {
      case 'discover/2':
        return this.#onDiscover(pid, 0)
      case 'discover/3':
        return this.#onDiscover(pid, 1)
      case 'sync/3':
        return this.#onSync(pid, groupsOf(first))
      case 'local_data/4':
        return this.#onSync(pid, groupsOf(second))
      case 'join/4':
        return peer && this.#onChanges(peer, changesOf([[first, second, []]]))
      case 'leave/4':
        return peer && Array.isArray(second) ? this.#onChanges(peer, changesOf(second.map(group => [group, [], first]))) : undefined
      case 'update/3':
        return peer && Array.isArray(first) ? this.#onChanges(peer, changesOf(first.map(elements))) : undefined
    }
  }

  #onDiscover(pid: Pid, version: Version): void {
    const known = this.#peers.get(keyOf(pid))
    const peer = known ?? this.#meet(pid, version)
    if (version === 1) peer.version = 1
    const groups = this.local.entries()
    if (version === 1) this.#tell(peer, castOf(tuple(localData, this.#self.pid, 1, new Map(groups) as ReadonlyMap<Term, Term>)))
    else this.#tell(peer, castOf(tuple(sync, this.#self.pid, groups.map(([group, pids]) => tuple(group, pids))))) // prettier-ignore
    if (!known) this.#tell(peer, version === 1 ? tuple(discover, this.#self.pid, 1) : tuple(discover, this.#self.pid))
  }

  /** All that a peer has. What is new joins, and what is missing leaves. */
  #onSync(pid: Pid, groups: PgGroups | null): void {
    if (!groups) return
    this.#answered(keyOf(pid))
    const peer = this.#peers.get(keyOf(pid)) ?? this.#meet(pid, 0)
    const before = peer.groups
    const changes: Change[] = []
    for (const [group, pids] of groups.entries()) {
      const old = new PgGroups()
      old.add(group, before.members(group))
      const kept = old.remove(group, pids)
      const added = new PgGroups()
      added.add(group, pids)
      added.remove(group, kept)
      changes.push([group, [...added.members(group)], [...old.members(group)]])
    }
    for (const [group, pids] of before.entries()) if (groups.members(group).length === 0) changes.push([group, [], pids])
    peer.groups = groups
    this.#apply(changes)
  }

  #onChanges(peer: Peer, changes: readonly Change[] | null): void {
    if (!changes) return
    const real = changes.map(([group, add, remove]): Change => {
      peer.groups.add(group, add)
      return [group, add, peer.groups.remove(group, remove)]
    })
    this.#apply(real)
  }

  /** A member of this node, or a peer's scope, has ended. */
  #onDown(pid: unknown): void {
    if (!(pid instanceof Pid)) return
    const key = keyOf(pid)
    const member = this.#members.get(key)
    if (member) {
      this.#members.delete(key)
      for (const group of member.groups) this.local.remove(group, [pid])
      return this.#left([pid], member.groups)
    }
    const peer = this.#peers.get(key)
    this.#peers.delete(key)
    this.#answered(key)
    if (peer) this.#apply(peer.groups.entries().map(([group, pids]) => [group, [], pids]))
  }

  #left(pids: readonly Pid[], groups: readonly Term[]): void {
    this.#apply(groups.map(group => [group, [], pids]))
    for (const peer of this.#peers.values()) {
      const changes = (): Sendable => groups.map(group => tuple(group, [], pids))
      if (peer.version === 1) this.#tell(peer, tuple(update, this.#self.pid, changes()))
      else this.#tell(peer, tuple(leave, this.#self.pid, pids, groups))
    }
  }

  #apply(changes: readonly Change[]): void {
    for (const [group, add, remove] of changes) {
      this.all.add(group, add)
      this.all.remove(group, remove)
      this.#monitors.tell(group, add, remove)
      this.#outside.changed(group, add, remove)
    }
  }

  #memberOf(pid: Pid): Member {
    const known = this.#members.get(keyOf(pid))
    if (known) return known
    const member: Member = { monitor: this.#self.monitor(pid), groups: [] }
    this.#members.set(keyOf(pid), member)
    return member
  }

  #forget(pid: Pid, group: Term): void {
    const member = this.#members.get(keyOf(pid))
    if (!member) return
    const index = member.groups.findIndex(known => equals(known, group))
    if (index >= 0) member.groups.splice(index, 1)
    if (member.groups.length > 0) return
    this.#members.delete(keyOf(pid))
    this.#self.demonitor(member.monitor, { flush: true })
  }

  #meet(pid: Pid, version: Version): Peer {
    const peer: Peer = { pid, monitor: this.#self.monitor(pid), version, groups: new PgGroups() }
    this.#peers.set(keyOf(pid), peer)
    return peer
  }

  #ownPids(term: Term | undefined): Pid[] | null {
    const pids = pidsOf(term)
    return pids?.every(pid => pid.node === this.#self.pid.node) ? pids : null
  }

  #tell(peer: Peer, message: Sendable): void {
    this.#send(peer.pid, message)
  }

  #send(to: Pid | { readonly name: Atom; readonly node: Atom }, message: Sendable): void {
    if (to.node !== this.#self.pid.node && !this.#outside.isConnected(to.node)) return
    try {
      this.#self.send(to, message)
    } catch (error) {
      // A group whose name one peer cannot take, a native record say, is a matter of that peer alone.
      if (!(error instanceof EtfError)) throw error
      this.#self.host.failed(error)
    }
  }
}

const elements = (term: Term): readonly (Term | undefined)[] => (term instanceof Tuple ? (term.elements as readonly Term[]) : [])

/** A pid or a list of pids; null when it is neither. */
function pidsOf(term: Term | undefined): Pid[] | null {
  if (term instanceof Pid) return [term]
  return Array.isArray(term) && term.every(pid => pid instanceof Pid) ? [...(term as readonly Pid[])] : null
}

/** `[{Group, [Pid]}]` or `#{Group => [Pid]}`; null when it is neither. */
function groupsOf(term: Term | undefined): PgGroups | null {
  const pairs = term instanceof Map ? [...(term as ReadonlyMap<Term, Term>)] : Array.isArray(term) ? term.map(elements) : null
  const groups = new PgGroups()
  for (const [group, pids] of pairs ?? [[]]) {
    const members = pidsOf(pids)
    if (group === undefined || !members) return null
    groups.add(group, members)
  }
  return groups
}

function changesOf(changes: readonly (readonly (Term | undefined)[])[]): Change[] | null {
  const made: Change[] = []
  for (const [group, toAdd, toRemove] of changes) {
    const [add, remove] = [pidsOf(toAdd), pidsOf(toRemove)]
    if (group === undefined || !add || !remove) return null
    made.push([group, add, remove])
  }
  return made
}
