/** Backpressure: what waits for a peer is bounded, before a connection is up as well as then; nothing is lost silently. */
import t, { type Test } from 'tap'
import { atom, type Node, type NodeDown, type NodeError, type Pid, type Tuple, tuple } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { eachOtp, type Real } from './support/each-otp.js'
import { actor, down, eachWay, evaluator, next, type Pair, startNode, tell } from './support/pair.js'

const MiB = 2 ** 20
const limit = 2 * MiB
const max = 16 * MiB
const block = Buffer.alloc(MiB / 4, 7)
const noconnection = atom('noconnection')

t.test('backpressure', async t => {
  await eachOtp(t, async (t, { start }) => {
    const options = { sendBufferLimit: limit, sendBufferMax: max }
    const actors = (): Promise<Beam> => start({ code: actor })
    await eachWay(t, actors, limits, options)
    await eachWay(t, actors, gone, options)
    await eachWay(t, actors, overflow, options)
    await eachWay(t, actors, frozen, { ...options, netTickTime: 4 })
    await connecting(t, start)
  })
})

/** All that a node tells of a peer, in order. */
function story(node: Node): string[] {
  const told: string[] = []
  for (const event of ['nodeup', 'busy', 'drain', 'nodedown'] as const) node.on(event, () => void told.push(event))
  return told
}

const buffered = (node: Node, beam: Beam): number => node.stats().connections[beam.name]?.bufferedBytes ?? 0

async function limits(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  await t.test('send says false exactly while more than the limit waits; busy and drain come in pairs, and nothing is lost', async t => {
    const told = story(node)
    await node.run(async self => {
      const pid = (await evaluate('actor:start().')) as Pid
      let sent = 0
      for (let round = 1; round <= 3; round++) {
        beam.pause()
        const answers: boolean[] = []
        while (buffered(node, beam) <= 2 * limit) {
          const ok = self.send(pid, tuple(++sent, block))
          answers.push(ok === buffered(node, beam) <= limit)
          // Now and then what was written is taken by the machine, as far as it has room.
          if (sent % 3 === 0) await new Promise(resolve => setImmediate(resolve))
        }
        t.ok(answers.every(Boolean), 'each answer was right')
        // The machine may have taken much at once: then there was a drain in between.
        t.ok(
          told.every((event, index) => event === (index % 2 === 0 ? 'busy' : 'drain')),
          'each drain follows a busy',
        )
        t.equal(told.at(-1), 'busy')
        let drained = false
        const waiting = node.drained(beam.name).then(() => (drained = true))
        await new Promise(resolve => setTimeout(resolve, 20))
        t.equal(drained, false, 'the BEAM stands still')
        beam.resume()
        await waiting
        t.ok(buffered(node, beam) <= limit / 2)
      }
      t.strictSame(told.slice(-2), ['busy', 'drain'])
      await node.drained(beam.name)
      for (let number = 1; number <= sent; number++) {
        const [got, bytes] = ((await tell(self, pid, 'actor', 'next')) as Tuple<[number, Buffer]>).elements
        if (got !== number || !bytes.equals(block)) t.fail(`${got} came in place of ${number}`)
      }
    })
  })
}

async function gone(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  await t.test('drained resolves, and drain is told, when the connection goes', async t => {
    const told = story(node)
    for (const end of [() => node.disconnect(beam.name), () => beam.kill()]) {
      await node.connect(beam.name)
      const pid = (await evaluate('actor:start().')) as Pid
      const lost = new Promise(resolve => node.once('nodedown', resolve))
      beam.pause()
      while (node.send(pid, block)) await new Promise(resolve => setImmediate(resolve))
      const drained = node.drained(beam.name)
      await end()
      await Promise.all([drained, lost])
      beam.resume()
    }
    t.strictSame(told, ['busy', 'drain', 'nodedown', 'nodeup', 'busy', 'drain', 'nodedown'])
  })
}

async function overflow(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  await t.test(
    'above sendBufferMax the connection ends with send_buffer_overflow, links and monitors tell it, and memory was bounded',
    async t => {
      const ended = new Promise<[string, NodeDown]>(resolve => node.once('nodedown', (...event) => resolve(event)))
      const told = story(node)
      await node.run(async self => {
        self.trapExit = true
        const [pid, linked] = [(await evaluate('actor:start().')) as Pid, (await evaluate('actor:start().')) as Pid]
        const ref = self.monitor(pid)
        self.link(linked)
        await tell(self, pid, 'erlang', 'self')
        beam.pause()
        let most = 0
        let sent = 0
        globalThis.gc?.()
        const before = process.memoryUsage().arrayBuffers
        while (node.nodes('connected').length > 0) {
          self.send(pid, block)
          most = Math.max(most, process.memoryUsage().arrayBuffers - before)
          if (++sent % 10 === 0) await new Promise(resolve => setImmediate(resolve))
        }
        t.ok(most < max + 4 * MiB, `${(most / MiB).toFixed(1)} MiB for at most ${max / MiB}`)
        const messages = [await next(self), await next(self)]
        t.strictSame(
          new Set(messages.map(String)),
          new Set([down(ref, pid, noconnection), tuple(atom('EXIT'), linked, noconnection)].map(String)),
        )
        t.match(await ended, [beam.name, { reason: 'send_buffer_overflow', error: { code: 'NET_SEND_BUFFER' } }])
        // The machine takes the first of it, and there may be room again for a moment.
        t.match(told.join(' '), /^(busy drain )+nodedown$/)
        t.equal(self.send(pid, 'connects again'), true)
        beam.resume()
        await beam.waitForNode(node.name, 'up')
      })
    },
  )
}

