/**
 * The way out of a place that is not main, as seen from inside: main, which passes signals on and is asked for what it alone knows. What changes
 * on the node (names, connections, loaded modules) is told by main in the order in which signals come, so it is known here when it matters.
 */
import type { Signal, StartSignal } from '../../dist/signal.js'
import { EtfError } from '../../etf/index.js'
import type { Connection } from '../../net/connection.js'
import { NetError } from '../../net/errors.js'
import {
  type LocalProcess,
  type LogSink,
  type NameChanges,
  type Names,
  PidSource,
  type ProcessesOptions,
  reason as reasons,
  tokenOf,
} from '../../process/index.js'
import { Atom, atom, equals, NodeError, type Pid, type Sendable, type Term, text, type Tuple } from '../../term/index.js'
import { checkAllowed } from '../allowed.js'
import { checkSet } from '../cookies.js'
import type { Kernel } from '../kernel.js'
import type { NodeDown } from '../events.js'
import type { Nodes, NodesKind, Places } from '../outside.js'
import { Backlog } from './backlog.js'
import { Busy } from './busy.js'
import { PlaceChannel } from './channel.js'
import { backlogMax, type PlaceConfig } from './config.js'
import { bearWitness } from './witness.js'

export class Uplink {
  readonly config: PlaceConfig
  readonly #channel: PlaceChannel
  readonly #kernel: Kernel<any>
  /** Of nodes whose last connection is not yet known here to be lost, the next one: is it hidden? */
  readonly #next = new Map<string, boolean>()
  readonly #connected = new Map<string, { readonly hidden: boolean }>()
  readonly #pids: PidSource
  readonly #busy: Busy
  readonly #backlog: Backlog<LocalProcess>
  /** How many it has placed in the pool */
  #turn = 0
  /** Of an isolated place: the process for which it was made */
  root: Pid | null = null
  #ended = (): void => {}
  /** Resolves when main has closed the place, or is gone. */
  readonly over: Promise<void>

