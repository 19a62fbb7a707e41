/**
 * A child process with the faults a test needs: killed, stopped and continued. Children are ended with this process, even a
 * stopped one that could not notice.
 */
import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { InteropError } from './errors.js'

export interface Exit {
  /** null when a signal ended it */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

const living = new Set<ChildProcess>()
const endAll = (): void => {
  for (const child of living) child.kill('SIGKILL')
}

export class Child {
  readonly process: ChildProcess
  /** Settles when the process has ended and everything it wrote has been read. */
  readonly exited: Promise<Exit>
  #exit: Exit | undefined
  #output = ''

  constructor(program: string, args: readonly string[], options: { env: NodeJS.ProcessEnv; stdio: StdioOptions }) {
    const child = spawn(program, args, options)
    this.process = child
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', text => (this.#output += text))
    if (living.size === 0) process.once('exit', endAll)
    living.add(child)
    this.exited = new Promise(resolve => {
      // A program that could not be started tells 'error' and never 'close'.
      child.once('error', error => {
        this.#output += error.message
        if (child.pid === undefined) resolve(this.#ended({ code: 127, signal: null }))
      })
      child.once('close', (code, signal) => resolve(this.#ended({ code, signal })))
    })
  }

  #ended(exit: Exit): Exit {
    living.delete(this.process)
    if (living.size === 0) process.off('exit', endAll)
    return (this.#exit = exit)
  }

  get exit(): Exit | undefined {
    return this.#exit
  }

  /** What it wrote to stdout and stderr. */
  get output(): string {
    return this.#output
  }

  get pid(): number {
    if (this.process.pid === undefined) throw new InteropError('ERR_INTEROP_EXITED', `The program never started: ${this.#output}`)
    return this.process.pid
  }

  /** Resolves at the first output that matches, whether it came before or comes later. */
  async wrote(pattern: RegExp, signal: AbortSignal): Promise<void> {
    const streams = [this.process.stdout, this.process.stderr].filter(stream => stream !== null)
    while (!pattern.test(this.#output)) {
      await Promise.race([...streams.map(stream => once(stream, 'data', { signal })), this.exited])
      if (this.#exit)
        throw new InteropError('ERR_INTEROP_EXITED', `The program ended and never wrote ${pattern}. It wrote: ${this.#output}`)
    }
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.#exit) this.process.kill(signal)
  }

  async kill(): Promise<Exit> {
    this.signal('SIGKILL')
    return this.exited
  }
}
