/** What a peer may ask of a node, and what happens beyond it: docs/limits.md names each of these tests. */
import { once as onceOf } from 'node:events'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { atom, type Node, type NodeOptions, tuple } from '../../src/index.js'
import { bare, begin, dialledRogue, diallingRogue, goOn, hex, plain, type Rogue, sendSender } from './rogue.js'
import { cluster, once, uniqueName } from './support.js'

/** A node of these options, a process of it that lives, and a friend that is connected. */
async function guarded(t: Test, options: Partial<NodeOptions>) {
  const { start, close } = await cluster()
  t.teardown(close)
  const node = await start(options)
  const friend = await start()
  await friend.connect(node.name)
  const victim = node.spawn(async self => {
    for await (const _ of self);
  })
  return { node, friend, victim }
}

/** A peer says these frames and is found out. */
async function found(t: Test, node: Node, code: string, frames: (rogue: Rogue) => readonly Buffer[]): Promise<void> {
  for (const rogueOf of [diallingRogue, dialledRogue]) {
    const rogue = await rogueOf(node)
    const fault = once(node, 'protocol')
    rogue.write(...frames(rogue))
    const [name, { code: told }] = await fault
    t.strictSame([name, told], [rogue.name.name, code])
    await rogue.closed
  }
  t.equal(node.nodes('connected').length, 1, 'the bystander stays')
}

const MiB = 2 ** 20

t.test('limits.size: a message larger than the limit', async t => {
  const { node, victim } = await guarded(t, { limits: { size: MiB } })
  const large = Buffer.alloc(MiB + 64 * 1024)
  await found(t, node, 'DIST_FRAME_SIZE', ({ pid }) => [plain(sendSender(pid, victim), large)])
  const parts = Array.from({ length: 20 }, (_, i) => goOn(1n, BigInt(20 - i), Buffer.alloc(60_000)))
  await found(t, node, 'DIST_PROTOCOL_FRAGMENT_LIMIT', ({ pid }) => [begin(1n, 21n, sendSender(pid, victim)), ...parts])
})

t.test('limits.memory: a short message that claims much', async t => {
  const { node, victim } = await guarded(t, { limits: { memory: MiB } })
  const empties = Buffer.concat([hex('6c 0000ffff'), Buffer.alloc(0xffff, 0x6a), hex('6a')])
  await found(t, node, 'ETF_SIZE', ({ pid }) => [plain(sendSender(pid, victim), empties)])
})

t.test('limits.depth: a message nested deeper than the limit', async t => {
  const { node, victim } = await guarded(t, { limits: { depth: 10 } })
  const nested = Buffer.concat([Buffer.alloc(22, hex('68 01')), hex('6a')])
  await found(t, node, 'ETF_DEPTH', ({ pid }) => [plain(sendSender(pid, victim), nested)])
})

t.test('limits.bignum: an integer larger than the limit', async t => {
  const { node, victim } = await guarded(t, { limits: { bignum: 1000 } })
  const integer = Buffer.concat([hex('6f 000003e9 00'), Buffer.alloc(1001, 1)])
  await found(t, node, 'ETF_BIGNUM', ({ pid }) => [plain(sendSender(pid, victim), integer)])
})

t.test('limits.atoms: new atoms without end, of all peers together', async t => {
  const { node, friend, victim } = await guarded(t, { limits: { atoms: 500 } })
  const fresh = (count: number, kind: string) =>
    Buffer.concat([
      hex('6c'),
      u32(count),
      ...Array.from({ length: count }, (_, i) => {
        const text = Buffer.from(`${kind}_${uniqueName()}_${i}`)
        return Buffer.concat([hex('77'), Buffer.of(text.length), text])
      }),
      hex('6a'),
    ])
  await found(t, node, 'ETF_ATOMS', ({ pid }) => [plain(sendSender(pid, victim), fresh(501, 'payload'))])
  const name = Buffer.from(`header_${uniqueName()}`)
  await found(t, node, 'ETF_ATOMS', () => [Buffer.concat([hex('83 44 01 08 00'), Buffer.of(name.length), name])])
  t.equal(await friend.rpc.call(node.name, 'erlang', 'no_such').catch((error: { code: string }) => error.code), 'ERR_RPC_ERROR')
})

