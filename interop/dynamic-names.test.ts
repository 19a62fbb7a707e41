/** Dynamic node names: a BEAM that was started as `erl -name undefined@host` is named by a TypeScript node, and the other way round. */
import t, { type Test } from 'tap'
import { type Atom, atom, type Node, type NodeError, type Pid, type Tuple, tuple } from '../src/index.js'
import { type Beam, startEpmd } from '../src/interop/index.js'
import { eachOtp, type Real } from './support/each-otp.js'
import { actor, down, next, startNode, tell } from './support/pair.js'

const noconnection = atom('noconnection')
const dynamic = /^[0-9A-Z]+@127\.0\.0\.1$/
const nameless = 'undefined@127.0.0.1'

t.test('dynamic names', async t => {
  await eachOtp(t, async (t, { start }) => {
    await given(t, start)
    await asked(t, start)
  })
})

const nodeup = (node: Node): Promise<string> => new Promise(resolve => node.once('nodeup', resolve))

/** Has a nameless BEAM connect; resolves to its name and creation. */
async function named(beam: Beam, node: Node): Promise<[string, number]> {
  const connect = 'true = net_kernel:connect_node(Ts), {node(), erts_internal:get_creation()}.'
  const term = (await beam.eval(connect, { bindings: { Ts: atom(node.name) } })) as Tuple<[Atom, number]>
  return [term.elements[0].name, term.elements[1]]
}

/** The BEAM's distribution starts anew when the connection to its giver is lost; then it connects again. Gives its name. */
const rebirth = `
  Ref = monitor(process, net_kernel),
  logger:notice("watches net_kernel"),
  receive {'DOWN', Ref, process, _, _} -> ok end,
  (fun Again() ->
    case net_kernel:connect_node(Ts) of
      true -> node();
      _ -> supervisor:count_children(kernel_sup), Again()
    end
  end)().`

async function given(t: Test, start: Real['start']): Promise<void> {
  const beam = await start({ name: nameless, code: actor })
  const other = await start({ name: nameless, cookie: beam.cookie })
  await using node = await startNode(beam, { hidden: false })
  const faults: string[] = []
  node.on('protocol', (_, { error }) => faults.push(error.message))

  await t.test('a BEAM without a name is given one, and is a node like any other', async t => {
    t.equal(beam.name, 'nonode@nohost')
    const up = nodeup(node)
    const [name] = await named(beam, node)
    t.match(name, dynamic)
    t.equal(await up, name)
    t.strictSame([node.nodes(), node.nodes('hidden')], [[], [name]])
    const seen = await beam.eval('{nodes(), nodes(hidden)} =:= {[], [Ts]}.', { bindings: { Ts: atom(node.name) } })
    t.equal(seen, true)

    await node.run(async self => {
      self.trapExit = true
      const pid = (await beam.eval('actor:start().')) as Pid
      t.equal(pid.node.name, name)
      self.link(pid)
      const ref = self.monitor(pid)
      t.strictSame(await tell(self, pid, 'erlang', 'self'), pid)
      t.equal(await node.rpc.call(name, 'erlang', 'node', []), atom(name))
      t.equal(await beam.eval('net_adm:ping(Ts).', { bindings: { Ts: atom(node.name) } }), atom('pong'))
      self.exit(pid, atom('bye'))
      t.strictSame([await next(self), await next(self)], [tuple(atom('EXIT'), pid, atom('bye')), down(ref, pid, atom('bye'))])
    })
  })

  await t.test('each gets another, and a name comes back with the next creation', async t => {
    const [name, creation] = await named(beam, node)
    const [second] = await named(other, node)
    t.match(second, dynamic)
    t.not(second, name)
    await node.run(async self => {
      const stale = (await beam.eval('actor:start().')) as Pid
      const ref = self.monitor(stale)
      const reborn = beam.eval(rebirth, { bindings: { Ts: atom(node.name) } })
      await beam.waitForLog('watches net_kernel')
      const up = nodeup(node)
      t.equal(node.disconnect(name), true)
      t.strictSame(await next(self), down(ref, stale, noconnection))
      t.equal(await reborn, atom(name))
      t.equal(await up, name)
      const [, now] = await named(beam, node)
      t.equal(now, creation + 1)
      t.strictSame(down(self.monitor(stale), stale, atom('noproc')), await next(self), 'what was there before is dead')
    })
  })
  t.strictSame(faults, [])
}

async function asked(t: Test, start: Real['start']): Promise<void> {
  await t.test('a TypeScript node without a name is given one by a BEAM', async t => {
    await using epmd = await startEpmd()
    const { port: epmdPort } = epmd
    const giver = await start({ code: actor, epmdPort })
    const other = await start({ cookie: giver.cookie, epmdPort })
    const node = await startNode(giver, { name: nameless, namedBy: giver.name, epmdPort })
    t.match(node.name, dynamic)
    t.strictSame(node.nodes('hidden'), [giver.name])
    const seen = '{nodes(), nodes(hidden), net_adm:ping(Ts)} =:= {[], [Ts], pong}.'
    t.equal(await giver.eval(seen, { bindings: { Ts: atom(node.name) } }), true)
    const registered = (await node.epmd.names('127.0.0.1')).map(({ name }) => `${name}@127.0.0.1`)
    t.strictSame(registered.toSorted(), [giver.name, other.name].toSorted(), 'EPMD knows nothing of it')

    await node.run(async self => {
      self.trapExit = true
      const pid = (await giver.eval('actor:start().')) as Pid
      self.link(pid)
      t.strictSame(await tell(self, pid, 'erlang', 'self'), pid)
      t.strictSame(await tell(self, pid, 'erlang', 'process_info', pid, atom('links')), tuple(atom('links'), [self.pid]))
    })
    await node.connect(other.name)
    t.equal(await other.eval('nodes(hidden) =:= [Ts].', { bindings: { Ts: atom(node.name) } }), true)

    const lost = new Promise<NodeError>(resolve => node.once('error', resolve))
    await giver.eval('erlang:disconnect_node(Ts).', { bindings: { Ts: atom(node.name) } })
    t.match(await lost, { code: 'NODE_NAME_LOST' })
    await other.waitForNode(node.name, 'down')
    await t.rejects(node.connect(giver.name), { code: 'NODE_NAME_LOST' })

    await using again = await startNode(giver, { name: nameless, namedBy: giver.name, epmdPort })
    t.strictSame([again.name, again.creation], [node.name, node.creation + 1], 'the next one gets its name')
    await node.close()
    t.equal(await giver.eval('nodes(hidden) =:= [Ts].', { bindings: { Ts: atom(again.name) } }), true)
  })

  await t.test('a BEAM that cannot be reached gives no name', async t => {
    const giver = await start()
    await t.rejects(startNode(giver, { name: nameless, namedBy: 'nobody-here@127.0.0.1' }), { code: 'EPMD_NO_SUCH_NODE' })
    giver.expectLog(/Connection attempt/)
    await t.rejects(startNode(giver, { name: nameless, namedBy: giver.name, cookie: 'another' }), { code: 'DIST_BAD_COOKIE' })
  })
}
