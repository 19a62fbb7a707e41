/** What an isolated process can do to itself, and that it does it to nobody else. */
import { readdirSync } from 'node:fs'
import t, { type Test } from 'tap'
import { atom, format, Node } from 'beamlet'
import { type Beam, startBeam } from 'beamlet/interop'
import { eachOtp } from './support/each-otp.js'
import { ending, spawn, startNode, work } from './support/places.js'

t.test('isolated processes', async t => {
  const suite = async (t: Test, { start }: { readonly start: () => Promise<Beam> }): Promise<void> => {
    const beam = await start()
    await using node = await startNode(beam, { schedulers: { count: 0, execArgv: [], isolatedHeap: 48, isolatedMemory: 400 } })
    node.on('crash', () => {})
    await node.code.load('work', work)
    await node.connect(beam.name)
    await alone(t, beam, node)
  }
  await eachOtp<Beam>(t, suite, startBeam)
})

async function alone(t: Test, beam: Beam, node: Node): Promise<void> {
  await t.test('what an isolated process does to itself ends it alone, with the true reason', async t => {
    const bystander = spawn(node, 'isolated', 'echo')
    t.match(await ending(beam, node, 'isolated', 'throw'), /^\{\{'TypeError',<<"thrown">>\},\[/)
    t.match(await ending(beam, node, 'isolated', 'later'), /^\{\{'RangeError',<<"later">>\},\[/)
    t.match(await ending(beam, node, 'isolated', 'stray'), /^\{\{'RangeError',<<"stray">>\},\[/)
    t.equal(await ending(beam, node, 'isolated', 'exit'), '{exit_status,3}')
    t.equal(await ending(beam, node, 'isolated', 'segfault'), '{signal,sigsegv}')
    const kill = 'timer:sleep(200), exit(Pid, kill),'
    t.equal(await ending(beam, node, 'isolated', 'loop', kill), 'killed')
    t.equal(await ending(beam, node, 'isolated', 'sleep', kill), 'killed')
    t.equal(await ending(beam, node, 'isolated', 'loop', 'timer:sleep(200), exit(Pid, enough),'), 'enough')
    t.equal(await ending(beam, node, 'isolated', 'array'), 'out_of_memory')
    t.equal(await node.isAlive(bystander), true)
    node.exit(bystander, atom('kill'))
  })
}

t.test('memory that an isolated process takes is taken back with it, however it took it', async t => {
  const schedulers = { count: 0, execArgv: [], isolatedHeap: 48, isolatedMemory: 400 }
  const name = `ts-${process.pid}-memory@127.0.0.1`
  await using node = await Node.start({ name, cookie: 'secret', listen: false, epmd: false, schedulers })
  await node.code.load('work', work)
  const descriptors = (): number => readdirSync('/proc/self/fd').length
  const before = descriptors()
  await node.run(async self => {
    for (const how of ['array', 'from', 'map', 'bigint', 'split', 'json', 'closures', 'buffers']) {
      const pid = spawn(node, 'isolated', 'end', how)
      self.monitor(pid)
      self.send(pid, atom('go'))
      t.match(format(await self.receive()), /,out_of_memory\}$/, how)
    }
  })
  t.ok(descriptors() <= before + 1, 'no file descriptors are left behind')
  t.equal(node.stats().places, 0)
})
