/** A way to a port that lets only so many bytes a second through, each way. */
import { once } from 'node:events'
import { connect, createServer, type NetConnectOpts, type Socket } from 'node:net'

/** How many times a second the bytes of a second are shared out */
const turns = 50

const highWaterMark = 1024 * 1024

export interface Throttle extends AsyncDisposable {
  /** Whoever dials it gets through to the port that was given. */
  readonly port: number
}

export async function throttle(port: number, bytesPerSecond: number): Promise<Throttle> {
  const sockets = new Set<Socket>()
  const server = createServer({ highWaterMark }, near => {
    const far = connect({ port, host: '127.0.0.1', readableHighWaterMark: highWaterMark } as NetConnectOpts)
    pour(near, far, bytesPerSecond)
    pour(far, near, bytesPerSecond)
    sockets.add(near).add(far)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as { port: number }).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Reads no more than may go on, so that the sender's socket fills. */
function pour(from: Socket, to: Socket, bytesPerSecond: number): void {
  const timer = setInterval(() => {
    for (let left = Math.ceil(bytesPerSecond / turns); left > 0;) {
      const bytes = from.read(Math.min(left, from.readableLength || 1)) as Buffer | null
      if (bytes === null) return
      left -= bytes.length
      to.write(bytes)
    }
  }, 1000 / turns)
  const end = (): void => {
    clearInterval(timer)
    to.destroy()
  }
  // Somebody has to want bytes, or none are fetched.
  from.on('readable', () => {})
  // Whichever end breaks, both do: the nodes tell what that means.
  from.on('error', end).on('close', end).on('end', end)
}
