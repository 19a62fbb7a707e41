/** Silence: a peer that hangs, a network that drops everything, and ticks, which tell them from a connection where nothing is said. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { atom, type Node, type NodeDown, type Pid } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { lookup } from '../src/net/epmd-client.js'
import { register } from '../src/net/epmd-registration.js'
import { eachOtp, type Real } from './support/each-otp.js'
import { lossOf } from './support/loss.js'
import { actor, down, eachWay, evaluator, next, startNode } from './support/pair.js'
import { wayTo } from './support/way.js'

const noconnection = atom('noconnection')

const nodedown = (node: Node): Promise<[string, NodeDown]> => new Promise(resolve => node.once('nodedown', (...told) => resolve(told)))

/** Seconds. Long enough for a busy machine, which may keep a node from its ticks for a while. */
const netTickTime = 3

/** That long a silence, and at most a quarter more; what was said just before may count, and a busy machine is slow. */
function inTime(t: Test, since: number): void {
  const took = (performance.now() - since) / 1000
  t.ok(took > 0.7 * netTickTime && took < 4 * netTickTime, `after ${took.toFixed(1)} s`)
}

const together = [hangs, cut, quiet, slow, intensity] as const

t.test('silence', async t => {
  await eachOtp(t, async (t, { start }) => {
    const strict = await start({ code: actor, args: ['-kernel', 'net_ticktime', String(netTickTime)] })
    strict.expectLog(/not responding/)
    await hangsHere(t, strict)
    // These do little but wait, and so they wait together.
    t.jobs = together.length
    await Promise.all(together.map(suite => suite(t, strict, start)))
  })
})

async function hangs(t: Test, _: Beam, start: Real['start']): Promise<void> {
  await t.test('a BEAM that hangs is noticed', { buffered: true }, async t => {
    await eachWay(t, () => start({ code: actor }), async (t, { beam, node, evaluate }) => {
      const pid = (await evaluate('actor:start().')) as Pid
      const lost = nodedown(node)
      await node.run(async self => {
        const ref = self.monitor(pid)
        const since = performance.now()
        beam.pause()
        t.strictSame(await next(self), down(ref, pid, noconnection))
        inTime(t, since)
      })
      t.match(await lost, [beam.name, { reason: 'net_tick_timeout' }])
      beam.resume()
      await beam.waitForNode(node.name, 'down')
    }, { netTickTime }) // prettier-ignore
  })
}

async function hangsHere(t: Test, strict: Beam): Promise<void> {
  await t.test('a TypeScript node that hangs is noticed by the BEAM', async t => {
    const lone = fork(new URL('./support/lone-node.ts', import.meta.url), [strict.name, strict.cookie, String(netTickTime)])
    const [name] = (await once(lone, 'message')) as [string]
    const { reason } = await lossOf(strict, name)
    const told = once(lone, 'message')
    lone.kill('SIGSTOP')
    t.equal(await reason, atom('net_tick_timeout'))
    lone.kill('SIGCONT')
    t.strictSame((await told)[0], [strict.name, 'connection_closed'], 'what had come before is read first')
    lone.kill('SIGKILL')
    await once(lone, 'close')
  })
}

/** Nobody hears anything any more, and no socket says so. */
async function cut(t: Test, strict: Beam): Promise<void> {
  const alive = (name: string): string => name.slice(0, name.indexOf('@'))

  async function noticed(t: Test, node: Node, cutting: () => void): Promise<void> {
    const pid = (await strict.eval('actor:start().')) as Pid
    const { reason } = await lossOf(strict, node.name)
    await node.run(async self => {
      const ref = self.monitor(pid)
      const lost = nodedown(node)
      const since = performance.now()
      cutting()
      t.strictSame(await next(self), down(ref, pid, noconnection))
      inTime(t, since)
      t.match(await lost, [strict.name, { reason: 'net_tick_timeout' }])
      t.equal(await reason, atom('net_tick_timeout'), 'and so does the BEAM')
    })
    t.strictSame(node.nodes('connected'), [])
  }

  await t.test('a network that falls silent is noticed on both sides: TypeScript dials', { buffered: true }, async t => {
    await using way = await wayTo((await lookup(alive(strict.name), '127.0.0.1')).port)
    await using node = await startNode(strict, { netTickTime, resolve: () => way.port })
    await node.connect(strict.name)
    await strict.waitForNode(node.name, 'up')
    await noticed(t, node, () => way.cut())
  })

  await t.test('a network that falls silent is noticed on both sides: the BEAM dials', { buffered: true }, async t => {
    await using node = await startNode(strict, { netTickTime, epmd: false })
    await using way = await wayTo(node.port as number)
    await using _ = await register({ name: alive(node.name), port: way.port })
    t.equal(await evaluator(strict, node)('net_kernel:connect_node(Ts).'), true)
    await noticed(t, node, () => way.cut())
  })
}

// Both sides look four times in a tick time, and give up after one or a little more.
const within = `after ${2.5 * netTickTime * 1000} -> up end.`
const lost = `ok = net_kernel:monitor_nodes(true, #{node_type => all}), receive {nodedown, Ts, _} -> down ${within}`

async function quiet(t: Test, strict: Beam): Promise<void> {
  await t.test('a quiet connection stays up, for this side ticks by its own timer', { buffered: true }, async t => {
    await eachWay(t, strict, async (t, { beam, node, evaluate }) => {
      t.equal(await evaluate(lost), atom('up'))
      t.strictSame(node.nodes('connected'), [beam.name])
    }, { netTickTime }) // prettier-ignore
  })
}

async function slow(t: Test, strict: Beam): Promise<void> {
  await t.test('a node that ticks too slowly for its peer is lost', { buffered: true }, async t => {
    await using node = await startNode(strict)
    const told = nodedown(node)
    await node.connect(strict.name)
    t.equal(await evaluator(strict, node)(lost), atom('down'))
    t.match(await told, [strict.name, { reason: 'connection_closed' }])
  })
}

async function intensity(t: Test, _: Beam, start: Real['start']): Promise<void> {
  await t.test('net_tickintensity: so many ticks in a tick time, either way', { buffered: true }, async t => {
    const beam = await start({ args: ['-kernel', 'net_ticktime', '2', 'net_tickintensity', '20'] })
    await eachWay(t, beam, async (t, { node, evaluate }) => {
      const since = performance.now()
      const before = node.stats().connections[beam.name]
      // Nothing else is said in a tick time.
      t.equal(await evaluate('receive after 2000 -> quiet end.'), atom('quiet'))
      const after = node.stats().connections[beam.name]
      const most = (performance.now() - since) / 100 + 2
      const heard = (Number(after?.bytesIn) - Number(before?.bytesIn)) / 4
      const said = (Number(after?.bytesOut) - Number(before?.bytesOut)) / 4
      // Four is what there would be by default.
      t.ok(heard > 8 && heard <= most, `heard ${heard} ticks of the BEAM, ${most.toFixed()} at most`)
      t.ok(said > 8 && said <= most, `said ${said} ticks`)
      t.equal(after?.signalsIn, before?.signalsIn, 'and nothing else')
    }, { netTickTime: 2, netTickIntensity: 20 }) // prettier-ignore
  })
}
