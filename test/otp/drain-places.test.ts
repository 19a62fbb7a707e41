/** `node.drain` with servers and functions in the other places of the node: on the package as it is shipped, so that a place starts as it does for users. */
import { atom, Node, type NodeOptions, type Pid } from 'beamlet'
import t from 'tap'
import { freePort, uniqueName } from '../node/support.js'
import { keeper } from './placed/keeper.mjs'

const long = { timeout: 100_000 }

t.test('what runs in other places is let run to its end, too', async t => {
  const options: NodeOptions = { name: uniqueName(), cookie: 'secret', epmdPort: await freePort(), schedulers: { count: 1 } }
  const node = await Node.start(options)
  t.teardown(() => node.close())
  await node.code.load('work', new URL('./placed/keeper.mjs', import.meta.url), { on: 'pool' })
  const taken = (pid: Pid): Promise<unknown> => node.rpc.call(node.name, 'erlang', 'process_info', [pid], long)
  const called = async (on: 'pool' | 'isolated'): Promise<Promise<unknown>> => {
    const { pid } = await node.start(keeper, { on, name: on })
    const given = node.call(on, atom('keep'), { timeout: 1 }).catch((error: Error) => error.message)
    const kept = node.call(on, atom('keep'), long)
    t.match(await given, /no reply within 1 ms/)
    await taken(pid)
    return Promise.resolve([kept])
  }
  const [[pool], [isolated]] = [await called('pool'), await called('isolated')] as [[Promise<unknown>], [Promise<unknown>]]
  const asked = node.rpc.call(node.name, 'work', 'ask', [atom('isolated')], long)
  let over = false
  const drained = node.drain(long).then(result => ((over = true), result))
  node.cast('pool', atom('answer'))
  t.not(await pool, process.pid, 'answered in another place')
  t.notOk(over)
  while (!(await Promise.race([asked.then(() => true), new Promise(resolve => setImmediate(resolve, false))])))
    node.cast('isolated', atom('answer'))
  t.not(await isolated, process.pid)
  t.same(await drained, { ended: 0 })
})

t.test('what has no end there is ended', async t => {
  const options: NodeOptions = { name: uniqueName(), cookie: 'secret', epmdPort: await freePort(), schedulers: { count: 1 } }
  const node = await Node.start(options)
  t.teardown(() => node.close())
  await node.start(keeper, { on: 'pool', name: 'pool' })
  const kept = node.call('pool', atom('keep'), long).catch((error: Error) => error.message)
  t.ok((await node.drain({ timeout: 2000 })).ended >= 1, 'that call, and the server where that takes long to end')
  t.match(await kept, /shutdown|killed/)
})
