/**
 * The nodes that this one is connected to, or about to be: one Peer a node, one connection a Peer.
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
import type { AcceptStatus } from '../dist/peer.js'
import type { Signal } from '../dist/signal.js'
import type { Connection, ConnectionStats } from '../net/connection.js'
import type { Attempt } from '../net/listener.js'
import { type Atom, atom, atomExists, compare, type NodeError } from '../term/index.js'
import type { Allowed } from './allowed.js'
import { NamePool } from './name-pool.js'
import type { Nodes, NodesKind } from './outside.js'
import { Peer, PeerError, type PeerOptions, type PeerTable } from './peer.js'

export interface PeersOptions extends PeerOptions {
  readonly self: Atom
  /** May a signal make a connection? 'once': not again to a node that was lost, until `connect` or the peer makes one. */
  readonly autoConnect: 'never' | 'once' | true
  readonly allowed: Allowed
  dial(node: Atom, signal: AbortSignal): Promise<Connection>
}

/** Only these are worth a new connection: the others take back, or answer, what ended with the old one or goes with one being made. */
const connects = new Set<Signal['op']>(['send', 'link', 'exit', 'monitor', 'spawnRequest', 'groupLeader'])

/** What the BEAM calls it when the distribution of the node itself ends */
const terminated = 'net_kernel_terminated'

export class Peers implements Nodes {
  readonly #options: PeersOptions
  readonly #peers = new Map<Atom, Peer>()
  /** Lost, and waiting for an explicit connect: autoConnect 'once' */
  readonly #barred = new Set<Atom>()
  readonly #names = new NamePool()
  readonly #table: PeerTable
  /** Bytes of connections that are gone */
  readonly #past = { bytesIn: 0, bytesOut: 0 }
  /** The connection to the node that named this one */
  #giver: Connection | null = null
  /** Why there are no connections any more */
  #over: PeerError | null = null
  #emptied = (): void => {}

