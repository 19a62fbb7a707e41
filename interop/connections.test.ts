/** Connections as they come and go: who is seen where, and what a restart leaves behind. */
import { hostname } from 'node:os'
import t, { type Test } from 'tap'
import { atom, Node, type NodeDown, type Pid, type ProtocolFault, type Term, tuple } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { eachOtp, type Real } from './support/each-otp.js'
import { actor, down, eachWay, evaluator, next, type Pair, startNode, tell } from './support/pair.js'

const noproc = atom('noproc')

const nodedown = (node: Node): Promise<[string, NodeDown]> => new Promise(resolve => node.once('nodedown', (...told) => resolve(told)))
const fault = (node: Node): Promise<[string | null, ProtocolFault]> =>
  new Promise(resolve => node.once('protocol', (...told) => resolve(told)))

t.test('connections', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start({ code: actor })
    await eachWay(t, beam, seen)
    await eachWay(t, beam, disconnecting)
    await eachWay(t, beam, closing)
    await hiddenOrNot(t, await start({ cookie: beam.cookie, hidden: true }))
    await restarts(t, beam, start)
    await refused(t, beam, start)
  })
})

async function seen(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  await t.test('a hidden node is seen by nodes(hidden) alone', async t => {
    t.equal(await evaluate('{nodes(), nodes(hidden)} =:= {[], [Ts]}.'), true)
    t.strictSame([node.nodes(), node.nodes('hidden')], [[], [beam.name]])
    t.equal(await evaluate('net_kernel:connect_node(Ts).'), true, 'connected already')
    await node.connect(beam.name)
    t.equal(await evaluate('net_adm:ping(Ts).'), atom('pong'))
  })
}

async function disconnecting(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  await t.test('disconnect, from either side, and the next message connects again', async t => {
    const ours = nodedown(node)
    t.equal(node.disconnect(beam.name), true)
    t.equal(node.disconnect(beam.name), false)
    t.match(await ours, [beam.name, { reason: 'disconnect', hidden: true }])
    await beam.waitForNode(node.name, 'down')

    node.spawn(async self => self.send({ name: 'sink', node: beam.name }, await next(self)), { name: 'source' })
    t.equal(await evaluate('register(sink, self()), {source, Ts} ! hello, receive Message -> Message end.'), atom('hello'))

    const theirs = nodedown(node)
    t.equal(await evaluate('erlang:disconnect_node(Ts).'), true)
    t.match(await theirs, [beam.name, { reason: 'connection_closed' }])
    t.strictSame(node.nodes('connected'), [])
    await node.connect(beam.name)
  })
}

async function closing(t: Test, { node, evaluate }: Pair): Promise<void> {
  await t.test('what was accepted before the node closed arrives', async t => {
    const pid = (await evaluate('actor:start().')) as Pid
    for (let number = 0; number < 1000; number++) node.send(pid, number)
    node.send(pid, Buffer.alloc(5_000_000, 7))
    await node.close()
    const source = `Ref = make_ref(), Next = fun() -> Pid ! {actor, self(), Ref, actor, next, []}, receive {Ref, Message} -> Message end end,
      {[Next() || _ <- lists:seq(0, 999)] =:= lists:seq(0, 999), byte_size(Next())}.`
    t.strictSame(await evaluate(source, { Pid: pid }), tuple(true, 5_000_000))
    t.equal(await evaluate('net_adm:ping(Ts).'), atom('pang'), 'nobody is there any more')
  })
}

async function hiddenOrNot(t: Test, beam: Beam): Promise<void> {
  await t.test('a connection is visible only when both nodes are', async t => {
    await eachWay(
      t,
      beam,
      async (t, { node, evaluate }) => {
        t.equal(node.hidden, false)
        t.equal(await evaluate('{nodes(), nodes(hidden)} =:= {[], [Ts]}.'), true)
        t.strictSame([node.nodes(), node.nodes('hidden')], [[], [beam.name]])
      },
      { hidden: false },
    )
  })
}

