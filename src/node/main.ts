/** What only main has: connections to other nodes, the other places of this one, and an eye on who holds its thread. A place has its Uplink instead. */
import type { Socket } from 'node:net'
import type { Signal } from '../dist/signal.js'
import { EtfError } from '../etf/index.js'
import type { Connection } from '../net/connection.js'
import type { Attempt } from '../net/listener.js'
import { TracePort } from '../net/trace-port.js'
import type { Clock } from '../process/index.js'
import { type Atom, atom, NodeError, type Pid } from '../term/index.js'
import type { Kernel } from './kernel.js'
import { LongTurns } from './long-turns.js'
import { dialNode, localEnd, netSetupTime, type Parts } from './parts.js'
import { Peers } from './peers.js'
import { placeNode, schedulerDefaults } from './places/defaults.js'
import { Schedulers } from './places/schedulers.js'

/** Attempts that ended as they should: in favour of another connection, or because this node closes. */
const settled = new Set(['DIST_NOK', 'DIST_ALIVE', 'NET_ABORTED'])

export class Main {
  readonly peers: Peers
  readonly schedulers: Schedulers
  readonly #kernel: Kernel<any>
  readonly #parts: Parts
  readonly #longTurns: LongTurns | null

  /** @param entry the program of the other places */
  constructor(kernel: Kernel<any>, parts: Parts, clock: Clock, entry: URL) {
    const { options } = parts
    const { code, events, processes, route, spawner } = kernel
    this.#kernel = kernel
    this.#parts = parts
    this.peers = new Peers({
      sendBufferLimit: options.sendBufferLimit ?? 2 ** 20,
      sendBufferMax: options.sendBufferMax ?? 512 * 2 ** 20,
      limits: options.limits,
      self: processes.table.node,
      clock,
      setupTime: options.netSetupTime ?? netSetupTime,
      events,
      autoConnect: options.distAutoConnect ?? true,
      allowed: parts.allowed,
      dial: (node, signal) => dialNode(parts, node, signal, localEnd(parts)),
      deliver: (signal, connection) => this.#deliver(signal, connection),
      lost: (node, done) => {
        this.schedulers.nodeLost(node)
        processes.lost(node, done)
      },
      tellError: error => kernel.tellError(error),
    })
    const longSchedule = options.longSchedule ?? 500
    this.#longTurns = longSchedule > 0 ? new LongTurns(longSchedule, (pid, ms) => this.#onLongTurn(pid, ms)) : null
    processes.scheduler.watch = this.#longTurns?.began ?? null
    this.schedulers = new Schedulers({
      schedulers: schedulerDefaults(options.schedulers),
      longSchedule,
      entry,
      processes,
      code,
      spawner,
      nodes: this.peers,
      clock,
      node: placeNode(parts),
      access: kernel,
      greetings: kernel.greetings,
      route,
      emit: (event, ...args) => events.emit(event, ...args),
      tellError: error => kernel.tellError(error),
      fault: (node, error) => this.peers.fault(node, error),
    })
    events.on('busy', name => this.schedulers.tell('busy', atom(name)))
    events.on('drain', name => this.schedulers.tell('drain', atom(name)))
    events.on('nodeup', (name, { hidden }) => this.schedulers.tell('nodeup', atom(name), hidden))
    events.on('nodedown', (name, { hidden, reason }) => this.schedulers.tellLast('nodedown', atom(name), reason, hidden))
  }

  /** Starts the pool, when it was asked for. @throws PlaceError with why a scheduler did not start. */
  async start(): Promise<void> {
    if (this.#parts.options.schedulers) await this.schedulers.start()
  }

  /**
   * A port from which the machines of connected nodes, and this one, read what is traced.
   *
   * @param queue events that may wait for who reads
   * @throws NetError NET_LISTEN; NodeError ERR_TRACE_PLAIN where connections are encrypted, for this would not be.
   */
  openTracePort(port: number, queue: number): Promise<TracePort> {
    if (this.#parts.tls)
      throw new NodeError('ERR_TRACE_PLAIN', 'A trace port is no TLS, and the connections of this node are: trace to a process.')
    const welcome = ({ remoteAddress, localAddress }: Pick<Socket, 'remoteAddress' | 'localAddress'>): boolean => {
      const hosts = this.peers.live().map(connection => hostOf(connection.remoteAddress).replace(/:\d+$/, ''))
      const host = hostOf(remoteAddress ?? '')
      return remoteAddress === localAddress || isLoopback(host) || hosts.includes(host)
    }
    return TracePort.open({ port, queue, welcome })
  }

  /** For the listener: a peer has told its name. */
  readonly incoming = {
    self: () => localEnd(this.#parts),
    status: (attempt: Attempt) => this.peers.status(attempt),
    connection: (connection: Connection): void => this.peers.accepted(connection),
    failed: (error: NodeError, { peer, remoteAddress, silent }: Attempt): void => {
      if (settled.has(error.code)) return
      // Who comes and goes without a word probes the port, or is a BEAM that found out in time that the other attempt goes on.
      if (error.code === 'DIST_CLOSED' && (silent || this.peers.knows(peer))) return
      this.#kernel.events.emit('protocol', peer, { code: error.code, error, remoteAddress })
    },
  }

  /** Nobody comes in any more. */
  async closeDoor(): Promise<void> {
    this.#longTurns?.close()
    await this.#parts.listener?.close()
  }

  #deliver(signal: Signal, connection: Connection): void {
    const { to } = signal
    const node: Atom = 'node' in to ? to.node : to
    // A peer that sends to a third node's process does what no node does; nobody here is harmed.
    if (node !== this.#kernel.processes.table.node) return
    try {
      this.#kernel.route(signal)
    } catch (error) {
      // Payloads are decoded where their receiver lives, so only here does a broken one show.
      if (!(error instanceof EtfError)) throw error
      connection.fault(error)
    }
  }

  #onLongTurn(pid: Pid | null, timeout: number): void {
    const { events, processes } = this.#kernel
    const name = pid ? processes.registry.nameOf(pid)?.name : undefined
    events.emit('long_schedule', pid, { timeout, running: false, on: 'main', place: 0, name })
  }
}

/** An address, an IPv4 one as such */
const hostOf = (address: string): string => address.replace(/^::ffff:/, '')

const isLoopback = (host: string): boolean => host === '::1' || host.startsWith('127.')
