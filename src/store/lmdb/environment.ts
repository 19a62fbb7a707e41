/**
 * LMDB's environment, one file of rows in the order of their keys, as far as the store needs it. All that LMDB says comes out as a StoreError.
 *
 * The package `lmdb` is loaded when the first store is opened: who opens none needs none.
 */
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pid } from 'node:process'
import type { open, RootDatabase, Transaction as ReadTransaction } from 'lmdb'
import { StoreError, storeFault } from '../errors.js'
import { checkDataFile } from './data-file.js'
import { catalogKey } from './catalog.js'
import { needRoomToOpen, Room } from './room.js'

/** A row that is put, or removed */
export interface Write {
  readonly key: Buffer
  readonly bytes: Buffer | null
}

export interface Stored {
  readonly key: Buffer
  readonly value: Buffer
}

/** All rows as they were at one time. While it is open LMDB keeps their pages. */
export interface Snapshot {
  get(key: Buffer): Buffer | undefined
  /** From `low` to `high`, which are no keys themselves; with `reverse` from `high` down. */
  entries(low: Buffer, high: Buffer, reverse?: boolean): Iterable<Stored>
  close(): void
}

export interface EnvironmentOptions {
  readonly readOnly: boolean
  /** Look at every page of the file first */
  readonly check: boolean
}

type Cursor = Iterator<Stored>

export class Environment {
  readonly directory: string
  readonly #root: RootDatabase<Buffer, Buffer>
  readonly #snapshots = new Set<Snapshot>()
  /** After a failure LMDB's writing thread may be silent for ever when it cannot begin: then it is asked on this one, and answers. */
  #failed = false
  readonly #room: Room | undefined

  private constructor(directory: string, root: RootDatabase<Buffer, Buffer>, readOnly: boolean) {
    this.directory = directory
    this.#root = root
    this.#room = readOnly ? undefined : new Room(directory)
  }

  /** @throws StoreError STORE_NO_LMDB, STORE_NO_STORE, STORE_FOREIGN, STORE_CORRUPT, and what the file system says */
  static async open(directory: string, { readOnly, check }: EnvironmentOptions): Promise<Environment> {
    const { open } = await load()
    const file = await checkDataFile(join(directory, 'data.mdb'), key => key.equals(catalogKey), check)
    if (readOnly && file === undefined) {
      throw new StoreError('STORE_NO_STORE', `There is no store in ${directory}.`, {
        remedy: 'Open it once without readOnly: that makes it.',
      })
    }
    if (!readOnly) needRoomToOpen(directory)
    try {
      const options = { encoding: 'binary', keyEncoding: 'binary', maxDbs: 1, noSubdir: false, readOnly } as const
      // A commit is acknowledged when it is on the disk; and a batch that fails must not fail a second time, unheard, with the turn that it was in.
      const root = open<Buffer, Buffer>(directory, { ...options, overlappingSync: false, eventTurnBatching: false })
      return new Environment(directory, root, readOnly)
    } catch (cause) {
      throw storeFault(cause, directory)
    }
  }

  /** How many snapshots are open */
  get snapshots(): number {
    return this.#snapshots.size
  }

  get(key: Buffer): Buffer | undefined {
    return this.#try(() => this.#root.get(key))
  }

  /** How many keys there are between two, which are no keys themselves */
  count(low: Buffer, high: Buffer): number {
    return this.#try(() => this.#root.getKeysCount({ start: low, end: high }))
  }

