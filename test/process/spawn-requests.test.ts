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
    processes.spawnRequests.abandon(ref)
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
