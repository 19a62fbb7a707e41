/**
 * The OS process of a place: run by this very Node.js with its loaders, spoken to over a socket pair, and gone as a whole when it ends. Why it
 * ended is a term, for the exit reasons of the processes that were in it:
 *
 *   {exit_status, N}     it ended itself, with `process.exit(N)` say
 *   {signal, sigsegv}    the machine ended it
 *   send_buffer_overflow more than it may keep waited for main
 *   out_of_memory        its JavaScript heap was full, or it held more memory than it may
 *   what `kill` was given
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import process, { env, execPath, stderr } from 'node:process'
import { fileURLToPath } from 'node:url'
import { type Clock, systemClock } from '../../process/index.js'
import { atom, type Term, tuple } from '../../term/index.js'
import { withMalloc } from './malloc.js'

export interface OsProcessOptions {
  /** The module that it runs; its file descriptor 3 is the other end of `socket`. */
  readonly entry: URL
  /** Arguments for its Node.js */
  readonly execArgv?: readonly string[] | undefined
  /** A second way, from file descriptor 4 to `witness` */
  readonly witness?: boolean | undefined
  /** The word on its command line, where everybody on this machine can read it */
  readonly argument?: string | undefined
  /** MiB of JavaScript heap. Default: as Node.js chooses */
  readonly heap?: number | undefined
  /** MiB of memory in all, looked at four times a second (on Linux). Default: no limit */
  readonly memory?: number | undefined
  readonly clock?: Clock | undefined
}

const MiB = 2 ** 20
/** Milliseconds between two looks at its size */
const interval = 250
/** Bytes of memory in a page, as /proc counts */
const page = 4096
/** Bytes of what it wrote last that are kept */
const kept = 8192
/** Milliseconds in which they are read when it has ended */
const lastWords = 500

export class OsProcess {
  /** Connected from the start; what is written before the other side reads is kept. */
  readonly socket: Socket
  /** Null when it was not asked for */
  readonly witness: Socket | null
  /** Why it ended. Never rejects. */
  readonly ended: Promise<Term>
  readonly #child: ChildProcess
  #written = ''
  #why: Term | undefined
  #stopWatching = (): void => {}

  constructor({ entry, witness = false, argument = '', execArgv = [], heap, memory, clock = systemClock }: OsProcessOptions) {
    const args = [...execArgv, ...(heap === undefined ? [] : [`--max-old-space-size=${heap}`]), fileURLToPath(entry), argument]
    const [program, ...before] = [...untilParentEnds(), execPath] as [string]
    const stdio = ['ignore', 'inherit', 'pipe', 'pipe', ...(witness ? ['pipe' as const] : [])] as const
    // A process group of its own: what it has started ends with it.
    this.#child = spawn(program, [...before, ...args], { stdio: [...stdio], env: withMalloc(env), detached: true })
    this.socket = this.#child.stdio[3] as Socket
    this.witness = (this.#child.stdio[4] ?? null) as Socket | null
    // What broke it is the end of the process, which `ended` tells.
    this.socket.on('error', () => {})
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      stderr.write(chunk)
      this.#written = (this.#written + chunk.toString('latin1')).slice(-kept)
    })
    let cancel = (): void => {}
    this.ended = new Promise(resolve => {
      this.#child.once('error', () => this.#child.pid === undefined && resolve(atom('system_limit')))
      // What it has started may hold its standard error open, and nobody waits for that.
      this.#child.once('exit', () => (cancel = clock.after(lastWords, () => this.#child.stderr?.destroy())))
      this.#child.once('close', (code, signal) => {
        cancel()
        this.#stopWatching()
        resolve(this.#why ?? this.#reason(code, signal))
      })
    })
    if (memory !== undefined) this.#watch(memory * MiB, clock)
  }

  /** The operating system's number for it; undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Bytes of memory; null where the system does not tell, or it has ended. */
  async residentSize(): Promise<number | null> {
    return (await residentSize(this.#child.pid)) || null
  }

  /** What it wrote last to its standard error, as a sentence for people; empty when it wrote nothing. */
  get lastWords(): string {
    const text = this.#written.trim()
    return text === '' ? '' : ` It wrote: ${Buffer.from(text, 'latin1').toString()}`
  }

  /** Ends it at once, whatever it does. The first reason counts. */
  kill(why: Term): void {
    this.#why ??= why
    const { pid, exitCode, signalCode } = this.#child
    // Its number is its own, and its group's, until its end is known.
    if (pid === undefined || exitCode !== null || signalCode !== null) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      this.#child.kill('SIGKILL') // It has ended just now, or this system has no process groups.
    }
  }

  #reason(code: number | null, signal: NodeJS.Signals | null): Term {
    if (/heap out of memory|invalid size error|Allocation failed/.test(this.#written)) return atom('out_of_memory')
    if (this.#written.includes('NET_SEND_BUFFER')) return atom('send_buffer_overflow')
    return signal === null ? tuple(atom('exit_status'), code ?? 0) : tuple(atom('signal'), atom(signal.toLowerCase()))
  }

  #watch(limit: number, clock: Clock): void {
    this.#stopWatching = clock.after(interval, () => {
      void residentSize(this.#child.pid).then(size => {
        if (size > limit) this.kill(atom('out_of_memory'))
        else if (this.#child.exitCode === null && this.#child.signalCode === null) this.#watch(limit, clock)
      })
    })
  }
}

/** Bytes of memory; 0 where the system does not tell, or the process has ended. */
async function residentSize(pid: number | undefined): Promise<number> {
  try {
    return Number((await readFile(`/proc/${pid}/statm`, 'latin1')).split(' ')[1]) * page
  } catch {
    return 0 // It has ended, or this is no Linux: its heap limit still holds.
  }
}

/** Has the kernel end it when we end in any way, even if it computes for ever. Where there is no such program, it ends at its next read. */
function untilParentEnds(): string[] {
  const program = '/usr/bin/setpriv'
  return existsSync(program) ? [program, '--pdeathsig', 'KILL'] : []
}

/** What this Node.js was told that the other shall know, too: loaders and conditions, but neither a program nor a debugger's port. */
export function inherited(args: readonly string[]): string[] {
  const passed: string[] = []
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] as string
    if (/^(-e|--eval|-p|--print|-pe)$/.test(arg)) index++
    else if (!/^--(inspect|eval=|print=|input-type|test|watch|max-old-space-size)/.test(arg)) passed.push(arg)
  }
  return passed
}
