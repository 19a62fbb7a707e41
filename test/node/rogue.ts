/** A peer that has the cookie, and no manners: after an honest handshake it says whatever a test wants. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { offeredFlags } from '../../src/dist/flags.js'
import { frame } from '../../src/dist/frames.js'
import { accept, type Handshake, initiate } from '../../src/dist/handshake.js'
import { encode } from '../../src/etf/index.js'
import { register } from '../../src/net/epmd-registration.js'
import { machineSecrets } from '../../src/net/secrets.js'
import { shake } from '../../src/net/shake.js'
import { TcpCarrier } from '../../src/net/tcp-carrier.js'
import { atom, type Atom, type Node, Pid, Reference, type Sendable, tuple } from '../../src/index.js'
import { systemClock } from '../../src/process/index.js'
import { uniqueName } from './support.js'

const creation = 77

export class Rogue {
  readonly name: Atom
  readonly pid: Pid
  readonly ref: Reference
  readonly #carrier: TcpCarrier
  #heard = 0
  #listening = (): void => {}
  /** When the node has closed */
  readonly closed: Promise<void>

  constructor(name: Atom, carrier: TcpCarrier) {
    this.name = name
    this.pid = new Pid(name, 1, 0, creation)
    this.ref = new Reference(name, creation, [1, 2, 3])
    this.#carrier = carrier
    this.closed = new Promise(resolve => {
      carrier.read({
        data: chunk => {
          this.#heard += chunk.length
          this.#listening()
        },
        ended: () => resolve(),
      })
    })
  }

  /** Until the node has said so many bytes more. */
  async hear(bytes: number): Promise<void> {
    const enough = this.#heard + bytes
    while (this.#heard < enough) await new Promise<void>(resolve => (this.#listening = resolve))
  }

  write(...frames: readonly Buffer[]): void {
    for (const bytes of frames) this.raw(frame(bytes, 4))
  }

  raw(bytes: Buffer): void {
    this.#carrier.write(bytes)
  }

  end(): void {
    this.#carrier.destroy()
  }
}

async function shaken(socket: Socket, name: Atom, handshake: Handshake): Promise<Rogue> {
  const carrier = new TcpCarrier(socket, systemClock)
  await shake(carrier, handshake, { clock: systemClock, timeout: 7000 })
  return new Rogue(name, carrier)
}

const self = (name: Atom) => ({ name, creation, flags: offeredFlags({ visible: false }) })

/** It dials the node. */
export async function diallingRogue(node: Pick<Node, 'name' | 'port' | 'cookie'>): Promise<Rogue> {
  const name = atom(uniqueName()) as Atom
  const socket = connect({ host: '127.0.0.1', port: node.port as number })
  await once(socket, 'connect')
  return shaken(socket, name, initiate({ self: self(name), peer: atom(node.name) as Atom, cookie: node.cookie, ...machineSecrets }))
}

/** The node dials it. */
export async function dialledRogue(node: Node): Promise<Rogue> {
  const name = atom(uniqueName()) as Atom
  const status = (): 'ok' => 'ok'
  const handshake = accept({ self: self(name), cookieFor: () => node.cookie, status, ...machineSecrets })
  const server = createServer()
  const dialled = once(server, 'connection') as Promise<[Socket]>
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as { port: number }
  await using _registered = await register({ name: name.name.split('@')[0] as string, port, epmdPort: node.epmd.port })
  const connected = node.connect(name)
  const [socket] = await dialled
  server.close()
  const rogue = await shaken(socket, name, handshake)
  await connected
  return rogue
}

/** Bytes as hexadecimal, with any spaces. */
export const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')

/** A term without 131, as it stands in a message; bytes stay what they are. */
export const bare = (term: Sendable): Buffer => (Buffer.isBuffer(term) ? term : encode(term).subarray(1))

/** A message behind a header without atoms. */
export const plain = (...terms: readonly Sendable[]): Buffer => Buffer.concat([hex('83 44 00'), ...terms.map(bare)])

/** A first fragment, and a further one. */
export const begin = (sequence: bigint, fragment: bigint, ...terms: readonly Sendable[]): Buffer =>
  Buffer.concat([hex('83 45'), u64(sequence), u64(fragment), hex('00'), ...terms.map(bare)])
export const goOn = (sequence: bigint, fragment: bigint, part: Buffer = Buffer.alloc(0)): Buffer =>
  Buffer.concat([hex('83 46'), u64(sequence), u64(fragment), part])

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return bytes
}

/** SEND_SENDER */
export const sendSender = (from: Pid, to: Pid): Sendable => tuple(22, from, to)
