/**
 * One process here and one there: this store's, and the server that program.ts describes, on one BEAM node. All that the store asks of that node goes this
 * way, so requests are in order, and when either end is gone the other is told by a monitor.
 */
import type { Process } from '../../process/index.js'
import { type Atom, atom, charlist, type Pid, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'
import { notThere } from './faults.js'
import { program } from './program.js'

/** What the engine needs of a node: `Node` has it. */
export interface MnesiaClient {
  readonly rpc: {
    call(node: string, module: string, fun: string, args?: readonly Sendable[], options?: { readonly timeout?: number }): Promise<Term>
  }
  spawn(body: (self: any) => Promise<void>): Pid
}

export interface SessionOptions {
  /** Milliseconds that it may take until the session is open */
  readonly timeout: number
  /** Milliseconds that a transaction may be silent */
  readonly idle: number
}

/** A worker's news, after its tag */
type Listener = (what: Tuple) => void

const DIED = atom('died')

export class Session {
  readonly beam: string
  readonly #self: Process
  readonly #server: Pid
  readonly #listeners = new Map<number, Listener>()
  readonly #onDown = new Set<() => void>()
  #next = 1
  #up = true

  private constructor(beam: string, self: Process, server: Pid) {
    this.beam = beam
    this.#self = self
    this.#server = server
  }

  /** @throws StoreError STORE_NODE_DOWN, STORE_NOT_RUNNING */
  static async open(client: MnesiaClient, beam: string, { timeout, idle }: SessionOptions): Promise<Session> {
    const until = performance.now() + timeout
    const call = async (module: string, fun: string, args: readonly Sendable[]): Promise<Term> => {
      try {
        return await client.rpc.call(beam, module, fun, args, { timeout: Math.max(1, until - performance.now()) })
      } catch (cause) {
        throw notThere(beam, cause)
      }
    }
    const running = await call('mnesia', 'system_info', [atom('is_running')])
    if (running !== atom('yes')) throw notThere(beam, running)
    const scanned = (await call('erl_scan', 'string', [charlist(program)])) as Tuple<[Atom, Term, Term]>
    const parsed = (await call('erl_parse', 'parse_exprs', [scanned.elements[1]])) as Tuple<[Atom, Term]>
    return new Promise((resolve, reject) => {
      client.spawn(async (self: Process) => {
        let session: Session
        try {
          const bindings = new Map<Term, Term>([
            [atom('Client'), self.pid],
            [atom('Timeout'), timeout],
            [atom('Idle'), idle],
          ])
          const server = (await call('erlang', 'spawn', [atom('erl_eval'), atom('exprs'), [parsed.elements[1], bindings]])) as Pid
          session = new Session(beam, self, server)
          self.monitor(server)
        } catch (error) {
          reject(error as Error)
          return
        }
        resolve(session)
        await session.#hear()
      })
    })
  }

  get up(): boolean {
    return this.#up
  }

  /** Called when nothing can be asked any more. @returns ends it */
  onDown(listener: () => void): () => void {
    this.#onDown.add(listener)
    return () => this.#onDown.delete(listener)
  }

  /** The number of a new worker, whose news go to `listener` until `forget`. */
  worker(listener: Listener): number {
    const id = this.#next++
    this.#listeners.set(id, listener)
    return id
  }

  /** What comes of tables that were subscribed. */
  relay(listener: Listener): void {
    this.#listeners.set(0, listener)
  }

  forget(id: number): void {
    this.#listeners.delete(id)
  }

  send(message: Tuple): void {
    this.#self.send(this.#server, message)
  }

  to(id: number, message: Sendable): void {
    this.send(tuple(atom('to'), id, message) as Tuple)
  }

  kill(id: number): void {
    this.send(tuple(atom('kill'), id) as Tuple)
  }

  /** The server ends, and with it, when the monitor tells them, all that it began. */
  close(): void {
    if (!this.#up) return
    this.#self.send(this.#server, atom('close'))
    this.#self.exit(this.#self.pid, atom('normal'))
    this.#down()
  }

  async #hear(): Promise<void> {
    try {
      for await (const message of this.#self) {
        if (!(message instanceof Tuple)) continue
        if (message.tag === 'DOWN') break
        const [, id, what] = message.elements as readonly [Atom, number, Term]
        this.#listeners.get(id)?.(what instanceof Tuple ? what : (tuple(what) as Tuple))
      }
    } finally {
      this.#down()
    }
  }

  #down(): void {
    if (!this.#up) return
    this.#up = false
    const lost = tuple(DIED, atom('noconnection')) as Tuple
    for (const listener of [...this.#listeners.values()]) listener(lost)
    this.#listeners.clear()
    for (const listener of [...this.#onDown]) listener()
  }
}
