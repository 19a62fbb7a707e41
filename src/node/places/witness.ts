/**
 * Who runs in a scheduler that does not come round: it cannot say so itself, so a thread beside it does. The scheduler notes in shared memory whose turn it
 * is (two stores a turn), and the thread tells main when main asks, over a socket of its own.
 *
 *   main → thread     one byte
 *   thread → main     the pid's number and serial, 32 bits each in the machine's order; the number is -1 when it is nobody's turn
 *
 * Measured: 8 MB and 30 ms of another core for each scheduler. Without it main could but guess by what it sent there last.
 */
import type { Socket } from 'node:net'
import { nextTick } from 'node:process'
import { Worker } from 'node:worker_threads'
import type { Clock, Processes } from '../../process/index.js'
import type { Pid } from '../../term/index.js'

/** The file descriptor of the place's end */
const descriptor = 4

/** JavaScript as it is: the thread needs no loader, so it starts quickly in a TypeScript program, too. */
const program = `
  const { Socket } = require('node:net')
  const { workerData } = require('node:worker_threads')
  const socket = new Socket({ fd: ${descriptor} })
  socket.on('data', () => socket.write(new Uint8Array(workerData.slice().buffer)))
  // Main is gone, and this place ends with it.
  socket.on('error', () => {})`

/** In the place: from now on main can ask who runs. */
export function bearWitness({ scheduler }: Processes): void {
  const turn = new Int32Array(new SharedArrayBuffer(8)).fill(-1)
  let armed = false
  const over = (): void => {
    armed = false
    turn[0] = -1
  }
  scheduler.watch = ({ id, serial }) => {
    turn[0] = id
    turn[1] = serial
    if (armed) return
    armed = true
    nextTick(over)
  }
  const resourceLimits = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 }
  const thread = new Worker(program, { eval: true, workerData: turn, execArgv: [], env: {}, resourceLimits })
  // Without it nothing is lost but the name in a report.
  thread.on('error', () => {})
  thread.unref()
}

export type Whom = Pick<Pid, 'id' | 'serial'>

/** In main: the way to that thread. */
export class Witness {
  readonly #socket: Socket
  #answer = (_: Whom | null): void => {}

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => {}) // The end of the place, which is told otherwise.
    socket.on('data', (bytes: Buffer) => this.#onAnswer(bytes))
  }

  /** Who runs there; null when nobody's turn it is, or no answer comes in so many milliseconds, for the place is stopped. */
  ask(clock: Clock, patience: number): Promise<Whom | null> {
    return new Promise(resolve => {
      const cancel = clock.after(patience, () => resolve(null))
      this.#answer = whom => {
        cancel()
        resolve(whom)
      }
      this.#socket.write('?')
    })
  }

  #onAnswer(bytes: Buffer): void {
    // The last one counts: an earlier one is to a question that was given up.
    const [id = -1, serial = 0] = new Int32Array(Uint8Array.from(bytes.subarray(-8)).buffer)
    this.#answer(id === -1 ? null : { id, serial })
  }
}
