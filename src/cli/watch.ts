/** `beamlet start --watch`: what runs moves to the new text of its file each time that it is written. */
import { execFile } from 'node:child_process'
import { type FSWatcher, watch } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { execPath } from 'node:process'
import { NodeError, type Node } from '../index.js'
import { progress } from './output.js'

/** Milliseconds: an editor writes a file in several steps. */
const quiet = 100

export class Watch implements Disposable {
  readonly #node: Node
  readonly #module: string
  readonly #url: URL
  readonly #path: string
  readonly #watcher: FSWatcher
  #timer: NodeJS.Timeout | undefined
  #text = ''
  #turn: Promise<void>

  /** @param module it has been loaded by that name, from `url` */
  constructor(node: Node, module: string, url: URL, path: string) {
    this.#node = node
    this.#module = module
    this.#url = url
    this.#path = path
    this.#turn = this.#read().then(text => void (this.#text = text))
    // The folder: an editor may put another file in its place.
    this.#watcher = watch(dirname(path), (_, name) => {
      if (name !== basename(path)) return
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => void (this.#turn = this.#turn.then(() => this.#changed())), quiet)
    })
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#watcher.close()
  }

  /** Never rejects. */
  async #changed(): Promise<void> {
    const text = await this.#read()
    if (text === this.#text || text === '') return
    this.#text = text
    try {
      const { number, servers } = await this.#node.code.upgrade(this.#module, this.#url)
      progress(
        `${basename(this.#path)} is at version ${number}: ${servers.length} ${servers.length === 1 ? 'server has' : 'servers have'} moved`,
      )
    } catch (error) {
      const says = error instanceof NodeError ? error.message : String(error)
      progress(`${basename(this.#path)} stays as it was: ${says}${await this.#where()}`)
    }
  }

  /** '' while there is none */
  #read(): Promise<string> {
    return readFile(this.#path, 'utf8').catch(() => '')
  }

  /** What Node.js says of its syntax, with the line; an error that is caught does not tell it. */
  #where(): Promise<string> {
    return new Promise(resolve => execFile(execPath, ['--check', this.#path], (error, _, said) => resolve(error ? `\n${said.trim()}` : '')))
  }
}
