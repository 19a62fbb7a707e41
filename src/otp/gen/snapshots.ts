/**
 * The states of one server on their way to its table. One write at a time, always of the latest state: so what changes while one is under way costs one
 * more write, however much it is. Whoever is to hear of a state waits here until that is written.
 */
import { decode, encode } from '../../etf/index.js'
import type { Clock } from '../../process/index.js'
import { type Sendable, type Term, Tuple } from '../../term/index.js'
import type { StateTable } from './persist-types.js'

export interface SnapshotsOptions {
  readonly table: StateTable
  readonly key: Sendable
  readonly every: 'change' | number
  readonly clock: Clock
  /** The table has refused one. */
  readonly failed: (error: unknown) => void
}

interface Held {
  readonly number: number
  readonly run: () => void
}

export class Snapshots {
  readonly #options: SnapshotsOptions
  /** The latest state, with its version, and which one it is */
  #latest: Buffer
  #number = 0
  /** The last that was written */
  #written = 0
  #writing: Promise<void> | null = null
  #held: Held[] = []
  #cancel: (() => void) | null = null

  /** @param row what is saved of the first state. Unless it `isSaved`, it is to be written, too. @throws EtfError */
  constructor(options: SnapshotsOptions, row: Sendable, isSaved: boolean) {
    this.#options = options
    this.#latest = encode(row)
    if (!isSaved) this.#changed()
  }

  /** Is there something that is not written? */
  get isBehind(): boolean {
    return this.#written < this.#number
  }

  /** The server has a state, and this of it is to be saved: it is taken at once. @throws EtfError for what is no term */
  take(row: Sendable): void {
    const bytes = encode(row)
    if (bytes.equals(this.#latest)) return
    this.#latest = bytes
    this.#changed()
  }

  /** Does this when all that was taken is written: at once, where it is, or where nobody waits for that. */
  hold(run: () => void): void {
    if (this.#options.every === 'change' && this.isBehind) this.#held.push({ number: this.#number, run })
    else run()
  }

  /** Resolves when all that was taken is written. Rejects when it is not. */
  async flush(): Promise<void> {
    this.#cancel?.()
    while (this.isBehind) await (this.#writing ?? this.#write())
  }

  /** Nothing is written any more, but for what is under way. */
  stop(): void {
    this.#cancel?.()
    this.#held = []
  }

  #changed(): void {
    const { every, clock } = this.#options
    this.#number++
    if (every === 'change') this.#start()
    else
      this.#cancel ??= clock.after(every, () => {
        this.#cancel = null
        this.#start()
      })
  }

  #start(): void {
    if (this.#writing) return
    this.#write().catch((error: unknown) => this.#options.failed(error))
  }

  /** Ends when nothing is left to write, or with the time of the next. */
  #write(): Promise<void> {
    const { table, key, every } = this.#options
    const run = async (): Promise<void> => {
      try {
        while (this.isBehind) {
          const number = this.#number
          await table.put(key, decode(this.#latest, { floats: 'exact' }))
          this.#written = number
          this.#release()
          if (every !== 'change') return
        }
      } finally {
        this.#writing = null
      }
    }
    return (this.#writing = run())
  }

  #release(): void {
    const free = this.#held.filter(({ number }) => number <= this.#written)
    this.#held = this.#held.filter(({ number }) => number > this.#written)
    for (const { run } of free) run()
  }
}

/** What a row `{Vsn, Saved}` holds; null: it was written by nobody who saves states. */
export function savedIn(row: unknown): { readonly vsn: Term; readonly value: Term } | null {
  if (!(row instanceof Tuple) || row.length !== 2) return null
  const [vsn, value] = row.elements as readonly [Term, Term]
  return { vsn, value }
}
