/** Connections as they come and go: who is seen where, what is said when one fails, what is noticed when a peer falls silent. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import t from 'tap'
import { atom, equals, Node, type NodeDown, type ProtocolFault, tuple } from '../src/index.js'
import { startBeam } from '../src/interop/index.js'
import { register } from '../src/net/epmd-registration.js'
import { eachOtp } from './support/each-otp.js'
import { evaluator, startNode } from './support/pair.js'

const nodedown = (node: Node): Promise<[string, NodeDown]> => new Promise(resolve => node.once('nodedown', (...told) => resolve(told)))
const fault = (node: Node): Promise<[string | null, ProtocolFault]> =>
  new Promise(resolve => node.once('protocol', (...told) => resolve(told)))

await eachOtp(t, async (t, { otp, start }) => {
  const beam = await start()

  await t.test('a hidden node is seen by nodes(hidden) alone, whoever dialled', async t => {
    for (const dial of ['TypeScript', 'BEAM']) {
      await using node = await startNode(beam)
      const evaluate = evaluator(beam, node)
      if (dial === 'TypeScript') await node.connect(beam.name)
      else t.equal(await evaluate('net_adm:ping(Ts).'), atom('pong'))
      await beam.waitForNode(node.name, 'up')
      t.equal(await evaluate('{nodes(), nodes(hidden)} =:= {[], [Ts]}.'), true)
      t.strictSame([node.nodes(), node.nodes('hidden')], [[], [beam.name]])
    }
  })

  await t.test('disconnect, from either side, and the next message connects again', async t => {
    await using node = await startNode(beam)
    const evaluate = evaluator(beam, node)
    await node.connect(beam.name)
    await beam.waitForNode(node.name, 'up')

    const ours = nodedown(node)
    t.equal(node.disconnect(beam.name), true)
    t.match(await ours, [beam.name, { reason: 'disconnect' }])
    await beam.waitForNode(node.name, 'down')

    const echo = 'echo'
    node.spawn(
      async self => {
        for await (const message of self) self.send({ name: 'sink', node: beam.name }, tuple(atom('back'), message))
      },
      { name: echo },
    )
    const round = await evaluate('register(sink, self()), {echo, Ts} ! hello, receive {back, Message} -> Message end.')
    t.equal(round, atom('hello'))

    const theirs = nodedown(node)
    t.equal(await evaluate('erlang:disconnect_node(Ts).'), true)
    t.match(await theirs, [beam.name, { reason: 'connection_closed' }])
    await node.connect(beam.name)
  })

  await t.test('a BEAM that comes back under its name is another: pids of the one before are dead', async t => {
    const before = await start({ cookie: beam.cookie })
    await using node = await startNode(beam)
    await node.connect(before.name)
    const stale = await before.eval('register(old, spawn(fun() -> receive X -> X end end)), whereis(old).')
    const down = nodedown(node)
    await before.kill()
    t.match(await down, [before.name, { reason: 'connection_closed' }])
    const after = await start({ cookie: beam.cookie, name: before.name })
    await after.eval('register(old, spawn(fun Loop() -> receive {From, X} -> From ! X, Loop() end end)).')
    await node.run(async self => {
      self.trapExit = true
      self.send(stale as never, tuple(self.pid, atom('lost')))
      self.link(stale as never)
      t.ok(equals(await self.receive(), tuple(atom('EXIT'), stale, atom('noproc'))), 'LINK to it is answered with noproc')
      const ref = self.monitor(stale as never)
      t.ok(equals(await self.receive(), tuple(atom('DOWN'), ref, atom('process'), stale, atom('noproc'))))
      self.send({ name: 'old', node: after.name }, tuple(self.pid, atom('new')))
      t.equal(await self.receive(), atom('new'))
    })
    await after.stop()
  })

  await t.test('a wrong cookie, both ways', async t => {
    await using node = await startNode(beam, { cookie: 'another' })
    beam.expectLog(/Connection attempt (from|to) node|challenge_reply|disallowed/i)
    await t.rejects(node.connect(beam.name), { code: 'DIST_BAD_COOKIE', message: /cookie/i })
    const told = fault(node)
    t.equal(await evaluator(beam, node)('net_kernel:connect_node(Ts).'), false)
    t.match(await told, [beam.name, { code: 'DIST_BAD_COOKIE' }])
    t.strictSame(node.nodes('connected'), [])
  })

  await t.test('a name that is taken, and one that nobody has', async t => {
    await t.rejects(Node.start({ name: beam.name, cookie: beam.cookie }), { code: 'EPMD_NAME_TAKEN' })
    await using node = await startNode(beam)
    await t.rejects(node.connect('nobody-here@127.0.0.1'), { code: 'EPMD_NO_SUCH_NODE' })
    await t.rejects(node.connect('short@localhost'), { code: 'NAME_SHORT_LONG' })
  })

  await t.test('garbage on our port costs its own socket', async t => {
    await using node = await startNode(beam)
    await node.connect(beam.name)
    const garbage: [string, Buffer][] = [
      ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
      ['zeros', Buffer.alloc(64)],
      ['ones', Buffer.alloc(64, 255)],
      ['a name without flags', Buffer.from([0, 3, 78, 1, 2])],
      ['a name with an unknown host form', Buffer.concat([Buffer.from([0, 17, 78]), Buffer.alloc(12, 255), Buffer.from([0, 2, 120, 120])])],
    ]
    for (const [title, bytes] of garbage) {
      const told = fault(node)
      const socket = connect(node.port as number, '127.0.0.1')
      const closed = once(socket, 'close')
      socket
        .on('error', () => {})
        .resume()
        .write(bytes)
      const [, { code }] = await told
      t.match(code, /^(DIST|NET)_/, `${title}: ${code}`)
      await closed
    }
    t.equal(await evaluator(beam, node)('net_adm:ping(Ts).'), atom('pong'))
    t.strictSame(node.nodes('connected'), [beam.name])
  })

  await t.test('a BEAM that freezes is noticed, and so is its end to those who watch', async t => {
    const frozen = await startBeam({ otp, cookie: beam.cookie })
    t.teardown(() => frozen.kill())
    await using node = await startNode(beam, { netTickTime: 1 })
    await node.connect(frozen.name)
    const pid = await frozen.eval('whereis(init).')
    const down = nodedown(node)
    await node.run(async self => {
      const ref = self.monitor(pid as never)
      frozen.pause()
      t.ok(equals(await self.receive(), tuple(atom('DOWN'), ref, atom('process'), pid, atom('noconnection'))))
    })
    t.match(await down, [frozen.name, { reason: 'net_tick_timeout' }])
  })

  await t.test('a quiet connection stays up: we tick by ourselves', async t => {
    const strict = await start({ cookie: beam.cookie, args: ['-kernel', 'net_ticktime', '1', 'net_tickintensity', '4'] })
    await using node = await startNode(beam, { netTickTime: 1 })
    await node.connect(strict.name)
    let lost = false
    node.on('nodedown', () => (lost = true))
    // The BEAM looks four times a second and gives up after 1.25 s of silence; its own clock tells when three seconds have passed.
    await strict.eval('timer:sleep(3000).')
    t.equal(lost, false)
    t.equal(await evaluator(strict, node)('lists:member(Ts, nodes(hidden)).'), true)
    await strict.stop()
  })
})

t.test('a peer that ends or hangs in the middle of the handshake', async t => {
  const beam = await startBeam({ otp: 25 })
  t.teardown(() => beam.stop())
  await using node = await startNode(beam, { netSetupTime: 300 })
  const status = Buffer.from([0, 3, 115, 111, 107])
  const behaviours: [string, (socket: Socket) => void, RegExp][] = [
    ['closes at once', socket => socket.destroy(), /^(DIST_CLOSED|NET_SOCKET)$/],
    ['closes after our name', socket => void socket.once('data', () => socket.destroy()), /^(DIST_CLOSED|NET_SOCKET)$/],
    ['closes after its status', socket => void socket.once('data', () => socket.end(status)), /^(DIST_CLOSED|NET_SOCKET)$/],
    ['answers with garbage', socket => void socket.once('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')), /^(DIST|NET)_/],
    ['never answers', () => {}, /^NET_TIMEOUT$/],
  ]
  for (const [title, behave, code] of behaviours) {
    const server = createServer(socket => behave(socket.on('error', () => {})))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const name = `fake-${process.pid}-${port}`
    const registration = await register({ name, port })
    const error = await node.connect(`${name}@127.0.0.1`).catch((error: unknown) => error as { code: string })
    t.match((error as { code: string }).code, code, `${title}: ${(error as unknown as Error).message}`)
    await registration.close()
    server.close()
  }
  await node.connect(beam.name)
  t.strictSame(node.nodes('connected'), [beam.name])
})
