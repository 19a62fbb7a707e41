/** A server whose state is saved in the store of the directory that it is given. It says what it started with, and each answer of it. */
import { pid } from 'node:process'
import { Node } from 'beamlet'
import { genServer, reply } from 'beamlet/otp'
import { openStore } from 'beamlet/store'

const store = await openStore(String(process.argv[2]))
const table = await store.table('states')
const counter = genServer({
  init: () => 0,
  call: { add: n => reply(n + 1, n + 1), get: n => reply(n, n) },
  persist: { table, key: 'counter' },
})
const node = await Node.start({ name: `persist-${pid}@127.0.0.1`, cookie: 'secret', listen: false, epmd: false })
const ref = await node.start(counter)
process.stdout.write(`start ${await ref.call('get')}\n`)
const forever = async () => {
  for (;;) process.stdout.write(`did ${await ref.with({ timeout: 100_000 }).call('add')}\n`)
}
await Promise.all([forever(), forever(), forever()])