async function frozen(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  await t.test('the silence of a peer that reads nothing is noticed in time', async t => {
    const pid = (await evaluate('actor:start().')) as Pid
    const lost = new Promise<NodeDown>(resolve => node.once('nodedown', (_, info) => resolve(info)))
    beam.pause()
    const since = performance.now()
    while (node.send(pid, block)) await new Promise(resolve => setImmediate(resolve))
    // Somebody goes on speaking.
    const speaking = setInterval(() => node.nodes('connected').length > 0 && node.send(pid, 'more'), 100)
    t.match(await lost, { reason: 'net_tick_timeout' })
    clearInterval(speaking)
    const took = (performance.now() - since) / 1000
    t.ok(took > 2.8 && took < 16, `after ${took.toFixed(1)} s for a netTickTime of 4`)
    beam.resume()
    await beam.waitForNode(node.name, 'down')
  })
}

async function connecting(t: Test, start: Real['start']): Promise<void> {
  const beam = await start({ code: actor })
  await using node = await startNode(beam, { sendBufferLimit: limit, sendBufferMax: max })
  const pid = (await beam.eval('actor:start().')) as Pid
  const told = story(node)
  const errors: NodeError[] = []
  node.on('error', error => void errors.push(error))

  await t.test('the same limit holds while the connection is being made', async t => {
    await node.run(async self => {
      beam.pause()
      let sent = 0
      while (self.send(pid, tuple(++sent, block)));
      const queued = node.stats().connecting[beam.name] as number
      t.ok(queued > limit && queued < limit + block.length + 1024, `${queued} bytes wait`)
      t.equal(self.send(pid, tuple(++sent, block)), false)
      const drained = node.drained(beam.name)
      await new Promise(resolve => setTimeout(resolve, 20))
      t.strictSame(told, ['busy'])
      beam.resume()
      await drained
      t.strictSame([...told].sort(), ['busy', 'drain', 'nodeup'])
      for (let number = 1; number <= sent; number++) t.strictSame(await tell(self, pid, 'actor', 'next'), tuple(number, block))
      t.strictSame(node.stats().connecting, {})
    })
  })

  node.disconnect(beam.name)
  await beam.waitForNode(node.name, 'down')

  await t.test('so does the other: what is lost then is told, to whoever waits and as an error event', async t => {
    told.length = 0
    await node.run(async self => {
      beam.pause()
      const ref = self.monitor(pid)
      const connected = t.rejects(node.connect(beam.name), { code: 'NODE_OVERFLOW', message: /sendBufferMax/ })
      const drained = node.drained(beam.name)
      while (errors.length === 0) t.equal(self.send(pid, block), (node.stats().connecting[beam.name] ?? Infinity) <= limit)
      await Promise.all([connected, drained])
      t.match(errors, [{ code: 'NODE_OVERFLOW', message: new RegExp(beam.name) }])
      t.strictSame(told, ['busy', 'drain'])
      t.strictSame(await next(self), down(ref, pid, noconnection))
      t.strictSame(node.stats().connecting, {})
      beam.resume()
      t.strictSame(await tell(self, pid, 'erlang', 'self'), pid, 'and the next message connects')
    })
  })

  await t.test('a message to a node that cannot be reached is dropped, as on the BEAM, and a monitor tells it', async t => {
    await node.run(async self => {
      const to = { name: 'any', node: 'nobody-here@127.0.0.1' }
      const ref = self.monitor(to)
      t.equal(self.send(to, 'lost'), true)
      while (self.send(to, block));
      await node.drained(to.node)
      t.strictSame(await next(self), down(ref, tuple(atom('any'), atom(to.node)), noconnection))
      const source = 'Ref = monitor(process, {any, Nobody}), {any, Nobody} ! lost, receive {_, Ref, process, What, Why} -> {What, Why} end.'
      const seen = await evaluator(beam, node)(source, { Nobody: atom(to.node) })
      t.strictSame(seen, tuple(tuple(atom('any'), atom(to.node)), noconnection))
      t.equal(errors.length, 1, 'that is no error of this node')
    })
  })
}
