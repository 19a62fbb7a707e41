/** One request to an EPMD and its answer, over a socket of their own. */
import { connect, type Socket } from 'node:net'
import { EpmdError } from '../dist/epmd-error.js'
import { GrowingBuffer } from '../dist/growing-buffer.js'
import { systemClock, type Clock } from '../process/clock.js'
import { epmdPort } from './epmd-address.js'
import { heard } from './other-protocols.js'
import { reasonOf, unknownHost } from './host.js'

export interface EpmdCallOptions {
  /** EPMD's port. Default: ERL_EPMD_PORT, else 4369. */
  readonly epmdPort?: number | undefined
  /** Milliseconds for the whole exchange, name resolution included. 7000. */
  readonly timeout?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly clock?: Clock | undefined
}

/** How to read an answer. */
export interface Answer<T> {
  /** More bytes than this are no answer. */
  readonly limit: number
  /** The answer ends where EPMD closes, so it is read once, whole. Otherwise it is tried after each piece. */
  readonly untilClose?: boolean
  read(bytes: Buffer): T | undefined
}

/** `socket` is still open when the answer was no `untilClose`: destroy it, or keep it as a registration. */
export interface Answered<T> {
  readonly value: T
  readonly socket: Socket
}

/** @throws EpmdError EPMD_UNREACHABLE, EPMD_UNKNOWN_HOST, EPMD_TIMEOUT, EPMD_CLOSED, EPMD_FORMAT, EPMD_PORT, EPMD_ABORTED. */
export async function exchange<T>(host: string, request: Buffer, answer: Answer<T>, options: EpmdCallOptions): Promise<Answered<T>> {
  const { timeout = 7000, signal, clock = systemClock } = options
  const port = epmdPort(options.epmdPort)
  const where = `EPMD at ${host}:${port}`
  if (signal?.aborted) throw aborted(signal, where)

  const socket = connect({ host, port, noDelay: true })
  const { promise, resolve, reject } = settlement<Answered<T>>()
  const bytes = new GrowingBuffer(answer.limit)
  const cancelTimeout = clock.after(timeout, () => reject(tooSlow(where, timeout, socket.connecting)))
  const onAbort = (): void => reject(aborted(signal, where))
  const attempt = (): void => {
    try {
      const value = answer.read(bytes.take())
      if (value !== undefined) resolve({ value, socket })
    } catch (error) {
      reject(noEpmd(where, bytes.take(), error as EpmdError))
    }
  }
  const onData = (piece: Buffer): void => {
    if (bytes.length + piece.length > answer.limit) return reject(tooLong(where, answer.limit))
    bytes.append(piece)
    if (!answer.untilClose) attempt()
  }
  const onEnd = (): void => {
    if (answer.untilClose) attempt()
    reject(
      new EpmdError('EPMD_CLOSED', `${where} closed the connection after ${bytes.length} bytes, before its answer was whole.`, {
        remedy: isItEpmd,
      }),
    )
  }
  signal?.addEventListener('abort', onAbort)
  socket.on('connect', () => socket.write(request))
  socket.on('data', onData).on('end', onEnd)
  // An error after the answer is told by 'close' to whoever keeps the socket.
  socket.on('error', error => reject(failed(error, host, where)))
  try {
    return await promise
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    cancelTimeout()
    signal?.removeEventListener('abort', onAbort)
    socket.off('data', onData).off('end', onEnd)
  }
}

interface Settlement<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}

function settlement<T>(): Settlement<T> {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

const isItEpmd = "Look which program has that port, and which port EPMD has: ERL_EPMD_PORT says it, on the node's side too."

function failed(error: NodeJS.ErrnoException, host: string, where: string): EpmdError {
  if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN') return new EpmdError('EPMD_UNKNOWN_HOST', ...unknownHost(host, error))
  if (error.code === 'ECONNRESET' || error.code === 'EPIPE')
    return new EpmdError('EPMD_CLOSED', `${where} broke the connection (${error.code}).`, { cause: error, remedy: isItEpmd })
  if (error.code !== 'ECONNREFUSED') {
    const remedy = 'Look at the host, and at the routes and firewalls between here and there.'
    return new EpmdError('EPMD_UNREACHABLE', `${where} cannot be reached (${reasonOf(error)}).`, { cause: error, remedy })
  }
  const remedy =
    'Start the node there, which starts EPMD, or `epmd -daemon`. If it runs, look at its port (ERL_EPMD_PORT), its addresses (ERL_EPMD_ADDRESS) and the firewall.'
  return new EpmdError('EPMD_UNREACHABLE', `${where} cannot be reached: the host is there, and nobody listens at that port.`, {
    cause: error,
    remedy,
  })
}

function tooSlow(where: string, timeout: number, connecting: boolean): EpmdError {
  if (!connecting)
    return new EpmdError('EPMD_TIMEOUT', `${where} is connected, and did not answer within ${timeout} ms.`, { remedy: isItEpmd })
  const remedy = 'The host is down, or a firewall drops what is sent to that port: look at both.'
  return new EpmdError('EPMD_TIMEOUT', `${where} did not answer within ${timeout} ms, not even to connect.`, { remedy })
}

const tooLong = (where: string, limit: number): EpmdError =>
  new EpmdError('EPMD_FORMAT', `${where} answered with more than ${limit} bytes, which EPMD never does.`, { remedy: isItEpmd })

/** What answered so is none: by its first bytes it may be known. */
function noEpmd(where: string, bytes: Buffer, error: EpmdError): EpmdError {
  const what = heard(bytes.subarray(0, 64))
  const says = what === undefined ? `What listens as ${where} is none: ${error.says}` : `What listens as ${where} ${what}: it is no EPMD.`
  return new EpmdError('EPMD_FORMAT', says, { cause: error, remedy: isItEpmd })
}

const aborted = (signal: AbortSignal | undefined, where: string): EpmdError =>
  new EpmdError('EPMD_ABORTED', `The request to ${where} was given up: its AbortSignal fired.`, { cause: signal?.reason })