t.test('maxUnfinished: fragmented messages that never end', async t => {
  const { node, victim } = await guarded(t, { maxUnfinished: 100_000 })
  const code = 'DIST_PROTOCOL_FRAGMENT_LIMIT'
  const begun = (rogue: Rogue, count: number, part: Buffer) =>
    Array.from({ length: count }, (_, i) => begin(BigInt(i + 1), 2n, sendSender(rogue.pid, victim), part))
  await found(t, node, code, rogue => begun(rogue, 3, Buffer.concat([hex('6d 00010000'), Buffer.alloc(40_000)])))
  await found(t, node, code, rogue => begun(rogue, 100, Buffer.alloc(0)))
  await found(t, node, code, ({ pid }) => {
    const token = bare(tuple(Buffer.alloc(90_000), 0))
    return [begin(1n, 2n, Buffer.concat([hex('68 04 61 17'), bare(pid), bare(victim), token]))]
  })
  const held = await diallingRogue(node)
  held.write(...begun(held, 2, Buffer.alloc(10_000)), plain(tuple(19, held.pid, atom('nobody'), held.ref)))
  await held.hear(1)
  const { unfinishedBytes = 0 } = node.stats().connections[held.name.name] ?? {}
  t.ok(unfinishedBytes > 20_000 && unfinishedBytes < 100_000, `${unfinishedBytes} bytes are held, and told`)
  const down = once(node, 'nodedown')
  held.end()
  await down
})

t.test('maxHandshakes: peers that dial in and say nothing', async t => {
  const { node, friend } = await guarded(t, { maxHandshakes: 2 })
  const idle = [0, 1].map(() => connect(node.port as number, '127.0.0.1'))
  await Promise.all(idle.map(socket => onceOf(socket, 'connect')))
  const fault = once(node, 'protocol')
  const third = connect(node.port as number, '127.0.0.1')
  third.on('error', () => {}) // A reset is one way to be refused.
  await onceOf(third, 'close')
  t.match(await fault, [null, { code: 'NET_HANDSHAKES' }])
  t.equal(await friend.rpc.call(node.name, 'erlang', 'no_such').catch((error: { code: string }) => error.code), 'ERR_RPC_ERROR')
  for (const socket of idle) socket.destroy()
})

t.test('netSetupTime: a peer that is slow at a step of the handshake', async t => {
  const { node } = await guarded(t, { netSetupTime: 50 })
  const socket = connect(node.port as number, '127.0.0.1')
  const fault = once(node, 'protocol')
  // A byte now and then wins no time: the frame must be whole.
  socket.on('error', () => clearInterval(crumbs))
  socket.write(Buffer.of(0, 100))
  const crumbs = setInterval(() => socket.write(Buffer.of(78)), 20)
  t.match(await fault, [null, { code: 'NET_TIMEOUT' }])
  clearInterval(crumbs)
  socket.destroy()
})

t.test('limits hold for what is sent later, too', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const node = await start({ limits: { size: 10_000 } })
  const friend = await start()
  let last = (): void => {}
  const received: unknown[] = []
  const sink = friend.spawn(async self => {
    for await (const message of self) if (received.push(message)) last()
  })
  const large = Buffer.alloc(20_000)
  t.throws(() => node.send(sink, large), { code: 'ETF_SIZE' }, 'before there is a connection')
  t.strictSame(node.nodes('connected'), [])
  await node.connect(friend.name)
  t.throws(() => node.send(sink, large), { code: 'ETF_SIZE' }, 'over a connection')
  const told = new Promise(resolve => node.once('error', resolve))
  await node.run(async self => void self.sendAfter(1, sink, large))
  t.match(await told, { code: 'ETF_SIZE' }, 'by a timer: the node tells it')
  const came = new Promise<void>(resolve => (last = resolve))
  node.send(sink, 'last')
  await came
  t.equal(received.length, 1, 'and the connection is as before')
})

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
