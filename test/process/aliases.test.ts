import t from 'tap'
import { type Process } from '../../src/process/index.js'
import { atom, equals, tuple } from '../../src/term/index.js'
import { fixture, turn } from './support.js'

const forever = async (self: Process): Promise<void> => {
  for await (const _ of self) continue
}

t.test('an alias receives until unalias', async t => {
  const { processes, run } = fixture()
  await run(async self => {
    const alias = self.alias()
    self.send(alias, 1)
    self.send(alias, 2)
    t.equal(await self.receive(), 1)
    t.equal(await self.receive(), 2)
    t.equal(self.unalias(alias), true)
    t.equal(self.unalias(alias), false)
    self.send(alias, 3)
    await turn()
    t.equal(self.poll(), undefined)
    self.alias()
  })
  await turn()
  t.equal(processes.aliases.size, 0, 'they end with their process')
})

t.test('a reply alias receives one message', async t => {
  const { run } = fixture()
  await run(async self => {
    const alias = self.alias({ reply: true })
    self.send(alias, 1)
    self.send(alias, 2)
    t.equal(await self.receive(), 1)
    t.equal(self.poll(), undefined)
  })
})

t.test('reply_demonitor: the first message also ends the monitor', async t => {
  const { run } = fixture()
  await run(async self => {
    const child = self.spawn(forever)
    const ref = self.monitor(child, { alias: 'reply_demonitor' })
    self.send(ref, atom('reply'))
    self.send(ref, atom('late'))
    self.exit(child, atom('oops'))
    t.equal(await self.receive(), atom('reply'))
    await turn()
    t.equal(self.poll(), undefined)
  })
})

t.test('demonitor ends the alias, and so does DOWN', async t => {
  const { processes, run } = fixture()
  await run(async self => {
    const child = self.spawn(forever)
    const first = self.monitor(child, { alias: 'demonitor' })
    self.demonitor(first)
    self.send(first, 1)
    const second = self.monitor(child, { alias: 'demonitor' })
    self.exit(child, atom('oops'))
    t.ok(equals(await self.receive(), tuple(atom('DOWN'), second, atom('process'), child, atom('oops'))))
    self.send(second, 2)
    t.equal(self.poll(), undefined)
    t.equal(processes.aliases.size, 0)
  })
})

t.test('explicit_unalias outlives its monitor', async t => {
  const { run } = fixture()
  await run(async self => {
    const child = self.spawn(forever)
    const ref = self.monitor(child, { alias: 'explicit_unalias' })
    self.demonitor(ref)
    self.send(ref, 1)
    t.equal(await self.receive(), 1)
    t.equal(self.unalias(ref), true)
  })
})
