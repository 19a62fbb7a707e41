/**
 * Process aliases: a reference that receives for its process while it is active. A message to one that has ended is dropped, so a late
 * reply never arrives.
 *
 *   explicit_unalias   until `unalias`
 *   reply              until the first message that comes by it
 *   demonitor          a monitor's reference: until the monitor has fired or is removed
 *   reply_demonitor    both; the first message also removes the monitor
 *
 * Source: erlang:alias/1 and erlang:monitor/3.
 */
import type { Reference } from '../term/index.js'
import type { LocalProcess } from './local-process.js'
import type { ProcessTable } from './process-table.js'

export type AliasMode = 'explicit_unalias' | 'reply' | 'demonitor' | 'reply_demonitor'

export interface Alias {
  readonly process: LocalProcess
  readonly ref: Reference
  readonly mode: AliasMode
  /** Messages and exit signals that were sent with priority have it when they come by this alias. */
  readonly priority: boolean
}

export class Aliases {
  readonly #table: ProcessTable
  readonly #active = new Map<number, Alias>()

  constructor(table: ProcessTable) {
    this.#table = table
  }

  get size(): number {
    return this.#active.size
  }

  add(process: LocalProcess, ref: Reference, mode: AliasMode, priority = false): void {
    const number = this.#table.numberOf(ref)
    const alias: Alias = { process, ref, mode, priority }
    this.#active.set(number, alias)
    ;(process.aliases ??= new Map()).set(number, alias)
  }

  find(ref: Reference): Alias | undefined {
    return this.#active.get(this.#table.numberOf(ref))
  }

  /** False when the alias is not this process's, or has ended. */
  remove(process: LocalProcess, ref: Reference): boolean {
    return this.#delete(process, this.#table.numberOf(ref))
  }

  /** The monitor with that number is gone. */
  demonitored(process: LocalProcess, number: number): void {
    const mode = process.aliases?.get(number)?.mode
    if (mode === 'demonitor' || mode === 'reply_demonitor') this.#delete(process, number)
  }

  exited(process: LocalProcess): void {
    if (process.aliases) for (const number of process.aliases.keys()) this.#active.delete(number)
    process.aliases = null
  }

  #delete(process: LocalProcess, number: number): boolean {
    return process.aliases?.delete(number) === true && this.#active.delete(number)
  }
}
