/** Another place of this node, as main sees it: an OS process, the channel to it, and what must be told when it is lost. */
import { type Payload, type Signal, type StartSignal, TermPayload } from '../../dist/signal.js'
import { type Clock, PidSource, type PlaceId, placeOf, type Processes, reason as reasons } from '../../process/index.js'
import { type Atom, atom, equals, Pid, type Term, tuple } from '../../term/index.js'
import { NetError } from '../../net/errors.js'
import type { PlacedSpawn } from '../outside.js'
import { type Desk, PlaceChannel, PlaceError } from './channel.js'
import { type PlaceConfig, placeConnection } from './config.js'
import { Inquiry } from './inquiry.js'
import { Ledger } from './ledger.js'
import { OsProcess, type OsProcessOptions } from './os-process.js'
import { Pulse, type PulseLimits } from './pulse.js'
import { Witness } from './witness.js'

/** A process that was started there from elsewhere */
export interface Resident {
  readonly pid: Pid
  /** `$gen_server`: a behaviour */
  readonly module: Atom
  readonly fun: Atom
  /** Null: its arguments came as bytes, which are read where it runs. */
  readonly arity: number | null
  /** In which version of its module it began; 0: of none that is loaded */
  readonly version: number
  readonly groupLeader: Pid
}

export interface PlaceOptions extends OsProcessOptions {
  readonly config: PlaceConfig
  readonly processes: Processes
  readonly clock: Clock
  readonly limits: PulseLimits
  /** What comes from there. `closed` is not asked for: see `lost`. */
  readonly desk: (place: Place) => Omit<Desk, 'closed'>
  /** The number of a module's current version, 0 when there is none */
  readonly versionOf: (module: Atom) => number
  /** It has not come round for so many milliseconds. */
  readonly silent: (place: Place, ms: number) => void
  /** Much waits for it, or not any more. */
  readonly busy: (place: Place, is: boolean) => void
  /** It is gone, and all that it said has been heard. */
  readonly lost: (place: Place, why: Term) => void
}

/** Milliseconds for a witness to say who runs */
const patience = 5000
/** Milliseconds for a place to start */
const startTime = 60_000
/** Milliseconds that a place has to end when it is closed */
const closing = 2000

export class Place {
  readonly id: PlaceId
  readonly kind: 'pool' | 'isolated'
  readonly ledger = new Ledger()
  readonly channel: PlaceChannel
  readonly os: OsProcess
  readonly inquiry: Inquiry
  /** The processes that were started there by others and live */
  readonly residents = new Map<string | number, Resident>()
  /** Resolves when it runs; rejects with why it does not. */
  readonly ready: Promise<void>
  /** The process for which it was made, when it is isolated */
  root: Pid | null = null
  /** Its root process has ended, so it ends, too, when it has told everybody. */
  finished = false
  /** It waits for a process: see Spare. */
  spare = false
  /** Does the root process take exit signals as messages? */
  trapExit = false
  /** Why it ends, when it has said so itself */
  why: Term | undefined
  readonly #pids: PidSource
  readonly #witness: Witness | null
  readonly #options: PlaceOptions
  #pulse: Pulse | null = null
  /** Calls off what happens when it does not start in time */
  #late: () => void
  #started!: () => void
  #failed!: (error: Error) => void

