import t from 'tap'
import type { Signal } from '../../src/dist/signal.js'
import { TermPayload } from '../../src/dist/signal.js'
import { type Process } from '../../src/process/index.js'
import { atom, equals, type Pid, type Term, tuple } from '../../src/term/index.js'
import { fixture, remotePid, there, turn } from './support.js'

const forever = async (self: Process): Promise<void> => {
  for await (const _ of self) continue
}

t.test('an exit goes over a link in both directions, once', async t => {
  const { run } = fixture()
  await run(async self => {
    self.trapExit = true
    const child = self.spawnLink(forever)
    self.exit(child, atom('enough'))
    t.ok(equals(await self.receive(), tuple(atom('EXIT'), child, atom('enough'))))
    self.exit(child, atom('again'))
    self.link(child)
    t.ok(equals(await self.receive(), tuple(atom('EXIT'), child, atom('noproc'))), 'a link to a dead process breaks with noproc')
  })
})

t.test('normal ends nobody, another reason all who do not trap', async t => {
  const { processes, run, down } = fixture()
  let middle!: Pid
  await run(async self => {
    const [pid] = self.spawnMonitor(async me => {
      me.spawnLink(() => undefined)
      middle = me.spawnLink(forever)
      me.send(self.pid, atom('ready'))
      await forever(me)
    })
    await self.receive()
    await turn()
    t.ok(processes.table.find(pid), 'a child that ends normally does not matter')
    const reason = down(pid)
    self.exit(middle, atom('oops'))
    t.equal(await reason, atom('oops'))
  })
})

t.test('unlink: no exit comes any more, and links again work', async t => {
  const { run } = fixture()
  await run(async self => {
    self.trapExit = true
    const child = self.spawnLink(forever)
    self.unlink(child)
    self.unlink(child)
    self.exit(child, atom('unseen'))
    await turn()
    t.equal(self.poll(), undefined)

    const other = self.spawn(forever)
    self.link(other)
    self.unlink(other)
    self.link(other)
    self.exit(other, atom('seen'))
    t.ok(equals(await self.receive(), tuple(atom('EXIT'), other, atom('seen'))))
  })
})

t.test('a link to itself is none', async t => {
  const { run } = fixture()
  await run(self => {
    self.link(self.pid)
    t.equal(self.local.links, null)
  })
})

t.test('links to another node', async t => {
  const { processes, out, run } = fixture()
  const far = remotePid()
  const deliver = (signal: Signal): void => processes.deliver(signal)
  const last = (): Signal => out.at(-1) as Signal

  await run(async self => {
    self.trapExit = true
    self.link(far)
    self.link(far)
    t.same(
      out.map(signal => signal.op),
      ['link'],
      'one LINK for one link',
    )

    self.unlink(far)
    const { id } = last() as Extract<Signal, { op: 'unlink' }>
    t.equal(id, 1n)
    deliver({ op: 'linkExit', from: far, to: self.pid, reason: new TermPayload(atom('late')) })
    t.equal(self.poll(), undefined, 'an exit between unlink and its acknowledgement is ignored')

    self.link(far)
    deliver({ op: 'unlinkAck', id, from: far, to: self.pid })
    t.equal(processes.links.size, 1, 'the late acknowledgement does not end the new link')

    self.link(far)
    deliver({ op: 'unlink', id: 77n, from: far, to: self.pid })
    t.match(last(), { op: 'unlinkAck', id: 77n, to: far })
    deliver({ op: 'unlink', id: 78n, from: far, to: remotePid(5) })
    t.match(last(), { op: 'unlinkAck', id: 78n, to: far }, 'a dead target acknowledges, too')

    deliver({ op: 'link', from: far, to: self.pid })
    deliver({ op: 'linkExit', from: far, to: self.pid, reason: new TermPayload(atom('bye')) })
    t.ok(equals(await self.receive(), tuple(atom('EXIT'), far, atom('bye'))))
  })
})

t.test('relinked before the acknowledgement: the old acknowledgement does not end the new link', async t => {
  const { processes, out, run } = fixture()
  const far = remotePid()
  await run(async self => {
    self.trapExit = true
    self.link(far)
    self.unlink(far)
    self.link(far)
    t.same(
      out.map(signal => signal.op),
      ['link', 'unlink', 'link'],
    )
    processes.deliver({ op: 'unlinkAck', id: 1n, from: far, to: self.pid })
    processes.deliver({ op: 'linkExit', from: far, to: self.pid, reason: new TermPayload(atom('bye')) })
    t.ok(equals(await self.receive(), tuple(atom('EXIT'), far, atom('bye'))))
  })
})

t.test('LINK to a pid that has ended is answered with noproc from that pid', t => {
  const { processes, out } = fixture()
  const ended = processes.spawn(() => undefined).pid
  processes.exit(processes.table.find(ended) as never, atom('normal'))
  processes.deliver({ op: 'link', from: remotePid(), to: ended })
  t.match(out, [{ op: 'linkExit', from: ended, to: remotePid() }])
  const [{ reason }] = out as [Extract<Signal, { op: 'linkExit' }>]
  t.equal(reason.read(), atom('noproc'))
  t.end()
})

t.test('a lost node breaks its links with noconnection, and only its own', async t => {
  const { processes, run } = fixture()
  await run(async self => {
    self.trapExit = true
    self.link(remotePid(1))
    self.link(remotePid(2))
    self.unlink(remotePid(2))
    const child = self.spawnLink(forever)
    await new Promise<void>(done => processes.lost(there, done))
    t.ok(equals(await self.receive(), tuple(atom('EXIT'), remotePid(1), atom('noconnection'))))
    t.equal(self.poll(), undefined)
    t.equal(processes.links.size, 0)
    self.exit(child, atom('x'))
    t.ok(equals(await self.receive(), tuple(atom('EXIT'), child, atom('x')) as Term))
  })
})