  snapshot(): Snapshot {
    const transaction = this.#try(() => this.#root.useReadTransaction())
    const cursors = new Set<Cursor>()
    const snapshot: Snapshot = {
      get: key => this.#try(() => this.#root.get(key, { transaction })),
      entries: (low, high, reverse = false) => this.#entries(low, high, reverse, transaction, cursors),
      close: () => {
        if (!this.#snapshots.delete(snapshot)) return
        // LMDB's cursors must not outlive their transaction.
        for (const cursor of cursors) cursor.return?.()
        cursors.clear()
        transaction.done()
      },
    }
    this.#snapshots.add(snapshot)
    return snapshot
  }

  /** All of them, or none: resolves when they are on the disk. One at a time. */
  async commit(writes: readonly Write[]): Promise<void> {
    const write = (): void => {
      for (const { key, bytes } of writes) void (bytes === null ? this.#root.remove(key) : this.#root.put(key, bytes))
    }
    this.#takeRoom(writes)
    try {
      if (this.#failed) this.#root.transactionSync(write)
      else await this.#root.batch(write)
      this.#failed = false
    } catch (error) {
      this.#failed = true
      throw storeFault(await causeOf(error), this.directory)
    } finally {
      this.#root.resetReadTxn()
    }
  }

  /** A whole copy into another directory, as of one moment; `compact` leaves out the free pages. */
  async copyTo(directory: string, compact: boolean): Promise<void> {
    try {
      mkdirSync(directory)
      await this.#root.backup(directory, compact)
    } catch (cause) {
      throw storeFault(cause, directory)
    }
  }

  /** The pids of other processes that have it open */
  readers(): number[] {
    const root = this.#root as unknown as { readerCheck(): number; readerList(): string }
    root.readerCheck()
    const pids = [...root.readerList().matchAll(/^\s*(\d+)/gm)].map(([, digits]) => Number(digits))
    return [...new Set(pids)].filter(reader => reader !== pid)
  }

  stats(): EnvironmentStats {
    const stats = this.#stats()
    return { bytes: statSync(join(this.directory, 'data.mdb')).size, pageSize: stats.pageSize, entries: stats.entryCount }
  }

  /** What reads then fails. */
  async close(): Promise<void> {
    this.#room?.close()
    for (const snapshot of this.#snapshots) snapshot.close()
    await this.#root.close()
  }

  *#entries(low: Buffer, high: Buffer, reverse: boolean, transaction: ReadTransaction, cursors: Set<Cursor>): Generator<Stored> {
    if (Buffer.compare(low, high) >= 0) return
    const [start, end] = reverse ? [high, low] : [low, high]
    const cursor = this.#try(() => this.#root.getRange({ start, end, reverse, transaction })[Symbol.iterator]())
    cursors.add(cursor)
    try {
      for (;;) {
        if (!cursors.has(cursor)) throw new StoreError('STORE_CLOSED', `The store in ${this.directory} was closed within a range.`)
        const { done, value } = this.#try(() => cursor.next())
        if (done) return
        yield { key: value.key, value: value.value }
      }
    } finally {
      if (cursors.delete(cursor)) cursor.return?.()
    }
  }

  #takeRoom(writes: readonly Write[]): void {
    const {
      pageSize,
      lastPageNumber: lastPage,
      treeDepth: depth,
      treeBranchPageCount: branchPages,
      treeLeafPageCount: leafPages,
      ...rest
    } = this.#stats()
    const freePages = lastPage - 1 - branchPages - leafPages - rest.overflowPages - pagesOf(rest.free)
    const sizes = writes.flatMap(({ key, bytes }) => (bytes === null ? [] : [key.length + bytes.length]))
    const isRead = (): boolean => this.#snapshots.size > 0 || this.readers().length > 0
    this.#room?.take({ pageSize, lastPage, depth, branchPages, leafPages, freePages }, writes.length, sizes, isRead)
  }

  #stats(): LmdbStats {
    return this.#try(() => this.#root.getStats()) as LmdbStats
  }

  #try<T>(read: () => T): T {
    try {
      return read()
    } catch (cause) {
      throw storeFault(cause, this.directory)
    }
  }
}

interface TreeStats {
  readonly treeBranchPageCount: number
  readonly treeLeafPageCount: number
  readonly overflowPages: number
}

interface LmdbStats extends TreeStats {
  readonly pageSize: number
  readonly lastPageNumber: number
  readonly entryCount: number
  readonly treeDepth: number
  /** The tree of the free pages */
  readonly free: TreeStats
}

const pagesOf = ({ treeBranchPageCount, treeLeafPageCount, overflowPages }: TreeStats): number =>
  treeBranchPageCount + treeLeafPageCount + overflowPages

export interface EnvironmentStats {
  /** Bytes of the file, free pages included */
  readonly bytes: number
  readonly pageSize: number
  /** Rows, entries of indexes, and one more */
  readonly entries: number
}

/** A failed batch says in `commitError`, which is rejected in the same turn, what failed. */
async function causeOf(failure: unknown): Promise<unknown> {
  const { commitError } = failure as { readonly commitError?: Promise<never> }
  try {
    await commitError
    return failure
  } catch (cause) {
    return cause
  }
}

async function load(): Promise<{ readonly open: typeof open }> {
  try {
    return await import('lmdb')
  } catch (cause) {
    throw new StoreError('STORE_NO_LMDB', `The package lmdb, which keeps the rows, cannot be loaded: ${(cause as Error).message}`, {
      remedy: 'Install it beside beamlet (npm install lmdb); where there is no build of it for this platform, npm rebuild lmdb makes one.',
      cause,
    })
  }
}