  constructor(options: PlaceOptions) {
    const { config, processes, clock, desk, lost, limits: _, silent: __, busy: ___, versionOf: ____, ...os } = options
    this.#options = options
    this.id = config.place
    this.kind = config.kind
    this.#pids = new PidSource(processes.table, config.place, 'inside')
    this.ready = new Promise((resolve, reject) => {
      this.#started = resolve
      this.#failed = reject
    })
    // Whoever waits for it is told; when nobody does, `lost` says it all.
    this.ready.catch(() => {})
    this.os = new OsProcess({ ...os, clock, witness: config.witness, argument: JSON.stringify(config) })
    this.#witness = this.os.witness && new Witness(this.os.witness)
    const { signal, told, asked } = desk(this)
    this.channel = new PlaceChannel(placeConnection(this.os.socket, config, clock, 'main'), {
      signal: arrived => {
        this.#pulse?.heard()
        signal(arrived)
      },
      told: (what, args) => {
        this.#pulse?.heard()
        told(what, args)
      },
      asked,
      closed: ({ error }) => {
        // It may go on for ever without us, so it is ended. A socket that broke tells no more than the end of the process does.
        if (error?.code === 'NET_SEND_BUFFER') this.kill(atom('send_buffer_overflow'))
        else if (error && !(error instanceof NetError)) this.kill(tuple(atom('bad_signal'), atom(error.code)))
      },
      busy: is => options.busy(this, is),
    })
    this.channel.open()
    this.inquiry = new Inquiry(this.channel, clock)
    this.#late = clock.after(startTime, () => {
      const remedy = 'a module that it imports waits or computes at its top level'
      this.failed(new PlaceError('ERR_PLACE_START', `A place has not started within ${startTime / 1000} s: ${remedy}.`))
      this.kill(tuple(atom('not_started'), atom('timeout')))
    })
    void this.os.ended.then(why => {
      this.#pulse?.stop()
      this.#late()
      lost(this, this.why ?? why)
    })
  }

  /** How many live there, as far as others have started them */
  get load(): number {
    return this.residents.size
  }

  /** Has it started? */
  get runs(): boolean {
    return this.#pulse !== null
  }

  /** In which version of that module its root process began; Infinity: in none */
  beganIn(module: Term): number {
    const resident = this.root && this.residents.get(this.#options.processes.table.keyOf(this.root))
    return resident?.module === module ? resident.version : Infinity
  }

  /** Does that process take exit signals as messages, as far as is known here? */
  traps(pid: Pid): boolean {
    return this.trapExit && this.root !== null && equals(this.root, pid)
  }

  started(): void {
    const { clock, limits, silent, config } = this.#options
    this.#late()
    this.#started()
    this.#pulse = new Pulse({
      clock,
      longSchedule: limits.longSchedule,
      // An isolated process harms nobody: whoever needs it no more ends it.
      maxBusy: config.kind === 'pool' ? limits.maxBusy : 0,
      silent: ms => silent(this, ms),
      givenUp: () => this.kill(reasons.killed),
    })
  }

  /** Whose turn it is there, though the place itself is silent; null when nobody's is. */
  async running(): Promise<Pid | null> {
    const { clock, processes } = this.#options
    if (this.root || !this.#witness) return this.root
    const whom = await this.#witness.ask(clock, patience)
    const { node, creation } = processes.table
    return whom && new Pid(node, whom.id, whom.serial, creation)
  }

  failed(error: Error): void {
    this.#failed(error)
  }

  /** Starts a process there, and gives its pid at once. @throws ProcessError ERR_SYSTEM_LIMIT; EtfError when an argument cannot be sent. */
  spawn(spawn: PlacedSpawn): Pid {
    const to = this.#pids.next()
    try {
      this.start({ op: 'start', to, on: atom(this.kind) as Atom, ...spawn })
    } catch (error) {
      this.#pids.ended(to)
      throw error
    }
    return to
  }

  /** Starts a process there whose pid is known. @throws EtfError when an argument cannot be sent. */
  start(signal: StartSignal): void {
    this.channel.send(signal)
    this.ledger.comesIn(signal)
    const { to: pid, module, fun, args, groupLeader } = signal
    const arity = args instanceof TermPayload && Array.isArray(args.term) ? args.term.length : null
    const version = this.#options.versionOf(module)
    this.residents.set(this.#options.processes.table.keyOf(pid), { pid, module, fun, arity, version, groupLeader })
    if (this.kind === 'isolated') this.root = signal.to
  }

  /** A process that was started there from elsewhere has ended. False: its pid was given out elsewhere than in main. */
  ended(pid: Pid): boolean {
    this.residents.delete(this.#options.processes.table.keyOf(pid))
    const ours = placeOf(pid) === this.id.number
    if (ours) this.#pids.ended(pid)
    return ours
  }

  /** False when the way is busy. @throws EtfError when a payload cannot be sent. */
  send(signal: Signal): boolean {
    this.ledger.comesIn(signal)
    return this.channel.send(signal)
  }

  /** What its processes would have told others as they ended. */
  lastSignals(reason: Payload): Generator<Signal, void, undefined> {
    return this.ledger.lost(reason)
  }

  /** It is not needed any more, and has a while to end by itself. */
  close(): void {
    this.channel.tell('close')
    const cancel = this.#options.clock.after(closing, () => this.kill(atom('shutdown')))
    void this.os.ended.then(cancel)
  }

  /** Ends it at once, whatever it does. */
  kill(why: Term): void {
    this.why ??= why
    this.os.kill(why)
  }
}
