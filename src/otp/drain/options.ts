/** What `node.drain` is told, tells and gives back. */
import { ProcessError } from '../../process/index.js'
import type { Pid, Term } from '../../term/index.js'

export interface DrainOptions {
  /**
   * Milliseconds for all of it. Three quarters of it at most pass until nothing runs any more; the rest is kept for what then ends in order. Default: 25,000
   */
  readonly timeout?: number | undefined
  /**
   * Milliseconds without a new call after the groups and the names are left: whoever found a process just before may still call it. Default: 1000; not
   * waited where there was nothing to leave, or no other node
   */
  readonly quiet?: number | undefined
  /**
   * Who gets a global name of this node's, a process of another one: the name changes hands on all nodes at once, and is never free. Null: it is
   * unregistered. It comes after the listeners of `draining`.
   */
  readonly successor?: ((name: Term, pid: Pid) => Pid | null | Promise<Pid | null>) | undefined
  /** Runs when all servers have ended, and the connections are still up: for what the next node shall have of this one. */
  readonly handOver?: (() => unknown) | undefined
}

export interface Drained {
  /**
   * How much was ended because the time was over: what still ran, as DrainOptions has it, applications and servers that had not ended, and
   * what was handed over and had not settled.
   */
  readonly ended: number
}

/** @throws ProcessError ERR_BADARG */
export function checkDrainOptions({ timeout = 0, quiet = 0, successor, handOver }: DrainOptions): void {
  const wrong = (says: string): ProcessError => new ProcessError('ERR_BADARG', says)
  for (const [name, ms] of Object.entries({ timeout, quiet }))
    if (!(typeof ms === 'number' && ms >= 0)) throw wrong(`The ${name} of drain is a number of milliseconds from 0 up, not ${String(ms)}.`)
  for (const [name, fun] of Object.entries({ successor, handOver }))
    if (fun !== undefined && typeof fun !== 'function') throw wrong(`The ${name} of drain is a function.`)
}
