/** Processes without a node: every signal is local, and what crosses is collected. */
import type { Signal } from '../../src/dist/signal.js'
import { type Clock, type Process, Processes } from '../../src/process/index.js'
import { atom, type Atom, Pid, type Term } from '../../src/term/index.js'

export const here = atom('here@localhost') as Atom
export const there = atom('there@localhost') as Atom

export interface Fixture {
  readonly processes: Processes
  /** Signals to other nodes, in order */
  readonly out: Signal[]
  readonly crashes: unknown[]
  readonly clock: ManualClock
  /** A process that runs `body`; resolves with what that returns, rejects with what it throws. */
  run<T>(body: (self: Process) => Promise<T> | T): Promise<T>
  /** Resolves with the reason when the process has exited. */
  down(pid: Pid): Promise<Term>
}

/** Time that stands still until it is told to go on. */
export class ManualClock implements Clock {
  #now = 0
  #timers = new Set<{ due: number; run: () => void }>()

  now(): number {
    return this.#now
  }

  after(ms: number, run: () => void): () => void {
    const timer = { due: this.#now + ms, run }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  get pending(): number {
    return this.#timers.size
  }

  advance(ms: number): void {
    const until = this.#now + ms
    for (;;) {
      const next = [...this.#timers].filter(timer => timer.due <= until).sort((a, b) => a.due - b.due)[0]
      if (!next) break
      this.#now = next.due
      this.#timers.delete(next)
      next.run()
    }
    this.#now = until
  }
}

export function fixture(): Fixture {
  const out: Signal[] = []
  const crashes: unknown[] = []
  const clock = new ManualClock()
  const processes: Processes = new Processes({
    node: here,
    creation: 7,
    clock,
    route(signal) {
      const node = 'node' in signal.to ? signal.to.node : signal.to
      if (node === here) processes.deliver(signal)
      else out.push(signal)
      return true
    },
    crashed: (_pid, _reason, thrown) => crashes.push(thrown),
  })
  const run = <T>(body: (self: Process) => Promise<T> | T): Promise<T> =>
    new Promise((resolve, reject) => {
      processes.runNow(async self => {
        try {
          resolve(await body(self))
        } catch (error) {
          reject(error)
        }
      })
    })
  const down = (pid: Pid): Promise<Term> =>
    run(async self => {
      self.monitor(pid)
      const message = (await self.receive()) as { elements: Term[] } & Term
      return (message as unknown as { elements: Term[] }).elements[4] as Term
    })
  return { processes, out, crashes, clock, run, down }
}

/** A turn of the event loop: every microtask and every immediate that was due has run. */
export const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** A process of another node. */
export const remotePid = (id = 1): Pid => new Pid(there, id, 0, 9)
