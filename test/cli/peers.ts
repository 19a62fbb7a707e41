/** What a command can meet without a BEAM: an EPMD of its own, other Beamlets, and listeners that are no good nodes. */
import { createServer, type Server, type Socket } from 'node:net'
import type { Test } from 'tap'
import { accept } from '../../src/dist/handshake.js'
import type { AcceptStatus } from '../../src/dist/peer.js'
import { Node, type NodeOptions } from '../../src/index.js'
import { register } from '../../src/net/epmd-registration.js'
import { EpmdServer } from '../../src/net/epmd-server.js'
import { machineSecrets } from '../../src/net/secrets.js'
import { shake } from '../../src/net/shake.js'
import { TcpCarrier } from '../../src/net/tcp-carrier.js'
import { systemClock } from '../../src/process/clock.js'
import { atom, type Atom } from '../../src/term/index.js'
import { beamlet, type Ended, type RunOptions } from './beamlet.js'

export const cookie = 'secret'

/** A machine's EPMD and what is registered there. All is closed when the test ends. */
export interface Machine {
  readonly epmdPort: number
  readonly server: EpmdServer
  /** A Beamlet, `name@127.0.0.1`, hidden */
  node(name: string, options?: Partial<NodeOptions>): Promise<Node>
  /** Registers a name for a port, whatever listens there. Gives the whole node name. */
  register(name: string, port: number): Promise<string>
  /** Registers a name for a listener that serves sockets so. */
  serve(name: string, socket: (socket: Socket) => void): Promise<string>
  /** Runs a command that knows this EPMD and the cookie. */
  run(args: readonly string[], options?: RunOptions): Promise<Ended>
}

export async function machine(t: Test): Promise<Machine> {
  const server = await EpmdServer.start({ port: 0 })
  t.teardown(() => server.close())
  const epmdPort = server.port
  const registered = async (name: string, port: number): Promise<string> => {
    const registration = await register({ name, port, epmdPort })
    t.teardown(() => registration.close())
    return `${name}@127.0.0.1`
  }
  return {
    epmdPort,
    server,
    async node(name, options = {}) {
      const node = await Node.start({ name: `${name}@127.0.0.1`, cookie, epmdPort, hidden: true, ...options })
      t.teardown(() => node.close())
      return node
    },
    register: registered,
    async serve(name, socket) {
      const listener = await listening(socket)
      t.teardown(() => listener.close())
      return registered(name, portOf(listener))
    },
    run: (args, { env, ...options } = {}) =>
      beamlet(args, { ...options, env: { ERL_EPMD_PORT: String(epmdPort), BEAMLET_COOKIE: cookie, ...env } }),
  }
}

/** A listener at a free port of the loopback. Closing it ends its sockets. */
export async function listening(serve: (socket: Socket) => void): Promise<Server> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    // The one that is tested may go at any time.
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    serve(socket)
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const { close } = server
  server.close = (...args) => {
    for (const socket of sockets) socket.destroy()
    return close.apply(server, args)
  }
  return server
}

export const portOf = (server: Server): number => (server.address() as { port: number }).port

/** A node of few flags, or that refuses: an honest handshake with another answer. */
export const handshaking =
  (name: string, flags: bigint, status: AcceptStatus = 'ok') =>
  (socket: Socket): void => {
    const self = { name: atom(name) as Atom, creation: 5, flags }
    const handshake = accept({ self, status: () => status, cookieFor: () => cookie, ...machineSecrets })
    // How it ends is what the other side tells.
    shake(new TcpCarrier(socket, systemClock), handshake, { clock: systemClock, timeout: 7000 }).catch(() => {})
  }
