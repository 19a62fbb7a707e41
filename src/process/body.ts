/** A process whose code is an async function: its receives are served as messages come, and its promise is its life. */
import type { Term } from '../term/index.js'
import type { LocalProcess, Runner } from './local-process.js'
import type { Body, Process } from './process.js'
import { normal } from './reason.js'

export class BodyRunner implements Runner {
  readonly #self: Process
  #body: Body | null

  constructor(self: Process, body: Body) {
    this.#self = self
    this.#body = body
  }

  run(process: LocalProcess): void {
    const body = this.#body
    if (!body) return this.#self.receiver.run()
    this.#body = null
    void this.#live(process, body)
  }

  exited(_process: LocalProcess, reason: Term): void {
    this.#self.exited(reason)
  }

  /** Never rejects: whatever the body throws ends its process, and only that. */
  async #live(process: LocalProcess, body: Body): Promise<void> {
    const { host } = this.#self
    try {
      await body(this.#self)
      host.exit(process, normal)
    } catch (thrown) {
      host.crash(process, thrown)
    }
  }
}
