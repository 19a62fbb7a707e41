/** What calls itself a node and is none: it speaks the frames of the handshake as far as a test lets it. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { frame, FrameReader, maxHandshakeFrame } from '../../src/dist/frames.js'
import { register } from '../../src/net/epmd-registration.js'

export class Line {
  readonly #socket: Socket
  readonly #reader = new FrameReader(2, maxHandshakeFrame)
  /** When the socket is closed, whoever closed it */
  readonly closed: Promise<unknown>

  constructor(socket: Socket) {
    this.#socket = socket
    this.closed = new Promise(resolve => socket.once('close', resolve))
    // A reset is one of the ways to be refused: `closed` tells of it.
    socket.on('error', () => {})
  }

  say(bytes: Uint8Array): void {
    this.raw(frame(bytes, 2))
  }

  raw(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** The next frame from the other side. */
  async hear(): Promise<Buffer> {
    for (;;) {
      const bytes = this.#reader.next()
      if (bytes) return bytes
      const [chunk] = (await once(this.#socket, 'data')) as [Buffer]
      this.#reader.push(chunk)
    }
  }

  /** Says no more, and lets the other side go on. */
  end(): void {
    this.#socket.resume().end()
  }

  close(): void {
    this.#socket.destroy()
  }
}

export interface FakeNode extends AsyncDisposable {
  /** Registered at EPMD */
  readonly name: string
}

/** Listens under a name of its own, and talks to whoever dials. */
export async function fakeNode(talk: (line: Line) => unknown): Promise<FakeNode> {
  const lines = new Set<Line>()
  const server = createServer(socket => {
    const line = new Line(socket)
    lines.add(line)
    talk(line)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const alive = `fake-${process.pid}-${port}`
  const registration = await register({ name: alive, port })
  return {
    name: `${alive}@127.0.0.1`,
    async [Symbol.asyncDispose]() {
      await registration.close()
      for (const line of lines) line.close()
      server.close()
    },
  }
}

/** Dials the port of a node. */
export async function dialPort(port: number): Promise<Line> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return new Line(socket)
}
