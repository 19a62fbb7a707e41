/** Ticks while something large goes through a narrow way: who is slow is not dead. */
import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import { atom, Node, type Pid, type Tuple } from '../src/index.js'
import { type Beam, startEpmd } from '../src/interop/index.js'
import { lookup } from '../src/net/epmd-client.js'
import { register } from '../src/net/epmd-registration.js'
import { eachOtp } from './support/each-otp.js'
import { evaluator, next } from './support/pair.js'
import { throttle } from './support/throttle.js'

const code = String.raw`
-module(narrow).
-export([sink/0, size_and_sum/1, send/2]).

sink() -> spawn(fun() -> receive Bytes when is_binary(Bytes) -> tell({byte_size(Bytes), erlang:md5(Bytes)}) end end).

tell(What) -> receive {tell, To} -> To ! {self(), What} end.

size_and_sum(Sink) -> Sink ! {tell, self()}, receive {Sink, What} -> What end.

send(To, Size) -> Bytes = rand:bytes(Size), To ! Bytes, erlang:md5(Bytes).
`

/** Seconds. Long enough for a busy machine, which may keep a node from its ticks for a while. */
const netTickTime = 5
const size = 100_000_000
/** So a transfer takes twice as long as a silent peer is given, and more. */
const bytesPerSecond = size / (2.4 * netTickTime)

const md5 = (bytes: Buffer): Buffer => createHash('md5').update(bytes).digest()
const alive = (name: string): string => name.slice(0, name.indexOf('@'))

t.test('ticks', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start({ code, args: ['-kernel', 'net_ticktime', String(netTickTime)] })
    // An EPMD of its own, where the BEAM is registered with another port than its own.
    await using epmd = await startEpmd()
    const epmdPort = epmd.port
    const name = `narrow-${process.pid}@127.0.0.1`

    await t.test('100 MB each way at once take two tick times and more: TypeScript dials', async t => {
      const { port } = await lookup(alive(beam.name), '127.0.0.1')
      await using way = await throttle(port, bytesPerSecond)
      await using _ = await register({ name: alive(beam.name), port: way.port, epmdPort })
      await using node = await Node.start({ name, cookie: beam.cookie, hidden: true, epmdPort, netTickTime })
      await node.connect(beam.name)
      await bothWays(t, beam, node)
    })

    await t.test('100 MB each way at once take two tick times and more: the BEAM dials', async t => {
      await using node = await Node.start({ name, cookie: beam.cookie, hidden: true, epmdPort, netTickTime })
      await using way = await throttle(node.port as number, bytesPerSecond)
      await using _ = await register({ name: alive(name), port: way.port })
      t.equal(await evaluator(beam, node)('net_kernel:connect_node(Ts).'), true)
      await bothWays(t, beam, node)
    })
  })
})

async function bothWays(t: Test, beam: Beam, node: Node): Promise<void> {
  const lost: string[] = []
  node.on('nodedown', (_, { reason }) => lost.push(reason))
  await node.run(async self => {
    const sink = (await beam.eval('narrow:sink().')) as Pid
    const bytes = Buffer.alloc(size, 'narrow ')
    const since = performance.now()
    const theirs = beam.eval('narrow:send(To, Size).', { bindings: { To: self.pid, Size: size }, timeout: 60_000 })
    self.send(sink, bytes)
    const came = (await self.receive(undefined, { timeout: 60_000 })) as Buffer
    t.ok(md5(came).equals((await theirs) as Buffer), 'it came as it was sent')
    const [seen, sum] = ((await beam.eval('narrow:size_and_sum(Sink).', { bindings: { Sink: sink }, timeout: 60_000 })) as Tuple<[number, Buffer]>).elements // prettier-ignore
    t.equal(seen, size)
    t.ok(md5(bytes).equals(sum), 'and so did ours')
    const took = (performance.now() - since) / 1000
    t.ok(took > 2 * netTickTime, `in ${took.toFixed(1)} s`)

    node.spawn(async self => self.send({ name: 'narrow', node: beam.name }, await next(self)), { name: 'here' })
    const source = 'register(narrow, self()), {here, Ts} ! still, receive Message -> Message after 20000 -> lost end.'
    t.equal(await evaluator(beam, node)(source), atom('still'))
    t.strictSame(lost, [], 'the connection is the first')
  })
}
