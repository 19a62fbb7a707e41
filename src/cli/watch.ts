/** `beamlet start --watch`: what runs moves to the new text of its file each time that it, or one of those that it imports, is written. */
import { execFile } from 'node:child_process'
import { type FSWatcher, watch } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import { NodeError, type Node } from '../index.js'
import { filesOf } from '../node/code-imports.js'
import { progress } from './output.js'

/** Milliseconds: an editor writes a file in several steps. */
const quiet = 100

export class Watch implements Disposable {
  readonly #node: Node
  readonly #module: string
  readonly #url: URL
  readonly #name: string
  /** By folder: an editor may put another file in a file's place. */
  readonly #watchers = new Map<string, FSWatcher>()
  /** What is watched. One that is not there, or imported by nobody for now, may come back. */
  readonly #paths = new Set<string>()
  /** What was read last, by path */
  readonly #texts = new Map<string, string>()
  #timer: NodeJS.Timeout | undefined
  #turn: Promise<void>

  /** @param module it has been loaded by that name, from `url` */
  constructor(node: Node, module: string, url: URL, path: string) {
    this.#node = node
    this.#module = module
    this.#url = url
    this.#name = basename(path)
    this.#turn = this.#look().then(() => {})
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    for (const watcher of this.#watchers.values()) watcher.close()
  }

  /** Watches what is imported now, and reads it. Resolves to those that are another than before. */
  async #look(): Promise<string[]> {
    for (const file of filesOf(this.#url.href)) this.#paths.add(fileURLToPath(file))
    for (const folder of new Set([...this.#paths].map(path => dirname(path)))) this.#watch(folder)
    const changed = await Promise.all([...this.#paths].map(async path => ((await this.#isOther(path)) ? [path] : [])))
    return changed.flat()
  }

  async #isOther(path: string): Promise<boolean> {
    // '' while there is none
    const text = await readFile(path, 'utf8').catch(() => '')
    if (text === '' || text === this.#texts.get(path)) return false
    this.#texts.set(path, text)
    return true
  }

  #watch(folder: string): void {
    if (this.#watchers.has(folder)) return
    const watcher = watch(folder, (_, name) => {
      if (name === null || !this.#paths.has(join(folder, name))) return
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => void (this.#turn = this.#turn.then(() => this.#changed())), quiet)
    })
    // The folder is gone, with what was in it: who imports that is told.
    watcher.on('error', () => this.#watchers.delete(folder))
    this.#watchers.set(folder, watcher)
  }

  /** Never rejects. */
  async #changed(): Promise<void> {
    const changed = await this.#look()
    if (changed.length === 0) return
    try {
      const { number, servers } = await this.#node.code.upgrade(this.#module, this.#url)
      progress(`${this.#name} is at version ${number}: ${servers.length} ${servers.length === 1 ? 'server has' : 'servers have'} moved`)
    } catch (error) {
      const says = error instanceof NodeError ? error.message : String(error)
      const where = await Promise.all(changed.map(path => whereWrong(path)))
      progress(`${this.#name} stays as it was: ${says}${where.join('')}`)
    }
  }
}

/** What Node.js says of a file's syntax, with the line; an error that is caught does not tell it. */
const whereWrong = (path: string): Promise<string> =>
  new Promise(resolve => execFile(execPath, ['--check', path], (error, _, said) => resolve(error ? `\n${said.trim()}` : '')))
