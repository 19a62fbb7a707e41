/** Nodes without a name of their own, and those that give it. */
import t from 'tap'
import { atom, equals, Node, type NodeProcess, tuple, type Tuple } from '../../src/index.js'
import { cluster, once, uniqueName } from './support.js'

const undefinedName = 'undefined@127.0.0.1'

const echo = async (self: NodeProcess): Promise<void> => {
  for await (const message of self) {
    const [from, term] = (message as Tuple).elements
    self.send(from, term)
  }
}

t.test('a node is named by another', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const giver = await start({ hidden: false })
  const seen = once(giver, 'nodeup')
  const node = await start({ name: undefinedName, namedBy: giver.name, listen: undefined })
  const up = once(node, 'nodeup')

  t.match(node.name, /^[0-9A-Z]+@127\.0\.0\.1$/)
  t.match(await seen, [node.name, { hidden: true }])
  t.same([node.nodes('hidden'), node.hidden, node.port], [[giver.name], true, null])
  t.same(await up, [giver.name, { hidden: true }], 'nodeup is told when somebody can listen')

  const pid = node.spawn(echo)
  t.match(pid, { node: atom(node.name), creation: node.creation })
  await giver.run(async self => {
    self.send(pid, tuple(self.pid, 'hello'))
    t.ok(equals(await self.receive(), Buffer.from('hello')))
  })
  t.same(
    (await node.epmd.names('127.0.0.1')).map(({ name }) => name),
    [giver.name.split('@')[0]],
    'EPMD knows nothing of it',
  )

  await t.test('it connects to others under that name', async t => {
    const third = await start()
    await node.connect(third.name)
    t.same(third.nodes('hidden'), [node.name])
  })

  await t.test('its name comes back with the next creation', async t => {
    const gone = once(giver, 'nodedown')
    await node.close()
    await gone
    const next = await start({ name: undefinedName, namedBy: giver.name, listen: undefined })
    const other = await start({ name: undefinedName, namedBy: giver.name, listen: undefined })
    t.same([next.name, next.creation], [node.name, node.creation + 1 < 2 ** 32 ? node.creation + 1 : 4])
    t.not(other.name, next.name)
    await next.close()
  })
})

t.test('with the connection to the giver the name is lost, and with it all others', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const giver = await start()
  const third = await start()
  const node = await start({ name: undefinedName, namedBy: giver.name, listen: undefined })
  await node.connect(third.name)
  const downs: [string, string][] = []
  node.on('nodedown', (name, { reason }) => downs.push([name, reason]))
  const lost = new Promise<{ code: string }>(resolve => node.once('error', resolve))
  const gone = once(third, 'nodedown')
  await node.run(async self => {
    self.trapExit = true
    const pid = third.spawn(echo)
    self.link(pid)
    giver.disconnect(node.name)
    t.ok(equals(await self.receive(), tuple(atom('EXIT'), pid, atom('noconnection'))))
    t.match(await lost, { code: 'NODE_NAME_LOST' })
    self.link(pid)
    t.ok(equals(await self.receive(), tuple(atom('EXIT'), pid, atom('noconnection'))), 'there is no way back')
  })
  await gone
  t.same(downs, [[giver.name, 'connection_closed'], [third.name, 'net_kernel_terminated']]) // prettier-ignore
  await t.rejects(node.connect(giver.name), { code: 'NODE_NAME_LOST' })
  t.same(node.nodes('connected'), [])
  t.equal(node.send({ name: 'x', node: third.name }, 1), false)
})

t.test('what cannot be', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const giver = await start({ allow: ['nobody@here'] })
  const refused: readonly [string, Parameters<typeof start>[0]][] = [
    ['NAME_NAMED_BY', { name: undefinedName }],
    ['NAME_NAMED_BY', { name: 'undefined' }],
    ['NAME_NAMED_BY', { name: uniqueName(), namedBy: giver.name }],
    ['NAME_NAMED_BY', { name: undefinedName, namedBy: giver.name, hidden: false, listen: undefined }],
    ['NAME_NAMED_BY', { name: undefinedName, namedBy: giver.name, listen: { port: 0 } }],
    ['NAME_FORMAT', { name: undefinedName, namedBy: 'giver', listen: undefined }],
    ['NAME_SHORT_LONG', { name: 'undefined@short', namedBy: giver.name, listen: undefined }],
    ['EPMD_NO_SUCH_NODE', { name: undefinedName, namedBy: uniqueName(), listen: undefined }],
    ['DIST_NOT_ALLOWED', { name: undefinedName, namedBy: giver.name, listen: undefined }],
    ['DIST_BAD_COOKIE', { name: undefinedName, namedBy: (await start()).name, cookie: 'wrong', listen: undefined }],
  ]
  for (const [code, options] of refused) await t.rejects(start(options), { code }, code)
})

t.test('disconnected before anybody heard of it', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const giver = await start()
  const node = await Node.start({ name: undefinedName, namedBy: giver.name, cookie: 'secret', epmdPort: giver.epmd.port })
  const events: string[] = []
  node.on('nodeup', () => events.push('nodeup')).on('nodedown', () => events.push('nodedown'))
  await node.close()
  t.same(events, ['nodeup', 'nodedown'])
})
