/** Drives a handshake over a carrier: frames in and out, a time limit for each step. */
import { DistError } from '../dist/errors.js'
import { frame, FrameReader, maxHandshakeFrame } from '../dist/frames.js'
import type { Agreement, Handshake, Step } from '../dist/handshake.js'
import type { NodeError } from '../term/index.js'
import type { Carrier } from './carrier.js'
import { NetError } from './errors.js'
import { notDistribution } from './other-protocols.js'
import type { StepLimits } from './step.js'

/** Milliseconds for each network step: kernel's net_setuptime. */
export const setupTime = 7000

/** Bytes by which another protocol may be known */
const greeting = 64

/** How long a refusal may take to reach the peer. */
const lastWords = 1000

export interface Shaken {
  readonly agreement: Agreement
  /** Holds what the peer has sent beyond the handshake already. */
  readonly reader: FrameReader
}

/**
 * Resolves with the carrier paused, at the first byte of the channel. When it rejects, the carrier is ended.
 *
 * @throws DistError as the handshake does; NetError NET_TIMEOUT, NET_ABORTED, NET_SOCKET; NET_TLS_NEEDED and NET_OTHER_PROTOCOL when the
 * first bytes show who speaks instead.
 */
export function shake(carrier: Carrier, handshake: Handshake, { clock, timeout, signal }: StepLimits): Promise<Shaken> {
  return new Promise((resolve, reject) => {
    const reader = new FrameReader(carrier.prefix, maxHandshakeFrame)
    let waiting: Extract<Step, { do: 'receive' }> | null = null
    let cancelTimer = (): void => {}
    /** What came before the first whole frame: where that never comes, it shows who speaks. */
    let first: Buffer | null = Buffer.alloc(0)

    const stop = (): void => {
      cancelTimer()
      signal?.removeEventListener('abort', onAbort)
    }
    const fail = (error: unknown): void => {
      stop()
      carrier.end(lastWords)
      const other = first && error instanceof DistError ? notDistribution(carrier.remoteAddress, first, error) : undefined
      reject(other ?? (error as Error))
    }
    const onAbort = (): void => fail(new NetError('NET_ABORTED', 'The handshake was given up.', { cause: signal?.reason }))
    const onTimeout = (): void => {
      const slow = `Connected with ${carrier.remoteAddress}, but ${waiting?.awaited ?? 'the next message'} did not come within ${timeout} ms.`
      const remedy = 'The node hangs or is stopped, or what listens there is no Erlang node, or one that speaks TLS only.'
      fail(new NetError('NET_TIMEOUT', slow, { remedy }))
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
        if (first && first.length < greeting) first = Buffer.concat([first, chunk.subarray(0, greeting)])
        const step = waiting
        const bytes = reader.next()
        if (bytes === null || step === null) return
        first = null
        waiting = null
        cancelTimer()
        advance(handshake.next(bytes))
      } catch (error) {
        fail(error)
      }
    }
    const ended = (cause?: NodeError): void => {
      // What TLS tells says more than where the handshake was.
      if (cause?.code.startsWith('NET_TLS_')) return fail(cause)
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
