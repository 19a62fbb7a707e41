/**
 * One node that this one is connected to, or about to be.
 *
 *   absent ── a send, link, monitor … to it, or `connect` ──→ dialling ─┐
 *   absent ── it dials us ──→ incoming ─────────────────────────────────┴→ up ── closed ──→ clearing ──→ absent
 *
 * What is sent before there is a connection waits in the outbox. While what came over a lost connection is cleared away, the next one waits.
 */
import { notsup } from '../dist/instead.js'
import type { Signal } from '../dist/signal.js'
import { EtfError, type Limits } from '../etf/index.js'
import type { Connection, ConnectionDown } from '../net/connection.js'
import { NetError } from '../net/errors.js'
import type { Clock } from '../process/index.js'
import { routeReason } from '../process/shared-payload.js'
import { type Atom, NodeError } from '../term/index.js'
import type { Events } from './events.js'
import { Outbox } from './outbox.js'

/** Codes: NODE_OVERFLOW, NODE_CLOSED, NODE_DISCONNECTED, NODE_NOT_ALLOWED, NODE_NAME_LOST. */
export class PeerError extends NodeError {}

export interface PeerOptions {
  readonly clock: Clock
  readonly events: Events
  readonly sendBufferLimit: number
  readonly sendBufferMax: number
  /** Of terms that are sent */
  readonly limits: Partial<Limits> | undefined
  /** Milliseconds to wait for a peer that refused our attempt in favour of its own */
  readonly setupTime: number
  deliver(signal: Signal, connection: Connection): void
  /** Every link and monitor over the connection to that node ends, then `done` is called. */
  lost(node: Atom, done: () => void): void
  /** Something went wrong without a caller: what was accepted is lost and no connection was there to end with it, or this node has lost its name. */
  tellError(error: NodeError): void
}

/** The table that the peer stands in. */
export interface PeerTable {
  dial(node: Atom, signal: AbortSignal): Promise<Connection>
  /** May there be a next connection? Not when the node is closing. */
  readonly isOpen: boolean
  up(peer: Peer): void
  /** Its connection is lost, and what came over it is being cleared away. */
  down(peer: Peer): void
  /** Nothing is left of that connection, and `nodedown` has been told. */
  cleared(connection: Connection): void
  /** Nothing happens with it any more. */
  idle(peer: Peer): void
}

export class Peer {
  readonly node: Atom
  readonly #options: PeerOptions
  readonly #table: PeerTable
  #connection: Connection | null = null
  /** A connection that waits until all that came over the one before is cleared away */
  #next: Connection | null = null
  #clearing = false
  #dialling: AbortController | null = null
  #outbox: Outbox
  #waiting: ((error: NodeError | null) => void)[] = []
  /** `busy` was told, `drain` was not yet: more waits than `sendBufferLimit`, for the connection or in it. */
  #busy = false
  #draining: (() => void)[] = []
  #stopWaiting = (): void => {}

  constructor(node: Atom, options: PeerOptions, table: PeerTable) {
    this.node = node
    this.#options = options
    this.#table = table
    this.#outbox = new Outbox(options.limits)
  }

  /** While it is up */
  get connection(): Connection | null {
    return this.#connection
  }

  get isDialled(): boolean {
    return this.#dialling !== null
  }

  /** Is a connection being made, or does one wait for its turn? */
  get isComing(): boolean {
    return this.#dialling !== null || this.#next !== null
  }

