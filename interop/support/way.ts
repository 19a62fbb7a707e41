/** A way to a port that a test can cut without closing it, as a network does that drops every packet from now on. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface Way extends AsyncDisposable {
  /** Whoever dials it gets through to the port that was given. */
  readonly port: number
  /** From now on nothing comes through, either way, and nobody is told. */
  cut(): void
}

export async function wayTo(port: number): Promise<Way> {
  const sockets = new Set<Socket>()
  const server = createServer(near => {
    const far = connect(port, '127.0.0.1')
    for (const [from, to] of [[near, far], [far, near]] as const) {
      sockets.add(from)
      // Whichever end goes, both do: the nodes tell what that means.
      from.pipe(to).on('error', () => to.destroy())
      from.on('close', () => to.destroy())
    }
  }).listen(0, '127.0.0.1') // prettier-ignore
  await once(server, 'listening')
  return {
    port: (server.address() as { port: number }).port,
    cut() {
      for (const socket of sockets) socket.unpipe().removeAllListeners('close').pause()
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
