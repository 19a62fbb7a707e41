/**
 * All that is written, by one commit after the other. What is asked for while one is on its way goes into the next, together: so many puts at a time
 * cost one wait for the disk.
 *
 * A job is written whole or not at all. One that has read something (a transaction) is turned away when somebody changed that meanwhile. As no
 * other program writes here, and one commit is on its way at a time, what is looked at just before the commit still holds in it.
 */
import { StoreError } from '../errors.js'
import type { Codec } from '../codec.js'
import { type Commits, named, type Reads } from './commits.js'
import type { Environment, Write } from './environment.js'
import { packRow, type RowParts } from './row.js'
import { rowOf } from './scan.js'
import { entriesOf, type TableState } from './table-state.js'

/** A row to write */
export interface RowWrite {
  readonly table: TableState
  readonly stored: Buffer
  readonly whole: Buffer
  /** In the external term format, as the value */
  readonly key: Buffer
  /** null: it is deleted. 'again': what is there, if any, with the entries of the indexes that there are now */
  readonly value: Buffer | null | 'again'
}

/** A row that was written */
export interface Written {
  readonly table: TableState
  readonly key: Buffer
  readonly value: Buffer | null
  readonly old: Buffer | undefined
  readonly commit: number
}

interface Job {
  readonly reads: Reads | undefined
  readonly rows: readonly RowWrite[]
  /** Besides */
  readonly raw: readonly Write[]
  readonly bytes: number
  readonly resolve: (done: boolean) => void
  readonly reject: (error: unknown) => void
}

/** A job that will be written, and what it changes */
interface Planned {
  readonly job: Job
  readonly written: readonly Omit<Written, 'commit'>[]
}

type Plan = Map<string, { readonly key: Buffer; readonly bytes: Buffer | null; readonly row?: RowParts | undefined }>

/** At most so many bytes, or rows, in one commit, so that none keeps the others waiting for long; one job may have more. */
const COMMIT_BYTES = 8 * 1024 * 1024
const COMMIT_ROWS = 10_000

export interface WriterOptions {
  readonly writeBufferMax: number
  /** Called after each commit, with what it changed, in order */
  readonly told: (written: readonly Written[]) => void
}

export class Writer {
  readonly #environment: () => Environment
  readonly #codec: Codec
  readonly #commits: Commits
  readonly #options: WriterOptions
  #queue: Job[] = []
  #queued = 0
  #running: Promise<void> | undefined
  #held: Promise<unknown> | undefined

  constructor(environment: () => Environment, codec: Codec, commits: Commits, options: WriterOptions) {
    this.#environment = environment
    this.#codec = codec
    this.#commits = commits
    this.#options = options
  }

  /** Bytes that wait to be written */
  get queued(): number {
    return this.#queued
  }

