/** An EPMD that lies to a node, and clients that lie to the EPMD of a node. */
import { once as onceOf } from 'node:events'
import { createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { Node, type ProtocolFault } from '../../src/index.js'
import { names } from '../../src/net/epmd-client.js'
import { Line } from '../net/epmd-transcript.js'
import { cluster, once, uniqueName } from './support.js'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

/** An EPMD that answers each kind of request as told, and closes. */
async function lyingEpmd(t: Test, says: { alive?: Buffer; port?: Buffer; names?: Buffer }): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {}) // Whoever finds it out may reset.
    socket.on('data', request => {
      const op = request[2]
      if (op === 120) socket.write(says.alive ?? hex('76 00 00000009'))
      else if (op === 122) socket.end(says.port ?? hex('77 01'))
      else socket.end(says.names ?? hex('00001111'))
    })
  })
  await onceOf(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as { port: number }).port
}

const options = { cookie: 'secret', epmd: 'system', listen: { host: '127.0.0.1' } } as const

t.test('an EPMD that lies about a registration', async t => {
  const lies: readonly (readonly [title: string, code: string, alive: Buffer])[] = [
    ['another answer', 'EPMD_FORMAT', hex('77 00 00000009')],
    ['HTTP', 'EPMD_FORMAT', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['that the name is taken', 'EPMD_NAME_TAKEN', hex('76 01 00000063')],
  ]
  for (const [title, code, alive] of lies) {
    const epmdPort = await lyingEpmd(t, { alive })
    await t.rejects(Node.start({ ...options, name: uniqueName(), epmdPort }), { code }, title)
  }
})

t.test('an EPMD that lies about a look-up costs that look-up', async t => {
  const lies: readonly (readonly [title: string, code: string, port: Buffer])[] = [
    ['another answer', 'EPMD_FORMAT', hex('76 00 0fa1')],
    ['HTTP', 'EPMD_FORMAT', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['half an answer', 'EPMD_CLOSED', hex('77 00 0fa1 4d 00 0006')],
    ['a name longer than it sends', 'EPMD_CLOSED', hex('77 00 0fa1 4d 00 0006 0005 ffff 61')],
    ['a name that is not UTF-8', 'EPMD_FORMAT', hex('77 00 0fa1 4d 00 0006 0005 0002 c328 0000')],
    ['an answer without end', 'EPMD_FORMAT', Buffer.concat([hex('77 00 0fa1 4d 00 0006 0005 ffff'), Buffer.alloc(70_000, 'a')])],
    ['that there is no such node', 'EPMD_NO_SUCH_NODE', hex('77 01')],
  ]
  for (const [title, code, port] of lies) {
    const epmdPort = await lyingEpmd(t, { port })
    await using node = await Node.start({ ...options, name: uniqueName(), epmdPort })
    const before = node.stats()
    await t.rejects(node.connect('somebody@127.0.0.1'), { code }, title)
    const { atoms: _before, ...sizes } = before
    const { atoms: _after, ...after } = node.stats()
    t.strictSame(after, sizes, 'and leaves nothing behind')
  }
})

t.test('a client that lies to the embedded EPMD costs its own connection, and the node tells it', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const node = await start({ epmd: 'embedded' })
  const friend = await start()
  await friend.connect(node.name)
  const epmdPort = node.epmd.port
  const registered = await names('127.0.0.1', { epmdPort })
  const faults: [string | null, ProtocolFault][] = []
  node.on('protocol', (name, fault) => faults.push([name, fault]))
  const lies: readonly (readonly [title: string, bytes: Buffer])[] = [
    ['a request of no bytes', hex('0000')],
    ['a request of 65,535 bytes', hex('ffff')],
    ['a request that there is not', hex('0001 09')],
    ['ALIVE2 that ends early', hex('0005 78 0fa1 48 00')],
    ['ALIVE2 with a name longer than itself', hex('000e 78 0fa0 4d 00 0006 0005 ffff 61 0000')],
    ['ALIVE2 with a name that is not UTF-8', hex('000f 78 0fa0 4d 00 0006 0005 0002 c328 0000')],
    ['a look-up without a name', hex('0001 7a')],
    ['a look-up of 256 characters', Buffer.concat([hex('0101 7a'), Buffer.alloc(256, 'a')])],
    ['two requests', hex('0001 6e 0001 6e')],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ]
  for (const [title, bytes] of lies) {
    const line = new Line(epmdPort)
    const told = once(node, 'protocol')
    line.socket.write(bytes)
    await told
    await line.untilEnded()
    const [[name, fault] = [], ...more] = faults.splice(0)
    t.match([name, fault?.code, fault?.remoteAddress], [null, 'EPMD_FORMAT', /127\.0\.0\.1$/], title)
    t.strictSame(more, [], 'told once')
  }
  t.strictSame(await names('127.0.0.1', { epmdPort }), registered, 'who is registered stays so')
  t.strictSame(node.nodes('connected'), [friend.name])

  const broken = new Line(epmdPort)
  broken.socket.write(hex('00'))
  broken.socket.resetAndDestroy()
  await broken.untilEnded()
  await names('127.0.0.1', { epmdPort })
  t.strictSame(faults, [], 'a client whose connection breaks has broken no rule')
})
