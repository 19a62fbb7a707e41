import t from 'tap'
import { systemClock, type Process } from '../../src/process/index.js'
import { atom } from '../../src/term/index.js'
import { fixture, turn } from './support.js'

const forever = async (self: Process): Promise<void> => {
  for await (const _ of self) continue
}

t.test('sendAfter sends what it was given, in time', async t => {
  const { clock, run } = fixture()
  await run(async self => {
    const list = [1]
    self.sendAfter(100, self.pid, list)
    list.push(2)
    clock.advance(99)
    t.equal(self.poll(), undefined)
    clock.advance(1)
    t.same(await self.receive(), [1])
    t.throws(() => self.sendAfter(-1, self.pid, 1), { code: 'ERR_BADARG' })
    t.throws(() => self.sendAfter(NaN, self.pid, 1), { code: 'ERR_BADARG' })
  })
})

t.test('cancelTimer tells what was left', async t => {
  const { clock, run } = fixture()
  await run(async self => {
    const ref = self.sendAfter(100, self.pid, 1)
    clock.advance(40)
    t.equal(self.cancelTimer(ref), 60)
    t.equal(self.cancelTimer(ref), false)
    const fired = self.sendAfter(1, self.pid, 2)
    clock.advance(1)
    t.equal(self.cancelTimer(fired), false)
  })
})

t.test('a timer dies with its target and survives its sender', async t => {
  const { processes, clock, run } = fixture()
  const target = processes.spawn(forever)
  await run(self => {
    self.sendAfter(100, target.pid, atom('x'))
    self.sendAfter(100, self.pid, atom('y'))
  })
  await turn()
  t.equal(clock.pending, 1, 'that to the sender itself went with it')
  let got: unknown
  target.receive().then(
    message => (got = message),
    () => {},
  )
  processes.exit(target.local, atom('kill'))
  t.equal(clock.pending, 0)
  t.equal(got, undefined)
})

t.test('a name is looked up when the time has come', async t => {
  const { clock, run } = fixture()
  await run(async self => {
    self.sendAfter(10, 'later', 1)
    await self.register('later')
    clock.advance(10)
    t.equal(await self.receive(), 1)
    self.sendAfter(10, 'nobody', 1)
    t.doesNotThrow(() => clock.advance(10))
  })
})

t.test('more than setTimeout can count is no surprise', async t => {
  let fired = false
  const stop = systemClock.after(2 ** 31 + 5, () => (fired = true))
  await turn()
  t.equal(fired, false)
  stop()
})
