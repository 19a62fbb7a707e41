/**
 * Spawn requests to other nodes, until their reply. The reply comes as a message {spawn_reply, Ref, ok | error, Pid | Reason}; a link or a
 * monitor that was asked for holds from then on. Source: erlang:spawn_request/5 and erl_dist_protocol, SPAWN_REQUEST.
 */
import { type SpawnReplySignal, TermPayload } from '../dist/signal.js'
import { type Atom, atom, Pid, type Reference, type Sendable, type Term, tuple } from '../term/index.js'
import type { Host } from './host.js'
import type { Links } from './links.js'
import type { LocalProcess } from './local-process.js'
import type { Monitors } from './monitors.js'
import { noconnection, noproc } from './reason.js'

export interface SpawnRequest {
  readonly node: Atom
  readonly module: Atom
  readonly fun: Atom
  readonly args: readonly Sendable[]
  readonly link?: boolean | undefined
  readonly monitor?: boolean | undefined
  /** When to tell it in a message: 'yes' (default) always, 'error_only' when there is no process */
  readonly reply?: 'yes' | 'error_only' | 'no' | undefined
}

interface Requested extends SpawnRequest {
  readonly process: LocalProcess
  readonly ref: Reference
}

export class SpawnRequests {
  readonly #host: Host & { readonly links: Links; readonly monitors: Monitors }
  readonly #pending = new Map<number, Requested>()

  constructor(host: Host & { readonly links: Links; readonly monitors: Monitors }) {
    this.#host = host
  }

  get size(): number {
    return this.#pending.size
  }

  /** The request's `ref` is also the reference of the monitor. @throws EtfError when the arguments cannot be sent. */
  request(process: LocalProcess, ref: Reference, request: SpawnRequest): void {
    const { node, module, fun, args, link, monitor } = request
    const number = this.#host.table.numberOf(ref)
    this.#pending.set(number, { ...request, process, ref })
    const options: Term[] = []
    if (link) options.push(atom('link'))
    if (monitor) options.push(atom('monitor'))
    const { pid: from, groupLeader } = process
    try {
      this.#host.route({
        op: 'spawnRequest',
        ref,
        from,
        to: node,
        groupLeader,
        module,
        fun,
        arity: args.length,
        options,
        args: new TermPayload(args as Term),
      })
    } catch (error) {
      this.#pending.delete(number)
      throw error
    }
  }

  /** Nobody waits for the reply any more: a child that comes of it is neither watched nor linked. */
  abandon(ref: Reference): void {
    this.#pending.delete(this.#host.table.numberOf(ref))
  }

  onReply({ ref, to, link, monitor, result }: SpawnReplySignal): void {
    const number = this.#host.table.numberOf(ref)
    const requested = this.#pending.get(number)
    this.#pending.delete(number)
    const process = this.#host.table.find(to)
    if (!requested || process !== requested.process) return this.#orphan({ ref, to, link, monitor, result })
    if (result instanceof Pid) {
      if (link) this.#host.links.linked(process, result)
      if (monitor) this.#host.monitors.monitoring(process, result, ref)
    }
    this.#tell(requested, result)
  }

  lost(node: Atom): void {
    for (const [number, requested] of this.#pending) {
      if (requested.node !== node) continue
      this.#pending.delete(number)
      this.#tell(requested, noconnection)
    }
  }

  #tell({ process, ref, reply = 'yes' }: Requested, result: Pid | Atom): void {
    const spawned = result instanceof Pid
    if (reply === 'no' || (reply === 'error_only' && spawned)) return
    this.#host.message(process, tuple(atom('spawn_reply'), ref, atom(spawned ? 'ok' : 'error'), result))
  }

  /** Who asked has ended meanwhile: the child must not stay linked to, or watched by, a process that is no more. */
  #orphan({ ref, to, link, monitor, result }: Omit<SpawnReplySignal, 'op'>): void {
    if (!(result instanceof Pid)) return
    if (monitor) this.#host.route({ op: 'demonitor', from: to, to: result, ref })
    if (link) this.#host.route({ op: 'linkExit', from: to, to: result, reason: new TermPayload(noproc) })
  }
}
