/** Another process that opens a store, and what it says. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { env, execPath } from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('programs/opener.mjs', import.meta.url))

export class Opener {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  /** @param uid the user to be, from the start */
  constructor(directory: string, mode: 'owner' | 'reader', uid?: number) {
    this.#child = spawn(execPath, [program, directory, mode, ...(uid === undefined ? [] : [String(uid)])], {
      stdio: ['pipe', 'pipe', 'inherit'],
      // Without what watches tests: it would write where that user may not
      env: { ...env, NODE_OPTIONS: '' },
    })
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]()
  }

  get pid(): number {
    return this.#child.pid!
  }

  /** The next line: `open` first, or `refused CODE` */
  async says(): Promise<string | undefined> {
    const { done, value } = await this.#lines.next()
    return done ? undefined : value
  }

  /** @returns what came of it */
  async does(word: 'get' | 'put' | 'size'): Promise<string | undefined> {
    this.#child.stdin!.write(`${word}\n`)
    return this.says()
  }

  async close(): Promise<void> {
    this.#child.stdin!.end()
    while ((await this.says()) !== undefined);
  }

  async kill(): Promise<void> {
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exit
  }
}
