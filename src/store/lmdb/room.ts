/**
 * Room on the disk, taken before LMDB needs it: zeros behind its last page.
 *
 * LMDB in the package `lmdb` (3.5) writes beyond its memory when a write is refused (`last_error` in mdb_page_flush has 100 bytes for a text that may
 * be longer), and may take the program with it. So a full disk has to be met here, where it is an error like any other: in pages that are in the file already
 * LMDB writes without asking for room.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { pid } from 'node:process'
import { storeFault } from '../errors.js'

export interface Tree {
  readonly pageSize: number
  readonly lastPage: number
  readonly depth: number
  readonly branchPages: number
  readonly leafPages: number
  /** Of those up to the last, how many hold nothing */
  readonly freePages: number
}

/** What is written when a store is opened: its lock file has about so many bytes, and LMDB maps them. */
const AT_OPEN = 64 * 1024

/** Beyond what is needed, so that not every commit has to ask: but no more than an eighth of the file. */
const AHEAD = 1024 * 1024

const zeros = Buffer.alloc(256 * 1024)

/** @throws StoreError STORE_FULL when there is no room to open a store */
export function needRoomToOpen(directory: string): void {
  const file = join(directory, `room-${pid}.new`)
  try {
    writeFileSync(file, zeros.subarray(0, AT_OPEN))
  } catch (cause) {
    throw storeFault(cause, directory)
  } finally {
    rmSync(file, { force: true })
  }
}

export class Room {
  readonly #directory: string
  readonly #fd: number
  #size: number
  /** Free pages before each of the last commits */
  #free: readonly number[] = []

  constructor(directory: string) {
    this.#directory = directory
    this.#fd = openSync(join(directory, 'data.mdb'), 'r+')
    this.#size = fstatSync(this.#fd).size
  }

  /**
   * @param rows how many are written, and in `sizes` the bytes of each that has a value
   * @param isRead does anybody read what was there before? Then no page may be used again
   * @throws StoreError STORE_FULL: the file is as it was
   */
  take(tree: Tree, rows: number, sizes: readonly number[], isRead: () => boolean): void {
    this.#free = [...this.#free.slice(-2), tree.freePages]
    const used = tree.lastPage + 1
    const { inRow, apart } = mostPages(tree, rows, sizes)
    const least = (used + inRow + apart) * tree.pageSize
    if (this.#size >= least || this.#grow(least + Math.min(AHEAD, (used * tree.pageSize) >> 3)) === undefined) return
    const refused = this.#grow(least)
    if (refused === undefined) return
    // Pages that were let go by the last two commits cannot be used yet; values with pages of their own need some in a row.
    const again = isRead() ? 0 : Math.min(...this.#free)
    if (this.#size < (used + apart + Math.max(0, inRow - again)) * tree.pageSize) throw storeFault(refused, this.#directory)
  }

  close(): void {
    closeSync(this.#fd)
  }

  /** @returns why it could not: then it is as large as it was */
  #grow(size: number): unknown {
    try {
      let at = this.#size
      while (at < size) at += writeSync(this.#fd, zeros, 0, Math.min(zeros.length, size - at), at)
      this.#size = size
      return undefined
    } catch (cause) {
      ftruncateSync(this.#fd, this.#size)
      return cause
    }
  }
}

/**
 * The most new pages that a commit can need: every page that it changes is written anew, and what is added fills pages by half at least. Values of more than half
 * a page have pages of their own. Some are for the list of free pages.
 */
function mostPages(
  { pageSize, depth, branchPages, leafPages }: Tree,
  rows: number,
  sizes: readonly number[],
): { readonly inRow: number; readonly apart: number } {
  let [small, apart] = [0, 0]
  for (const size of sizes) {
    if (size > pageSize / 4) apart += Math.ceil((size + 24) / pageSize)
    small += Math.min(size, pageSize / 2) + 16
  }
  const added = Math.ceil((2 * small) / pageSize)
  const changed = Math.min(rows, leafPages) + Math.min(rows * depth, branchPages)
  return { inRow: 2 * added + changed + 2 * depth + 16, apart }
}