  get isIdle(): boolean {
    return !(this.#connection || this.#clearing || this.isComing)
  }

  /** Bytes that wait for a connection */
  get held(): number {
    return this.#outbox.bytes
  }

  /** Keeps a signal until there is a connection, within the bounds that hold on one. */
  keep(signal: Signal): boolean {
    const { sendBufferLimit, sendBufferMax, tellError } = this.#options
    this.#outbox.push(signal)
    if (this.#outbox.bytes <= sendBufferLimit) return true
    if (this.#outbox.bytes <= sendBufferMax) this.#becomeBusy()
    else {
      const waiting = `more than ${sendBufferMax} bytes waited for it, and are lost`
      const why = `The connection to ${this.node.name} was given up before it was up: ${waiting}.`
      const error = new PeerError('NODE_OVERFLOW', why, { remedy: 'Mind what send returns, or raise sendBufferMax.' })
      tellError(error)
      this.fail(error)
    }
    return false
  }

  /** Resolves when the connection is up. @throws NodeError that says why it is not. */
  async whenUp(): Promise<void> {
    if (this.#connection) return
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push(error => (error ? reject(error) : resolve()))
      this.dial()
    })
  }

  /** `busy` was told, and `drain` was not yet. */
  get isBusy(): boolean {
    return this.#busy
  }

  /** Resolves when nothing is held back any more, or the connection, or the attempt at one, is gone. */
  async drained(): Promise<void> {
    if (this.#busy) await new Promise<void>(resolve => this.#draining.push(resolve))
  }

  /** Dials, unless a connection is coming. */
  dial(): void {
    if (this.isComing) return
    const abort = new AbortController()
    this.#dialling = abort
    this.#table.dial(this.node, abort.signal).then(
      connection => {
        if (this.#dialling !== abort) return connection.close('disconnect')
        this.take(connection)
      },
      (error: unknown) => {
        if (this.#dialling === abort) this.#notDialled(error as NodeError)
      },
    )
  }

  #notDialled(error: NodeError): void {
    if (error.code !== 'DIST_NOK') return this.fail(error)
    // The peer keeps its own attempt: it is here, or on its way.
    this.#stopWaiting = this.#options.clock.after(this.#options.setupTime, () => this.fail(error))
  }

  /** A handshake is done, whoever dialled. */
  take(connection: Connection): void {
    this.#endDialling()
    if (this.#connection || this.#clearing) {
      this.#next?.close('disconnect')
      this.#next = connection
      this.#connection?.close('disconnect')
      return
    }
    this.#table.up(this)
    this.#connection = connection
    const kept = this.#outbox
    const waiting = this.#waiting
    this.#outbox = new Outbox(this.#options.limits)
    this.#waiting = []
    for (const signal of kept) this.#sendKept(connection, signal)
    this.#announce(connection)
    for (const settle of waiting) settle(null)
  }

  /** The connection over which this node got its name is up at once; `nodeup` is told a turn later, when somebody can listen. */
  begin(connection: Connection): void {
    this.#connection = connection
    setImmediate(() => this.#announce(connection))
  }

  #announce(connection: Connection): void {
    const hidden = !connection.peer.visible
    this.#options.events.emit('nodeup', this.node.name, { hidden })
    connection.attach({
      signal: signal => this.#options.deliver(signal, connection),
      closed: (_, down) => this.#down(connection, down, hidden),
      busy: () => this.#becomeBusy(),
      drain: () => this.#drain(),
    })
    if (connection.isBusy) this.#becomeBusy()
    else this.#drain()
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

  #down(connection: Connection, { reason, error }: ConnectionDown, hidden: boolean): void {
    const { events, lost } = this.#options
    const { name } = this.node
    this.#connection = null
    this.#clearing = true
    this.#table.down(this)
    this.#drain()
    // A socket that breaks and a peer that reads too slowly break no rule.
    if (error && !(error instanceof NetError)) {
      events.emit('protocol', name, { code: error.code, error, remoteAddress: connection.remoteAddress })
    }
    lost(this.node, () => {
      this.#clearing = false
      events.emit('nodedown', name, { reason, hidden, error })
      this.#table.cleared(connection)
      const next = this.#next
      this.#next = null
      if (next && this.#table.isOpen) return this.take(next)
      next?.close('disconnect')
      this.#leave()
    })
  }

  /** Ends the connection, or the attempt at one. */
  end(reason: string, error: NodeError): void {
    if (this.#connection) this.#connection.close(reason)
    else this.fail(error)
  }

  /** There will be no connection for what waits for one. */
  fail(error: NodeError): void {
    this.#endDialling()
    const waiting = this.#waiting
    this.#waiting = []
    this.#outbox = new Outbox(this.#options.limits)
    this.#drain()
    for (const settle of waiting) settle(error)
    this.#options.lost(this.node, () => this.#leave())
  }

  #endDialling(): void {
    this.#stopWaiting()
    const dialling = this.#dialling
    this.#dialling = null
    dialling?.abort()
  }

  #leave(): void {
    if (this.isIdle) this.#table.idle(this)
  }

  #becomeBusy(): void {
    if (this.#busy) return
    this.#busy = true
    this.#options.events.emit('busy', this.node.name)
  }

  /** Whoever waits may go on, if only to find out that the connection is gone. */
  #drain(): void {
    if (!this.#busy) return
    const draining = this.#draining
    this.#busy = false
    this.#draining = []
    for (const resolve of draining) resolve()
    this.#options.events.emit('drain', this.node.name)
  }
}
