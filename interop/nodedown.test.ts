/** Why a connection ended, as either side is told: `nodedown` here, `net_kernel:monitor_nodes(true, [nodedown_reason])` there. */
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { pid } from 'node:process'
import t, { type Test } from 'tap'
import { atom, type Node } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { eachOtp, type Real } from './support/each-otp.js'
import { lossOf } from './support/loss.js'
import { eachWay, startNode } from './support/pair.js'

const nodedown = (node: Node): Promise<[string, string]> =>
  new Promise(resolve => node.once('nodedown', (name, { reason }) => resolve([name, reason])))

/** What is done, and the reasons on this side and on the BEAM's. */
const ends: readonly [title: string, end: (node: Node, beam: Beam) => unknown, here: string, there: string][] = [
  ['TypeScript disconnects', (node, { name }) => node.disconnect(name), 'disconnect', 'connection_closed'],
  ['TypeScript closes', node => node.close(), 'net_kernel_terminated', 'connection_closed'],
  ['the BEAM disconnects', (node, beam) => beam.eval(`erlang:disconnect_node('${node.name}').`), 'connection_closed', 'disconnect'],
]

t.test('nodedown', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start()
    for (const [title, end, here, there] of ends) {
      await t.test(`the reasons when ${title}`, async t => {
        await eachWay(t, beam, async (t, { node }) => {
          const { reason } = await lossOf(beam, node.name)
          const told = nodedown(node)
          await end(node, beam)
          t.strictSame(await told, [beam.name, here])
          t.equal(await reason, atom(there))
        })
      })
    }
    await killed(t, beam)
    await stopped(t, start)
  })
})

async function killed(t: Test, beam: Beam): Promise<void> {
  await t.test('the reason when a TypeScript node is killed', async t => {
    const lone = fork(new URL('./support/lone-node.ts', import.meta.url), [beam.name, beam.cookie, '60'])
    const [name] = (await once(lone, 'message')) as [string]
    const { reason } = await lossOf(beam, name)
    lone.kill('SIGKILL')
    t.equal(await reason, atom('connection_closed'))
  })
}

/** Only a distribution that was started by hand can be stopped. */
async function stopped(t: Test, start: Real['start']): Promise<void> {
  await t.test('the reasons when the BEAM stops its distribution', async t => {
    const cookie = `beamlet-${randomBytes(8).toString('hex')}`
    const beam = await start({ name: false, cookie, args: ['-setcookie', cookie] })
    const name = `by-hand-${pid}@127.0.0.1`
    await beam.eval('{ok, _} = net_kernel:start(Name, #{name_domain => longnames}).', { bindings: { Name: atom(name) } })
    await using node = await startNode(beam)
    await node.connect(name)
    await beam.waitForNode(node.name, 'up')
    const { reason } = await lossOf(beam, node.name)
    const told = nodedown(node)
    t.equal(await beam.eval('net_kernel:stop().'), atom('ok'))
    t.strictSame(await told, [name, 'connection_closed'])
    t.equal(await reason, atom('net_kernel_terminated'))
  })
}
