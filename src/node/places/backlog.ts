/**
 * What waits for main in another place, by the processes that sent it. It lies in that place's memory, so too much of it is the end of the process that
 * has the most there, and not of its neighbours. What has gone out so far is on its way all the same: nothing that was accepted is lost.
 *
 * Counted only while the way is busy, and from nothing again when it has drained. A process that has less than `limit` there pays for nobody: where
 * many such overflow it together, the channel ends at twice as much, and the place with it.
 */
import type { Signal } from '../../dist/signal.js'
import { Pid } from '../../term/index.js'

export interface BacklogOptions<P> {
  /** Bytes that a process may have in it whatever the others have */
  readonly limit: number
  /** Bytes that may wait in all */
  readonly max: number
  /** The process of that pid, while it lives here */
  find(pid: Pid): P | undefined
  /** It has the most in it, and there is too much. */
  overflow(process: P): void
}

export class Backlog<P extends object> {
  readonly #options: BacklogOptions<P>
  readonly #bytes = new Map<P, number>()

  constructor(options: BacklogOptions<P>) {
    this.#options = options
  }

  /** A signal that went in had to wait. @param waiting bytes in all, these too */
  grew(signal: Signal, bytes: number, waiting: number): void {
    const { limit, max, find } = this.#options
    const sender = 'from' in signal && signal.from instanceof Pid ? find(signal.from) : undefined
    if (!sender) return
    const share = (this.#bytes.get(sender) ?? 0) + bytes
    this.#bytes.set(sender, share)
    // Somebody ends, the sender if nobody else has more: so this is done once for each end, not for each signal.
    if (waiting > max && share > limit) this.#end()
  }

  /** Little waits any more. */
  drained(): void {
    this.#bytes.clear()
  }

  #end(): void {
    let [most, greatest] = [null as P | null, 0]
    for (const [process, bytes] of this.#bytes) if (bytes > greatest) [most, greatest] = [process, bytes]
    if (!most) return
    this.#bytes.delete(most)
    this.#options.overflow(most)
  }
}