  constructor(kernel: Kernel<any>, connection: Connection, config: PlaceConfig) {
    this.#kernel = kernel
    this.config = config
    this.#pids = new PidSource({ node: atom(config.node) as Atom, creation: config.creation }, config.place, 'outside')
    this.over = new Promise(resolve => (this.#ended = resolve))
    this.#channel = new PlaceChannel(connection, {
      signal: signal => this.#onSignal(signal),
      told: (what, args) => this.#told(what, args),
      asked: (what, args) => this.#asked(what, args),
      busy: is => {
        if (!is) this.#backlog.drained()
      },
      closed: ({ error }) => {
        // The last words of a place that floods main: main knows the code.
        if (error) console.error(error.message)
        this.#ended()
      },
    })
    const limit = config.sendBufferLimit ?? 2 ** 20
    this.#busy = new Busy(this.#channel, limit)
    this.#backlog = new Backlog({
      limit,
      max: backlogMax(config),
      find: pid => this.#kernel.processes.table.find(pid),
      overflow: process => this.#overflow(process),
    })
  }

  open(): void {
    this.#channel.open()
    this.#channel.tell('ready')
    const { pulse, witness } = this.config
    if (pulse > 0) setInterval(() => this.#channel.tell('pulse'), pulse).unref()
    if (witness) bearWitness(this.#kernel.processes)
  }

  /** It cannot be used: main is told why. */
  failed(error: unknown): void {
    const { code, says } = error instanceof NodeError ? error : new NodeError('ERR_PLACE_SETUP', String(error))
    this.#channel.tell('failed', code, says)
    this.#channel.close()
  }

  /** Something was thrown where no process is to blame: that ends the place. */
  stray(thrown: unknown): void {
    this.#channel.tell('stray', reasons.reasonOf(thrown))
    this.#channel.close()
  }

  /** It counts for what is asked of main afterwards. @throws as Cookies.set */
  setCookie(name: string, cookie: string): void {
    const { full, value } = checkSet(name, cookie)
    this.#channel.tell('setCookie', full, value)
  }

  /** @throws as Allowed.add */
  allow(entries: readonly string[]): void {
    checkAllowed(entries)
    this.#channel.tell('allow', entries)
  }

  crashed(pid: Pid, reason: Term, error: unknown): void {
    const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined }
    this.#channel.tell('crash', pid, reason, message.toWellFormed(), (stack ?? '').toWellFormed())
  }

  /** Whether somebody listens on main is not known here. */
  readonly logger: LogSink = {
    wanted: () => true,
    tell: ({ level, report, meta, format = [] }) => this.#channel.tell('logger', level, report, meta, ...format),
  }

  readonly nodes: Nodes = {
    send: (node, signal) => this.#send(signal) && this.#busy.mayGoOn() && !this.#busy.has(node),
    reach: node => this.#channel.tell('reach', node),
    connect: async node => void (await this.#channel.ask('connect', node)),
    disconnect: node => {
      if (this.#connected.has(node.name)) void this.#channel.ask('disconnect', node).catch(() => {})
      return this.#connected.has(node.name)
    },
    names: kind => [...this.#connected].flatMap(([name, { hidden }]) => (isOf(kind, hidden) ? [name] : [])),
    drained: node => this.#busy.drained(node),
    busy: () => [],
    // Main's tables are main's to tell.
    connecting: () => ({}),
    connections: () => ({}),
    close: async () => this.#channel.close(),
  }

  readonly places: Places = {
    send: (place, signal) => this.#send(signal) && this.#busy.mayGoOn() && !this.#busy.hasPlace(place, signal),
    drained: pid => this.#busy.drained(pid),
    isHere: on => on === this.config.kind && on === 'pool',
    stays: on => on === 'pool' && this.config.kind === 'pool' && this.#turn++ % this.config.pool === 0,
    spawn: (on, spawn) => {
      const to = this.#pids.next()
      try {
        this.#channel.send({ op: 'start', to, on: atom(on) as Atom, ...spawn })
      } catch (error) {
        this.#pids.ended(to)
        throw error
      }
      return to
    },
    isAlive: async pid => (await this.#channel.ask('alive', pid)) === true,
    close: async () => {},
  }

  readonly names: Names = {
    claim: async (name, pid) => void (await this.#channel.ask('claim', name, pid)),
    unregister: async name => void (await this.#channel.ask('unregister', name)),
  }

  readonly hooks: Pick<ProcessesOptions, 'ended' | 'trapping' | 'named'> = {
    ended: pid => this.#onEnded(pid),
    trapping: (pid, on) => {
      if (this.config.kind === 'isolated') this.#channel.tell('trapping', pid, on)
    },
    named: { freed: (name, pid) => this.#channel.tell('freed', name, pid) } satisfies NameChanges,
  }

  #send(signal: Signal): boolean {
    const before = this.#channel.acceptedBytes
    const free = this.#channel.send(signal)
    if (!free) this.#backlog.grew(signal, this.#channel.acceptedBytes - before, this.#channel.bufferedBytes)
    return free
  }

  /** It has not minded what `send` returned: see Backlog. */
  #overflow(process: LocalProcess): void {
    const { processes } = this.#kernel
    if (process === processes.init) return
    const what = `sent so much that more than ${backlogMax(this.config)} bytes waited for main`
    const error = new NetError('NET_SEND_BUFFER', `It ${what}: mind what send returns, or raise sendBufferMax.`)
    const why = atom('send_buffer_overflow')
    processes.exit(process, why)
    this.crashed(process.pid, why, error)
  }

  #onEnded(pid: Pid): void {
    // After all that it has said: main answers for it from then on.
    this.#channel.tellLast('ended', pid)
    if (this.root && equals(this.root, pid)) void this.#kernel.close()
  }

  #onSignal(signal: Signal): void {
    try {
      if (signal.op === 'start') this.#start(signal)
      // Main knows that it is for here. One that has ended meanwhile is answered for here, too.
      else this.#kernel.processes.deliver(signal)
    } catch (error) {
      if (!(error instanceof EtfError)) throw error
      const from = 'from' in signal ? signal.from : null
      if (from) this.#channel.tell('fault', from.node, error.code, error.says)
    }
  }

  #told(what: string, args: readonly any[]): void {
    const { processes, events, code } = this.#kernel
    switch (what) {
      case 'hello': {
        const [names, connected, leader, busy] = args as [Tuple<[Atom, Pid]>[], Tuple<[Atom, boolean]>[], Pid, (Atom | number)[]]
        for (const whom of busy) this.#busy.told(whom, true)
        for (const { elements } of names) processes.registry.told(...elements)
        for (const { elements } of connected) this.#connected.set(elements[0].name, { hidden: elements[1] })
        processes.init.groupLeader = leader
        return
      }
      case 'returned':
        return this.#pids.ended(args[0])
      case 'given':
        return processes.registry.told(args[0], args[1])
      case 'freed':
        return processes.registry.told(args[0], null)
      case 'nodeup':
        return this.#onNodeUp((args[0] as Atom).name, args[1] as boolean)
      case 'nodedown':
        return this.#onNodeDown((args[0] as Atom).name, { reason: text(args[1]), hidden: args[2] as boolean })
      case 'busy':
      case 'drain':
        this.#busy.told(args[0], what === 'busy')
        return void (args[0] instanceof Atom && events.emit(what, args[0].name))
      case 'lost':
        return processes.lost(args[0], () => {})
      case 'unload':
        return void code.inTurn(() => code.delete(text(args[0])))
      case 'close':
        return void this.#kernel.close()
      default:
        this.#kernel.notices.get(what)?.(...args)
    }
  }

  /** What came over the last connection may still be on its way here, and so is its end. */
  #onNodeUp(name: string, hidden: boolean): void {
    if (this.#connected.has(name)) return void this.#next.set(name, hidden)
    this.#connected.set(name, { hidden })
    this.#kernel.events.emit('nodeup', name, { hidden })
  }

  /** It is told after the links and monitors that break with the connection. */
  #onNodeDown(name: string, info: NodeDown): void {
    const { events, processes } = this.#kernel
    this.#connected.delete(name)
    const next = this.#next.get(name)
    this.#next.delete(name)
    const tell = (): void => {
      events.emit('nodedown', name, info)
      if (next !== undefined) this.#onNodeUp(name, next)
    }
    processes.later(once(tell))
  }

  async #asked(what: string, args: readonly any[]): Promise<Sendable> {
    const { processes, code, inquiries } = this.#kernel
    if (what === 'alive') return processes.table.find(args[0]) !== undefined
    if (what === 'codeUsers') return code.usersHere(args[0], args[1] === atom('old') ? 'old' : 'current')
    if (what === 'load') await code.inTurn(() => code.load(text(args[0]), text(args[1])))
    else if (what === 'restore') await code.inTurn(() => code.restoreHere(atom(text(args[0])) as Atom, text(args[1])))
    else if (what === 'purge') await code.inTurn(() => code.purgeHere(args[0]))
    else return inquiries.get(what)?.(...args) ?? atom('ok')
    return atom('ok')
  }

  #start({ to, module, fun, args, name, groupLeader, parent, linked, watcher, watch, token }: StartSignal): void {
    if (this.config.kind === 'isolated') this.root ??= to
    const { processes, spawner } = this.#kernel
    const { local } = spawner.here(module, fun, args.read() as Term[], { pid: to, groupLeader, parent, token: tokenOf(token) })
    if (linked) processes.links.linked(local, linked)
    if (watcher && watch) processes.monitors.watched(local, watcher, watch, to)
    if (name) processes.registry.told(name, to)
  }
}

function* once(work: () => void): Generator<void, void, undefined> {
  work()
  yield
}

const isOf = (kind: NodesKind, hidden: boolean): boolean => kind === 'connected' || hidden === (kind === 'hidden')
