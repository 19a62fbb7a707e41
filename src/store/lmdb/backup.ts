/** Copies of a store: one to keep, and one that takes its place because it is smaller. */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pid } from 'node:process'
import { StoreError, storeFault } from '../errors.js'
import { Environment } from './environment.js'

let copies = 0

/** It is there whole, or not at all. @throws StoreError STORE_EXISTS, and what the disk says */
export async function backUp(environment: Environment, directory: string): Promise<void> {
  if (existsSync(directory)) {
    throw new StoreError('STORE_EXISTS', `${directory} is there already.`, { remedy: 'Make each backup in a directory of its own.' })
  }
  const draft = `${directory}.${pid}-${copies++}.new`
  try {
    mkdirSync(dirname(directory), { recursive: true })
    await environment.copyTo(draft, true)
    sync(join(draft, 'data.mdb'))
    sync(draft)
    renameSync(draft, directory)
    sync(dirname(directory))
  } catch (cause) {
    throw storeFault(cause, dirname(directory))
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

/**
 * Puts a compacted copy in the place of the file. Nothing may be written meanwhile.
 *
 * @param reopened called with what takes the place of `environment`, also when the copy could not
 * @throws StoreError STORE_BUSY, and what the disk says
 */
export async function compact(environment: Environment, reopened: (environment: Environment) => void): Promise<Environment> {
  const { directory } = environment
  refuseWhileRead(environment)
  const draft = join(directory, `compact-${pid}-${copies++}.new`)
  try {
    await environment.copyTo(draft, true)
    sync(join(draft, 'data.mdb'))
    refuseWhileRead(environment)
    await environment.close()
    let next: Environment
    try {
      // The old lock file counts the transactions of the old data.
      rmSync(join(directory, 'lock.mdb'), { force: true })
      renameSync(join(draft, 'data.mdb'), join(directory, 'data.mdb'))
      sync(directory)
    } finally {
      next = await Environment.open(directory, { readOnly: false, check: false })
      reopened(next)
    }
    return next
  } catch (cause) {
    throw storeFault(cause, directory)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

/** What a crash left of a compaction: the owner alone makes one. */
export function clearCompaction(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (/^compact-\d+-\d+\.new$/.test(name)) rmSync(join(directory, name), { recursive: true, force: true })
  }
}

function refuseWhileRead(environment: Environment): void {
  const readers = environment.readers()
  const ranges = environment.snapshots
  if (readers.length === 0 && ranges === 0) return
  const who = readers.length > 0 ? `the processes with the pids ${readers.join(', ')} read it` : `${ranges} ranges of it are being read`
  throw new StoreError('STORE_BUSY', `${environment.directory} cannot be compacted while ${who}.`, {
    remedy: 'Close it there, or end those loops, first.',
  })
}

function sync(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
