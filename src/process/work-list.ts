/**
 * Exit signals, DOWN messages and the clean-up after a lost node go through one first-in-first-out list: a chain of any length dies
 * without recursion, and a long walk is cut into slices of 5 ms, so that it holds up nobody. Each task is a generator that yields after
 * every signal.
 */
export type Task = Iterator<void, void, undefined>

const slice = 5
const between = 64

export class WorkList {
  #tasks: Task[] = []
  #head = 0
  #running = false

  /** Runs the task at once when nothing is ahead of it, otherwise after all that is. */
  push(task: Task): void {
    this.#tasks.push(task)
    if (!this.#running) this.#drain()
  }

  /** Resolves when all that is here now is done. */
  idle(): Promise<void> {
    return new Promise(resolve => this.push({ next: () => (resolve(), { done: true, value: undefined }) }))
  }

  readonly #drain = (): void => {
    this.#running = true
    const end = performance.now() + slice
    let steps = 0
    while (this.#head < this.#tasks.length) {
      if (++steps % between === 0 && performance.now() > end) {
        setImmediate(this.#drain)
        return
      }
      const task = this.#tasks[this.#head] as Task
      if (task.next().done) this.#advance()
    }
    this.#running = false
  }

  #advance(): void {
    this.#head++
    if (this.#head === this.#tasks.length || this.#head === 1024) {
      this.#tasks = this.#tasks.slice(this.#head)
      this.#head = 0
    }
  }
}
