/**
 * The nodes that this one is connected to, or about to be: one Peer entry a node, one connection an entry.
 *
 *   absent ── a send, link, monitor … to it, or `connect` ──→ dialling ─┐
 *   absent ── it dials us ──→ incoming ─────────────────────────────────┴→ up ── closed ──→ absent
 *
 * When both dial at once, the acceptor with the greater name refuses (`nok`) and the other's attempt goes on; whatever the peer decides is
 * obeyed. A peer that dials while its connection here is up is asked (`alive`) whether it has lost its end; if so, the new one replaces
 * the old. A handshake that is not finished proves nothing: it never ends an attempt of ours, nor another one by that name.
 *
 * A node that was given its name has a giver: with that connection it loses its name, and all others. A peer that asks for a name gets one from the pool.
 *
 * Whether a signal may make a connection is kernel's dist_auto_connect. Where it may not, the signal is answered as one to a lost node is.
 */
import { flags } from '../dist/flags.js'
import { notsup } from '../dist/instead.js'
import type { AcceptStatus } from '../dist/peer.js'
import type { Signal } from '../dist/signal.js'
import { EtfError, type Limits } from '../etf/index.js'
import type { Connection, ConnectionDown, ConnectionStats } from '../net/connection.js'
import { NetError } from '../net/errors.js'
import type { Attempt } from '../net/listener.js'
import type { Clock } from '../process/index.js'
import { routeReason } from '../process/shared-payload.js'
import { type Atom, atom, atomExists, compare, NodeError } from '../term/index.js'
import type { Allowed } from './allowed.js'
import type { Events } from './events.js'
import { NamePool } from './name-pool.js'
import { Outbox } from './outbox.js'
import type { Nodes, NodesKind } from './outside.js'

/** Codes: NODE_OVERFLOW, NODE_CLOSED, NODE_DISCONNECTED, NODE_NOT_ALLOWED, NODE_NAME_LOST. */
export class PeerError extends NodeError {}

export interface PeersOptions {
  readonly self: Atom
  readonly clock: Clock
  readonly events: Events
  readonly sendBufferLimit: number
  readonly sendBufferMax: number
  /** Of terms that are sent */
  readonly limits: Partial<Limits> | undefined
  /** Milliseconds to wait for a peer that refused our attempt in favour of its own */
  readonly setupTime: number
  /** May a signal make a connection? 'once': not again to a node that was lost, until `connect` or the peer makes one. */
  readonly autoConnect: 'never' | 'once' | true
  readonly allowed: Allowed
  dial(node: Atom, signal: AbortSignal): Promise<Connection>
  deliver(signal: Signal, connection: Connection): void
  /** Every link and monitor over the connection to that node ends, then `done` is called. */
  lost(node: Atom, done: () => void): void
  /** Something went wrong without a caller: what was accepted is lost and no connection was there to end with it, or this node has lost its name. */
  tellError(error: NodeError): void
}

interface Entry {
  readonly node: Atom
  connection: Connection | null
  /** A connection that waits until all that came over the one before is cleared away */
  next: Connection | null
  clearing: boolean
  dialling: AbortController | null
  outbox: Outbox
  waiting: ((error: NodeError | null) => void)[]
  /** `busy` was told, `drain` was not yet: more waits than `sendBufferLimit`, for the connection or in it. */
  busy: boolean
  draining: (() => void)[]
  stopWaiting: () => void
}

/** Only these are worth a new connection: the others take back, or answer, what ended with the old one or goes with one being made. */
const connects = new Set<Signal['op']>(['send', 'link', 'exit', 'monitor', 'spawnRequest', 'groupLeader'])

/** What the BEAM calls it when the distribution of the node itself ends */
const terminated = 'net_kernel_terminated'

export class Peers implements Nodes {
  readonly #options: PeersOptions
  readonly #entries = new Map<Atom, Entry>()
  /** Lost, and waiting for an explicit connect: autoConnect 'once' */
  readonly #barred = new Set<Atom>()
  readonly #names = new NamePool()
  /** The connection to the node that named this one */
  #giver: Connection | null = null
  /** Why there are no connections any more */
  #over: PeerError | null = null
  #emptied = (): void => {}

