/**
 * One owner a directory: the program that writes there.
 *
 * A file `owner.N` names it: its pid, when that began, the boot and the pid namespace it was in, and its host. Who wants to own the
 * directory looks at the highest N. While its owner lives the directory is taken; when it was released, or its owner is gone (`kill -9`
 * leaves it there), `owner.(N + 1)` is linked, which only one of several can do. That one removes what is lower. A file is never removed by
 * its owner, but emptied, which says that it was released: so a number is never taken twice, and whoever was too slow finds a higher one, and gives way.
 */
import { linkSync, readdirSync, readFileSync, readlinkSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { kill, pid, platform } from 'node:process'
import { StoreError, storeFault } from '../errors.js'

interface Holder {
  readonly pid: number
  /** Ticks after the boot at which that process began: pids are used again */
  readonly started: string
  readonly boot: string
  /** The pids of one container mean nothing in another */
  readonly namespace: string
  readonly host: string
}

export class Owner {
  readonly #file: string
  #released = false

  private constructor(file: string) {
    this.#file = file
  }

  /** @throws StoreError STORE_LOCKED while another one owns it, and what the file system refuses */
  static take(directory: string): Owner {
    const holder = thisProcess()
    const draft = join(directory, `owner-${pid}-${drafts++}.new`)
    try {
      writeFileSync(draft, JSON.stringify(holder), { flag: 'wx' })
      return Owner.#take(directory, draft, holder)
    } catch (cause) {
      throw storeFault(cause, directory)
    } finally {
      rmSync(draft, { force: true })
    }
  }

  static #take(directory: string, draft: string, holder: Holder): Owner {
    for (;;) {
      const [highest = 0] = numbers(directory)
      const last = highest === 0 ? undefined : read(fileOf(directory, highest))
      if (last !== undefined && isAlive(last, holder)) throw locked(directory, last, fileOf(directory, highest))
      const file = fileOf(directory, highest + 1)
      if (!link(draft, file)) continue
      const [now = 0, ...lower] = numbers(directory)
      if (now > highest + 1) {
        // Another one had got further meanwhile.
        rmSync(file, { force: true })
        continue
      }
      for (const number of lower) rmSync(fileOf(directory, number), { force: true })
      return new Owner(file)
    }
  }

  /** Others may own it now. Twice is once. */
  release(): void {
    if (this.#released) return
    this.#released = true
    // Takes no room, so a full disk does not keep it from being closed.
    truncateSync(this.#file)
  }
}

let drafts = 0

const fileOf = (directory: string, number: number): string => join(directory, `owner.${number}`)

/** Highest first */
const numbers = (directory: string): number[] =>
  readdirSync(directory)
    .flatMap(name => (/^owner\.\d+$/.test(name) ? [Number(name.slice(6))] : []))
    .sort((a, b) => b - a)

/** Whether it could be linked: not when the file is there. */
function link(draft: string, file: string): boolean {
  try {
    linkSync(draft, file)
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw cause
  }
}

/** Who is named there; undefined when the file is gone (its successor removed it) or empty. A link makes whole ones only. */
function read(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder
  } catch (cause) {
    if (cause instanceof SyntaxError || (cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
}

/** On another host, or in another container, nothing is known of it: then it counts as alive. */
function isAlive(holder: Holder, here: Holder): boolean {
  if (holder.host !== here.host) return true
  if (holder.boot !== here.boot) return false
  if (holder.namespace !== here.namespace) return true
  const started = startOf(holder.pid)
  return started !== undefined && started === holder.started
}

function locked(directory: string, { pid: owner, host }: Holder, file: string): StoreError {
  if (owner === pid && host === hostname()) {
    const remedy = 'Use that store, or close it first.'
    return new StoreError('STORE_LOCKED', `This program (pid ${pid}) has ${directory} open already.`, { remedy })
  }
  const elsewhere = host === hostname() ? '' : ` on ${host}`
  return new StoreError('STORE_LOCKED', `${directory} is open for writing in the process with pid ${owner}${elsewhere}.`, {
    remedy: `Write through that one, or open it here with readOnly. If no such process is alive any more, on no machine that shares the directory, remove ${file}.`,
  })
}

function thisProcess(): Holder {
  const started = startOf(pid) ?? ''
  return { pid, started, boot: fact(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()), namespace, host: hostname() }
}

/** What only Linux tells; '' elsewhere, where pid and host must do. */
function fact(look: () => string): string {
  if (platform !== 'linux') return ''
  try {
    return look()
  } catch {
    // A machine without /proc: as where there is none.
    return ''
  }
}

const namespace = fact(() => readlinkSync('/proc/self/ns/pid'))

/** When that process began; undefined when there is none, or it has ended and only its parent has not looked yet. */
function startOf(process: number): string | undefined {
  if (platform === 'linux') {
    const fields = fact(() => readFileSync(`/proc/${process}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ') // prettier-ignore
    if (fields.length > 19) return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
  }
  try {
    kill(process, 0)
    return ''
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM' ? '' : undefined
  }
}