  /**
   * @returns true when it is on the disk, false when what it had read has changed
   * @throws StoreError STORE_OVERLOAD, STORE_INDEX, and what the disk says: then nothing of it is written
   */
  write(rows: readonly RowWrite[], reads?: Reads, raw: readonly Write[] = []): Promise<boolean> {
    const bytes = sizeOf(rows) + raw.reduce((sum, { key, bytes }) => sum + key.length + (bytes?.length ?? 0), 0)
    const max = this.#options.writeBufferMax
    if (this.#queued > 0 && this.#queued + bytes > max) {
      const remedy = 'Await what you put before you put more, or raise writeBufferMax.'
      return Promise.reject(new StoreError('STORE_OVERLOAD', `More than ${max} bytes wait to be written.`, { remedy }))
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ reads, rows, raw, bytes, resolve, reject })
      this.#queued += bytes
      // Not at once: what else is asked for in this turn goes along.
      this.#running ??= Promise.resolve().then(() => this.#run())
    })
  }

  /** Resolves when nothing is being written, nor waits to be. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  /** Does this between two commits. */
  async pause<T>(work: () => Promise<T>): Promise<T> {
    while (this.#held !== undefined) await this.#held
    const working = this.#pausable().then(work)
    this.#held = working.then(
      () => undefined,
      () => undefined,
    )
    try {
      return await working
    } finally {
      this.#held = undefined
      if (this.#queue.length > 0) this.#running ??= this.#run()
    }
  }

  async #pausable(): Promise<void> {
    // The run that goes on ends after its commit, for #held is set by then.
    while (this.#running !== undefined) await this.#running
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0 && this.#held === undefined) await this.#commit(this.#take())
    this.#running = undefined
  }

  #take(): Job[] {
    let [count, bytes, rows] = [0, 0, 0]
    for (const job of this.#queue) {
      bytes += job.bytes
      rows += job.rows.length
      if (count > 0 && (bytes > COMMIT_BYTES || rows > COMMIT_ROWS)) break
      count++
    }
    return this.#queue.splice(0, count)
  }

  async #commit(jobs: readonly Job[]): Promise<void> {
    const plan: Plan = new Map()
    const planned = jobs.flatMap(job => this.#plan(job, plan))
    try {
      if (plan.size > 0) await this.#environment().commit([...plan.values()])
    } catch (error) {
      this.#forget(jobs.filter(job => !planned.some(done => done.job === job)))
      if (planned.length === 1) {
        this.#forget([planned[0]!.job])
        planned[0]!.job.reject(error)
        return
      }
      // One that is too large must not fail the others.
      for (const { job } of planned) await this.#commit([job])
      return
    }
    this.#forget(jobs)
    const commit = this.#commits.last + 1
    if (plan.size > 0) this.#commits.add(commit, new Set(plan.keys()))
    const written = planned.flatMap(({ written }) => written.map(row => ({ ...row, commit })))
    for (const { job } of planned) job.resolve(true)
    if (written.length > 0) this.#options.told(written)
  }

  #forget(jobs: readonly Job[]): void {
    for (const { bytes } of jobs) this.#queued -= bytes
  }

  /** Adds to the plan what this job writes, or settles it. */
  #plan(job: Job, plan: Plan): Planned[] {
    if (job.reads !== undefined && this.#commits.changed(job.reads, plan)) {
      job.resolve(false)
      return []
    }
    try {
      const own: Plan = new Map()
      const written = job.rows.flatMap(row => this.#planRow(row, own, plan))
      for (const { key, bytes } of job.raw) own.set(named(key), { key, bytes })
      for (const [name, write] of own) plan.set(name, write)
      return [{ job, written }]
    } catch (error) {
      job.reject(error)
      return []
    }
  }

  #planRow({ table, stored, whole, key, value }: RowWrite, own: Plan, plan: Plan): Omit<Written, 'commit'>[] {
    if (table.deleted) throw noTable(table.name)
    const name = named(stored)
    const waiting = own.get(name) ?? plan.get(name)
    const old = waiting === undefined ? this.#row(stored) : waiting.row
    if (old === undefined && (value === null || value === 'again')) return []
    for (const entry of old?.entries ?? []) own.set(named(entry), { key: entry, bytes: null })
    const next = value === 'again' ? old!.value : value
    if (next === null) own.set(name, { key: stored, bytes: null })
    else {
      const entries = entriesOf(table, { whole, stored }, next, this.#codec)
      for (const { stored, bytes } of entries) own.set(named(stored), { key: stored, bytes })
      const row = { key, value: next, entries: entries.map(entry => entry.stored) }
      own.set(name, { key: stored, bytes: packRow(row), row })
    }
    return value === 'again' ? [] : [{ table, key, value: next, old: old?.value }]
  }

  #row(stored: Buffer): RowParts | undefined {
    const environment = this.#environment()
    const bytes = environment.get(stored)
    return bytes === undefined ? undefined : rowOf(bytes, environment.directory)
  }
}

/** With what a row and a request take besides */
const sizeOf = (rows: readonly RowWrite[]): number =>
  rows.reduce((sum, { key, whole, value }) => sum + key.length + whole.length + (Buffer.isBuffer(value) ? value.length : 0) + 100, 0)

export const noTable = (name: string, tables: readonly string[] = []): StoreError =>
  new StoreError('STORE_NO_TABLE', `There is no table '${name}'${tables.length > 0 ? `; these are: ${tables.join(', ')}` : ''}.`, {
    remedy: 'Open it with store.table, which makes it.',
  })
