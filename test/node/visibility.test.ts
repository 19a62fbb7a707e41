/** Who is hidden: nobody who does not say so, but for those that nobody can dial. */
import t from 'tap'
import { Node, type NodeOptions } from '../../src/index.js'
import { freePort, once, uniqueName } from './support.js'

t.test('a node is visible by default, as a BEAM node is', async t => {
  const epmdPort = await freePort()
  const start = async (options: Partial<NodeOptions> = {}): Promise<Node> => {
    const node = await Node.start({ name: uniqueName(), cookie: 'secret', epmdPort, ...options })
    t.teardown(() => node.close())
    return node
  }
  const [one, two] = [await start(), await start()]
  const seen = once(two, 'nodeup')
  await one.connect(two.name)
  t.match(await seen, [one.name, { hidden: false }])
  t.strictSame([one.hidden, one.nodes(), one.nodes('hidden')], [false, [two.name], []])
  t.match(await one.epmd.lookup(two.name.split('@')[0] as string, '127.0.0.1'), { hidden: false })

  for (const options of [{ hidden: true }, { listen: false }, { listen: false, hidden: false }] as const) {
    const unseen = await start(options)
    await unseen.connect(one.name)
    t.strictSame([unseen.hidden, unseen.nodes(), unseen.nodes('hidden')], [true, [], [one.name]], JSON.stringify(options))
    t.strictSame(one.nodes(), [two.name])
  }
})
