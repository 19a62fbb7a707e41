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

/** What is told of that one: a busy machine may hold up others, too. */
const told = (node: Node, whom: Pid | null): Promise<LongSchedule> =>
  new Promise(resolve => {
    // Nothing else keeps this program running.
    const wait = setInterval(() => {}, 1000)
    node.on('long_schedule', (who, info) => {
      if (String(who) !== String(whom)) return
      clearInterval(wait)
      resolve(info)
    })
  })

t.test('a closure that computes', async t => {
  await using node = await start(20)
  const { timeout, ...info } = await told(
    node,
    node.spawn(() => block()),
  )
  t.ok(timeout >= 60)
  t.strictSame(info, { running: false, on: 'main', place: 0, name: undefined })
})

t.test('a server in a handler, and a process after a receive', async t => {
  await using node = await start(20)
  const server = await node.start(genServer({ init: () => 0, call: { block: n => (block(), reply(n, n)) } }), { name: 'slow' })
  const named = told(node, server.pid)
  await server.call('block')
  t.equal((await named).name, 'slow')

  const pid = node.spawn(async self => {
    await self.receive()
    block()
    await self.receive()
  })
  const again = told(node, pid)
  node.send(pid, 1)
  t.equal((await again).name, undefined)
})

t.test('a callback, which is no process’s turn', async t => {
  await using node = await start(20)
  const nobody = told(node, null)
  setTimeout(block, 5)
  t.match(await nobody, { on: 'main', running: false })
})

t.test('0: it is not looked for', async t => {
  await using node = await start(0)
  node.on('long_schedule', () => t.fail('told'))
  node.spawn(() => block())
  await new Promise(resolve => setTimeout(resolve, 20))
})
