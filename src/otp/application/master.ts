/**
 * The application master: the group leader of an application's processes, and how they end. What they print goes on to its own group leader.
 *
 *   controller ─ master ─ root ─ the application's supervisor      links; the root runs the application's own callbacks
 *
 *   {get_child, Tag, From} → master                 {Tag, {Pid, Module}} | {Tag, error}
 *   {stop, Tag, From} → master                      {Tag, ok}, when all have ended
 *   {io_request, …} → master                        as it is to its group leader
 *   root → master                                   {Ref, started, Pid} | {Ref, failed, Reason}
 *   master → root                                   {Master, terminate}
 *
 * Source: application_master.erl (init, start_it, loop_it, terminate).
 */
import { ExitError, type Process, reason } from '../../process/index.js'
import { atom, equals, Pid, type Reference, type Term, Tuple, tuple } from '../../term/index.js'
import { beginApplication, endApplication, prepareStop, shutDown } from './root.js'
import type { ApplicationCode } from './types.js'
import type { LoadedApplications } from './loaded-applications.js'
import { exitCause, isUsual } from '../gen/cause.js'
import type { ProcessGroups } from '../process-info/groups.js'
import { crashReport } from '../logger/report.js'
import type { Starting } from '../gen/start.js'

export interface MasterOptions {
  readonly node: Starting
  /** Who starts it, and is told of its end by an exit signal */
  readonly controller: Process
  readonly code: ApplicationCode
  readonly loaded: LoadedApplications
  readonly groups: ProcessGroups
  spawned(master: Pid): void
  /** It is started; told at once. */
  started(master: Pid): void
}

const exit = atom('EXIT')
const terminate = atom('terminate')
const [started, failed] = [atom('started'), atom('failed')]

/** Starts an application. Resolves to null, or to why it has not started. */
export function startMaster(options: MasterOptions): Promise<Term | null> {
  const { node, controller } = options
  return new Promise(resolve => {
    const origin = { link: controller.local, groupLeader: controller.groupLeader }
    const { pid, signal } = node.processes.spawn(self => new Master(self, options, resolve).run(), origin)
    options.spawned(pid)
    signal.addEventListener('abort', () => resolve((signal.reason as ExitError).reason), { once: true })
  })
}

class Master {
  readonly #self: Process
  readonly #options: MasterOptions
  readonly #told: (failed: null) => void
  readonly #ref: Reference
  /** Null: it has ended */
  #root: Pid | null = null
  /** The application's own top process */
  #child: Pid | null = null
  /** Why it ends, once it does */
  #why: Term | undefined
  readonly #waiting: (() => void)[] = []

  constructor(self: Process, options: MasterOptions, told: (failed: null) => void) {
    this.#self = self
    this.#options = options
    this.#told = told
    this.#ref = self.makeRef()
  }

  async run(): Promise<void> {
    const self = this.#self
    const leader = self.groupLeader
    self.trapExit = true
    self.groupLeader = self.pid
    this.#root = self.spawnLink(root => runRoot(root, self.pid, this.#ref, this.#options))
    for await (const message of self) {
      if (!(message instanceof Tuple)) continue
      if (message.tag === 'io_request') self.send(leader, message)
      else if (message.length === 3) await this.#onMessage(message.elements as readonly Term[])
    }
  }

  async #onMessage([first, second, third]: readonly Term[]): Promise<void> {
    const { controller, code } = this.#options
    if (first === exit && equals(second as Term, controller.pid)) return this.#end(third as Term)
    if (first === exit && this.#root && equals(second as Term, this.#root)) {
      this.#root = null
      this.#why ??= third as Term
      return this.#finish()
    }
    if (equals(first as Term, this.#ref)) return second === started ? this.#begun(third as Pid) : this.#fails(third as Term)
    if (!(third instanceof Pid)) return
    if (first === atom('get_child')) {
      const child = this.#child && this.#root ? tuple(this.#child, code.module) : atom('error')
      this.#self.send(third, tuple(second as Term, child))
    } else if (first === atom('stop')) {
      this.#waiting.push(() => this.#self.send(third, tuple(second as Term, atom('ok'))))
      await this.#end(reason.normal)
    }
  }

  #begun(child: Pid): void {
    this.#child = child
    if (this.#why !== undefined) return
    this.#options.started(this.#self.pid)
    this.#told(null)
  }

  /** The root ends by itself. */
  #fails(why: Term): void {
    this.#why ??= why
  }

  async #end(why: Term): Promise<void> {
    if (this.#why !== undefined) return
    this.#why = why
    if (this.#root) this.#self.send(this.#root, tuple(this.#self.pid, terminate))
    else await this.#finish()
  }

  /** What is left of the application goes, too. */
  async #finish(): Promise<void> {
    const why = this.#why as Term
    await this.#options.groups.end(this.#self.pid)
    const cause = exitCause(why)
    if (!isUsual(cause)) crashReport(this.#self, atom('application_master') as never, this.#options.controller.pid, cause)
    for (const tell of this.#waiting) tell()
    throw new ExitError(why)
  }
}

/** The root: it starts the application, waits, and stops it. */
async function runRoot(self: Process, master: Pid, ref: Reference, { node, code, loaded }: MasterOptions): Promise<void> {
  self.trapExit = true
  const begun = await beginApplication(self, node, code, loaded)
  if ('failed' in begun) return void self.send(master, tuple(ref, failed, begun.failed))
  const { pid, state } = begun
  self.send(master, tuple(ref, started, pid))
  for await (const message of self) {
    const [first, second, why] = message instanceof Tuple ? (message.elements as readonly Term[]) : []
    const childEnded = first === exit && equals(second as Term, pid)
    const masterEnded = first === exit && equals(second as Term, master)
    const told = second === terminate && equals(first as Term, master)
    if (!childEnded && !masterEnded && !told) continue
    // It may have another definition by now.
    const latest = (): ApplicationCode => loaded.get(code.name) ?? code
    const last = await prepareStop(self, latest(), state)
    if (!childEnded) await shutDown(self, pid, told ? atom('shutdown') : (why as Term))
    await endApplication(self, latest(), last)
    throw new ExitError(told ? reason.normal : (why as Term))
  }
}
