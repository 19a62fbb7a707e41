/** A gen_statem whose state and data are saved, `{State, Data}`: see Persist. It starts from what was saved, and says nothing of what is not. */
import { ErlangError, type LocalProcess, type Process } from '../../process/index.js'
import { atom, equals, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'
import type { Cause } from './cause.js'
import type { Caller } from './gen.js'
import { KeptState } from './kept-state.js'
import type { Persist } from './persist-types.js'
import { lookedUp } from './persistent-runner.js'
import type { Behaviour, Handler, Life } from './runner.js'
import { GenStatemRunner, type StatemDefinition } from './statem-runner.js'
import type { Transition } from './statem-types.js'

type AnyPersist = Persist<any[], any>

export class PersistentStatemRunner extends GenStatemRunner {
  readonly #args: readonly unknown[]
  readonly #kept: KeptState

  constructor(self: Process, definition: Behaviour<StatemDefinition>, life: Life) {
    super(self, definition, life)
    this.#args = life.args
    this.#kept = new KeptState(self, error => this.crash(error))
  }

  /** That of the code which it runs now */
  get #persist(): AnyPersist | undefined {
    return this.code.persist
  }

  protected override first(state: Term, data: unknown, begin: (state: Term, data: unknown, isRestored?: boolean) => void): void {
    const saved = (): Promise<{ state: Term; data: unknown; isRestored: boolean }> => this.#first(state, data)
    this.invoke(saved as Handler, [], out => {
      const { state, data, isRestored } = out as Awaited<ReturnType<typeof saved>>
      begin(state, data, isRestored)
    })
  }

  async #first(state: Term, data: unknown): Promise<{ state: Term; data: unknown; isRestored: boolean }> {
    const { saved, wanted, isCurrent, options } = await lookedUp(this.self, this.#persist as AnyPersist, this.#args)
    const begun = saved === null ? { state, data } : await this.#restored(saved.value, data, saved.vsn, wanted)
    this.#kept.begin(options, this.#rowOf(begun.state, begun.data), isCurrent)
    return { ...begun, isRestored: saved !== null }
  }

  async #restored(saved: Term, fresh: unknown, vsn: Term, wanted: Term): Promise<{ state: Term; data: unknown }> {
    if (!(saved instanceof Tuple) || saved.length !== 2) throw new ErlangError(tuple(atom('not_a_state'), saved), [])
    const [state, data] = saved.elements as readonly [Term, Term]
    const { restore } = this.#persist as AnyPersist
    if (restore) return { state, data: await restore.call(this.self as never, data, fresh, vsn) }
    if (equals(vsn, wanted)) return { state, data }
    const { codeChange } = this.code
    if (!codeChange) throw new ErlangError(tuple(atom('saved_vsn'), vsn, wanted), [])
    const out: Transition<any, any> = await codeChange.call(this.self as never, vsn, state, data, atom('restored'))
    return { state: out.kind === 'next' ? this.stateOf(out.state) : state, data: out.data as unknown }
  }

  #rowOf(state: Term, data: unknown): Sendable {
    const { save, vsn = 0 } = this.#persist as AnyPersist
    return tuple(vsn, tuple(state, save ? save(data) : (data as Sendable)))
  }

  protected override becomes(state: Term, data: unknown): void {
    // A later version may do without: then what was saved stays as it is.
    if (this.#persist) this.#kept.take(() => this.#rowOf(state, data))
  }

  protected override answer(caller: Caller, value: Sendable): void {
    this.#kept.answer(caller, value, said => super.answer(caller, said))
  }

  protected override async onEnd(cause: Cause): Promise<void> {
    await super.onEnd(cause)
    await this.#kept.ends(cause, this.#persist?.every)
  }

  override exited(process: LocalProcess, why: Term): void {
    this.#kept.stop()
    super.exited(process, why)
  }
}
