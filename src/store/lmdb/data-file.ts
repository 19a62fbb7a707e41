/**
 * Looks at LMDB's file before LMDB does: a damaged one would end this program (a page that is not there is a SIGBUS), for LMDB believes
 * what it reads.
 *
 * The file is pages. The first two are metas, of which that with the higher transaction counts: it holds the roots of two trees, that of
 * the free pages and that of the rows. A page has a header of 24 bytes (number, transaction, flags, and where its free space begins and
 * ends), then the places of its nodes, and these from its end: 8 bytes of sizes and flags, a key, then a value, or the number of the page where
 * a large one is. In a branch they lead to the pages below.
 *
 * Source: liblmdb's mdb.c, MDB_page, MDB_meta, MDB_node, in the version that the package `lmdb` brings (data version 2).
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { corrupt, StoreError, storeFault } from '../errors.js'

const MAGIC = 0xbeefc0de
const DATA_VERSION = 2
const HEADER = 24
const BRANCH = 0x01
const LEAF = 0x02
const OVERFLOW = 0x04
const META = 0x08
/** A node whose value is on pages of its own */
const BIG_DATA = 0x01
/** Root of an empty tree */
const NO_PAGE = 2n ** 64n - 1n
/** Deeper than any tree that fits a disk */
const MAX_DEPTH = 32

/** What every store writes first, and no other program does. */
export type IsOurs = (firstKey: Buffer) => boolean

export interface DataFile {
  /** Bytes of a page */
  readonly pageSize: number
  /** Pages of the two trees that were looked at; 0 when only the metas were */
  readonly pages: number
}

/**
 * Whether there is such a file, and is it whole: its metas, and with `deep` each page that a reader could come to. Nothing may write meanwhile.
 *
 * @param file `data.mdb`
 * @returns undefined when there is none, or it is empty: LMDB will make one
 * @throws StoreError STORE_FOREIGN, STORE_CORRUPT, and what the file system says
 */
export async function checkDataFile(file: string, isOurs: IsOurs, deep: boolean): Promise<DataFile | undefined> {
  let fd: number
  try {
    fd = openSync(file, 'r')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw storeFault(cause, file)
  }
  try {
    const { size } = fstatSync(fd)
    return size === 0 ? undefined : await new Check(file, fd, size, isOurs).run(deep)
  } catch (cause) {
    throw storeFault(cause, file)
  } finally {
    closeSync(fd)
  }
}

interface Meta {
  readonly pageSize: number
  readonly lastPage: bigint
  readonly transaction: bigint
  readonly roots: readonly bigint[]
}

class Check {
  readonly #file: string
  readonly #fd: number
  readonly #size: number
  readonly #isOurs: IsOurs
  #pageSize = 4096
  #lastPage = 0n
  #pages = 0
  readonly #seen = new Set<bigint>()

  constructor(file: string, fd: number, size: number, isOurs: IsOurs) {
    this.#file = file
    this.#fd = fd
    this.#size = size
    this.#isOurs = isOurs
  }

  async run(deep: boolean): Promise<DataFile> {
    const first = this.#meta(0)
    this.#pageSize = first.pageSize
    const second = this.#meta(first.pageSize)
    if (second.pageSize !== first.pageSize) throw this.#corrupt('its two beginnings disagree')
    const { lastPage, roots } = first.transaction > second.transaction ? first : second
    this.#lastPage = lastPage
    const [free, rows] = roots as [bigint, bigint]
    if (rows !== NO_PAGE) this.#checkOwner(rows)
    if (deep) for (const root of [free, rows]) await this.#tree(root)
    return { pageSize: this.#pageSize, pages: this.#pages }
  }

  #meta(at: number): Meta {
    const bytes = this.#read(at, HEADER + 136)
    if (bytes === undefined) throw at === 0 ? this.#foreign() : this.#corrupt('it ends within its beginning')
    const isMeta = (bytes.readUInt16LE(18) & META) !== 0 && bytes.readUInt32LE(24) === MAGIC
    if (!isMeta) throw at === 0 ? this.#foreign() : this.#corrupt('its second beginning is none')
    const version = bytes.readUInt32LE(28) & 0xffff
    if (version !== DATA_VERSION) throw this.#foreign(`version ${version} of LMDB's format`)
    const pageSize = bytes.readUInt32LE(48)
    if (pageSize < 256 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) throw this.#corrupt(`a page of it has ${pageSize} bytes`)
    const roots = [bytes.readBigUInt64LE(88), bytes.readBigUInt64LE(136)]
    return { pageSize, roots, lastPage: bytes.readBigUInt64LE(144), transaction: bytes.readBigUInt64LE(152) }
  }