  constructor(options: PeersOptions) {
    this.#options = options
  }

  /** False when the way is busy, or not there. @throws EtfError when a payload cannot be sent. */
  send(node: Atom, signal: Signal): boolean {
    const known = this.#entries.get(node)
    if (known?.connection) return known.connection.send(signal)
    const pending = known?.dialling || known?.next
    if (!pending && !connects.has(signal.op)) return false
    if (!(pending || this.#mayConnect(node))) return this.#unreachable(node)
    const entry = known ?? this.#enter(node)
    this.#start(entry)
    return this.#keep(entry, signal)
  }

  /** The same bounds hold while there is no connection yet. */
  #keep(entry: Entry, signal: Signal): boolean {
    const { sendBufferLimit, sendBufferMax, tellError } = this.#options
    const { outbox, node } = entry
    outbox.push(signal)
    if (outbox.bytes <= sendBufferLimit) return true
    if (outbox.bytes <= sendBufferMax) this.#busy(entry)
    else {
      const waiting = `more than ${sendBufferMax} bytes waited for it, and are lost`
      const remedy = 'Mind what send returns, or raise sendBufferMax.'
      const error = new PeerError('NODE_OVERFLOW', `The connection to ${node.name} was given up before it was up: ${waiting}.`, { remedy })
      tellError(error)
      this.#fail(entry, error)
    }
    return false
  }

  /** Sees to it that the node is connected, or found to be lost. */
  reach(node: Atom): void {
    const known = this.#entries.get(node)
    if (node === this.#options.self || known?.connection) return
    if (!(known?.dialling || known?.next || this.#mayConnect(node))) this.#unreachable(node)
    else this.#start(known ?? this.#enter(node))
  }

  #mayConnect(node: Atom): boolean {
    return this.#over === null && this.#options.autoConnect !== 'never' && !this.#barred.has(node)
  }

  /** What is linked to it, or watches it, learns at once that there is no connection. */
  #unreachable(node: Atom): false {
    this.#options.lost(node, () => {})
    return false
  }

  /** Resolves when the connection is up. @throws NodeError that says why it is not. */
  connect(node: Atom): Promise<void> {
    if (node === this.#options.self) return Promise.resolve()
    if (this.#over) return Promise.reject(this.#over)
    this.#barred.delete(node)
    const entry = this.#entries.get(node) ?? this.#enter(node)
    if (entry.connection) return Promise.resolve()
    return new Promise((resolve, reject) => {
      entry.waiting.push(error => (error ? reject(error) : resolve()))
      this.#start(entry)
    })
  }

  /** False when there was nothing to disconnect. */
  disconnect(node: Atom): boolean {
    const entry = this.#entries.get(node)
    if (!entry) return false
    if (entry.connection) entry.connection.close('disconnect')
    else this.#fail(entry, new PeerError('NODE_DISCONNECTED', `The attempt to connect to ${node.name} was ended by disconnect.`))
    return true
  }

  /** Bytes that wait for connections that are being made, by the node's name */
  connecting(): Record<string, number> {
    const entries = [...this.#entries.values()].filter(({ connection }) => !connection)
    return Object.fromEntries(entries.map(({ node, outbox }) => [node.name, outbox.bytes]))
  }

  names(kind: NodesKind): string[] {
    const up = kind === 'connected' ? this.#live() : this.#live().filter(({ peer }) => peer.visible === (kind === 'visible'))
    return up.map(({ peer }) => peer.name.name)
  }

  connections(): Record<string, ConnectionStats> {
    return Object.fromEntries(this.#live().map(({ peer, stats }) => [peer.name.name, stats]))
  }

  /** What came from that node turned out to be no term, where its receiver lives. */
  fault(node: Atom, error: NodeError): void {
    this.#entries.get(node)?.connection?.fault(error)
  }

  #live(): Connection[] {
    return [...this.#entries.values()].flatMap(({ connection }) => connection ?? [])
  }

  /** Resolves when nothing is held back for that node any more, or the connection, or the attempt at it, is gone. */
  drained(node: Atom): Promise<void> {
    const entry = this.#entries.get(node)
    if (!entry?.busy) return Promise.resolve()
    return new Promise(resolve => entry.draining.push(resolve))
  }

  /** The connection to a node of that name, while it is up */
  connectionTo(name: string): Connection | null {
    return this.#find(name)?.connection ?? null
  }

  /** Is a node of that name connected, or being dialled? */
  knows(name: string | null): boolean {
    const entry = name === null ? undefined : this.#find(name)
    return !!(entry?.connection || entry?.dialling)
  }

  /** A name that nobody has proved to be theirs makes no atom. */
  #find(name: string): Entry | undefined {
    return atomExists(name) ? this.#entries.get(atom(name) as Atom) : undefined
  }

  /** A peer has told its name in a handshake, or its host and that it wants a name. */
  status(attempt: Pick<Attempt, 'peer' | 'flags'>): AcceptStatus {
    const name = attempt.peer as string
    if (this.#over || name === this.#options.self.name || !this.#options.allowed.in(name)) return 'not_allowed'
    if (attempt.flags & flags.NAME_ME) return this.#names.give(name, named => this.#find(named) !== undefined) ?? 'not_allowed'
    const entry = this.#find(name)
    if (entry?.connection) return 'alive'
    if (!entry?.dialling) return 'ok'
    return compare(this.#options.self, entry.node) > 0 ? 'nok' : 'ok_simultaneous'
  }

  /** A handshake with a peer that dialled is done. */
  accepted(connection: Connection): void {
    const { name } = connection.peer
    if (this.#over) return connection.close('disconnect')
    this.#up(this.#entries.get(name) ?? this.#enter(name), connection)
  }

  /** The connection over which this node got its name. It is up at once; `nodeup` is told a turn later, when somebody can listen. */
  namedBy(connection: Connection): void {
    this.#giver = connection
    const entry = this.#enter(connection.peer.name)
    entry.connection = connection
    setImmediate(() => this.#announce(entry, connection))
  }

  /** Closes every connection; resolves when all of them are cleared away. */
  async close(): Promise<void> {
    const empty = new Promise<void>(resolve => (this.#emptied = resolve))
    this.#end(new PeerError('NODE_CLOSED', 'This node is closed: start another.'), terminated)
    if (this.#entries.size > 0) await empty
  }

  #end(why: PeerError, reason: string): void {
    this.#over = why
    for (const entry of this.#entries.values()) {
      if (entry.connection) entry.connection.close(reason)
      else this.#fail(entry, why)
    }
  }

  /** The name goes to another node now. What the BEAM does is to start its distribution anew. */
  #nameLost({ name }: Atom): void {
    if (this.#over) return
    const whose = `The name of this node belongs to ${name}, which gave it, and the connection to it is lost`
    const error = new PeerError('NODE_NAME_LOST', `${whose}: so are all others. Start another node.`)
    this.#end(error, terminated)
    this.#options.tellError(error)
  }

  #enter(node: Atom): Entry {
    const entry: Entry = {
      node,
      connection: null,
      next: null,
      clearing: false,
      dialling: null,
      outbox: new Outbox(this.#options.limits),
      waiting: [],
      busy: false,
      draining: [],
      stopWaiting: () => {},
    }
    this.#entries.set(node, entry)
    return entry
  }

  #start(entry: Entry): void {
    if (entry.dialling || entry.next) return
    const abort = new AbortController()
    entry.dialling = abort
    this.#dial(entry.node, abort.signal).then(
      connection => {
        if (entry.dialling !== abort) return connection.close('disconnect')
        this.#up(entry, connection)
      },
      (error: unknown) => {
        if (entry.dialling === abort) this.#notDialled(entry, error as NodeError)
      },
    )
  }

  async #dial(node: Atom, signal: AbortSignal): Promise<Connection> {
    if (this.#options.allowed.out(node.name)) return this.#options.dial(node, signal)
    const rule = 'a list of allowed nodes counts for those that are dialled, too, and there only by their whole names'
    throw new PeerError('NODE_NOT_ALLOWED', `The node ${node.name} is not allowed here: ${rule}.`)
  }

  #notDialled(entry: Entry, error: NodeError): void {
    if (error.code !== 'DIST_NOK') return this.#fail(entry, error)
    // The peer keeps its own attempt: it is here, or on its way.
    const late = (): void => this.#fail(entry, error)
    entry.stopWaiting = this.#options.clock.after(this.#options.setupTime, late)
  }

  #up(entry: Entry, connection: Connection): void {
    this.#endDialling(entry)
    if (entry.connection || entry.clearing) {
      entry.next?.close('disconnect')
      entry.next = connection
      entry.connection?.close('disconnect')
      return
    }
    const { node, outbox, waiting } = entry
    this.#barred.delete(node)
    entry.connection = connection
    entry.outbox = new Outbox(this.#options.limits)
    entry.waiting = []
    for (const signal of outbox) this.#sendKept(connection, signal)
    this.#announce(entry, connection)
    for (const settle of waiting) settle(null)
  }

  #announce(entry: Entry, connection: Connection): void {
    const { events } = this.#options
    const { node } = entry
    const hidden = !connection.peer.visible
    events.emit('nodeup', node.name, { hidden })
    connection.attach({
      signal: signal => this.#options.deliver(signal, connection),
      closed: (_, down) => this.#down(entry, connection, down, hidden),
      busy: () => this.#busy(entry),
      drain: () => this.#drain(entry),
    })
    if (connection.isBusy) this.#busy(entry)
    else this.#drain(entry)
  }

  /**
   * Who sent it has been told that it was accepted. It may still be nothing for this peer (ETF_RECORD), or with its control message too much
   * for the limits: then an error event tells it. But a reason comes, as text, and who asked for a process is answered.
   */
  #sendKept(connection: Connection, signal: Signal): void {
    try {
      if ('reason' in signal) routeReason({ route: sent => connection.send(sent) }, signal)
      else connection.send(signal)
    } catch (error) {
      if (!(error instanceof EtfError)) throw error
      this.#options.tellError(error)
      if (signal.op === 'spawnRequest') this.#options.deliver(notsup(signal), connection)
    }
  }

  #down(entry: Entry, connection: Connection, { reason, error }: ConnectionDown, hidden: boolean): void {
    const { events, lost } = this.#options
    const { node } = entry
    entry.connection = null
    entry.clearing = true
    if (this.#options.autoConnect === 'once') this.#barred.add(node)
    this.#drain(entry)
    // A socket that breaks and a peer that reads too slowly break no rule.
    if (error && !(error instanceof NetError)) {
      events.emit('protocol', node.name, { code: error.code, error, remoteAddress: connection.remoteAddress })
    }
    lost(node, () => {
      entry.clearing = false
      events.emit('nodedown', node.name, { reason, hidden, error })
      const { peer, incoming } = connection
      if (incoming && peer.theirFlags & flags.NAME_ME) this.#names.free({ named: node.name, creation: peer.creation })
      const { next } = entry
      entry.next = null
      if (next && !this.#over) return this.#up(entry, next)
      next?.close('disconnect')
      this.#leave(entry)
    })
    if (connection === this.#giver) this.#nameLost(node)
  }

  /** There will be no connection for what waits for one. */
  #fail(entry: Entry, error: NodeError): void {
    this.#endDialling(entry)
    const { waiting } = entry
    entry.waiting = []
    entry.outbox = new Outbox(this.#options.limits)
    this.#drain(entry)
    for (const settle of waiting) settle(error)
    this.#options.lost(entry.node, () => this.#leave(entry))
  }

  #endDialling(entry: Entry): void {
    entry.stopWaiting()
    const { dialling } = entry
    entry.dialling = null
    dialling?.abort()
  }

  #leave(entry: Entry): void {
    const { connection, dialling, clearing, next } = entry
    if (!connection && !dialling && !clearing && !next && this.#entries.get(entry.node) === entry) this.#entries.delete(entry.node)
    if (this.#entries.size === 0) this.#emptied()
  }

  #busy(entry: Entry): void {
    if (entry.busy) return
    entry.busy = true
    this.#options.events.emit('busy', entry.node.name)
  }

  /** Whoever waits may go on, if only to find out that the connection is gone. */
  #drain(entry: Entry): void {
    if (!entry.busy) return
    const { draining, node } = entry
    entry.busy = false
    entry.draining = []
    for (const resolve of draining) resolve()
    this.#options.events.emit('drain', node.name)
  }
}
