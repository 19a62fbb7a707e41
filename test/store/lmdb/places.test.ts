/** A store and the other places of the node that owns it: on the package as it is shipped, so that a place starts as it does for users. */
import { Node, type Tuple } from 'beamlet'
import { genServer, reply } from 'beamlet/otp'
import { openStore } from 'beamlet/store'
import t from 'tap'
import { freePort, uniqueName } from '../../node/support.js'

t.test('another place reads what main has written, at once, and has main write', async t => {
  const directory = t.testdir()
  await using store = await openStore(directory)
  await using node = await Node.start({ name: uniqueName(), cookie: 'secret', epmdPort: await freePort(), schedulers: { count: 1 } })
  const table = await store.table<string, number>('rows')
  const writer = genServer({
    init: () => null,
    call: {
      put: async (state, key: Buffer, value: number) => {
        await table.put(String(key), value)
        return reply(true, state)
      },
    },
  })
  await node.start(writer, { name: 'writer' })
  for (const on of ['pool', 'isolated'] as const) {
    await table.delete('key')
    await node.code.load('placed', new URL('./programs/placed.mjs', import.meta.url), { on })
    const said = (await node.rpc.call(node.name, 'placed', 'use', [directory], { timeout: 100_000 })) as Tuple<unknown[] & readonly never[]>
    t.strictSame([...said.elements].map(String), ['STORE_LOCKED', 'STORE_READ_ONLY', 'STORE_READ_ONLY', 'true', '7'], on)
  }
})
