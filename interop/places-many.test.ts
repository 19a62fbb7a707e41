/** Places as they come and go: numbers are used again, and there is an end to them. */
import t, { type Test } from 'tap'
import { any, atom, equals, format, isRef, match, type Pid, type Process, type Term, type Tuple, tuple } from 'beamlet'
import { type Beam, startBeam } from 'beamlet/interop'
import { eachOtp, type Real } from './support/each-otp.js'
import { counter } from './support/placed/counter.mjs'
import { double, sum } from './support/placed/typed.js'
import { evaluator, spawn, startNode, work } from './support/places.js'

const secret = { cookie: 'secret' }
const alone = { listen: false, epmd: false } as const

/** The reason with which it ends */
async function gone(self: Process, pid: Pid): Promise<Term> {
  const ref = self.monitor(pid)
  const own = (term: unknown): term is Tuple => down(term) && equals(term.elements[1], ref)
  return (await self.receive(own)).elements[4] as Term
}
const down = match([atom('DOWN'), isRef, any, any, any])

t.test('numbers of places are used again, and what was meant for one that ended never comes to a newcomer', async t => {
  await using node = await startNode(secret, { ...alone, longSchedule: 0, schedulers: { count: 0, execArgv: [] } })
  const stale: Pid[] = []
  await node.run(async self => {
    while (stale.length < 208) {
      const pids = Array.from({ length: 16 }, () => spawn(node, 'isolated', 'echo'))
      // They end before they have begun.
      for (const pid of pids) self.exit(pid, atom('kill'))
      for (const pid of pids) await gone(self, pid)
      stale.push(...pids)
    }
    const fresh = Array.from({ length: 3 }, () => spawn(node, 'isolated', 'echo'))
    for (const pid of stale) {
      self.send(pid, tuple(self.pid, atom('stale')))
      self.exit(pid, atom('kill'))
    }
    for (const pid of fresh) {
      self.send(pid, tuple(self.pid, atom('fresh')))
      t.equal(format(await self.receive(match([any, any]))), format(tuple(pid, atom('fresh'))))
      t.ok(
        stale.some(({ id }) => id === pid.id),
        'its number is one of an earlier process',
      )
    }
    t.equal(self.poll(), undefined)
    t.equal(new Set([...stale, ...fresh].map(pid => format(pid))).size, 211, 'no pid came twice')
    const alive = await Promise.all(stale.map(pid => node.isAlive(pid)))
    t.notOk(alive.includes(true))
    for (const pid of stale.slice(0, 9)) t.equal(await gone(self, pid), atom('noproc'))
  })
})

t.test('as many isolated processes as there are places, and one more', async t => {
  const suite = async (t: Test, { start }: Real<Beam>): Promise<void> => {
    const beam = await start()
    await using node = await startNode(beam, { longSchedule: 0, schedulers: { count: 0, execArgv: [] } })
    await node.code.load('placed', work, { on: 'isolated' })
    await node.connect(beam.name)
    const pids = Array.from({ length: 63 }, () => spawn(node, 'isolated', 'echo'))
    t.throws(() => spawn(node, 'isolated', 'echo', 64), { code: 'ERR_SYSTEM_LIMIT' })
    await t.rejects(node.start(counter, { args: [1], on: 'isolated' }), { code: 'ERR_SYSTEM_LIMIT' })
    const ask = `Spawn = fun(Tie) -> Ref = erlang:spawn_request(Ts, placed, echo, [], Tie), receive {spawn_reply, Ref, Outcome, What} -> {Outcome, What} end end,
      {Spawn([link]), Spawn([monitor]), catch erpc:call(Ts, placed, add, [1, 2])}.`
    t.match(format(await evaluator(beam, node)(ask)), /^\{\{error,system_limit\},\{error,system_limit\},.*system_limit/)
    t.match(node.stats(), { places: 63, sparePlaces: 0 }, 'all others are there, and none waits')
    await node.run(async self => {
      for (const pid of pids) self.exit(pid, atom('kill'))
      for (const pid of pids) t.match(String(await gone(self, pid)), /^(killed|noproc)$/)
    })
    t.equal(await node.isAlive(spawn(node, 'isolated', 'echo')), true, 'and those that ended make room')
  }
  await eachOtp<Beam>(t, suite, startBeam)
})

t.test('a module in TypeScript goes to other places with the loader that this program runs with', async t => {
  await using node = await startNode(secret, { ...alone, schedulers: { count: 1 } })
  await node.code.load('typed', new URL('./support/placed/typed.ts', import.meta.url))
  const ref = await node.start(sum, { on: 'pool' })
  t.equal(await ref.call('add', double(21)), 42)
  t.not(ref.pid.id % 64, 0)
})

t.test('without schedulers, what is placed in the pool runs on main, by the same names', async t => {
  const suite = async (t: Test, { start }: Real<Beam>): Promise<void> => {
    const beam = await start()
    await using node = await startNode(beam, { schedulers: { count: 0 } })
    await node.code.load('placed', work, { on: 'pool' })
    const evaluate = evaluator(beam, node)
    t.equal(await evaluate('erpc:call(Ts, placed, osProcess, []).'), process.pid)
    t.equal(await evaluate('rpc:call(Ts, placed, add, [1, 2]).'), 3)
    const pid = node.spawn({ module: 'work', fun: 'echo' }, { on: 'pool', name: 'echo' })
    t.equal(pid.id % 64, 0)
    t.equal(node.whereis('echo'), pid)
    const closure = node.spawn(async self => void (await self.receive()), { on: 'pool' })
    t.equal(await node.isAlive(closure), true, 'a closure, too: its heap is here')
    const ref = await node.start(counter, { args: [10], name: 'counter', on: 'pool' })
    t.equal(await ref.call('where'), process.pid)
    t.equal(await evaluate('gen_server:call({counter, Ts}, {add, 5}).'), 15)
    const source = `process_flag(trap_exit, true), {Pid, Ref} = spawn_monitor(Ts, placed, echo, []), link(Pid),
        Pid ! {self(), hello}, receive {Pid, hello} -> ok end, exit(Pid, kill),
        {receive {'DOWN', Ref, process, Pid, W} -> W end, receive {'EXIT', Pid, E} -> E end}.`
    t.equal(format(await evaluate(source)), '{killed,killed}')
    t.equal(node.stats().places, 0)
  }
  await eachOtp<Beam>(t, suite, startBeam)
})