  /** The first key of all says who made the file. */
  #checkOwner(root: bigint): void {
    let page = this.#page(root)
    for (let depth = 0; page.flags & BRANCH; depth++) {
      if (depth > MAX_DEPTH) throw this.#corrupt('its pages go round in a circle')
      page = this.#page(page.nodes[0]!.page)
    }
    if (!this.#isOurs(page.nodes[0]!.key)) throw this.#foreign('an LMDB file of another program')
  }

  async #tree(root: bigint): Promise<void> {
    if (root === NO_PAGE) return
    const left: [page: bigint, depth: number][] = [[root, 0]]
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const [number, depth] = next
      if (this.#seen.has(number) || depth > MAX_DEPTH) throw this.#corrupt(`page ${number} stands in two places`)
      this.#seen.add(number)
      if (++this.#pages % 500 === 0) await setImmediate()
      const { flags, nodes } = this.#page(number)
      for (const node of nodes) {
        if (flags & BRANCH) left.push([node.page, depth + 1])
        else if (node.flags & BIG_DATA) this.#overflow(node.page, node.size)
      }
    }
  }

  #page(number: bigint): { readonly flags: number; readonly nodes: readonly Node[] } {
    const page = this.#pageAt(number)
    const flags = page.readUInt16LE(18)
    if (!(flags & (BRANCH | LEAF)) || flags & (META | OVERFLOW)) throw this.#corrupt(`page ${number} is of another kind than it must be`)
    // Both count from the end of the header
    const [lower, upper] = [page.readUInt16LE(20), page.readUInt16LE(22)]
    if (lower > upper || HEADER + upper > this.#pageSize || lower % 2 !== 0 || lower === 0)
      throw this.#corrupt(`page ${number} has no order`)
    const nodes = Array.from({ length: lower >> 1 }, (_, i) => this.#node(number, page, HEADER + page.readUInt16LE(HEADER + i * 2), flags))
    return { flags, nodes }
  }

  #node(number: bigint, page: Buffer, at: number, flags: number): Node {
    const room = this.#pageSize - at - 8
    if (room < 0) throw this.#corrupt(`page ${number} says that it holds more than it has room for`)
    const size = page.readUInt32LE(at)
    const nodeFlags = page.readUInt16LE(at + 4)
    const key = page.subarray(at + 8, at + 8 + page.readUInt16LE(at + 6))
    const inside = flags & BRANCH ? 0 : nodeFlags & BIG_DATA ? 8 : size
    if (page.readUInt16LE(at + 6) + inside > room) throw this.#corrupt(`page ${number} says that it holds more than it has room for`)
    if (flags & BRANCH) return { key, size: 0, flags: 0, page: BigInt(size) | (BigInt(nodeFlags) << 32n) }
    return { key, size, flags: nodeFlags, page: nodeFlags & BIG_DATA ? page.readBigUInt64LE(at + 8 + key.length) : 0n }
  }

  #overflow(number: bigint, size: number): void {
    const page = this.#pageAt(number)
    const pages = page.readUInt32LE(20)
    if (!(page.readUInt16LE(18) & OVERFLOW) || pages * this.#pageSize - HEADER < size) throw this.#corrupt(`page ${number} holds no value`)
    this.#pageAt(number + BigInt(pages) - 1n, false)
  }

  #pageAt(number: bigint, head = true): Buffer {
    if (number < 2n || number > this.#lastPage) throw this.#corrupt(`page ${number} lies outside of it`)
    const page = this.#read(Number(number) * this.#pageSize, this.#pageSize)
    if (page === undefined) throw this.#corrupt(`it was cut off before its page ${number}`)
    if (head && page.readBigUInt64LE(0) !== number) throw this.#corrupt(`where its page ${number} must be is another`)
    return page
  }

  #read(at: number, length: number): Buffer | undefined {
    if (at + length > this.#size) return undefined
    const bytes = Buffer.allocUnsafe(length)
    return readSync(this.#fd, bytes, 0, length, at) === length ? bytes : undefined
  }

  #corrupt(says: string): StoreError {
    return corrupt(this.#file, says)
  }

  #foreign(what = 'something else than an LMDB file'): StoreError {
    return new StoreError('STORE_FOREIGN', `${this.#file} is ${what}: no store has written it.`, {
      remedy: 'It was left as it is. Give the store a directory of its own.',
    })
  }
}

interface Node {
  readonly key: Buffer
  readonly size: number
  readonly flags: number
  readonly page: bigint
}
