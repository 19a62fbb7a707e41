/** The harness's own line to a BEAM node: requests over file descriptor 3, answers by number. See agent.ts. */
import type { Duplex } from 'node:stream'
import { decode, encode } from '../etf/index.js'
import { type Atom, atom, type Sendable, type Term, type Tuple } from '../term/index.js'
import { agent, kinds } from './agent.js'
import { BeamError, type ExceptionClass, InteropError } from './errors.js'
import { type Log, logEvent } from './log.js'
import { packet, Packets } from './packets.js'

/** As `decode` takes it: 'exact' keeps 1.0 and 1 apart. */
export type Floats = 'exact' | undefined

interface Waiter {
  readonly resolve: (bytes: Buffer) => void
  readonly reject: (error: Error) => void
}

export class Control {
  readonly #stream: Duplex
  readonly #log: Log
  readonly #waiting = new Map<number, Waiter>()
  #lastId = 0
  /** Why no more answers will come */
  #over: Error | undefined
  /** `{Release, Node}`, once the agent runs */
  readonly ready: Promise<Term>

  constructor(stream: Duplex, log: Log) {
    this.#stream = stream
    this.#log = log
    this.ready = this.#answer(0).then(bytes => decode(bytes))
    const packets = new Packets()
    stream.on('data', (chunk: Buffer) => {
      for (const bytes of packets.push(chunk)) this.#receive(bytes)
    })
    // A write to a node that has just died. Its exit is told by the process itself, and `fail` settles what waits.
    stream.on('error', () => {})
    stream.write(packet(Buffer.from(agent)))
  }

  /** @throws BeamError for an exception there; InteropError when the node ends; the signal's reason. */
  async request(request: Sendable, signal: AbortSignal, floats?: Floats): Promise<Term> {
    const id = ++this.#lastId
    const answer = this.#answer(id)
    const cancel = (): void => {
      this.#waiting.delete(id)
      this.#write(id, atom('cancel'))
    }
    signal.addEventListener('abort', cancel, { once: true })
    this.#write(id, request)
    try {
      return decode(await answer, { floats })
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  }

  /** Asks the node to stop itself; the answer is its exit. */
  stop(): void {
    this.#write(0, atom('stop'))
  }

  fail(error: Error): void {
    this.#over = error
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }

  #answer(id: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#over) reject(this.#over)
      else this.#waiting.set(id, { resolve, reject })
    })
  }

  #write(id: number, request: Sendable): void {
    if (this.#over) return
    const head = Buffer.alloc(4)
    head.writeUInt32BE(id)
    this.#stream.write(packet(head, encode(request)))
  }

  #receive(bytes: Buffer): void {
    const term = bytes.subarray(5)
    const id = bytes.readUInt32BE(1)
    const waiter = this.#waiting.get(id)
    switch (bytes[0]) {
      case kinds.log:
        this.#log.add(logEvent(decode(term)))
        return
      case kinds.exception:
        waiter?.reject(exception(decode(term)))
        break
      default:
        waiter?.resolve(term)
    }
    this.#waiting.delete(id)
  }
}

function exception(term: Term): Error {
  const [className, reason, stack, text] = (term as Tuple<[Atom<ExceptionClass>, Term, Term, Buffer]>).elements
  return new BeamError({ class: className, reason, stack, text: text.toString() })
}

export const exited = (name: string, output: string): InteropError =>
  new InteropError('ERR_INTEROP_EXITED', `The node ${name} has ended. It wrote: ${output.trim() || 'nothing'}`)
