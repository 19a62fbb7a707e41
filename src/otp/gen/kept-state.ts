/** The state of one process as its table has it: what a gen_server and a gen_statem that are saved do alike. */
import type { Process } from '../../process/index.js'
import type { Sendable } from '../../term/index.js'
import { type Cause, isUsual } from './cause.js'
import { answersLater, type Caller } from './gen.js'
import type { Persist } from './persist-types.js'
import { Snapshots, type SnapshotsOptions } from './snapshots.js'

export class KeptState {
  readonly #self: Process
  readonly #crash: (error: unknown) => void
  #snapshots: Snapshots | null = null
  #ends = false
  /** The table has refused a state */
  #refused = false

  /** @param crash ends the process: its state could not be saved */
  constructor(self: Process, crash: (error: unknown) => void) {
    this.#self = self
    this.#crash = crash
  }

  /** Begins with this row. @param isCurrent is what was saved, if anything, of the version that runs? */
  begin(options: Omit<SnapshotsOptions, 'failed'>, row: Sendable, isCurrent: boolean): void {
    this.#snapshots = new Snapshots({ ...options, failed: error => this.#failed(error) }, row, isCurrent)
  }

  take(row: () => Sendable): void {
    this.#snapshots?.take(row())
  }

  /** The value is taken at once, and said when what it may tell of is written. */
  answer(caller: Caller, value: Sendable, say: (value: Sendable) => void): void {
    const snapshots = this.#snapshots
    if (!snapshots?.isBehind) return say(value)
    const taken = this.#self.host.copy(value)
    answersLater(this.#self, caller)
    snapshots.hold(() => say(taken))
  }

  /** `terminate` has run. */
  async ends(cause: Cause, every: Persist<any[], any>['every'] = 'change'): Promise<void> {
    this.#ends = true
    if (this.#refused) return
    if (isUsual(cause) || every === 'change') await this.#snapshots?.flush()
  }

  stop(): void {
    this.#snapshots?.stop()
  }

  #failed(error: unknown): void {
    // Who ends waits for it, and is told.
    if (this.#ends) return
    this.#refused = true
    this.#crash(error)
  }
}
