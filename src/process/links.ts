/**
 * Links, each recorded at both ends. A link is active or waits for the acknowledgement of an unlink; the same protocol runs
 * between two processes of this node and across nodes (erl_dist_protocol, "New link protocol"):
 *
 *   link      LINK →                the other end records it, or answers with an exit `noproc`
 *   unlink    UNLINK_ID {Id} →      the other end forgets it and answers ← UNLINK_ID_ACK {Id}, dead or alive
 *
 * Between an unlink and its acknowledgement, exits over the link are ignored.
 */
import { type LinkExitSignal, type LinkSignal, TermPayload, type UnlinkAckSignal, type UnlinkSignal } from '../dist/signal.js'
import type { Atom, Pid, Term } from '../term/index.js'
import { all, excluding, find, including, type Key, type Keyed } from './few.js'
import type { Host } from './host.js'
import type { LocalProcess } from './local-process.js'
import { PeerIndex } from './peer-index.js'
import { noconnection, noproc } from './reason.js'
import { routeReason, SharedPayload } from './shared-payload.js'
import { traced } from './trace.js'

export interface Link extends Keyed {
  readonly process: LocalProcess
  readonly peer: Pid
  /** The outstanding unlink; 0n while the link is active */
  unlinking: bigint
  /** Does its exit message, when exits are trapped, overtake others? */
  priority: boolean
}

const maxUnlinkId = 2n ** 64n - 1n

export class Links {
  readonly #host: Host
  readonly #remote = new PeerIndex<Link>()
  #lastId = 0n

  constructor(host: Host) {
    this.#host = host
  }

  /** How many links cross to other nodes */
  get size(): number {
    return this.#remote.size
  }

  /** Linking again says anew whether it has priority. */
  link(process: LocalProcess, peer: Pid, priority = false): void {
    const key = this.#host.table.keyOf(peer)
    if (key === this.#host.table.keyOf(process.pid)) return
    const known = find(process.links, key)
    if (known) known.priority = priority
    if (known?.unlinking === 0n) return
    if (known) known.unlinking = 0n
    else this.#add(process, peer, key, priority)
    this.#host.tap?.linked(process, 'link', peer)
    this.#host.route({ op: 'link', from: process.pid, to: peer })
  }

  unlink(process: LocalProcess, peer: Pid): void {
    const link = find(process.links, this.#host.table.keyOf(peer))
    if (!link || link.unlinking !== 0n) return
    this.#lastId = this.#lastId === maxUnlinkId ? 1n : this.#lastId + 1n
    link.unlinking = this.#lastId
    this.#host.tap?.linked(process, 'unlink', peer)
    this.#host.route({ op: 'unlink', id: link.unlinking, from: process.pid, to: peer })
  }

  /** Is there a link, be it one that waits for the acknowledgement of its unlink? */
  has(process: LocalProcess, peer: Pid): boolean {
    return find(process.links, this.#host.table.keyOf(peer)) !== undefined
  }

  /** Records a link that the other end has already: that of a spawned process. */
  linked(process: LocalProcess, peer: Pid, priority = false): void {
    const key = this.#host.table.keyOf(peer)
    if (!find(process.links, key)) this.#add(process, peer, key, priority)
  }

  onLink({ from, to }: LinkSignal): void {
    const process = this.#host.table.find(to)
    if (process) {
      this.linked(process, from)
      this.#host.tap?.linked(process, 'getting_linked', from)
    } else this.#host.route({ op: 'linkExit', from: to, to: from, reason: new TermPayload(noproc) })
  }

  onUnlink({ id, from, to }: UnlinkSignal): void {
    const process = this.#host.table.find(to)
    const key = this.#host.table.keyOf(from)
    const link = process && find(process.links, key)
    if (process && link?.unlinking === 0n) {
      this.#remove(link)
      this.#host.tap?.linked(process, 'getting_unlinked', from)
    }
    this.#host.route({ op: 'unlinkAck', id, from: to, to: from })
  }

  onUnlinkAck({ id, from, to }: UnlinkAckSignal): void {
    const key = this.#host.table.keyOf(from)
    const process = this.#host.table.find(to)
    const link = process && find(process.links, key)
    if (link?.unlinking === id) this.#remove(link)
  }

  onLinkExit({ from, to, reason, token }: LinkExitSignal): void {
    const key = this.#host.table.keyOf(from)
    const process = this.#host.table.find(to)
    const link = process && find(process.links, key)
    if (!process || !link) return
    this.#remove(link)
    if (link.unlinking !== 0n) return
    if (process.traps) this.#host.tap?.linked(process, 'getting_unlinked', from)
    this.#host.exitSignal(process, { from, reason, cause: 'link', token, priority: link.priority })
  }

  /** A process has ended: tell every peer, one a step. */
  *exits(process: LocalProcess, reason: Term): Generator<void, void, undefined> {
    if (!process.links) return
    const payload = new SharedPayload(reason, this.#host)
    for (const link of all(process.links)) {
      this.#remove(link)
      if (link.unlinking === 0n)
        routeReason(this.#host, traced({ op: 'linkExit', from: process.pid, to: link.peer, reason: payload }, process))
      yield
    }
  }

  /** A node is lost: each of its links breaks with `noconnection`, one a step. */
  lost(node: Atom): Generator<void, void, undefined> {
    return this.#break(this.#remote.take(node))
  }

  *#break(links: Iterable<Link>): Generator<void, void, undefined> {
    for (const { key, process, peer, unlinking, priority } of links) {
      process.links = excluding(process.links, key)
      const broken = { from: peer, reason: new TermPayload(noconnection), cause: 'link', priority } as const
      if (unlinking === 0n && process.alive) this.#host.exitSignal(process, broken)
      yield
    }
  }

  #add(process: LocalProcess, peer: Pid, key: Key, priority: boolean): void {
    const link: Link = { key, process, peer, unlinking: 0n, priority }
    process.links = including(process.links, link)
    if (typeof key === 'string') this.#remote.add(peer.node, link)
  }

  #remove(link: Link): void {
    const { key, process } = link
    process.links = excluding(process.links, key)
    if (typeof key === 'string') this.#remote.delete(link.peer.node, link)
  }
}
