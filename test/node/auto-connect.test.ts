/** kernel's dist_auto_connect: what a signal to a node does that is not connected. */
import t from 'tap'
import { atom, equals, type Node, type NodeProcess, type Pid, type Term, tuple } from '../../src/index.js'
import { cluster, once } from './support.js'

const noconnection = atom('noconnection')
const idle = (self: NodeProcess): Promise<unknown> => self.receive()

/** What comes of a link, a monitor, a monitored name, a monitored node and a spawn request, in the same turn. */
async function tried(node: Node, pid: Pid): Promise<boolean> {
  return node.run(async self => {
    self.trapExit = true
    const expected: Term[] = []
    self.link(pid)
    expected.push(tuple(atom('EXIT'), pid, noconnection) as Term)
    expected.push(tuple(atom('DOWN'), self.monitor(pid), atom('process'), pid, noconnection) as Term)
    const name = { name: 'x', node: pid.node.name }
    expected.push(tuple(atom('DOWN'), self.monitor(name), atom('process'), tuple(atom('x'), pid.node), noconnection) as Term)
    self.monitorNode(pid.node.name, true)
    expected.push(tuple(atom('nodedown'), pid.node) as Term)
    self.send(pid, 'dropped')
    return expected.every(message => equals(self.poll() ?? null, message))
  })
}

t.test("distAutoConnect 'never'", async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const a = await start({ distAutoConnect: 'never' })
  const b = await start()
  const pid = b.spawn(idle)
  t.equal(await tried(a, pid), true, 'there is no connection, and it is told at once')
  t.equal(a.send(pid, 1), false)
  t.equal(await a.rpc.call(b.name, 'x', 'y').catch(({ code }: { code: string }) => code), 'ERR_RPC_ERPC')
  t.same(a.nodes('connected'), [])
  t.match(a.stats(), { remoteLinks: 0, remoteMonitors: 0, spawnRequests: 0 })

  await a.connect(b.name)
  t.equal(a.send(pid, 1), true, 'once it is connected, all is as ever')
  const downs = [once(a, 'nodedown'), once(b, 'nodedown')]
  a.disconnect(b.name)
  await Promise.all(downs)
  t.equal(await tried(a, b.spawn(idle)), true)

  const up = once(a, 'nodeup')
  b.send(a.spawn(idle), 1)
  await up
  t.same(a.nodes('connected'), [b.name], 'the peer may connect by whatever it does')
})

t.test("distAutoConnect 'once'", async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const a = await start({ distAutoConnect: 'once' })
  const b = await start()
  const lose = async (): Promise<void> => {
    const downs = [once(a, 'nodedown'), once(b, 'nodedown')]
    b.disconnect(a.name)
    await Promise.all(downs)
  }
  const up = once(a, 'nodeup')
  t.equal(a.send(b.spawn(idle), 1), true, 'the first time a send connects')
  await up
  await lose()
  t.equal(await tried(a, b.spawn(idle)), true, 'but not again')
  t.same(a.nodes('connected'), [])

  await a.connect(b.name)
  await lose()
  t.equal(a.send(b.spawn(idle), 1), false, 'an explicit connection was one, too')

  const again = once(a, 'nodeup')
  await b.connect(a.name)
  await again
  await lose()
  t.equal(a.send(b.spawn(idle), 1), false, 'and so was one that the peer made')

  await b.close()
  await t.rejects(a.connect(b.name), { code: 'EPMD_NO_SUCH_NODE' })
  const revived = await start({ name: b.name })
  const third = once(a, 'nodeup')
  t.equal(a.send({ name: 'x', node: revived.name }, 1), true, 'an explicit connect that failed lets signals try again')
  await third
})

t.test('an attempt that fails bars nothing', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const a = await start({ distAutoConnect: 'once' })
  const b = await start()
  await b.close()
  await a.rpc.call(b.name, 'x', 'y').catch(() => {})
  const revived = await start({ name: b.name })
  const up = once(a, 'nodeup')
  t.equal(a.send({ name: 'x', node: revived.name }, 1), true)
  await up
})
