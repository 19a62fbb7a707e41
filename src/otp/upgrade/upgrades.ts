/**
 * Moves the servers of a module to another version, in all places of a node. In two steps, so that it is all or none:
 *
 *   hold      each server comes to the end of what it handles, and takes no message any more
 *   change    each says what it is to be in the new version: its codeChange runs
 *   commit    all become it, and go on with the messages that wait         or discard: all go on as they were
 *
 * Servers that call each other while they are held would wait for ever: one that does not come to an end while others are held is held before them, the
 * next time.
 */
import type { MoveOptions, Mover } from '../../node/code.js'
import { UpgradeError } from '../../node/code.js'
import type { Functions } from '../../node/code-version.js'
import type { Kernel } from '../../node/kernel.js'
import type { Runner } from '../../process/index.js'
import { Atom, atom, format, type NodeError, type Pid, type Sendable, type Term, text, Tuple, tuple } from '../../term/index.js'
import { applicationsOf } from '../application/application.js'
import type { ApplicationChange } from '../application/application-upgrade.js'
import { definedAt, definitionsOf, isLearnt, learn } from '../gen/latest.js'
import { GenRunner } from '../gen/runner.js'
import { Moving, type Refusal, type Target } from './moving.js'
import { Elsewhere, Here, moveLater, type Part, targetFrom } from './parts.js'

/** Milliseconds for the first attempt to hold all at once; the next has twice as many. */
const firstWindow = 100

export class Upgrades implements Mover {
  readonly #kernel: Kernel<any>
  /** Changes the applications that a module defines, with its servers. Null elsewhere than in main, which has them */
  changeApplications: ((name: Atom, url: string) => ApplicationChange) | null = null
  /** Those that this place takes part in */
  readonly #moving = new Map<Atom, Moving>()

