/**
 * The registered process `global_name_server`: names that are known on all nodes, and locks. What a node asks of it, besides the exchange of
 * global-messages.ts:
 *
 *   call {set_lock, LockId} → true | false · {del_lock, LockId} → true                 of every node, for `global:set_lock` and `trans`
 *   call {register, Name, Pid, Method} → yes · {unregister, Name} → ok                 of every known node, while `global` is locked there
 *   call {register_ext, Name, Pid, Method, RegNode} → yes                              … for a process of a C node
 *   call get_known → [Node] · get_synced → [Node] · get_names_ext → [{Name, Pid, RegNode}] · get_protocol_version → 8
 *   call {sync, [Node]} → ok, when all of them are in sync or lost · disconnect → [Node]
 *   call {registrar, Job} → yes | no | ok, from processes of this node: see global-registrar.ts
 *
 * Connections come and go as messages {Ref, nodeup | nodedown, Node} under a reference that nobody else has, in the order in which all else comes.
 * What is not here gets no answer, as in OTP.
 *
 * Source: global.erl, handle_call, handle_cast, handle_info.
 */
import { Atom, atom, Pid, Reference, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'
import { type Caller, parseRequest } from '../gen/gen.js'
import { type ExchangeOutside, GlobalExchange } from './exchange.js'
import { GlobalLocks, isLockId } from './locks.js'
import { version } from './messages.js'
import { GlobalNames, type MethodUse, type Monitoring } from './names.js'
import { GlobalPartitions, type PartitionsOptions, type PartitionsOutside } from './partitions.js'
import { GlobalSyncers } from './syncers.js'

/** The world, as the name server sees it. */
export interface GlobalOutside extends ExchangeOutside, PartitionsOutside, Monitoring {
  reply(to: Caller, value: Sendable): void
  /** Whose a name is from now on; null: nobody's */
  named(name: Term, pid: Pid | null): void
  tellRegistrar(message: Sendable): void
  /** With `on`, {nodedown, Node} comes when the connection, or the attempt at one, is lost. */
  monitorNode(node: Atom, on: boolean): void
  /** Visible nodes that are connected */
  nodes(): readonly Atom[]
  unexpected(message: Term): void
}

export interface GlobalOptions extends PartitionsOptions {
  readonly node: Atom
  /** Kernel's connect_all: without it names are not exchanged with nodes that come up. */
  readonly connectAll: boolean
  /** Stands first in messages that only this node sends */
  readonly own: Reference
}

export class GlobalNameServer {
  readonly names: GlobalNames
  readonly locks: GlobalLocks
  readonly #outside: GlobalOutside
  readonly #options: GlobalOptions
  readonly #exchange: GlobalExchange
  readonly #partitions: GlobalPartitions
  readonly #syncers = new GlobalSyncers()
  /** Who waits until these nodes are disconnected, and all that were to be */
  #disconnecting: { readonly left: Set<Atom>; readonly done: () => void }[] = []

  constructor(outside: GlobalOutside, methods: MethodUse, options: GlobalOptions) {
    this.#outside = outside
    this.#options = options
    this.names = new GlobalNames(outside, methods, (name, pid) => outside.named(name, pid))
    this.locks = new GlobalLocks(outside)
    this.#exchange = new GlobalExchange(options.node, this.names, this.locks, this.#syncers, outside)
    this.#partitions = new GlobalPartitions(this.#exchange, outside, options)
  }

  onMessage(message: Term): void {
    const parsed = parseRequest(message)
    const { kind, request } = parsed
    const known =
      kind === 'call'
        ? this.#onCall(parsed.from, request)
        : request instanceof Tuple && (kind === 'cast' ? this.#onCast(request) : this.#onInfo(request))
    if (!known) this.#outside.unexpected(message)
  }

  // ── calls ──────────────────────────────────────────────────────────────────

  /** False when it is none of these. */
  #onCall(from: Caller, request: Term): boolean {
    const answer =
      request instanceof Atom ? this.#answerName(request) : request instanceof Tuple ? this.#answer(from.pid, request) : undefined
    if (answer !== undefined) this.#outside.reply(from, answer)
    return answer !== undefined || this.#answerLater(from, request)
  }

  #answerName({ name }: Atom): Sendable | undefined {
    switch (name) {
      case 'get_known':
        return [...this.#exchange.known.nodes.keys()]
      case 'get_synced':
        return [...this.#exchange.known.synced]
      case 'get_names_ext':
        return this.names.external().map(entry => tuple(...entry))
      case 'get_protocol_version':
        return version
    }
    return undefined
  }

  #answer(from: Pid, request: Tuple): Sendable | undefined {
    const [, first, pid, method, registrar] = request.elements as readonly Term[]
    switch (`${request.tag}/${request.length}`) {
      case 'set_lock/2':
        return isLockId(first) ? this.locks.set(from, first) : undefined
      case 'del_lock/2':
        if (!isLockId(first)) return undefined
        this.locks.delete(from, first)
        return true
      case 'register/4':
      case 'register_ext/5':
        if (!(pid instanceof Pid)) return undefined
        if (!this.locks.protects(from)) this.names.delete(first as Term)
        else if (registrar === undefined) this.names.insert(first as Term, pid, method as Term)
        else this.names.insertExternal(first as Term, pid, method as Term, registrar)
        return atom('yes')
      case 'unregister/2':
        this.names.delete(first as Term)
        return atom('ok')
    }
    return undefined
  }

  #answerLater(from: Caller, request: Term): boolean {
    if (request === atom('disconnect')) this.#disconnect(from)
    else if (!(request instanceof Tuple) || request.length !== 2) return false
    else if (request.tag === 'sync' && Array.isArray(request.elements[1])) this.#sync(from, request.elements[1] as readonly Term[])
    else if (request.tag === 'registrar' && from.pid.node === this.#options.node)
      this.#outside.tellRegistrar(tuple(atom('trans_all_known'), tuple(from.pid, from.tag), request.elements[1] as Term))
    else return false
    return true
  }

  #sync(from: Caller, nodes: readonly Term[]): void {
    const { synced } = this.#exchange.known
    const missing = nodes.filter((node): node is Atom => node instanceof Atom && node !== this.#options.node && !synced.has(node))
    for (const node of missing) this.#outside.monitorNode(node, true)
    this.#syncers.add(missing, () => {
      for (const node of missing) this.#outside.monitorNode(node, false)
      this.#outside.reply(from, atom('ok'))
    })
  }

  /** This node leaves the cluster: nobody shall think that others have lost it. */
  #disconnect(from: Caller): void {
    const nodes = this.#outside.nodes()
    const done = (): void => this.#outside.reply(from, [...nodes])
    for (const node of nodes) {
      this.#exchange.nodeDown(node, 'removed')
      this.#outside.disconnect(node)
    }
    if (nodes.length === 0) done()
    else this.#disconnecting.push({ left: new Set(nodes), done })
  }

  // ── other nodes ────────────────────────────────────────────────────────────

  #onCast(cast: Tuple): boolean {
    const [, first, second, third, fourth, fifth, sixth] = cast.elements as readonly [Term, Term, Term, Term, Term, Term, Term]
    const exchange = this.#exchange
    const op = `${cast.tag}/${cast.length}`
    if (op === 'init_connect/4') exchange.onInitConnect(cast)
    else if (op === 'lock_set/5' && first instanceof Pid) exchange.onLockSet(cast, first, fourth)
    else if (!(first instanceof Atom)) return false
    else if (op === 'lock_is_set/4') exchange.onLockIsSet(first, second, third)
    else if (op === 'exchange/5') exchange.onExchange(first, second, fourth)
    else if (op === 'exchange_ops/5') exchange.onExchangeOps(first, second, third, fourth)
    else if (op === 'resolved/7') exchange.onResolved(first, second, third, fifth, sixth)
    else if (op === 'new_nodes/6') exchange.onNewNodes(second, third, fourth, fifth)
    else if (op === 'in_sync/3') exchange.onInSync(first)
    else return false
    return true
  }

  #onInfo(info: Tuple): boolean {
    const [, first, second, third, fourth] = info.elements as readonly [Term, Term, Term, Term, Term]
    const op = `${info.tag}/${info.length}`
    if (info.elements[0] === this.#options.own) return this.#onConnection(first, second)
    if (op === 'DOWN/5' && first instanceof Reference) {
      this.locks.onDown(first)
      this.names.onDown(first)
    } else if (!(first instanceof Atom)) return false
    // The connection that `sync` asked for
    else if (op === 'nodedown/2') this.#syncers.synced(first)
    else if (op === 'init_connect_ack/4') this.#exchange.onInitConnectAck(first, second, third)
    else if (op === 'cancel_connect/3') this.#exchange.onCancelConnect(first, second)
    else if (op === 'lost_connection/5' && fourth instanceof Atom) this.#partitions.onLostConnection(info, first, second, third, fourth)
    else if (op === 'remove_connection/2') this.#partitions.onRemoveConnection(first)
    else return false
    return true
  }

  #onConnection(what: Term, node: Term): boolean {
    if (!(node instanceof Atom)) return false
    if (what === atom('nodeup')) {
      if (this.#options.connectAll) this.#exchange.nodeUp(node)
    } else if (what === atom('nodedown')) this.#onNodeDown(node)
    // A node that could not be reached, of which another had told
    else if (what === atom('missing')) {
      this.#syncers.synced(node)
      this.#partitions.nodeDown(node)
    }
    return true
  }

  #onNodeDown(node: Atom): void {
    this.#partitions.nodeDown(node)
    this.#syncers.synced(node)
    for (const { left, done } of this.#disconnecting) if (left.delete(node) && left.size === 0) done()
    this.#disconnecting = this.#disconnecting.filter(({ left }) => left.size > 0)
  }
}
