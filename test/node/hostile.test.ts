/** Peers that have the cookie and break the protocol: each frame of hostile-frames.ts, whichever side dialled. */
import t from 'tap'
import { atom, type Node, type NodeProcess, type Pid, type ProtocolFault, tuple } from '../../src/index.js'
import { ManualClock } from '../net/epmd-clock.js'
import { type Attack, attacks, harmless } from './hostile-frames.js'
import { bare, dialledRogue, diallingRogue, hex, plain, type Rogue, sendSender } from './rogue.js'
import { cluster, once } from './support.js'

const ways: readonly (readonly [title: string, rogue: (node: Node) => Promise<Rogue>])[] = [
  ['who dialled us', diallingRogue],
  ['whom we dialled', dialledRogue],
]

/** Sends consecutive numbers to a process, which checks that none is missing or out of order. */
class Traffic {
  #sent = 0
  #expected = 0
  #wrong = 0
  readonly #friend: Node
  readonly #counter: Pid

  constructor(node: Node, friend: Node) {
    this.#friend = friend
    this.#counter = node.spawn(async self => {
      for await (const message of self) {
        if (typeof message === 'number') this.#wrong += message === this.#expected++ ? 0 : 1
        else self.send(message as Pid, tuple(this.#expected, this.#wrong))
      }
    })
  }

  flow(): void {
    for (let i = 0; i < 10; i++) this.#friend.send(this.#counter, this.#sent++)
  }

  /** How many have come, how many of them wrong */
  report(): Promise<readonly number[]> {
    return this.#friend.run(async self => {
      // In the node's own name, as the numbers: so it comes behind them.
      this.#friend.send(this.#counter, self.pid)
      const answer = (await self.receive()) as unknown as { elements: readonly number[] }
      return answer.elements
    })
  }

  get sent(): number {
    return this.#sent
  }
}

/** The sizes of tables, without what counts traffic. */
function tables(node: Node): unknown {
  const { connections, atoms: _atoms, runQueue: _queue, ...sizes } = node.stats()
  return { ...sizes, connections: Object.keys(connections).toSorted() }
}

for (const [who, rogueOf] of ways) {
  t.test(`a peer ${who} breaks the protocol, costs its own connection and nothing else`, async t => {
    const { start, close } = await cluster()
    t.teardown(close)
    const node = await start()
    const friend = await start()
    await friend.connect(node.name)
    const victim = node.spawn(
      async (self: NodeProcess) => {
        self.trapExit = true
        for await (const _message of self);
      },
      { name: 'victim' },
    )
    const traffic = new Traffic(node, friend)
    const faults: [string | null, ProtocolFault][] = []
    node.on('protocol', (name, fault) => faults.push([name, fault]))
    let lost = 0
    friend.on('nodedown', () => lost++)
    let broken = 0
    await friend.run(async self => {
      self.link(victim)
      const watch = self.monitor(victim)
      self.trapExit = true
      await traffic.report()
      const before = tables(node)

      const play = async ({ title, code, frames, raw }: Attack): Promise<void> => {
        const rogue = await rogueOf(node)
        const down = once(node, 'nodedown')
        traffic.flow()
        const bytes = frames(rogue, { victim })
        if (raw) rogue.raw(Buffer.concat(bytes))
        else rogue.write(...bytes)
        const [name, { reason, error }] = await down
        await rogue.closed
        t.strictSame([name, reason, error?.code], [rogue.name.name, 'connection_closed', code], title)
        const [[told, fault] = [], ...more] = faults.splice(0)
        t.match([told, fault?.code, fault?.error.message], [rogue.name.name, code, /^.{20,} \[[A-Z_]+\]$/], `${title}: told`)
        t.match(fault?.remoteAddress, /^(::ffff:)?127\.0\.0\.1:\d+$/)
        t.strictSame(more, [], `${title}: told once`)
        broken++
      }
      for (const attack of attacks) await play(attack)

      t.strictSame(await traffic.report(), [traffic.sent, 0], 'a bystander lost nothing')
      t.strictSame(tables(node), before, 'every table is as it was')
      t.equal(self.poll(), undefined, 'its link and its monitor hold')
      self.demonitor(watch)
      self.unlink(victim)
    })
    t.equal(lost, 0)
    t.ok(broken > 150, `${broken} faults`)
    t.equal(await node.isAlive(victim), true)
  })

  t.test(`what a peer ${who} may say late or wrong is dropped or answered, and the connection lives on`, async t => {
    const { start, close } = await cluster()
    t.teardown(close)
    const node = await start()
    node.on('protocol', (_, { error }) => t.fail(error.message))
    const received: unknown[] = []
    const victim = node.spawn(async (self: NodeProcess) => {
      for await (const message of self) {
        received.push(message)
        self.send((message as unknown as { elements: readonly [Pid] }).elements[0], atom('here'))
      }
    })
    const before = tables(node)
    const rogue = await rogueOf(node)
    for (const [title, frames] of harmless) {
      rogue.write(...frames(rogue, { victim }))
      // Whoever hears the victim knows that it and the connection live.
      const count = received.length
      const heard = rogue.hear(1)
      rogue.write(plain(sendSender(rogue.pid, victim), tuple(rogue.pid, title)))
      await heard
      while (received.length === count) await rogue.hear(1)
      t.match(received.at(-1), tuple(rogue.pid, Buffer.from(title)), title)
    }
    t.equal(received.length, harmless.length)
    const down = once(node, 'nodedown')
    rogue.end()
    await down
    t.strictSame(tables(node), before)
  })
}

t.test('a frame that never ends is silence', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const clock = new ManualClock()
  const node = await start({ clock })
  node.on('protocol', (_, { error }) => t.fail(error.message))
  const rogue = await diallingRogue(node)
  const down = once(node, 'nodedown')
  const half = plain(
    sendSender(
      rogue.pid,
      node.spawn(() => undefined),
    ),
    hex('6d 00000100'),
  )
  const length = Buffer.alloc(4)
  length.writeUInt32BE(half.length + 256)
  rogue.raw(Buffer.concat([length, half]))
  // The bytes are there before time passes: what comes in an interval is no silence.
  while (node.stats().connections[rogue.name.name]?.bytesIn === 0) await new Promise(resolve => setImmediate(resolve))
  for (let i = 0; i < 5; i++) clock.advance(15_000)
  t.match(await down, [rogue.name.name, { reason: 'net_tick_timeout' }])
})

t.test('a length that lies takes no memory', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const node = await start()
  const before = process.memoryUsage().arrayBuffers
  const rogues = await Promise.all(Array.from({ length: 20 }, () => diallingRogue(node)))
  const heard = Promise.all(rogues.map(rogue => rogue.hear(1)))
  for (const rogue of rogues) {
    // A whole frame first, so that its answer says that what follows has been read, too.
    const lie = Buffer.concat([hex('08000000'), bare(tuple(1, 2))])
    rogue.write(plain(tuple(19, rogue.pid, atom('nobody'), rogue.ref)))
    rogue.raw(lie)
  }
  await heard
  const taken = process.memoryUsage().arrayBuffers - before
  t.ok(taken < 64 * 2 ** 20, `20 frames of 128 MiB were announced, and ${taken} bytes taken`)
  for (const rogue of rogues) rogue.end()
})
