/**
 * Spawn requests, until their reply. The reply comes as a message {spawn_reply, Ref, ok | error, Pid | Reason}; a link or a monitor that was
 * asked for holds from then on. Source: erlang:spawn_request/5 and erl_dist_protocol, SPAWN_REQUEST.
 */
import { type SpawnReplySignal, type SpawnRequestSignal, TermPayload } from '../dist/signal.js'
import { type Atom, atom, Pid, type Reference, type Sendable, type Term, tuple } from '../term/index.js'
import type { Aliases } from './aliases.js'
import type { Host } from './host.js'
import type { Links } from './links.js'
import type { LocalProcess } from './local-process.js'
import type { MonitorOptions, Monitors } from './monitors.js'
import { abandoned, noconnection, noproc } from './reason.js'
import { type SpawnOpt, spawnOptTerms } from './spawn-opt.js'
import { stamp, tokenOf, traced } from './trace.js'

export interface SpawnRequestOptions extends SpawnOpt {
  /** Links the new process to this one; with `priority`, its exit message overtakes others. */
  readonly link?: boolean | { readonly priority?: boolean | undefined } | undefined
  /** Monitors the new process; the request's reference is that of the monitor, and the alias if one is wanted. */
  readonly monitor?: boolean | MonitorOptions | undefined
  /** When the reply comes as a message. Default: 'yes' */
  readonly reply?: 'yes' | 'no' | 'error_only' | 'success_only' | undefined
  /** Stands first in the reply instead of `spawn_reply` */
  readonly replyTag?: Sendable | undefined
}

export interface SpawnRequest extends SpawnRequestOptions {
  readonly node: Atom
  readonly module: Atom
  readonly fun: Atom
  readonly args: readonly Sendable[]
}

interface Requested {
  readonly node: Atom
  readonly process: LocalProcess
  readonly ref: Reference
  readonly link: { readonly priority?: boolean | undefined }
  readonly monitor: MonitorOptions
  readonly reply: NonNullable<SpawnRequestOptions['reply']>
  readonly tag: Term
  /** Why the one who asked has ended meanwhile */
  ended?: Term
}

type Hosts = Host & { readonly links: Links; readonly monitors: Monitors; readonly aliases: Aliases }

const spawnReply = atom('spawn_reply')

export class SpawnRequests {
  readonly #host: Hosts
  readonly #pending = new Map<number, Requested>()
  /** Those with a link, by who asked: their children are told how it ended. */
  readonly #linking = new Map<LocalProcess, Set<Requested>>()

  constructor(host: Hosts) {
    this.#host = host
  }

  get size(): number {
    return this.#pending.size
  }

  /** The request's `ref` is also the reference of the monitor. @throws EtfError when the arguments, or an option, cannot be sent. */
  request(process: LocalProcess, ref: Reference, request: SpawnRequest): void {
    const { node, module, fun, args, link, monitor, reply = 'yes' } = request
    const { pid: from, groupLeader } = process
    const here = node === this.#host.table.node
    const signal: SpawnRequestSignal = {
      op: 'spawnRequest',
      ref,
      from,
      to: node,
      groupLeader,
      module,
      fun,
      arity: args.length,
      options: [...(link ? [atom('link')] : []), ...(monitor ? [atom('monitor')] : []), ...spawnOptTerms(request)],
      args: new TermPayload(here ? this.#host.copy(args) : (args as Term)),
    }
    const number = this.#host.table.numberOf(ref)
    const requested: Requested = {
      node,
      process,
      ref,
      link: typeof link === 'object' ? link : {},
      monitor: typeof monitor === 'object' ? monitor : {},
      reply,
      tag: request.replyTag === undefined ? spawnReply : this.#host.copy(request.replyTag),
    }
    this.#add(number, requested, link !== undefined && link !== false)
    const { alias } = requested.monitor
    if (alias) this.#host.aliases.add(process, ref, alias)
    // A BEAM counts two signals for a spawn on another node, one for its own.
    if (!here) stamp(process)
    try {
      this.#host.route(traced(signal, process))
    } catch (error) {
      this.#take(number)
      if (alias) this.#host.aliases.remove(process, ref)
      throw error
    }
  }

  /** Nobody waits for the reply any more: a child that comes of it is neither watched nor linked. False: there was no such request. */
  abandon(process: LocalProcess, ref: Reference): boolean {
    const number = this.#host.table.numberOf(ref)
    if (this.#pending.get(number)?.process !== process) return false
    this.#host.aliases.demonitored(process, number)
    return this.#take(number) !== undefined
  }

  /** Who asked has ended. */
  exited(process: LocalProcess, reason: Term): void {
    if (this.#linking.size === 0) return
    for (const requested of this.#linking.get(process) ?? []) requested.ended = this.#host.copy(reason)
  }

  onReply(signal: SpawnReplySignal): void {
    const { ref, to, link, monitor, result } = signal
    const number = this.#host.table.numberOf(ref)
    const requested = this.#take(number)
    if (!requested) return this.#orphan(signal, abandoned)
    if (this.#host.table.find(to) !== requested.process) return this.#orphan(signal, requested.ended ?? noproc)
    const { process } = requested
    if (result instanceof Pid) {
      if (link) this.#host.links.linked(process, result, requested.link.priority)
      if (monitor) this.#host.monitors.monitoring(process, result, ref, requested.monitor)
    }
    this.#tell(requested, result, signal.token)
  }

  /** Answers, when that is called, what waits now and still does then: what is asked for meanwhile goes over the next connection. */
  lost(node: Atom): () => void {
    const waiting = [...this.#pending].filter(([, requested]) => requested.node === node)
    return () => {
      for (const [number, requested] of waiting) if (this.#take(number)) this.#tell(requested, noconnection)
    }
  }

  #add(number: number, requested: Requested, link: boolean): void {
    this.#pending.set(number, requested)
    if (!link) return
    const { process } = requested
    const linking = this.#linking.get(process)
    if (linking) linking.add(requested)
    else this.#linking.set(process, new Set([requested]))
  }

  #take(number: number): Requested | undefined {
    const requested = this.#pending.get(number)
    if (!requested) return undefined
    this.#pending.delete(number)
    const linking = this.#linking.get(requested.process)
    if (linking?.delete(requested) && linking.size === 0) this.#linking.delete(requested.process)
    return requested
  }

  #tell({ process, ref, reply, tag }: Requested, result: Pid | Atom, token?: Term): void {
    const spawned = result instanceof Pid
    if (!spawned) this.#host.aliases.demonitored(process, this.#host.table.numberOf(ref))
    if (reply === 'no' || reply === (spawned ? 'error_only' : 'success_only')) return
    this.#host.message(process, tuple(tag, ref, atom(spawned ? 'ok' : 'error'), result), tokenOf(token))
  }

  /** Who asked has ended meanwhile, or waits no more: the child must not stay linked to it, or watched by it. */
  #orphan({ ref, to, link, monitor, result }: SpawnReplySignal, reason: Term): void {
    if (!(result instanceof Pid)) return
    if (monitor) this.#host.route({ op: 'demonitor', from: to, to: result, ref })
    if (link) this.#host.route({ op: 'linkExit', from: to, to: result, reason: new TermPayload(reason) })
  }
}
