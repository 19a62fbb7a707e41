/** Drives a handshake over a carrier: frames in and out, a time limit for each step. */
import { frame, FrameReader, maxHandshakeFrame } from '../dist/frames.js'
import type { Agreement, Handshake, Step } from '../dist/handshake.js'
import type { Clock } from '../process/clock.js'
import type { NodeError } from '../term/index.js'
import type { Carrier } from './carrier.js'
import { NetError } from './errors.js'

/** Milliseconds for each network step: kernel's net_setuptime. */
export const setupTime = 7000

/** How long a refusal may take to reach the peer. */
const lastWords = 1000

export interface ShakeOptions {
  readonly clock: Clock
  readonly timeout: number
  readonly signal?: AbortSignal | undefined
}

export interface Shaken {
  readonly agreement: Agreement
  /** Holds what the peer has sent beyond the handshake already. */
  readonly reader: FrameReader
}

/**
 * Resolves with the carrier paused, at the first byte of the channel. When it rejects, the carrier is ended.
 *
 * @throws DistError as the handshake does; NetError NET_TIMEOUT, NET_ABORTED, NET_SOCKET.
 */
export function shake(carrier: Carrier, handshake: Handshake, { clock, timeout, signal }: ShakeOptions): Promise<Shaken> {
  return new Promise((resolve, reject) => {
    const reader = new FrameReader(carrier.prefix, maxHandshakeFrame)
    let waiting: Extract<Step, { do: 'receive' }> | null = null
    let cancelTimer = (): void => {}

    const stop = (): void => {
      cancelTimer()
      signal?.removeEventListener('abort', onAbort)
    }
    const fail = (error: unknown): void => {
      stop()
      carrier.end(lastWords)
      reject(error as Error)
    }
    const onAbort = (): void => fail(new NetError('NET_ABORTED', 'The handshake was given up.', { cause: signal?.reason }))
    const onTimeout = (): void => {
      const slow = `${waiting?.awaited ?? 'The next message'} did not come within ${timeout} ms.`
      fail(new NetError('NET_TIMEOUT', `${slow} The peer hangs, or what listens at ${carrier.remoteAddress} is no Erlang node.`))
    }

    /** Goes on until the handshake needs a frame that has not come. */
    const advance = (result: IteratorResult<Step, Agreement>): void => {
      while (!result.done) {
        const step = result.value
        if (step.do === 'send') {
          carrier.write(frame(step.bytes, carrier.prefix))
          result = handshake.next(nothing)
          continue
        }
        const bytes = reader.next()
        if (bytes === null) {
          waiting = step
          cancelTimer = clock.after(timeout, onTimeout)
          return
        }
        result = handshake.next(bytes)
      }
      stop()
      carrier.pause()
      resolve({ agreement: result.value, reader })
    }
    const data = (chunk: Buffer): void => {
      try {
        reader.push(chunk)
        const step = waiting
        const bytes = reader.next()
        if (bytes === null || step === null) return
        waiting = null
        cancelTimer()
        advance(handshake.next(bytes))
      } catch (error) {
        fail(error)
      }
    }
    const ended = (cause?: NodeError): void => {
      const error = waiting?.closed()
      if (error !== undefined && cause !== undefined) error.cause = cause
      fail(error ?? cause ?? new NetError('NET_SOCKET', 'The peer closed the connection.'))
    }

    if (signal?.aborted) return onAbort()
    signal?.addEventListener('abort', onAbort)
    carrier.read({ data, ended })
    try {
      advance(handshake.next(nothing))
    } catch (error) {
      fail(error)
    }
  })
}

const nothing = Buffer.alloc(0)
