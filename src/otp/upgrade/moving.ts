/**
 * One place's part in moving servers to another version: all of them are held, each says what it is to be, and only when all of the node have said so they
 * become it, at once. Until then nothing has changed.
 */
import type { Change } from '../../node/code.js'
import type { Kernel } from '../../node/kernel.js'
import { late, within } from '../../node/places/inquiry.js'
import { ErlangError, ExitError, reason } from '../../process/index.js'
import { type Atom, atom, equals, type Pid, type Sendable, type Term, tuple } from '../../term/index.js'
import { latestOf, nameIn, successorOf } from '../gen/latest.js'
import { type CodeChange, type Defined, GenRunner } from '../gen/runner.js'

export interface Target {
  /** Of loaded code */
  readonly name: Atom
  /** By which the new version is imported, and the file that it is of */
  readonly url: string
  readonly source: string
  readonly extra: Sendable
  readonly change: Change
  /** What `codeChange` is told that it changes from, by URL */
  readonly vsns: readonly (readonly [url: string, vsn: Sendable])[]
}

/** A server that cannot move. `why` is of ERR_CODE_CHANGE the reason, and of ERR_CODE_SERVER what is not there. */
export interface Refusal {
  readonly code: 'ERR_CODE_CHANGE' | 'ERR_CODE_SERVER' | 'ERR_CODE_SUSPEND'
  /** Null: a place did not answer */
  readonly server: Pid | null
  readonly why: Term
}

/** The new version has no such definition. */
class NoSuchDefinition extends Error {
  readonly what: string

  constructor(definition: Defined) {
    super('The new version does not define it.')
    this.what = `${definition.behaviour.name} ${nameIn(definition)}`
  }
}

export class Moving {
  readonly target: Target
  readonly #kernel: Kernel<any>
  /** Does it handle nothing any more? */
  readonly #held = new Map<GenRunner, { isDone: boolean }>()
  /** Servers that have begun since, and wait for what comes of it */
  readonly #newcomers = new Set<GenRunner>()
  #holdsNew = false
  #changes: { readonly runner: GenRunner; readonly change: () => void }[] | null = null

  constructor(kernel: Kernel<any>, target: Target) {
    this.#kernel = kernel
    this.target = target
  }

