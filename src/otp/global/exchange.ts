/**
 * How two nodes that connect become of one partition: the exchange that global-messages.ts tells, seen from one node. Each connection begins a
 * session, whose tag every message of it carries; what carries another is of an attempt that is over.
 *
 * Source: global.erl, "Connection algorithm", handle_nodeup, init_connect, resolved, new_nodes, cancel_locker, handle_nodedown.
 */
import type { Tuple } from '../../term/index.js'
import { type Atom, atom, equals, type Pid, type Sendable, type Term, tuple } from '../../term/index.js'
import { castOf } from '../gen/gen.js'
import { GlobalKnown } from './known.js'
import type { GlobalLocks } from './locks.js'
import {
  areExternal,
  areNames,
  areOps,
  castsTo,
  type ExternalName,
  initConnectOf,
  lockOf,
  type NameTerm,
  type Op,
  version,
  type Versions,
  versionsOf,
  versionsTerm,
} from './messages.js'
import type { GlobalNames } from './names.js'
import type { GlobalSyncers } from './syncers.js'

/** What the exchange does besides knowing. */
export interface ExchangeOutside {
  /** To the name server of a node, over a connection that is made where there is none */
  send(node: Atom, message: Sendable): void
  /** … only if there is one */
  sendConnected(node: Atom, message: Sendable): void
  /** To the locker of this node */
  tellLocker(message: Sendable): void
  readonly locker: Pid
  isConnected(node: Atom): boolean
  /** Connects to a node, and tells it `in_sync` */
  meet(node: Atom): void
  /** Starts a process that compares a peer's names with ours, and casts {exchange_ops, Node, Tag, Ops, Resolved} */
  resolve(node: Atom, tag: number, names: readonly NameTerm[]): Pid
  /** Ends such a process */
  kill(resolver: Pid): void
}

interface Resolved {
  readonly ops: readonly Op[]
  readonly known: Versions
  readonly external: readonly ExternalName[]
}

interface Session {
  readonly myTag: number
  hisTag: Term | null
  /** Our locker has locked both partitions, and says so before the names are compared. */
  lock: Term | null
  /** His names, when they came before that */
  names: readonly NameTerm[] | null
  resolver: Pid | null
  /** What our resolver found, and what his did: both are needed, and either may be first. */
  ops: readonly Op[] | null
  resolved: Resolved | null
}

/** Why a node is not known any more: its connection is lost; it shall be lost, or was, without telling others. */
export type Loss = 'disconnected' | 'removed' | 'ignored'

const undefinedTag = atom('undefined')

export class GlobalExchange {
  readonly known: GlobalKnown
  readonly #names: GlobalNames
  readonly #locks: GlobalLocks
  readonly #syncers: GlobalSyncers
  readonly #outside: ExchangeOutside
  readonly #sessions = new Map<Atom, Session>()
  /** Beginnings of peers whose session is not there yet, or not any more */
  readonly #early = new Map<Atom, Tuple>()
  #tags = 0

  constructor(self: Atom, names: GlobalNames, locks: GlobalLocks, syncers: GlobalSyncers, outside: ExchangeOutside) {
    this.known = new GlobalKnown(self)
    this.#names = names
    this.#locks = locks
    this.#syncers = syncers
    this.#outside = outside
  }

