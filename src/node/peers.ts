/**
 * The nodes that this one is connected to, or about to be: one Peer entry a node, one connection an entry.
 *
 *   absent ── a send, link, monitor … to it, or `connect` ──→ dialling ─┐
 *   absent ── it dials us ──→ incoming ─────────────────────────────────┴→ up ── closed ──→ absent
 *
 * When both dial at once, the acceptor with the greater name refuses (`nok`) and the other's attempt goes on; whatever the peer decides is
 * obeyed. A peer that dials while its connection here is up is asked (`alive`) whether it has lost its end; if so, the new one replaces
 * the old. A handshake that is not finished proves nothing: it never ends an attempt of ours, nor another one by that name.
 */
import type { AcceptStatus } from '../dist/peer.js'
import type { Signal } from '../dist/signal.js'
import type { Connection, ConnectionDown } from '../net/connection.js'
import { NetError } from '../net/errors.js'
import type { Clock } from '../process/index.js'
import { type Atom, atom, atomExists, compare, NodeError } from '../term/index.js'
import type { Events } from './events.js'
import { Outbox } from './outbox.js'

/** Codes: NODE_OVERFLOW, NODE_NOK, NODE_CLOSED, NODE_DISCONNECTED. */
export class PeerError extends NodeError {}

export interface PeersOptions {
  readonly self: Atom
  readonly clock: Clock
  readonly events: Events
  readonly sendBufferLimit: number
  readonly sendBufferMax: number
  /** Milliseconds to wait for a peer that refused our attempt in favour of its own */
  readonly setupTime: number
  dial(node: Atom, signal: AbortSignal): Promise<Connection>
  deliver(signal: Signal, connection: Connection): void
  /** Every link and monitor over the connection to that node ends, then `done` is called. */
  lost(node: Atom, done: () => void): void
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
  draining: (() => void)[]
  stopWaiting: () => void
}

/** Only these are worth a new connection: the others take back, or answer, what ended with the old one or goes with one being made. */
const connects = new Set<Signal['op']>(['send', 'link', 'exit', 'monitor', 'spawnRequest', 'groupLeader'])

export type NodesKind = 'visible' | 'hidden' | 'connected'

export class Peers {
  readonly #options: PeersOptions
  readonly #entries = new Map<Atom, Entry>()
  #closed = false
  #emptied = (): void => {}

  constructor(options: PeersOptions) {
    this.#options = options
  }

