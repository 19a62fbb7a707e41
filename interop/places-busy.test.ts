/** Places that compute, and places that are stopped: the node stays in the cluster, says who is busy, and ends it when it shall. */
import t, { type Test } from 'tap'
import { atom, format, type LongSchedule, type Pid, tuple } from 'beamlet'
import { type Beam, startBeam } from 'beamlet/interop'
import { eachOtp, type Real } from './support/each-otp.js'
import { evaluator, spawn, startNode } from './support/places.js'

/** Seconds */
const netTickTime = 3

t.test('busy places', async t => {
  const suite = async (t: Test, { start }: Real<Beam>): Promise<void> => {
    await inTheCluster(t, await start({ args: ['-kernel', 'net_ticktime', String(netTickTime)] }))
  }
  await eachOtp<Beam>(t, suite, startBeam)
})

async function inTheCluster(t: Test, beam: Beam): Promise<void> {
  await t.test(
    'a pool full of processes that compute, and a place that is stopped, for longer than two tick times: no nodedown, and each is named',
    async t => {
      await using node = await startNode(beam, { netTickTime, longSchedule: 200, schedulers: { count: 2, execArgv: [] } })
      const named = new Map<string, LongSchedule>()
      const seen = (pid: Pid): Promise<LongSchedule> =>
        new Promise(resolve => {
          const look = (): void => {
            const info = named.get(String(pid))
            if (info) resolve(info)
          }
          node.on('long_schedule', look)
          look()
        })
      node.on('long_schedule', (pid, info) => void named.set(String(pid), info))
      await node.connect(beam.name)
      const stopped = spawn(node, 'isolated', 'end', 'stop')
      await node.run(async self => {
        self.send(stopped, tuple(atom('go'), self.pid))
        await self.receive()
      })
      const ms = 2100 * netTickTime
      const busy = [spawn(node, 'pool', 'compute', ms), spawn(node, 'pool', 'compute', ms)]
      const source = `monitor_node(Ts, true), Refs = [monitor(process, Pid) || Pid <- Busy],
        Me = self(), Pinger = spawn_link(fun P() -> pong = net_adm:ping(Ts), receive enough -> Me ! pinged after 50 -> P() end end),
        Whys = [receive {'DOWN', Ref, process, _, Why} -> Why end || Ref <- Refs],
        Pinger ! enough, receive pinged -> ok end,
        {Whys, receive {nodedown, _} = Down -> Down after 0 -> up end}.`
      const evaluate = evaluator(beam, node)
      // Signals to a place that computes wait, too: a process that does so all its life is gone when they are read.
      t.match(format(await evaluate(source, { Busy: busy })), /^\{\[(normal|noproc),(normal|noproc)\],up\}$/)
      t.match(await seen(stopped), { running: true, on: 'isolated' })
      for (const pid of busy) t.match(await seen(pid), { running: true, on: 'pool' })
      const end = 'Ref = monitor(process, Stopped), exit(Stopped, kill), receive {_, Ref, process, _, Why} -> Why end.'
      t.equal(await evaluate(end, { Stopped: stopped }), atom('killed'))
    },
  )
}