  nodeUp(node: Atom): void {
    if (this.known.nodes.has(node) || this.#sessions.has(node)) return
    const myTag = ++this.#tags
    this.#sessions.set(node, { myTag, hisTag: null, lock: null, names: null, resolver: null, ops: null, resolved: null })
    const about = tuple(atom('locker'), atom('no_longer_a_pid'), versionsTerm(this.known.nodes), this.#outside.locker)
    this.#cast(node, tuple(atom('init_connect'), tuple(version, myTag), this.known.self, about))
    const early = this.#early.get(node)
    this.#early.delete(node)
    if (early) this.onInitConnect(early)
  }

  onInitConnect(message: Tuple): void {
    const begun = initConnectOf(message)
    if (!begun || !this.#outside.isConnected(begun.node)) return
    const { node, tag } = begun
    // Of OTP 24 and before: it goes on without us.
    if (begun.version < version) return this.#stayApart(node)
    if (this.known.pending.has(node)) {
      this.#cancelConnect(node, tag)
      return this.#restart(node)
    }
    const session = this.#sessions.get(node)
    if (!session) return void this.#early.set(node, message)
    session.hisTag = tag
    const { myTag } = session
    this.#outside.tellLocker(tuple(atom('his_the_locker'), begun.locker, tuple(version, []), tag, myTag))
    this.#outside.sendConnected(node, tuple(atom('init_connect_ack'), this.known.self, tag, myTag))
    this.known.pending.set(node, begun.version)
  }

  /** The peer's view of the tags. Where it is not ours, both begin anew. */
  onInitConnectAck(node: Atom, myTag: Term, hisTag: Term): void {
    const session = this.#sessions.get(node)
    if (session?.myTag === myTag && session.hisTag !== null && equals(session.hisTag, hisTag)) return
    this.#cancelConnect(node, hisTag)
    if (session) this.#restart(node)
  }

  /** The peer has given up this attempt. */
  onCancelConnect(node: Atom, myTag: Term): void {
    if (this.#sessions.get(node)?.myTag === myTag) this.#restart(node)
  }

  /** From a peer's locker to ours */
  onLockSet(message: Tuple, locker: Pid, myTag: Term): void {
    if (this.#sessions.get(locker.node)?.myTag === myTag) this.#outside.tellLocker(message)
  }

  /** Our locker has locked both partitions. */
  onLockIsSet(node: Atom, myTag: Term, lock: Term): void {
    const session = this.#session(node, myTag)
    if (!session) return
    const names = this.#names.entries().map(({ name, pid, method }) => tuple(name, pid, method) as Term)
    this.#cast(node, tuple(atom('exchange'), this.known.self, names, [], session.hisTag))
    session.lock = lock
    if (session.names) this.#compare(node, session, session.names)
  }

  onExchange(node: Atom, names: Term, myTag: Term): void {
    const session = this.#session(node, myTag)
    if (!session || !areNames(names)) return
    if (session.lock === null) session.names = names
    else this.#compare(node, session, names)
  }

  #compare(node: Atom, session: Session, names: readonly NameTerm[]): void {
    session.names = null
    session.resolver ??= this.#outside.resolve(node, session.myTag, names)
  }

  /** Our resolver is done: what is to be done here, and what there. */
  onExchangeOps(node: Atom, myTag: Term, ops: Term, theirs: Term): void {
    const session = this.#session(node, myTag)
    if (!session || !areOps(ops)) return
    const external = this.#names.external().map(entry => tuple(...entry) as Term)
    const known = versionsTerm(this.known.nodes)
    this.#cast(node, tuple(atom('resolved'), this.known.self, theirs, known, atom('unused'), external, session.hisTag))
    session.ops = ops
    if (session.resolved) this.#join(node, session, ops, session.resolved)
  }

  onResolved(node: Atom, ops: Term, knownThere: Term, externalNames: Term, myTag: Term): void {
    const session = this.#session(node, myTag)
    const known = versionsOf(knownThere)
    if (!session || !known || !areOps(ops) || !areExternal(externalNames)) return
    session.resolved = { ops, known, external: externalNames }
    if (session.ops) this.#join(node, session, session.ops, session.resolved)
  }

  /** Both partitions are one. Whom we knew is told by the locker, before it lets go of the lock. */
  #join(node: Atom, session: Session, own: readonly Op[], { ops: theirs, known: versions, external }: Resolved): void {
    const ops = [...own, ...theirs]
    const before = [...this.known.nodes.keys()]
    const others = versions.filter(([other]) => other !== this.known.self)
    const joined = [[node, 0] as const, ...others].map(([other, said]) => [other, said || this.known.versionOf(other)] as const)
    for (const [other] of others) this.#outside.meet(other)
    this.#perform(ops, external, session.lock)
    this.#syncers.synced(node)
    for (const [other] of others) this.#end(other)
    const extra = [tuple(atom('vsn'), version), tuple(atom('lock'), session.lock)]
    const news = tuple(atom('new_nodes'), this.known.self, ops, external, versionsTerm(joined), extra)
    this.#end(node, castsTo(before, news))
    this.#outside.tellLocker(tuple(atom('add_to_known'), this.known.add(joined)))
    this.known.synced.add(node)
  }

  /** Another node of our partition has joined it with a new one. */
  onNewNodes(opsTerm: Term, externalNames: Term, nodes: Term, extraInfo: Term): void {
    const versions = versionsOf(nodes)
    if (!versions || !areOps(opsTerm) || !areExternal(externalNames)) return
    const added = this.known.add(versions)
    for (const node of added) this.#outside.meet(node)
    this.#perform(opsTerm, externalNames, lockOf(extraInfo))
    this.#outside.tellLocker(tuple(atom('add_to_known'), added))
  }

  /** A node of the other partition has heard of us from the one with which we joined it. */
  onInSync(node: Atom): void {
    this.#syncers.synced(node)
    this.known.synced.add(node)
    this.#end(node)
  }

  nodeDown(node: Atom, loss: Loss): void {
    this.#end(node, [], 'cancel')
    this.#outside.tellLocker(tuple(atom('remove_from_known'), node))
    this.known.delete(node)
    if (loss === 'removed') this.known.removing.add(node)
    else this.known.removing.delete(node)
  }

  /** @param lock under which the partitions joined: what is late, and not protected by it any more, does not count. */
  #perform(ops: readonly Op[], external: readonly ExternalName[], lock: Term): void {
    const counts = this.#locks.protects(lock)
    for (const { elements } of ops) {
      if (elements[0].name === 'delete') continue
      const [name, pid, method] = (elements[1] as NameTerm).elements
      const outer = external.find(({ elements: [known, process] }) => equals(known, name) && equals(process, pid))
      if (!counts) this.#names.delete(name)
      else if (outer) this.#names.insertExternal(name, pid, method, outer.elements[2])
      else this.#names.insert(name, pid, method)
    }
    for (const { elements } of ops) if (elements[0].name === 'delete') this.#names.delete(elements[1] as Term)
  }

  /** The session of that tag. Another tag is that of one that is over: the locker shall know. */
  #session(node: Atom, myTag: Term): Session | null {
    const session = this.#sessions.get(node)
    if (session?.myTag === myTag) return session
    this.#outside.tellLocker(tuple(atom('cancel'), node, myTag, []))
    return null
  }

  #restart(node: Atom): void {
    this.#end(node, [], 'cancel')
    this.known.pending.delete(node)
    // No monitor tells of them: the connection stays.
    this.#locks.forget(node)
    this.#names.forget(node)
    this.nodeUp(node)
  }

  #stayApart(node: Atom): void {
    this.#cast(node, tuple(atom('in_sync'), this.known.self, true))
    this.onInSync(node)
  }

  /** @param casts what the locker says before it lets go of the lock @param how 'cancel': the peer is told, when it has begun. */
  #end(node: Atom, casts: Sendable[] = [], how: 'cancel' | 'done' = 'done'): void {
    const session = this.#sessions.get(node)
    this.#outside.tellLocker(tuple(atom('cancel'), node, session?.myTag ?? undefinedTag, casts))
    if (how === 'cancel' && this.known.pending.has(node) && session && session.hisTag !== null) this.#cancelConnect(node, session.hisTag)
    this.known.pending.delete(node)
    if (session?.resolver) this.#outside.kill(session.resolver)
    this.#sessions.delete(node)
    this.#early.delete(node)
  }

  #cancelConnect(node: Atom, hisTag: Term): void {
    this.#outside.sendConnected(node, tuple(atom('cancel_connect'), this.known.self, hisTag))
  }

  #cast(node: Atom, message: Sendable): void {
    this.#outside.send(node, castOf(message))
  }
}
