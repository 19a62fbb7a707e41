import t from 'tap'
import { atom, equals, type Term, Tuple, tuple } from '../../src/term/index.js'
import { fixture, turn } from './support.js'

const isAtom =
  (name: string) =>
  (term: unknown): term is Term =>
    term === atom(name)

t.test('messages of one sender arrive in order', async t => {
  const { run } = fixture()
  const got = await run(async self => {
    for (let n = 0; n < 10; n++) self.send(self.pid, n)
    const all: Term[] = []
    for await (const n of self) if (all.push(n) === 10) break
    return all
  })
  t.same(got, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

t.test('a selective receive takes from the middle, and the rest keeps its order', async t => {
  const { run } = fixture()
  const got = await run(async self => {
    for (const name of ['a', 'b', 'c']) self.send(self.pid, atom(name))
    return [await self.receive(isAtom('b')), await self.receive(), await self.receive()]
  })
  t.same(got, [atom('b'), atom('a'), atom('c')])
})

t.test('several pending receives are served in call order', async t => {
  const { run } = fixture()
  const got = await run(async self => {
    const waiting = [self.receive(isAtom('x')), self.receive(), self.receive(isAtom('x'))]
    for (const name of ['y', 'x', 'x']) self.send(self.pid, atom(name))
    return Promise.all(waiting)
  })
  t.same(got, [atom('x'), atom('y'), atom('x')])
})

t.test('a timeout rejects with ERR_TIMEOUT and loses nothing', async t => {
  const { clock, run } = fixture()
  await run(async self => {
    const late = self.receive(isAtom('never'), { timeout: 1000 })
    self.send(self.pid, atom('other'))
    await turn()
    clock.advance(999)
    clock.advance(1)
    await t.rejects(late, { code: 'ERR_TIMEOUT' })
    t.equal(await self.receive(), atom('other'))
    t.equal(clock.pending, 0)
  })
})

t.test('a receive that is served stops its timer', async t => {
  const { clock, run } = fixture()
  await run(async self => {
    const served = self.receive(undefined, { timeout: 1000 })
    self.send(self.pid, 1)
    t.equal(await served, 1)
    t.equal(clock.pending, 0)
  })
})

t.test('an aborted receive rejects with the reason of its signal', async t => {
  const { run } = fixture()
  await run(async self => {
    const abort = new AbortController()
    const waiting = self.receive(undefined, { signal: abort.signal })
    abort.abort(new Error('enough'))
    await t.rejects(waiting, { message: 'enough' })
    await t.rejects(self.receive(undefined, { signal: abort.signal }), { message: 'enough' })
  })
})

t.test('poll is receive … after 0', async t => {
  const { run } = fixture()
  await run(async self => {
    t.equal(self.poll(), undefined)
    self.send(self.pid, atom('a'))
    self.send(self.pid, atom('b'))
    t.equal(self.poll(isAtom('b')), atom('b'))
    t.equal(self.poll(), atom('a'))
  })
})

t.test('a pattern with a reference does not look at what came before the reference', async t => {
  const { run } = fixture()
  await run(async self => {
    for (let n = 0; n < 1000; n++) self.send(self.pid, n)
    const ref = self.makeRef()
    let looked = 0
    const isReply = (x: unknown): x is Term => (looked++, x instanceof Tuple && equals(x.elements[0], ref))
    const counting = Object.assign(isReply, { reference: ref })
    self.send(self.pid, tuple(ref, atom('reply')))
    const reply = await self.receive(counting)
    t.ok(equals(reply, tuple(ref, atom('reply'))))
    t.ok(looked <= 2, `looked at ${looked}`)
    t.equal(await self.receive(), 0)
  })
})

t.test('a pattern that throws harms only its own receive', async t => {
  const { run } = fixture()
  await run(async self => {
    const broken = self.receive((_: unknown): _ is Term => {
      throw new Error('bad pattern')
    })
    self.send(self.pid, 1)
    await t.rejects(broken, { message: 'bad pattern' })
    t.equal(await self.receive(), 1)
  })
})

t.test('what is sent is taken before send returns, as the wire would take it', async t => {
  const { run } = fixture()
  await run(async self => {
    const list = [1]
    self.send(self.pid, { text: 'héllo', list })
    list.push(2)
    const got = await self.receive()
    t.ok(
      equals(
        got,
        new Map<Term, Term>([
          [atom('text'), Buffer.from('héllo')],
          [atom('list'), [1]],
        ]),
      ),
    )
    t.throws(() => self.send(self.pid, undefined as never), { code: /^ETF_/ })
    t.throws(() => self.send(self.pid, [() => 1] as never), { code: /^ETF_/ })
    t.equal(self.poll(), undefined)
  })
})

t.test('a ping-pong for ever does not delay timers', async t => {
  const { processes, run } = fixture()
  let rounds = 0
  const { pid: pong } = processes.spawn(async self => {
    for await (const from of self) self.send(from as never, self.pid)
  })
  const { pid: ping } = processes.spawn(async self => {
    self.send(pong, self.pid)
    for await (const _ of self) {
      rounds++
      self.send(pong, self.pid)
    }
  })
  const { pid: alone } = processes.spawn(async self => {
    for (;;) {
      self.send(self.pid, 1)
      await self.receive()
    }
  })
  await new Promise(resolve => setTimeout(resolve, 5))
  const before = rounds
  await new Promise(resolve => setTimeout(resolve, 5))
  t.ok(rounds > before, 'the ping-pong goes on')
  await run(self => [ping, pong, alone].forEach(pid => self.exit(pid, atom('kill'))))
})

t.test('a receive without patience still gets what is there, however busy the turn is', async t => {
  const { processes, clock, run } = fixture()
  await run(async self => {
    while (processes.scheduler.take()) continue
    self.send(self.pid, 1)
    const waiting = self.receive(undefined, { timeout: 0 })
    clock.advance(0)
    t.equal(await waiting, 1)
  })
})
