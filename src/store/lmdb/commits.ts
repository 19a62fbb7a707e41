/**
 * Which keys the latest commits wrote, so that a transaction can be told whether somebody changed what it had read. Kept while transactions
 * run, and bounded: beyond that the oldest are forgotten, and whoever read before them has to run again.
 */
export interface Interval {
  low: string
  high: string
  /** The last commit before it was read */
  readonly seen: number
}

/** What a transaction has read. Keys are stored keys, a character for each byte. */
export class Reads {
  readonly keys = new Map<string, number>()
  readonly intervals: Interval[] = []

  key(key: string, seen: number): void {
    if (!this.keys.has(key)) this.keys.set(key, seen)
  }
}

/** Keys that are remembered */
const MOST = 1_000_000

export class Commits {
  #log: { readonly commit: number; readonly keys: ReadonlySet<string> }[] = []
  #keys = 0
  /** Commits up to this one are not remembered */
  #forgotten = 0
  #running = 0
  /** The number of the last one */
  last = 0

  /** From now on all is remembered. */
  begin(): void {
    if (this.#running++ === 0) this.#forgotten = this.last
  }

  end(): void {
    if (--this.#running > 0) return
    this.#log = []
    this.#keys = 0
  }

  add(commit: number, keys: ReadonlySet<string>): void {
    this.last = commit
    if (this.#running === 0) return
    this.#log.push({ commit, keys })
    this.#keys += keys.size
    while (this.#keys > MOST) {
      const oldest = this.#log.shift()!
      this.#keys -= oldest.keys.size
      this.#forgotten = oldest.commit
    }
  }

  /** Has something that was read changed since? `pending`: what is about to be written before it. */
  changed({ keys, intervals }: Reads, pending?: ReadonlyMap<string, unknown>): boolean {
    for (const seen of keys.values()) if (seen < this.#forgotten) return true
    for (const { seen } of intervals) if (seen < this.#forgotten) return true
    if (pending !== undefined && touches(pending.keys(), -1, keys, intervals)) return true
    return this.#log.some(({ commit, keys: written }) => touches(written, commit, keys, intervals))
  }
}

/** @param commit of these keys; -1: it comes after all that was read */
function touches(written: Iterable<string>, commit: number, keys: ReadonlyMap<string, number>, intervals: readonly Interval[]): boolean {
  const later = (seen: number): boolean => commit === -1 || seen < commit
  for (const key of written) {
    const seen = keys.get(key)
    if (seen !== undefined && later(seen)) return true
    if (intervals.some(({ low, high, seen }) => later(seen) && low <= key && key <= high)) return true
  }
  return false
}

/** A stored key as a character for each byte: their order is that of the bytes. */
export const named = (key: Buffer): string => key.toString('latin1')
