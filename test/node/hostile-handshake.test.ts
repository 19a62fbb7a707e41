/** Peers that break the protocol before they have proved anything, at a whole node, whichever side dialled. Each step alone: test/dist/handshake.test.ts. */
import { once as onceOf } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import t from 'tap'
import { flags, offeredFlags } from '../../src/dist/flags.js'
import { frame, FrameReader } from '../../src/dist/frames.js'
import { encodeAck, encodeChallenge, encodeName, encodeReply, encodeStatus } from '../../src/dist/handshake-messages.js'
import type { Node, ProtocolFault } from '../../src/index.js'
import { register } from '../../src/net/epmd-registration.js'
import { atomCount } from '../../src/term/index.js'
import { cluster, once, uniqueName } from './support.js'

const offered = offeredFlags({ visible: false })
const nameOf = (name: string, over: Partial<Parameters<typeof encodeName>[0]> = {}): Buffer =>
  encodeName({ flags: offered, creation: 9, name, ...over })
const challengeOf = (name: string, theirs = offered): Buffer => encodeChallenge({ flags: theirs, challenge: 7, creation: 9, name })
const text = (bytes: string): Buffer => Buffer.from(bytes, 'latin1')
const framed = (...frames: readonly Buffer[]): Buffer => Buffer.concat(frames.map(bytes => frame(bytes, 2)))
const noDigest = Buffer.alloc(16)
const longest = Buffer.alloc(65_535, 'N')

/** Says all of it at once, whatever is answered: [what, code, bytes]. `ours` is the name of the node that is dialled. */
const diallers: readonly (readonly [title: string, code: string, says: (ours: string) => Buffer])[] = [
  ['a frame of 65,535 bytes', 'DIST_FRAME_SIZE', () => frame(longest, 2)],
  ['a frame of 65,535 bytes, announced', 'DIST_FRAME_SIZE', () => Buffer.of(255, 255)],
  ['no letter', 'DIST_HANDSHAKE_FORMAT', () => framed(Buffer.alloc(0))],
  ['another letter', 'DIST_HANDSHAKE_FORMAT', () => framed(text('hello'))],
  ['HTTP', 'NET_OTHER_PROTOCOL', () => text('GET / HTTP/1.1\r\n\r\n')],
  ['TLS', 'NET_TLS_NEEDED', () => Buffer.from('16030100f8010000f40303', 'hex')],
  ['a name that ends early', 'DIST_HANDSHAKE_FORMAT', () => framed(nameOf('a@127.0.0.1').subarray(0, 14))],
  ['a name shorter than it says', 'DIST_HANDSHAKE_FORMAT', () => framed(nameOf('a@127.0.0.1').subarray(0, 18))],
  ['an old name that ends early', 'DIST_HANDSHAKE_FORMAT', () => framed(text('n\0\x05\0'))],
  ['a name of 256 characters', 'DIST_NODE_NAME', () => framed(nameOf(`${'a'.repeat(246)}@127.0.0.1`))],
  ['a name without @', 'DIST_NODE_NAME', () => framed(nameOf('nobody'))],
  ['a name of two @', 'DIST_NODE_NAME', () => framed(nameOf('a@b@c'))],
  ['an empty name', 'DIST_NODE_NAME', () => framed(nameOf(''))],
  ['no flags', 'DIST_FLAGS', () => framed(nameOf('a@127.0.0.1', { flags: 0n }))],
  [
    'the flags of OTP 22',
    'DIST_FLAGS',
    () => framed(nameOf('a@127.0.0.1', { flags: offered & ~flags.HANDSHAKE_23 & ~flags.MANDATORY_25_DIGEST })),
  ],
  ['our own name', 'DIST_NOT_ALLOWED', ours => framed(nameOf(ours))],
  [
    'that it wants a name, and a wrong digest',
    'DIST_BAD_COOKIE',
    () => framed(nameOf('127.0.0.1', { flags: offered | flags.NAME_ME, creation: 0 }), encodeReply({ challenge: 1, digest: noDigest })),
  ],
  ['an acknowledgement for a reply', 'DIST_HANDSHAKE_FORMAT', () => framed(nameOf('a@127.0.0.1'), encodeAck(noDigest))],
  ['a reply that ends early', 'DIST_HANDSHAKE_FORMAT', () => framed(nameOf('a@127.0.0.1'), text('r\0\0'))],
  ['a wrong digest', 'DIST_BAD_COOKIE', () => framed(nameOf('a@127.0.0.1'), encodeReply({ challenge: 1, digest: noDigest }))],
]