async function restarts(t: Test, beam: Beam, start: Real['start']): Promise<void> {
  await t.test('a BEAM that comes back under its name is another: pids of the one before are dead', async t => {
    const before = await start({ cookie: beam.cookie, code: actor })
    await using node = await startNode(beam)
    await node.connect(before.name)
    const stale = (await before.eval('actor:start().')) as Pid
    const lost = nodedown(node)
    await before.kill()
    t.match(await lost, [before.name, { reason: 'connection_closed' }])
    const after = await start({ cookie: beam.cookie, name: before.name, code: actor })
    await node.run(async self => {
      self.trapExit = true
      // The same process number in the new node: only the creation tells them apart.
      const now = (await after.eval('list_to_pid(Text).', {
        bindings: { Text: [...Buffer.from(`<0.${stale.id}.${stale.serial}>`)] },
      })) as Pid
      t.strictSame([now.id, now.serial, now.node], [stale.id, stale.serial, stale.node])
      t.not(now.creation, stale.creation)
      self.send(stale, atom('lost'))
      self.exit(stale, atom('kill'))
      self.link(stale)
      t.strictSame(await next(self), tuple(atom('EXIT'), stale, noproc))
      t.strictSame(down(self.monitor(stale), stale, noproc), await next(self))
      const fresh = (await after.eval('actor:start().')) as Pid
      t.strictSame(await tell(self, fresh, 'erlang', 'self'), fresh)
    })
  })

  await t.test('so is a TypeScript node', async t => {
    const before = await startNode(beam)
    const stale = before.spawn(self => self.receive())
    await before.connect(beam.name)
    await beam.waitForNode(before.name, 'up')
    await before.close()
    await beam.waitForNode(before.name, 'down')
    await using node = await startNode(beam, { name: before.name })
    const heard: Term[] = []
    const body = async (self: AsyncIterable<Term>): Promise<void> => {
      for await (const message of self) heard.push(message)
    }
    let now = node.spawn(body)
    while (now.id < stale.id) now = node.spawn(body)
    t.strictSame([now.id, now.serial, now.node], [stale.id, stale.serial, stale.node])
    t.not(now.creation, stale.creation)
    const source = `process_flag(trap_exit, true), Stale ! lost, exit(Stale, kill), link(Stale), Ref = monitor(process, Stale),
      Exit = receive {'EXIT', Stale, Why} -> Why end, Down = receive {'DOWN', Ref, process, Stale, Reason} -> Reason end,
      pong = net_adm:ping(Ts), {Exit, Down}.`
    t.strictSame(await evaluator(beam, node)(source, { Stale: stale }), tuple(noproc, noproc))
    t.equal(await node.isAlive(now), true)
    t.strictSame(heard, [])
  })
}

async function refused(t: Test, beam: Beam, start: Real['start']): Promise<void> {
  await t.test('a wrong cookie, both ways', async t => {
    await using node = await startNode(beam, { cookie: 'another' })
    beam.expectLog(/Connection attempt (from|to) node/)
    await t.rejects(node.connect(beam.name), { code: 'DIST_BAD_COOKIE', message: /cookie/ })
    const told = fault(node)
    t.equal(await evaluator(beam, node)('net_kernel:connect_node(Ts).'), false)
    t.match(await told, [beam.name, { code: 'DIST_BAD_COOKIE' }])
    t.strictSame(node.nodes('connected'), [])
  })

  await t.test('a name that is taken', async t => {
    await t.rejects(Node.start({ name: beam.name, cookie: beam.cookie }), { code: 'EPMD_NAME_TAKEN' })
    await using node = await startNode(beam)
    await t.rejects(start({ name: node.name }), { code: 'ERR_INTEROP_START' }, 'a BEAM cannot have ours')
    await node.connect(beam.name)
  })

  await t.test('a node that cannot be found', async t => {
    await using node = await startNode(beam)
    await t.rejects(node.connect('nobody-here@127.0.0.1'), { code: 'EPMD_NO_SUCH_NODE' })
    await t.rejects(node.connect('any@no.such.host.invalid'), { code: /^(EPMD|NET)_UNKNOWN_HOST$/ })
    await t.rejects(node.connect(`any@${hostname().split('.')[0]}`), { code: 'NAME_SHORT_LONG' })
    await t.rejects(node.connect('no name at all'), { code: /^NAME_/ })
    t.strictSame(node.nodes('connected'), [])
    await node.connect(beam.name)
  })
}
