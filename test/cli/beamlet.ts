/** The built command in a process of its own, as a user runs it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

export interface Ended {
  /** null when a signal ended it */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  /** All of its environment, beside PATH; HOME, where a cookie may lie, is nowhere unless it is given. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Arguments of node itself */
  readonly node?: readonly string[] | undefined
}

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

/** A command that runs until it is told to end. */
export class Beamlet implements AsyncDisposable {
  readonly process: ChildProcess
  readonly ended: Promise<Ended>
  #stdout = ''
  #stderr = ''
  #over = false

  constructor(args: readonly string[], { env = {}, node = [] }: RunOptions = {}) {
    this.process = spawn(execPath, [...node, main, ...args], {
      env: { PATH: process.env['PATH'], HOME: '/nonexistent', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text))
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text))
    this.ended = new Promise((resolve, reject) => {
      this.process.once('error', reject)
      this.process.once('close', (code, signal) => {
        this.#over = true
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr })
      })
    })
  }

  /** The first match in what it has written to stderr, or will write. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#stderr)
      if (match) return match
      if (this.#over) throw new Error(`It ended and never said ${pattern}, but: ${this.#stderr}`)
      await Promise.race([once(this.process.stderr!, 'data'), this.ended])
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#over) this.signal('SIGKILL')
    await this.ended
  }
}

/** Runs a command to its end. */
export const beamlet = (args: readonly string[], options?: RunOptions): Promise<Ended> => new Beamlet(args, options).ended

/** It ended with one line on stderr, the sentence and its code, and without a stack. */
export function fails(t: Test, ended: Ended, exitCode: number, code: string, sentence: RegExp): void {
  t.match(ended, { code: exitCode, signal: null, stderr: new RegExp(`^beamlet: [^\\n]*\\[${code}\\]\\n$`) })
  t.match(ended.stderr, sentence)
}