  constructor(kernel: Kernel<any>) {
    this.#kernel = kernel
    if (!kernel.uplink) return
    kernel.inquiries.set('upgrade', (what: Atom, ...args: Term[]) => this.#asked(what.name, args))
    kernel.inquiries.set('definitions', (url: Term) => this.#usersHere(text(url)))
  }

  async arrived(url: string, exported: Functions): Promise<void> {
    learn(url, exported)
    // What the program has imported itself has names, too.
    for (const each of definitionsOf(url)) if (!isLearnt(each)) learn(each, (await import(each)) as Functions)
  }

  knows(url: string): boolean {
    return definitionsOf(url).includes(url) || applicationsOf(url).length > 0
  }

  since(url: string): number | undefined {
    return definedAt(url)
  }

  began(runner: Runner): void {
    if (runner instanceof GenRunner) for (const moving of this.#moving.values()) moving.began(runner)
  }

  async users(url: string): Promise<number> {
    const elsewhere = this.#kernel.main?.schedulers.code.count(({ inquiry }) => inquiry.ask('definitions', url))
    return this.#usersHere(url) + ((await elsewhere) ?? 0)
  }

  async move(
    name: Atom,
    { url, source }: { readonly url: string; readonly source: string },
    { extra = [], timeout = 5000, change }: MoveOptions,
  ): Promise<Pid[]> {
    const { code, main } = this.#kernel
    const places = (main as NonNullable<typeof main>).schedulers.code
    const target: Target = { name, url, source, extra, change, vsns: code.vsnsOf(name) }
    const { running } = places.parts()
    const parts: Part[] = [this.#here(target), ...running.map(number => new Elsewhere(places, number, target))]
    let applications: ApplicationChange | undefined
    try {
      applications = this.changeApplications?.(name, url)
      const silent = (await Promise.all(parts.map(part => part.prepare(timeout)))).flat()
      if (silent.length > 0) throw this.#error({ code: 'ERR_CODE_SUSPEND', server: silent[0] ?? null, why: [] }, target, timeout)
      await this.#change(parts, target, timeout)
    } catch (error) {
      applications?.undo()
      for (const part of parts) part.discard()
      throw error
    }
    const moved = parts.map(part => part.commit())
    const all = places.parts()
    for (const number of [...all.running, ...all.starting]) if (!running.includes(number)) moveLater(places, number, target)
    const servers = (await Promise.all(moved)).flat()
    await applications?.done().catch((error: NodeError) => this.#kernel.tellError(error))
    return servers
  }

  #here(target: Target): Here {
    const moving = new Moving(this.#kernel, target)
    this.#moving.set(target.name, moving)
    return new Here(moving, () => this.#moving.delete(target.name))
  }

  async #change(parts: readonly Part[], target: Target, timeout: number): Promise<void> {
    const { clock } = this.#kernel.processes
    const deadline = clock.now() + timeout
    const left = (): number => Math.max(deadline - clock.now(), 0)
    let first: readonly Pid[] = []
    for (let window = firstWindow; ; window *= 2) {
      const stuck = await holdAll(parts, first, Math.min(window, left()))
      if (stuck.length === 0) break
      if (left() === 0) throw this.#error({ code: 'ERR_CODE_SUSPEND', server: stuck[0] ?? null, why: [] }, target, timeout)
      for (const part of parts) part.release()
      const ahead = stuck.filter(pid => pid !== null)
      const keys = new Set(ahead.map(String))
      first = [...ahead, ...first.filter(pid => !keys.has(String(pid)))]
    }
    const refusals = await Promise.all(parts.map(part => part.change(left())))
    const refusal = refusals.find(each => each !== null)
    if (refusal) throw this.#error(refusal, target, timeout)
  }

  #error({ code, server, why }: Refusal, { name }: Target, timeout: number): UpgradeError {
    const registered = server && this.#kernel.processes.registry.nameOf(server)
    const who = server ? `The server ${registered ? `'${registered.name}' ` : ''}${String(server)}` : 'A place'
    if (code === 'ERR_CODE_SUSPEND')
      return new UpgradeError(
        code,
        `${who} did not come to the end of what it handles within ${timeout} ms, so all stay in the old version.`,
        server,
      )
    if (code === 'ERR_CODE_SERVER')
      return new UpgradeError(code, `${who} is a ${text(why)}, which the new version of '${name.name}' does not define.`, server, why)
    const [bare] = why instanceof Tuple && why.length === 2 && Array.isArray(why.elements[1]) ? (why.elements as readonly Term[]) : [why]
    return new UpgradeError(code, `${who} cannot change to the new version of '${name.name}': ${format(bare as Term)}.`, server, why)
  }

  /** What main asks of another place */
  async #asked(what: string, args: readonly Term[]): Promise<Sendable> {
    const { code } = this.#kernel
    const name = args[0] as Atom
    const moving = this.#moving.get(name)
    switch (what) {
      case 'prepare': {
        const target = targetFrom(args)
        this.#here(target)
        await code.inTurn(() => code.prepare(name, target.url, target.source))
        break
      }
      case 'hold':
        return (await moving?.hold(args[1] instanceof Atom ? null : (args[1] as unknown as Pid[]), args[2] as number)) ?? []
      case 'release':
        moving?.release()
        break
      case 'change': {
        const refusal = await moving?.change(args[1] as number)
        if (refusal) return tuple(atom(refusal.code), refusal.server ?? atom('undefined'), refusal.why)
        break
      }
      case 'commit':
        return this.#commit(targetFrom(args))
      case 'discard':
        moving?.release()
        this.#moving.delete(name)
        await code.inTurn(() => code.discard(name))
    }
    return atom('ok')
  }

  async #commit(target: Target): Promise<Pid[]> {
    const known = this.#moving.get(target.name)
    const moving = known?.target.url === target.url ? known : new Moving(this.#kernel, target)
    this.#moving.delete(target.name)
    // At once: what comes after it is to meet the new version.
    const moved = moving.commit()
    if (moved) return moved
    const { code } = this.#kernel
    await code.inTurn(async () => {
      await code.prepare(target.name, target.url, target.source)
      code.commit(target.name)
    })
    await moving.settle()
    return []
  }

  #usersHere(url: string): number {
    let count = 0
    for (const { runner } of this.#kernel.processes.table)
      if (runner instanceof GenRunner && runner.definitions.some(({ module }) => module === url)) count++
    return count
  }
}

/** Holds some one after the other, then all others. Resolves to those that do not come to an end. */
async function holdAll(parts: readonly Part[], first: readonly Pid[], ms: number): Promise<readonly (Pid | null)[]> {
  const hold = async (pids: readonly Pid[] | null): Promise<readonly (Pid | null)[]> =>
    (await Promise.all(parts.map(part => part.hold(pids, ms)))).flat()
  for (const pid of first) {
    const stuck = await hold([pid])
    if (stuck.length > 0) return stuck
  }
  return hold(null)
}