  /** A server begins. */
  began(runner: GenRunner): void {
    if (!this.#holdsNew || !this.#concerns(runner)) return
    void runner.hold()
    this.#newcomers.add(runner)
  }

  /** Holds these, or all that are not held yet. Resolves when they handle nothing any more, or else to those that still do after so long. */
  async hold(pids: readonly Pid[] | null, ms: number): Promise<Pid[]> {
    const wanted = this.#servers().filter(({ self: { pid } }) => !pids || pids.some(each => equals(each, pid)))
    // What another upgrade came too late for is let go by that first.
    const others = wanted.filter(runner => runner.isHeld && !this.#held.has(runner))
    const waits = wanted.flatMap(runner => {
      if (this.#held.has(runner) || runner.isHeld) return []
      const held = { isDone: false }
      this.#held.set(runner, held)
      return [runner.hold().then(() => void (held.isDone = true))]
    })
    await within(this.#kernel.processes.clock, ms, Promise.all(waits))
    const stuck = [...this.#held].flatMap(([runner, { isDone }]) => (isDone ? [] : [runner]))
    return [...stuck, ...others].filter(({ self }) => self.local.alive).map(({ self }) => self.pid)
  }

  release(): void {
    for (const runner of this.#held.keys()) runner.release()
    for (const runner of this.#newcomers) runner.release()
    this.#held.clear()
    this.#newcomers.clear()
    this.#holdsNew = false
    this.#changes = null
  }

  /** Has each say what it is to be. From now on those that begin wait. Null: they have. */
  async change(ms: number): Promise<Refusal | null> {
    const { clock } = this.#kernel.processes
    this.#holdsNew = true
    const [stuck] = await this.hold(null, ms)
    if (stuck) return { code: 'ERR_CODE_SUSPEND', server: stuck, why: [] }
    const changes: { runner: GenRunner; change: () => void }[] = []
    const waiting = new Set<GenRunner>()
    const changed = [...this.#held.keys()].map(async (runner): Promise<Refusal | null> => {
      waiting.add(runner)
      try {
        changes.push({ runner, change: await runner.next(this.#changeOf(runner)) })
        return null
      } catch (thrown) {
        return this.#refusal(runner, thrown)
      } finally {
        waiting.delete(runner)
      }
    })
    const refusals = await within(clock, ms, Promise.all(changed))
    if (refusals === late) return { code: 'ERR_CODE_CHANGE', server: [...waiting][0]?.self.pid ?? null, why: atom('timeout') }
    const refusal = refusals.find(each => each !== null) ?? null
    if (!refusal) this.#changes = changes
    return refusal
  }

  /** They become it, and go on. Null: they have not said yet what: see `settle`. */
  commit(): Pid[] | null {
    const changes = this.#changes
    if (!changes) return null
    const { code } = this.#kernel
    code.commit(this.target.name)
    const moved = changes.filter(({ runner }) => runner.self.local.alive)
    for (const { change } of moved) change()
    for (const runner of this.#newcomers) runner.definition = latestOf(code, runner.definition)
    const pids = [...moved.map(({ runner }) => runner), ...this.#newcomers].map(({ self }) => self.pid)
    this.release()
    return pids
  }

  /**
   * In a place that was not there to be asked all others have moved already, so here one that refuses ends: who starts it again starts the new version.
   * Resolves when all have moved; those that wait for an earlier such move are moved by that.
   */
  async settle(): Promise<void> {
    this.release()
    await Promise.all(this.#servers().map(async runner => (runner.isHeld ? undefined : this.#settle(runner))))
  }

  async #settle(runner: GenRunner): Promise<void> {
    const { code, processes } = this.#kernel
    const to = <D extends Defined>(definition: D): D => latestOf(code, definition)
    await runner.hold()
    try {
      while (runner.self.local.alive && runner.definitions.some(definition => to(definition) !== definition)) {
        const change = await runner.next({ ...this.#changeOf(runner), to })
        change()
      }
    } catch (thrown) {
      processes.exit(runner.self.local, tuple(atom('code_change'), reasonOf(thrown)) as Term)
    } finally {
      runner.release()
    }
  }

  #servers(): GenRunner[] {
    const runners = [...this.#kernel.processes.table].map(({ runner }) => runner)
    return runners.filter((runner): runner is GenRunner => runner instanceof GenRunner && this.#concerns(runner))
  }

  #concerns(runner: GenRunner): boolean {
    return runner.definitions.some(definition => this.#isOld(definition))
  }

  #isOld({ module }: Defined): boolean {
    const { name, url } = this.target
    return module !== undefined && module !== url && this.#kernel.code.isOf(name, module)
  }

  #changeOf(runner: GenRunner): CodeChange {
    const { url, extra, vsns, change } = this.target
    const { code, processes } = this.#kernel
    const left = change === 'down' ? url : runner.definitions.find(definition => this.#isOld(definition))?.module
    const [, vsn = atom('undefined')] = vsns.find(([each]) => each === left) ?? []
    const oldVsn = change === 'down' ? tuple(atom('down'), vsn) : vsn
    const to = <D extends Defined>(definition: D): D => {
      if (!this.#isOld(definition)) return latestOf(code, definition)
      const found = successorOf(definition, url)
      if (found) return found
      throw new NoSuchDefinition(definition)
    }
    return { oldVsn: processes.copy(oldVsn), extra: processes.copy(extra), change, to }
  }

  #refusal({ self: { pid } }: GenRunner, thrown: unknown): Refusal {
    if (thrown instanceof NoSuchDefinition) return { code: 'ERR_CODE_SERVER', server: pid, why: Buffer.from(thrown.what) }
    return { code: 'ERR_CODE_CHANGE', server: pid, why: reasonOf(thrown) }
  }
}

/** As an exit reason */
function reasonOf(thrown: unknown): Term {
  const isFault = thrown instanceof ExitError || thrown instanceof ErlangError || thrown instanceof Error
  return isFault ? reason.reasonOf(thrown) : reason.termOf(thrown)
}
