/**
 * Where events go. Who takes them slower than they come gets some of them not, and is told how many: nothing piles up here.
 *
 *   {drop, Count}    so many are missing here, as a trace port says it
 */
import { encode } from '../../etf/index.js'
import type { TracePort } from '../../net/trace-port.js'
import type { Kernel } from '../../node/kernel.js'
import { atom, type Pid, type Term, tuple } from '../../term/index.js'

export interface Outlet {
  take(event: Term): void
}

export class PidOutlet implements Outlet {
  readonly #kernel: Kernel<any>
  readonly #to: Pid
  #busy = false
  #dropped = 0

  constructor(kernel: Kernel<any>, to: Pid) {
    this.#kernel = kernel
    this.#to = to
  }

  take(event: Term): void {
    if (this.#busy) this.#dropped++
    else if (!this.#send(event)) this.#pause()
  }

  #send(event: Term): boolean {
    return this.#kernel.send(this.#to, event)
  }

  #pause(): void {
    this.#busy = true
    const goOn = (): void => {
      this.#busy = false
      const dropped = this.#dropped
      this.#dropped = 0
      if (dropped > 0) this.take(tuple(atom('drop'), dropped))
    }
    // It never rejects: a way that is gone is free.
    void this.#kernel.drained(this.#to).then(goOn)
  }
}

export class PortOutlet implements Outlet {
  readonly #port: TracePort

  constructor(port: TracePort) {
    this.#port = port
  }

  take(event: Term): void {
    this.#port.send(encode(event))
  }
}
