/**
 * Who is told of changes. A function is called, a process is sent a message, both straight after the commit and in the order of the changes, so
 * nothing is kept for them.
 *
 * A process gets what Mnesia's table events say, under a tag of their own and with the record `{Table, Key, Value}`:
 *
 *     {store_table_event, {write, {Table, Key, Value}, Commit}}
 *     {store_table_event, {delete, {Table, Key}, Commit}}
 *
 * and with `old` as Mnesia's detailed ones, where the old records are a list of none or one:
 *
 *     {store_table_event, {Table, write, {Table, Key, Value}, [{Table, Key, Old}], Commit}}
 *     {store_table_event, {Table, delete, {Table, Key}, [{Table, Key, Old}], Commit}}
 *
 * `Table` is an atom. Source: mnesia's user guide, "Table Events". Where changes may have been missed it is sent
 *
 *     {store_table_event, {lost, Table}}
 */
import { Process } from '../process/index.js'
import { type Atom, atom, type Term, type Tuple, tuple } from '../term/index.js'
import type { Change, SubscribeOptions } from './table.js'

/** A change, decoded when somebody asks */
export interface Told {
  readonly table: string
  readonly commit: number
  key(): Term
  /** undefined: deleted */
  value(): Term | undefined
  old(): Term | undefined
}

interface Listener {
  changed(told: Told): void
  /** Some may have been missed. */
  lost(table: string): void
}

export class Subscriptions {
  readonly #listeners = new Map<string, Set<Listener>>()

  has(table: string): boolean {
    return this.#listeners.has(table)
  }

  /** The tables that somebody is told of */
  get tables(): string[] {
    return [...this.#listeners.keys()]
  }

  add(table: string, to: ((change: Change<any, any>) => void) | Process, { old = false, lost }: SubscribeOptions): () => void {
    const listener = to instanceof Process ? toProcess(to, old, lost) : toFunction(to, old, lost)
    const listeners = this.#listeners.get(table) ?? new Set()
    this.#listeners.set(table, listeners.add(listener))
    const end = (): void => {
      if (to instanceof Process) to.signal.removeEventListener('abort', end)
      listeners.delete(listener)
      if (listeners.size === 0 && this.#listeners.get(table) === listeners) this.#listeners.delete(table)
    }
    if (to instanceof Process) {
      if (to.signal.aborted) end()
      else to.signal.addEventListener('abort', end)
    }
    return end
  }

  tell(told: Told): void {
    this.#each(told.table, listener => listener.changed(told))
  }

  lost(table: string): void {
    this.#each(table, listener => listener.lost(table))
  }

  #each(table: string, tell: (listener: Listener) => void): void {
    for (const listener of [...(this.#listeners.get(table) ?? [])]) {
      try {
        tell(listener)
      } catch (error) {
        // Theirs: as an error in a listener of an event, it is nobody's to catch, and what was written is written.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  clear(): void {
    this.#listeners.clear()
  }
}

const toFunction = (listener: (change: Change<any, any>) => void, withOld: boolean, lost: SubscribeOptions['lost']): Listener => ({
  changed(told) {
    const { table, commit } = told
    const value = told.value()
    const old = withOld ? told.old() : undefined
    listener({ op: value === undefined ? 'delete' : 'put', table, key: told.key(), value, old, commit } as Change<any, any>)
  },
  lost: () => lost?.(),
})

const TAG = atom('store_table_event')
const WRITE = atom('write')
const DELETE = atom('delete')
const LOST = atom('lost')

const toProcess = (process: Process, withOld: boolean, lost: SubscribeOptions['lost']): Listener => ({
  changed(told) {
    const table = atom(told.table) as Atom
    const [key, value] = [told.key(), told.value()]
    const record = value === undefined ? tuple(table, key) : tuple(table, key, value)
    const op = value === undefined ? DELETE : WRITE
    process.send(
      process.pid,
      tuple(TAG, withOld ? tuple(table, op, record, olds(table, key, told.old()), told.commit) : tuple(op, record, told.commit)),
    )
  },
  lost(table) {
    process.send(process.pid, tuple(TAG, tuple(LOST, atom(table))))
    lost?.()
  },
})

const olds = (table: Atom, key: Term, old: Term | undefined): Tuple[] => (old === undefined ? [] : [tuple(table, key, old)])
