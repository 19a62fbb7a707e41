/** Who blocks main is named when it lets go. */
import t from 'tap'
import { type LongSchedule, Node, type Pid } from '../../src/index.js'
import { genServer, reply } from '../../src/otp/index.js'
import { uniqueName } from './support.js'

const start = (longSchedule?: number): Promise<Node> =>
  Node.start({ name: uniqueName(), cookie: 'secret', listen: false, epmd: false, longSchedule })

const block = (ms = 60): void => {
  for (const end = performance.now() + ms; performance.now() < end;);
}

const next = (node: Node): Promise<[Pid | null, LongSchedule]> =>
  new Promise(resolve => {
    // Nothing else keeps this program running.
    const wait = setInterval(() => {}, 1000)
    node.once('long_schedule', (...args) => {
      clearInterval(wait)
      resolve(args)
    })
  })

t.test('a closure that computes', async t => {
  await using node = await start(20)
  const told = next(node)
  const pid = node.spawn(() => block())
  const [who, { timeout, ...info }] = await told
  t.equal(String(who), String(pid))
  t.ok(timeout >= 60)
  t.strictSame(info, { running: false, on: 'main', place: 0, name: undefined })
})

t.test('a server in a handler, and a process after a receive', async t => {
  await using node = await start(20)
  const server = await node.start(genServer({ init: () => 0, call: { block: n => (block(), reply(n, n)) } }), { name: 'slow' })
  const told = next(node)
  await server.call('block')
  const [who, { name }] = await told
  t.equal(String(who), String(server.pid))
  t.equal(name, 'slow')

  const pid = node.spawn(async self => {
    await self.receive()
    block()
    await self.receive()
  })
  const again = next(node)
  node.send(pid, 1)
  t.equal(String((await again)[0]), String(pid))
})

t.test('a callback, which is no process’s turn', async t => {
  await using node = await start(20)
  const told = next(node)
  setTimeout(block, 5)
  t.equal((await told)[0], null)
})

t.test('0: it is not looked for', async t => {
  await using node = await start(0)
  node.on('long_schedule', () => t.fail('told'))
  node.spawn(() => block())
  await new Promise(resolve => setTimeout(resolve, 20))
})
