import t from 'tap'
import type { Signal } from '../../src/dist/signal.js'
import type { Process } from '../../src/process/index.js'
import { atom, type Atom, Pid, type Reference, type Term, tuple } from '../../src/term/index.js'
import { fixture, remotePid, there } from './support.js'

const [module, fun] = ['calc', 'loop'].map(name => atom(name)) as [Atom, Atom]
const spawnReply = (ref: Reference, to: Pid, result: Pid | Atom): Signal => ({
  op: 'spawnReply',
  ref,
  to,
  link: false,
  monitor: result instanceof Pid,
  result,
})

/** Asks for a process there, and lets the answer come: what the one who asked hears of it. */
async function heard(
  reply: 'yes' | 'error_only' | 'no' | undefined,
  result: Pid | Atom,
): Promise<{ message: Term | undefined; ref: Reference }> {
  const { processes, out, run } = fixture()
  return run(async (self: Process) => {
    const ref = self.makeRef()
    processes.spawnRequests.request(self.local, ref, { node: there, module, fun, args: [1], monitor: true, reply })
    t.match(out, [{ op: 'spawnRequest', to: there, arity: 1, options: [atom('monitor')] }])
    processes.deliver(spawnReply(ref, self.pid, result))
    t.equal(processes.spawnRequests.size, 0)
    t.equal(self.demonitor(ref), result instanceof Pid, 'the monitor that was asked for')
    return { message: self.poll(), ref }
  })
}

t.test('the reply to a spawn request is a message, as far as one is wanted', async t => {
  const [pid, refused] = [remotePid(), atom('badopt') as Atom]
  const ok = await heard(undefined, pid)
  t.strictSame(ok.message, tuple(atom('spawn_reply'), ok.ref, atom('ok'), pid))
  for (const reply of ['yes', 'error_only'] as const) {
    const { message, ref } = await heard(reply, refused)
    t.strictSame(message, tuple(atom('spawn_reply'), ref, atom('error'), refused))
  }
  t.equal((await heard('error_only', pid)).message, undefined)
  t.equal((await heard('no', pid)).message, undefined)
  t.equal((await heard('no', refused)).message, undefined)
})

t.test('a child of a request that nobody waits for any more is neither watched nor linked', async t => {
  const { processes, out, run } = fixture()
  await run(self => {
    const ref = self.makeRef()
    processes.spawnRequests.request(self.local, ref, { node: there, module, fun, args: [], monitor: true })
    processes.spawnRequests.abandon(self.local, ref)
    processes.deliver(spawnReply(ref, self.pid, remotePid()))
    t.match(out[1], { op: 'demonitor', to: remotePid(), ref })
    t.equal(self.poll(), undefined)
  })
})

t.test('a lost node answers noconnection', async t => {
  const { processes, run } = fixture()
  await run(self => {
    const ref = self.makeRef()
    processes.spawnRequests.request(self.local, ref, { node: there, module, fun, args: [], reply: 'error_only' })
    processes.lost(there, () => {})
    t.strictSame(self.poll(), tuple(atom('spawn_reply'), ref, atom('error'), atom('noconnection')))
    t.equal(processes.spawnRequests.size, 0)
  })
})

t.test('who asked has ended: its child is told how, and an abandoned one that it is', async t => {
  const { processes, out, run } = fixture()
  const options = { link: true, monitor: true }
  const asked: { ref: Reference; pid: Pid }[] = []
  await run(async self => {
    for (const abandons of [false, true]) {
      const [pid, end] = self.spawnMonitor(child => {
        const ref = child.spawnRequest({ node: there, module, fun }, options)
        asked.push({ ref, pid: child.pid })
        if (abandons) t.equal(child.spawnRequestAbandon(ref), true)
        t.equal(self.spawnRequestAbandon(ref), false, 'it is the request of another')
        child.exit(tuple(atom('bye'), 1))
      })
      t.strictSame(await self.receive(), tuple(atom('DOWN'), end, atom('process'), pid, tuple(atom('bye'), 1)))
    }
  })
  out.length = 0
  for (const { ref, pid } of asked) processes.deliver({ op: 'spawnReply', ref, to: pid, link: true, monitor: true, result: remotePid() })
  t.match(out, [{ op: 'demonitor' }, { op: 'linkExit' }, { op: 'demonitor' }, { op: 'linkExit' }])
  const reasons = out.flatMap(signal => (signal.op === 'linkExit' ? [signal.reason.read()] : []))
  t.strictSame(reasons, [tuple(atom('bye'), 1), atom('abandoned')])
  t.equal(processes.spawnRequests.size, 0)
})

t.test('a link and a monitor as they were asked for', async t => {
  const { processes, run } = fixture()
  await run(self => {
    self.trapExit = true
    const monitor = { tag: atom('gone'), alias: 'demonitor', priority: true } as const
    const ref = self.spawnRequest({ node: there, module, fun }, { link: { priority: true }, monitor, reply: 'no' })
    processes.deliver({ op: 'spawnReply', ref, to: self.pid, link: true, monitor: true, result: remotePid() })
    self.send(self.pid, 1)
    self.send(ref, 2)
    const reason = { read: () => atom('bye') }
    processes.deliver({ op: 'linkExit', from: remotePid(), to: self.pid, reason })
    processes.deliver({ op: 'down', from: remotePid(), to: self.pid, ref, reason })
    self.send(ref, 3)
    const got = [self.poll(), self.poll(), self.poll(), self.poll(), self.poll()]
    const down = tuple(atom('gone'), ref, atom('process'), remotePid(), atom('bye'))
    t.strictSame(got, [tuple(atom('EXIT'), remotePid(), atom('bye')), down, 1, 2, undefined])
  })
})
