import t from 'tap'
import { type Signal, TermPayload } from '../../src/dist/signal.js'
import { type Process } from '../../src/process/index.js'
import { atom, type Atom, equals, Reference, tuple } from '../../src/term/index.js'
import { fixture, here, remotePid, there, turn } from './support.js'

const forever = async (self: Process): Promise<void> => {
  for await (const _ of self) continue
}
const process_ = atom('process')

t.test('a monitor fires once, with the reason', async t => {
  const { run } = fixture()
  await run(async self => {
    const child = self.spawn(forever)
    const ref = self.monitor(child)
    const again = self.monitor(child)
    self.exit(child, atom('oops'))
    t.ok(equals(await self.receive(), tuple(atom('DOWN'), ref, process_, child, atom('oops'))))
    t.ok(equals(await self.receive(), tuple(atom('DOWN'), again, process_, child, atom('oops'))), 'each monitor for itself')
    const dead = self.monitor(child)
    t.ok(equals(await self.receive(), tuple(atom('DOWN'), dead, process_, child, atom('noproc'))))
  })
})

t.test('a monitor by name says {Name, Node}', async t => {
  const { processes, run } = fixture()
  await run(async self => {
    const none = self.monitor('nobody')
    t.ok(equals(await self.receive(), tuple(atom('DOWN'), none, process_, tuple(atom('nobody'), here), atom('noproc'))))

    const child = self.spawn(forever, { name: 'somebody' })
    const ref = self.monitor('somebody')
    processes.registry.unregister(atom('somebody'))
    self.exit(child, atom('oops'))
    t.ok(equals(await self.receive(), tuple(atom('DOWN'), ref, process_, tuple(atom('somebody'), here), atom('oops'))))
  })
})

t.test('demonitor: nothing comes any more; flush takes what came', async t => {
  const { run } = fixture()
  await run(async self => {
    const child = self.spawn(forever)
    const ref = self.monitor(child)
    t.equal(self.demonitor(ref), true)
    t.equal(self.demonitor(ref), false)
    const flushed = self.monitor(child)
    self.exit(child, atom('oops'))
    // A reference that has been in a message is another object.
    const copy = new Reference(flushed.node, flushed.creation, flushed.words)
    t.equal(self.demonitor(copy, { flush: true }), false)
    await turn()
    t.equal(self.poll(), undefined)
  })
})

t.test('demonitor by a name that has gone to another process', async t => {
  const { processes, run } = fixture()
  await run(async self => {
    const first = self.spawn(forever, { name: 'role' })
    const ref = self.monitor('role')
    processes.registry.unregister(atom('role'))
    self.spawn(forever, { name: 'role' })
    self.demonitor(ref)
    self.exit(first, atom('oops'))
    await turn()
    t.equal(self.poll(), undefined)
  })
})

t.test('tag stands instead of DOWN', async t => {
  const { run } = fixture()
  await run(async self => {
    const child = self.spawn(forever)
    const ref = self.monitor(child, { tag: tuple(atom('down'), 7) })
    self.exit(child, atom('oops'))
    t.ok(equals(await self.receive(), tuple(tuple(atom('down'), 7), ref, process_, child, atom('oops'))))
  })
})

t.test('spawnMonitor', async t => {
  const { run } = fixture()
  await run(async self => {
    const [pid, ref] = self.spawnMonitor(() => undefined)
    t.ok(equals(await self.receive(), tuple(atom('DOWN'), ref, process_, pid, atom('normal'))))
  })
})

t.test('monitors over the network', async t => {
  const { processes, out, run } = fixture()
  const far = remotePid()
  await run(async self => {
    const ref = self.monitor(far)
    t.match(out, [{ op: 'monitor', from: self.pid, to: far }])
    processes.deliver({ op: 'down', from: far, to: self.pid, ref, reason: new TermPayload(atom('oops')) })
    t.ok(equals(await self.receive(), tuple(atom('DOWN'), ref, process_, far, atom('oops'))))
    processes.deliver({ op: 'down', from: far, to: self.pid, ref, reason: new TermPayload(atom('twice')) })
    t.equal(self.poll(), undefined)

    const name = { name: atom('srv') as Atom, node: there }
    const byName = self.monitor(name)
    await new Promise<void>(done => processes.lost(there, done))
    t.ok(equals(await self.receive(), tuple(atom('DOWN'), byName, process_, tuple(atom('srv'), there), atom('noconnection'))))
    t.equal(processes.monitors.size, 0)
  })
})

t.test('watchers on other nodes are told, by pid and by name, and forgotten when their node is lost', async t => {
  const { processes, out } = fixture()
  const far = remotePid()
  const ref = (n: number): Reference => new Reference(there, 9, [n, 2, 3])
  const watched = processes.spawn(forever, { name: 'srv' })
  const name = { name: atom('srv') as Atom, node: here }
  processes.deliver({ op: 'monitor', from: far, to: watched.pid, ref: ref(1) })
  processes.deliver({ op: 'monitor', from: far, to: name, ref: ref(2) })
  processes.deliver({ op: 'monitor', from: far, to: watched.pid, ref: ref(3) })
  processes.deliver({ op: 'demonitor', from: far, to: watched.pid, ref: ref(3) })
  processes.exit(watched.local, tuple(atom('bad'), [1]))
  t.match(out, [
    { op: 'down', from: watched.pid, to: far },
    { op: 'down', from: { name: atom('srv') }, to: far },
  ])
  t.ok(equals((out[0] as Extract<Signal, { op: 'down' }>).reason.read(), tuple(atom('bad'), [1])))

  processes.deliver({ op: 'monitor', from: far, to: name, ref: ref(4) })
  t.match(out[2], { op: 'down', from: name })
  const other = processes.spawn(forever)
  processes.deliver({ op: 'monitor', from: far, to: other.pid, ref: ref(5) })
  await new Promise<void>(done => processes.lost(there, done))
  processes.exit(other.local, atom('oops'))
  t.equal(out.length, 3)
  t.equal(processes.monitors.size, 0)
})

t.test('a watcher that ends is forgotten where it watched', async t => {
  const { processes, run } = fixture()
  const watched = processes.spawn(forever)
  await run(self => void self.monitor(watched.pid))
  await turn()
  t.strictSame(watched.local.monitoredBy, [])
})
