import t from 'tap'
import { type Process } from '../../src/process/index.js'
import { atom } from '../../src/term/index.js'
import { fixture, turn } from './support.js'

const forever = async (self: Process): Promise<void> => {
  for await (const _ of self) continue
}

t.test('names', async t => {
  const { processes, run } = fixture()
  await run(async self => {
    await self.register('me')
    t.equal(processes.registry.whereis(atom('me'))?.pid, self.pid)
    await t.rejects(self.register('again'), { code: 'ERR_ALREADY_REGISTERED' })
    const other = self.spawn(forever)
    await t.rejects(processes.register(atom('me'), other), { code: 'ERR_NAME_TAKEN' })
    t.throws(() => self.spawn(forever, { name: 'me' }), { code: 'ERR_NAME_TAKEN' })
    await t.rejects(processes.register(atom('undefined'), other), { code: 'ERR_NAME' })
    await t.rejects(self.register('true'), { code: 'ERR_NAME' })
    t.throws(() => processes.registry.unregister(atom('nobody')), { code: 'ERR_NOT_REGISTERED' })
    self.send('me', 1)
    t.equal(await self.receive(), 1)
    t.throws(() => self.send('nobody', 1), { code: 'ERR_NOT_REGISTERED' })
    t.equal(self.send({ name: 'nobody', node: self.pid.node }, 1), true, '{Name, Node} ! M is silent')
    self.exit(other, atom('kill'))
    await t.rejects(processes.register(atom('late'), other), { code: 'ERR_NOPROC' })
  })
  await turn()
  t.same(processes.registry.names(), [], 'names end with their process')
})
