import type { Carrier, CarrierHandlers } from '../../src/net/carrier.js'
import type { NetError } from '../../src/net/errors.js'

/** A carrier in a test's hand: what is written is kept, and taken only when the test says so. */
export class FakeCarrier implements Carrier {
  readonly prefix = 2
  readonly remoteAddress = 'fake:1'
  readonly writes: Buffer[] = []
  /** Whether what is written is taken at once */
  takes = true
  state: 'open' | 'ended' | 'destroyed' = 'open'
  #handlers: CarrierHandlers | null = null
  #waiting: { readonly bytes: Buffer; readonly taken: (() => void) | undefined }[] = []
  #afterReads: (() => void)[] = []

  get pendingBytes(): number {
    return this.#waiting.reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  get isReading(): boolean {
    return this.#handlers !== null
  }

  read(handlers: CarrierHandlers): void {
    this.#handlers = handlers
  }

  pause(): void {
    this.#handlers = null
  }

  write(pieces: Buffer | readonly Buffer[], taken?: () => void): void {
    const bytes = Buffer.isBuffer(pieces) ? pieces : Buffer.concat(pieces)
    this.writes.push(bytes)
    this.#waiting.push({ bytes, taken })
    if (this.takes) queueMicrotask(() => this.take())
  }

  /** The machine takes all that waits, or the first `count` writes of it. */
  take(count = Infinity): void {
    for (const { taken } of this.#waiting.splice(0, count)) if (this.state === 'open') taken?.()
  }

  end(): void {
    this.state = 'ended'
    this.#handlers = null
  }

  destroy(): void {
    this.state = 'destroyed'
    this.#handlers = null
  }

  afterReads(callback: () => void): void {
    this.#afterReads.push(callback)
  }

  // ── what the test does ───────────────────────────────────────────────────

  receive(bytes: Buffer): void {
    this.#handlers?.data(bytes)
  }

  peerEnds(error?: NetError): void {
    const handlers = this.#handlers
    this.destroy()
    handlers?.ended(error)
  }

  finishReads(): void {
    for (const callback of this.#afterReads.splice(0)) if (this.state === 'open') callback()
  }

  get sent(): Buffer {
    return Buffer.concat(this.writes)
  }
}
