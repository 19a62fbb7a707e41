/** A gen_server whose state is saved: see Persist. It starts from what was saved, and says nothing of what is not. */
import { ErlangError, type LocalProcess, type Process, ProcessError } from '../../process/index.js'
import { atom, equals, type Sendable, type Term, tuple } from '../../term/index.js'
import type { Cause } from './cause.js'
import type { Caller } from './gen.js'
import { KeptState } from './kept-state.js'
import type { Persist } from './persist-types.js'
import type { Behaviour, Life } from './runner.js'
import { type Definition, GenServerRunner } from './server-runner.js'
import { savedIn, type SnapshotsOptions } from './snapshots.js'

type AnyPersist = Persist<any[], any>

export class PersistentServerRunner extends GenServerRunner {
  readonly #args: readonly unknown[]
  readonly #kept: KeptState

  constructor(self: Process, definition: Behaviour<Definition>, life: Life) {
    super(self, definition, life)
    this.#args = life.args
    this.#kept = new KeptState(self, error => this.crash(error))
  }

  /** That of the code which it runs now */
  get #persist(): AnyPersist | undefined {
    return this.code.persist
  }

  /** After `init`: it may have been saved already. */
  protected override async first(fresh: unknown): Promise<unknown> {
    const persist = this.#persist as AnyPersist
    const { saved, wanted, isCurrent, options } = await lookedUp(this.self, persist, this.#args)
    const state = saved === null ? fresh : await this.#restored(saved.value, fresh, saved.vsn, wanted, persist.restore)
    this.#kept.begin(options, this.#rowOf(state), isCurrent)
    return state
  }

  #restored(saved: Term, fresh: unknown, vsn: Term, wanted: Term, restore: AnyPersist['restore']): unknown {
    if (restore) return restore.call(this.self as never, saved, fresh, vsn)
    if (equals(vsn, wanted)) return saved
    const { codeChange } = this.code
    if (codeChange) return codeChange.call(this.self as never, vsn, saved, atom('restored'))
    throw new ErlangError(tuple(atom('saved_vsn'), vsn, wanted), [])
  }

  #rowOf(state: unknown): Sendable {
    const { save, vsn = 0 } = this.#persist as AnyPersist
    return tuple(vsn, save ? save(state) : (state as Sendable))
  }

  protected override changed(): void {
    // A later version may do without: then what was saved stays as it is.
    if (this.#persist) this.#kept.take(() => this.#rowOf(this.state))
  }

  protected override answer(caller: Caller, value: Sendable): void {
    this.#kept.answer(caller, value, said => super.answer(caller, said))
  }

  protected override async lastWords(cause: Cause): Promise<void> {
    await super.lastWords(cause)
    await this.#kept.ends(cause, this.#persist?.every)
  }

  override exited(process: LocalProcess, why: Term): void {
    this.#kept.stop()
    super.exited(process, why)
  }
}

interface LookedUp {
  readonly saved: ReturnType<typeof savedIn>
  readonly wanted: Term
  /** Is what was saved, if anything, of the version that is wanted? */
  readonly isCurrent: boolean
  readonly options: Omit<SnapshotsOptions, 'failed'>
}

/** What was saved of a server that starts. @throws what the table throws; ErlangError not_a_state */
export async function lookedUp(self: Process, persist: AnyPersist, args: readonly unknown[]): Promise<LookedUp> {
  const { table: given, key: naming, every = 'change', vsn = 0 } = persist
  const table = typeof given === 'function' ? await given.call(self as never) : given
  const key = (typeof naming === 'function' ? naming(...args) : naming) as Sendable
  const row = await table.get(key)
  const saved = row === undefined ? null : savedIn(row)
  if (row !== undefined && !saved) throw new ErlangError(tuple(atom('not_a_state'), row as Term), [])
  const wanted = self.host.copy(vsn)
  return { saved, wanted, isCurrent: saved === null || equals(saved.vsn, wanted), options: { table, key, every, clock: self.host.clock } }
}

/** @throws ProcessError ERR_BADARG */
export function checkPersist({ table, key, every = 'change' }: AnyPersist): void {
  const wrong = (says: string): ProcessError => new ProcessError('ERR_BADARG', says)
  const isTable = typeof table === 'function' || (typeof table?.get === 'function' && typeof table.put === 'function')
  if (!isTable) throw wrong("A server's state is kept in a table, as store.table gives it, or a function that gives one.")
  if (key === undefined) throw wrong("A server's state is kept under a key: say which.")
  if (every !== 'change' && !(typeof every === 'number' && every > 0))
    throw wrong(`A server's state is saved every so many milliseconds, or at each 'change', not every ${String(every)}.`)
}
