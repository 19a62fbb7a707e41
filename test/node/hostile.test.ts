import { connect } from 'node:net'
import t from 'tap'
import { offeredFlags } from '../../src/dist/flags.js'
import { initiate } from '../../src/dist/handshake.js'
import { encode } from '../../src/etf/index.js'
import { shake } from '../../src/net/shake.js'
import { TcpCarrier } from '../../src/net/tcp-carrier.js'
import { machineSecrets } from '../../src/net/secrets.js'
import { systemClock } from '../../src/process/index.js'
import { atom, type Atom, type Node, Pid, Reference, type Sendable, tuple } from '../../src/index.js'
import { cluster, once, uniqueName } from './support.js'

interface Rogue {
  readonly name: Atom
  /** One frame */
  write(frame: Buffer): void
  raw(bytes: Buffer): void
  end(): void
}

/** A peer that has the cookie, and no manners. */
async function rogue(node: Node): Promise<Rogue> {
  const name = atom(uniqueName()) as Atom
  const socket = connect({ host: '127.0.0.1', port: node.port as number })
  await new Promise(resolve => socket.once('connect', resolve))
  const carrier = new TcpCarrier(socket, systemClock)
  const self = { name, creation: 77, flags: offeredFlags({ visible: false }) }
  const handshake = initiate({ self, peer: atom(node.name) as Atom, cookie: node.cookie, ...machineSecrets })
  await shake(carrier, handshake, { clock: systemClock, timeout: 7000 })
  carrier.read({ data: () => {}, ended: () => {} })
  return {
    name,
    raw: bytes => carrier.write(bytes),
    end: () => carrier.destroy(),
    write(frame) {
      const prefix = Buffer.alloc(4)
      prefix.writeUInt32BE(frame.length)
      carrier.write(Buffer.concat([prefix, frame]))
    },
  }
}

/** A distribution header without atoms, then terms without 131. */
const frame = (...terms: (Sendable | Buffer)[]): Buffer =>
  Buffer.concat([Buffer.of(131, 68, 0), ...terms.map(term => (Buffer.isBuffer(term) ? term : encode(term).subarray(1)))])

t.test('a peer that breaks the protocol costs its own connection and nothing else', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const node = await start()
  const friend = await start()
  await friend.connect(node.name)
  const received: unknown[] = []
  let sawLast = (): void => {}
  const victim = node.spawn(
    async self => {
      for await (const message of self) if (received.push(message) && message === atom('last')) sawLast()
    },
    { name: 'victim' },
  )
  const bystander = (): void => void t.fail('a bystander lost its connection')
  friend.on('nodedown', bystander)

  const mine = (peer: { name: Atom }): Pid => new Pid(peer.name, 1, 0, 77)
  const foreign = new Pid(atom('third@127.0.0.1') as Atom, 1, 0, 1)
  const ref = (peer: { name: Atom }): Reference => new Reference(peer.name, 77, [1, 2, 3])
  const broken: [string, (peer: { name: Atom }) => Buffer][] = [
    ['no header at all', () => Buffer.from('GET / HTTP/1.1\r\n')],
    ['an unknown operation', peer => frame(tuple(99, mine(peer), victim))],
    ['a control message that is no tuple', () => frame(atom('hello'))],
    ['too few fields', peer => frame(tuple(1, mine(peer)))],
    ['a link from a third node', () => frame(tuple(1, foreign, victim))],
    ['a monitor whose reference is none', peer => frame(tuple(19, mine(peer), victim, 5))],
    ['an unlink with id 0', peer => frame(tuple(35, 0, mine(peer), victim))],
    ['a name that is a number', peer => frame(tuple(6, mine(peer), atom(''), 7), Buffer.of(97, 1))],
    ['a payload that is no term, for a process that lives', peer => frame(tuple(22, mine(peer), victim), Buffer.of(1, 2, 3))],
    ['a payload that is cut off', peer => frame(tuple(22, mine(peer), victim), Buffer.of(109, 255, 255, 255, 255))],
    ['a payload that is compressed', peer => frame(tuple(22, mine(peer), victim), Buffer.of(80, 0, 0, 0, 9, 1))],
    ['a map with a key twice', peer => frame(tuple(22, mine(peer), victim), Buffer.of(116, 0, 0, 0, 2, 97, 1, 97, 1, 97, 1, 97, 2))],
    ['an atom of the cache that was never sent', peer => frame(tuple(22, mine(peer), victim), Buffer.of(82, 0))],
    ['an exit reason that is no term, over a monitor that is none', peer => frame(tuple(28, mine(peer), victim), Buffer.of(97, 1))],
    ['a fragment that continues nothing', () => Buffer.concat([Buffer.of(131, 70), Buffer.alloc(8, 1), Buffer.alloc(8, 1)])],
    ['bytes after the message', peer => frame(tuple(1, mine(peer), victim), Buffer.of(0))],
  ]
  const oversized = 'a frame of 2^32 - 1 bytes, announced'
  for (const [title, bytes] of [...broken, [oversized, () => Buffer.alloc(4, 255)] as const]) {
    const peer = await rogue(node)
    const fault = once(node, 'protocol')
    const down = once(node, 'nodedown')
    if (title === oversized) peer.raw(bytes(peer))
    else peer.write(bytes(peer))
    const [name, { code }] = await fault
    t.equal(name, peer.name.name, `${title}: ${code}`)
    t.match(code, /^(DIST|ETF)_/)
    t.equal((await down)[0], peer.name.name)
    peer.end()
  }

  await friend.run(async self => {
    const watch = self.monitor(victim)
    self.send(victim, atom('still here'))
    t.equal(await node.isAlive(victim), true)
    self.demonitor(watch)
    t.equal((await friend.rpc.call(node.name, 'nosuch', 'f').catch((error: { reason: unknown }) => error.reason)) as never, atom('undef'))
  })
  t.same(received, [atom('still here')])
  t.match(node.stats(), { remoteLinks: 0, remoteMonitors: 0, connections: { [friend.name]: {} } })
  t.equal(Object.keys(node.stats().connections).length, 1)

  await t.test('what may be late or wrong is dropped, and the connection lives on', async t => {
    const peer = await rogue(node)
    const stale = new Pid(victim.node, victim.id, victim.serial, victim.creation + 1)
    const harmless: Sendable[][] = [
      [tuple(22, mine(peer), stale), 1],
      [tuple(6, mine(peer), atom(''), atom('nobody')), 1],
      [tuple(33, mine(peer), new Reference(victim.node, victim.creation, [9, 9, 9])), 1],
      [tuple(20, mine(peer), victim, ref(peer))],
      [tuple(36, 5, mine(peer), victim)],
      [tuple(24, mine(peer), victim), atom('oops')],
      [tuple(28, mine(peer), victim, new Reference(victim.node, victim.creation, [9, 9, 9])), atom('oops')],
      [tuple(31, new Reference(victim.node, victim.creation, [9, 9, 9]), victim, 0, mine(peer))],
    ]
    for (const terms of harmless) peer.write(frame(...terms))
    peer.write(Buffer.alloc(0))
    const last = new Promise<void>(resolve => (sawLast = resolve))
    peer.write(frame(tuple(22, mine(peer), victim), atom('last')))
    await last
    t.equal(await node.isAlive(victim), true)
    t.ok(node.nodes('connected').includes(peer.name.name))
    const down = once(node, 'nodedown')
    peer.end()
    await down
    t.same(received, [atom('still here'), atom('last')])
  })
  friend.off('nodedown', bystander)
})