  constructor(options: PeersOptions) {
    this.#options = options
    const isOpen = (): boolean => this.#over === null
    this.#table = {
      get isOpen() {
        return isOpen()
      },
      dial: (node, signal) => this.#dial(node, signal),
      up: ({ node }) => void this.#barred.delete(node),
      down: ({ node }) => {
        if (this.#options.autoConnect === 'once') this.#barred.add(node)
      },
      cleared: connection => {
        const { peer, incoming, stats } = connection
        this.#past.bytesIn += stats.bytesIn
        this.#past.bytesOut += stats.bytesOut
        if (incoming && peer.theirFlags & flags.NAME_ME) this.#names.free({ named: peer.name.name, creation: peer.creation })
        if (connection === this.#giver) this.#nameLost(peer.name)
      },
      idle: peer => {
        if (this.#peers.get(peer.node) === peer) this.#peers.delete(peer.node)
        if (this.#peers.size === 0) this.#emptied()
      },
    }
  }

  /** False when the way is busy, or not there. @throws EtfError when a payload cannot be sent. */
  send(node: Atom, signal: Signal): boolean {
    const known = this.#peers.get(node)
    if (known?.connection) return known.connection.send(signal)
    if (!known?.isComing) {
      if (!connects.has(signal.op)) return false
      if (!this.#mayConnect(node)) return this.#unreachable(node)
    }
    const peer = known ?? this.#enter(node)
    peer.dial()
    return peer.keep(signal)
  }

  /** Sees to it that the node is connected, or found to be lost. */
  reach(node: Atom): void {
    const known = this.#peers.get(node)
    if (node === this.#options.self || known?.connection) return
    if (!(known?.isComing || this.#mayConnect(node))) this.#unreachable(node)
    else (known ?? this.#enter(node)).dial()
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
  async connect(node: Atom): Promise<void> {
    if (node === this.#options.self) return
    if (this.#over) throw this.#over
    this.#barred.delete(node)
    await (this.#peers.get(node) ?? this.#enter(node)).whenUp()
  }

  /** Connects as a signal does, where it may. @throws NodeError that says why there is no connection. */
  async autoConnect(node: Atom): Promise<void> {
    const known = this.#peers.get(node)
    if (node === this.#options.self || known?.connection) return
    if (!(known?.isComing || this.#mayConnect(node)))
      throw (
        this.#over ?? new PeerError('NODE_NOT_ALLOWED', `Only \`connect\` may connect to ${node.name}: distAutoConnect forbids it here.`)
      )
    await (known ?? this.#enter(node)).whenUp()
  }

  /** False when there was nothing to disconnect. */
  disconnect(node: Atom): boolean {
    const peer = this.#peers.get(node)
    peer?.end('disconnect', new PeerError('NODE_DISCONNECTED', `The attempt to connect to ${node.name} was ended by disconnect.`))
    return peer !== undefined
  }

  /** Resolves when nothing is held back for that node any more, or the connection, or the attempt at it, is gone. */
  async drained(node: Atom): Promise<void> {
    await this.#peers.get(node)?.drained()
  }

  /** What came from that node turned out to be no term, where its receiver lives. */
  fault(node: Atom, error: NodeError): void {
    this.#peers.get(node)?.connection?.fault(error)
  }

  // ── who is there ───────────────────────────────────────────────────────────

  names(kind: NodesKind): string[] {
    const up = kind === 'connected' ? this.live() : this.live().filter(({ peer }) => peer.visible === (kind === 'visible'))
    return up.map(({ peer }) => peer.name.name)
  }

  connections(): Record<string, ConnectionStats> {
    return Object.fromEntries(this.live().map(({ peer, stats }) => [peer.name.name, stats]))
  }

  /** Bytes that wait for connections that are being made, by the node's name */
  connecting(): Record<string, number> {
    const peers = [...this.#peers.values()].filter(({ connection }) => !connection)
    return Object.fromEntries(peers.map(({ node, held }) => [node.name, held]))
  }

  /** Bytes of all connections since the node started */
  get traffic(): { readonly bytesIn: number; readonly bytesOut: number } {
    const sum = (of: 'bytesIn' | 'bytesOut'): number => this.live().reduce((all, { stats }) => all + stats[of], this.#past[of])
    return { bytesIn: sum('bytesIn'), bytesOut: sum('bytesOut') }
  }

  busy(): string[] {
    return [...this.#peers.values()].filter(({ isBusy }) => isBusy).map(({ node }) => node.name)
  }

  /** Connections that are up */
  live(): Connection[] {
    return [...this.#peers.values()].flatMap(({ connection }) => connection ?? [])
  }

  /** The connection to a node of that name, while it is up */
  connectionTo(name: string): Connection | null {
    return this.#find(name)?.connection ?? null
  }

  /** Is a node of that name connected, or being dialled? */
  knows(name: string | null): boolean {
    const peer = name === null ? undefined : this.#find(name)
    return !!peer && (peer.connection !== null || peer.isDialled)
  }

  /** A name that nobody has proved to be theirs makes no atom. */
  #find(name: string): Peer | undefined {
    return atomExists(name) ? this.#peers.get(atom(name) as Atom) : undefined
  }

  #enter(node: Atom): Peer {
    const peer = new Peer(node, this.#options, this.#table)
    this.#peers.set(node, peer)
    return peer
  }

  // ── connections ────────────────────────────────────────────────────────────

  async #dial(node: Atom, signal: AbortSignal): Promise<Connection> {
    if (this.#options.allowed.out(node.name)) return this.#options.dial(node, signal)
    const rule = 'a list of allowed nodes counts for those that are dialled, too, and there only by their whole names'
    throw new PeerError('NODE_NOT_ALLOWED', `The node ${node.name} is not allowed here: ${rule}.`)
  }

  /** A peer has told its name in a handshake, or its host and that it wants a name. */
  status(attempt: Pick<Attempt, 'peer' | 'flags'>): AcceptStatus {
    const name = attempt.peer as string
    if (this.#over || name === this.#options.self.name || !this.#options.allowed.in(name)) return 'not_allowed'
    if (attempt.flags & flags.NAME_ME) return this.#names.give(name, named => this.#find(named) !== undefined) ?? 'not_allowed'
    const peer = this.#find(name)
    if (peer?.connection) return 'alive'
    if (!peer?.isDialled) return 'ok'
    return compare(this.#options.self, peer.node) > 0 ? 'nok' : 'ok_simultaneous'
  }

  /** A handshake with a peer that dialled is done. */
  accepted(connection: Connection): void {
    const { name } = connection.peer
    if (this.#over) return connection.close('disconnect')
    const peer = this.#peers.get(name) ?? this.#enter(name)
    peer.take(connection)
  }

  /** The connection over which this node got its name. */
  namedBy(connection: Connection): void {
    this.#giver = connection
    this.#enter(connection.peer.name).begin(connection)
  }

  /** The name goes to another node now. What the BEAM does is to start its distribution anew. */
  #nameLost({ name }: Atom): void {
    if (this.#over) return
    const whose = `The name of this node belongs to ${name}, which gave it, and the connection to it is lost`
    const error = new PeerError('NODE_NAME_LOST', `${whose}: so are all others. Start another node.`)
    this.#end(error)
    this.#options.tellError(error)
  }

  /** Closes every connection; resolves when all of them are cleared away. */
  async close(): Promise<void> {
    const empty = new Promise<void>(resolve => (this.#emptied = resolve))
    this.#end(new PeerError('NODE_CLOSED', 'This node is closed: start another.'))
    if (this.#peers.size > 0) await empty
  }

  #end(why: PeerError): void {
    this.#over = why
    for (const peer of this.#peers.values()) peer.end(terminated, why)
  }
}