/** Says all of it at once to whoever dials. `own` is its name. */
const acceptors: readonly (readonly [title: string, code: string, says: (own: string) => Buffer])[] = [
  ['a frame of 65,535 bytes', 'DIST_FRAME_SIZE', () => frame(longest, 2)],
  ['HTTP', 'NET_OTHER_PROTOCOL', () => text('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ['no letter', 'DIST_HANDSHAKE_FORMAT', () => framed(Buffer.alloc(0))],
  ['a status that there is not', 'DIST_HANDSHAKE_FORMAT', () => framed(text('smaybe'))],
  ['a name that nobody asked for', 'DIST_HANDSHAKE_FORMAT', () => framed(Buffer.concat([text('snamed:\0\x03a@b'), Buffer.alloc(4, 1)]))],
  ['named: that ends early', 'DIST_HANDSHAKE_FORMAT', () => framed(text('snamed:'))],
  ['not_allowed', 'DIST_NOT_ALLOWED', () => framed(encodeStatus('not_allowed'))],
  ['a status for a challenge', 'DIST_HANDSHAKE_FORMAT', () => framed(encodeStatus('ok'), encodeStatus('ok'))],
  ['a challenge that ends early', 'DIST_HANDSHAKE_FORMAT', own => framed(encodeStatus('ok'), challengeOf(own).subarray(0, 18))],
  ['a name shorter than it says', 'DIST_HANDSHAKE_FORMAT', own => framed(encodeStatus('ok'), challengeOf(own).subarray(0, 22))],
  ['another name', 'DIST_NAME_MISMATCH', () => framed(encodeStatus('ok'), challengeOf('other@127.0.0.1'))],
  ['no flags', 'DIST_FLAGS', own => framed(encodeStatus('ok'), challengeOf(own, 0n))],
  ['an acknowledgement that ends early', 'DIST_HANDSHAKE_FORMAT', own => framed(encodeStatus('ok'), challengeOf(own), text('a\0'))],
  ['a wrong digest', 'DIST_BAD_COOKIE', own => framed(encodeStatus('ok'), challengeOf(own), encodeAck(noDigest))],
]

t.test('before it has proved anything', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const node = await start()
  const friend = await start()
  await friend.connect(node.name)
  let lost = 0
  friend.on('nodedown', () => lost++)
  node.on('nodedown', () => lost++)
  const faults: [string | null, ProtocolFault][] = []
  node.on('protocol', (name, fault) => faults.push([name, fault]))
  const pid = node.spawn(async self => {
    for await (const _ of self);
  })
  await friend.run(async self => {
    self.link(pid)
    await t.rejects(self.rpc.call(node.name, 'no', 'such'), { code: 'ERR_RPC_ERROR' }, 'the link is there')
    const before = sizes(node)
    for (const [title, code, says] of diallers) {
      const atoms = atomCount()
      const socket = connect(node.port as number, '127.0.0.1')
      socket.on('error', () => {}) // A reset is one way to be refused.
      socket.resume()
      const told = once(node, 'protocol')
      socket.write(says(node.name))
      await told
      socket.end()
      await onceOf(socket, 'close')
      const [[name, fault] = [], ...more] = faults.splice(0)
      t.match([fault?.code, fault?.remoteAddress], [code, /^(::ffff:)?127\.0\.0\.1:\d+$/], `a peer that dials says ${title}`)
      t.ok(
        typeof name !== 'string' || /^(a@)?127\.0\.0\.1$/.test(name) || code === 'DIST_NOT_ALLOWED',
        `it is named as it named itself: ${name}`,
      )
      t.strictSame(more, [], 'told once')
      t.equal(atomCount(), atoms, 'and its name is no atom')
    }
    for (const [title, code, says] of acceptors) {
      await using liar = await fakeNode(node, says)
      await t.rejects(node.connect(liar.name), { code }, `a peer that is dialled says ${title}`)
      t.strictSame(faults.splice(0), [], 'whoever dials is told by the rejection')
    }
    t.strictSame(sizes(node), before, 'every table is as it was')
    t.equal(self.poll(), undefined)
    t.equal(lost, 0, 'no connection was lost')
    self.unlink(pid)
  })
})

function sizes(node: Node): unknown {
  const { connections, atoms: _atoms, runQueue: _queue, ...rest } = node.stats()
  return { ...rest, connections: Object.keys(connections) }
}

/** Registered, and says the same to whoever dials as soon as it has heard the name. */
async function fakeNode(node: Node, says: (own: string) => Buffer): Promise<{ name: string } & AsyncDisposable> {
  const name = uniqueName()
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    const reader = new FrameReader(2, 1024)
    socket.on('error', () => {}) // Nor is it heard to the end.
    socket.on('data', chunk => {
      reader.push(chunk)
      if (reader.next() !== null && socket.bytesWritten === 0) socket.write(says(name))
    })
  })
  await onceOf(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as { port: number }
  const registration = await register({ name: name.split('@')[0] as string, port, epmdPort: node.epmd.port })
  return {
    name,
    async [Symbol.asyncDispose]() {
      await registration.close()
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