  /** False when the way is busy, or not there. @throws EtfError when a payload cannot be sent. */
  send(node: Atom, signal: Signal): boolean {
    const known = this.#entries.get(node)
    if (known?.connection) return known.connection.send(signal)
    if (this.#closed || !(known?.dialling || known?.next || connects.has(signal.op))) return false
    const entry = known ?? this.#enter(node)
    entry.outbox.push(signal)
    if (entry.outbox.bytes > this.#options.sendBufferMax) {
      const waiting = `more than ${this.#options.sendBufferMax} bytes wait`
      this.#fail(entry, new PeerError('NODE_OVERFLOW', `The connection to ${node.name} was given up before it was up: ${waiting} for it.`))
      return false
    }
    this.#start(entry)
    return entry.outbox.bytes <= this.#options.sendBufferLimit
  }

  /** Sees to it that the node is connected, or found to be lost. */
  reach(node: Atom): void {
    const known = this.#entries.get(node)
    if (this.#closed || node === this.#options.self || known?.connection) return
    this.#start(known ?? this.#enter(node))
  }

  /** Resolves when the connection is up. @throws NodeError that says why it is not. */
  connect(node: Atom): Promise<void> {
    if (node === this.#options.self) return Promise.resolve()
    if (this.#closed) return Promise.reject(new PeerError('NODE_CLOSED', 'This node is closed: start another.'))
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

  /** The connections that are up */
  up(kind: NodesKind = 'connected'): Connection[] {
    const connections = [...this.#entries.values()].flatMap(({ connection }) => connection ?? [])
    return kind === 'connected' ? connections : connections.filter(({ peer }) => peer.visible === (kind === 'visible'))
  }

  /** Resolves when nothing is held back for that node any more, or the connection is gone. */
  drained(node: Atom): Promise<void> {
    const entry = this.#entries.get(node)
    if (!entry?.connection?.isBusy) return Promise.resolve()
    return new Promise(resolve => entry.draining.push(resolve))
  }

  /** Is there a connection to a node of that name? */
  isUp(name: string | null): boolean {
    return name !== null && atomExists(name) && !!this.#entries.get(atom(name) as Atom)?.connection
  }

  /** A peer has told its name in a handshake. */
  status(name: string): AcceptStatus {
    if (this.#closed || name === this.#options.self.name) return 'not_allowed'
    // A name that nobody has proved to be theirs makes no atom.
    const entry = atomExists(name) ? this.#entries.get(atom(name) as Atom) : undefined
    if (entry?.connection) return 'alive'
    if (!entry?.dialling) return 'ok'
    return compare(this.#options.self, entry.node) > 0 ? 'nok' : 'ok_simultaneous'
  }

  /** A handshake with a peer that dialled is done. */
  accepted(connection: Connection): void {
    const { name } = connection.peer
    if (this.#closed) return connection.close('disconnect')
    this.#up(this.#entries.get(name) ?? this.#enter(name), connection)
  }

  /** Closes every connection; resolves when all of them are cleared away. */
  async close(): Promise<void> {
    this.#closed = true
    const empty = new Promise<void>(resolve => (this.#emptied = resolve))
    for (const entry of this.#entries.values()) {
      if (entry.connection) entry.connection.close('disconnect')
      else this.#fail(entry, new PeerError('NODE_CLOSED', `This node was closed while it connected to ${entry.node.name}.`))
    }
    if (this.#entries.size > 0) await empty
  }

  #enter(node: Atom): Entry {
    const entry: Entry = {
      node,
      connection: null,
      next: null,
      clearing: false,
      dialling: null,
      outbox: new Outbox(),
      waiting: [],
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
    this.#options.dial(entry.node, abort.signal).then(
      connection => {
        if (entry.dialling !== abort) return connection.close('disconnect')
        this.#up(entry, connection)
      },
      (error: unknown) => {
        if (entry.dialling === abort) this.#notDialled(entry, error as NodeError)
      },
    )
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
    const { events } = this.#options
    const { node, outbox, waiting } = entry
    const hidden = !connection.peer.visible
    entry.connection = connection
    entry.outbox = new Outbox()
    entry.waiting = []
    for (const signal of outbox) connection.send(signal)
    events.emit('nodeup', node.name, { hidden })
    connection.attach({
      signal: signal => this.#options.deliver(signal, connection),
      closed: (_, down) => this.#down(entry, connection, down, hidden),
      busy: () => void events.emit('busy', node.name),
      drain: () => {
        this.#drain(entry)
        events.emit('drain', node.name)
      },
    })
    for (const settle of waiting) settle(null)
  }

  #down(entry: Entry, connection: Connection, { reason, error }: ConnectionDown, hidden: boolean): void {
    const { events, lost } = this.#options
    const { node } = entry
    entry.connection = null
    entry.clearing = true
    this.#drain(entry)
    // A socket that breaks and a peer that reads too slowly break no rule.
    if (error && !(error instanceof NetError)) {
      events.emit('protocol', node.name, { code: error.code, error, remoteAddress: connection.remoteAddress })
    }
    lost(node, () => {
      entry.clearing = false
      events.emit('nodedown', node.name, { reason, hidden, error })
      const { next } = entry
      entry.next = null
      if (next) this.#up(entry, next)
      else this.#leave(entry)
    })
  }

  /** There will be no connection for what waits for one. */
  #fail(entry: Entry, error: NodeError): void {
    this.#endDialling(entry)
    const { waiting } = entry
    entry.waiting = []
    entry.outbox = new Outbox()
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

  #drain(entry: Entry): void {
    const { draining } = entry
    entry.draining = []
    for (const resolve of draining) resolve()
  }
}
