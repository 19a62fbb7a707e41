/** Priority messages: what overtakes, and what does not. The same on real nodes: interop/priority.test.ts. */
import t from 'tap'
import type { Process } from '../../src/process/index.js'
import { atom, equals, type Pid, type Reference, type Term, Tuple, tuple } from '../../src/term/index.js'
import { fixture, remotePid, turn } from './support.js'

const priority = { priority: true }
const all = (self: Process): Term[] => {
  const got: Term[] = []
  for (let term = self.poll(); term !== undefined; term = self.poll()) got.push(term)
  return got
}
const child = (self: Process): Pid => self.spawn(child => child.receive())

t.test('by a priority alias, what is sent with priority overtakes; nothing else does', async t => {
  const { run } = fixture()
  await run(self => {
    const [urgent, plain] = [self.alias(priority), self.alias()]
    self.send(self.pid, 1)
    self.send(self.pid, 2)
    self.send(urgent, atom('a'), priority)
    self.send(urgent, atom('b'), priority)
    self.send(urgent, 3)
    self.send(plain, 4, priority)
    self.send(self.pid, 5, priority)
    t.strictSame(all(self), [atom('a'), atom('b'), 1, 2, 3, 4, 5])
    t.equal(self.unalias(urgent), true)
    self.send(urgent, 6, priority)
    t.strictSame(all(self), [])
  })
})

t.test('an exit signal by a priority alias', async t => {
  const { run } = fixture()
  await run(self => {
    self.trapExit = true
    const once = self.alias({ reply: true, priority: true })
    const exit = (reason: string): Term => tuple(atom('EXIT'), self.pid, atom(reason)) as Term
    self.send(self.pid, 1)
    self.exit(once, atom('first'), priority)
    self.exit(once, atom('second'))
    self.exit(self.pid, atom('third'), priority)
    self.send(once, 2, priority)
    t.strictSame(all(self), [exit('first'), 2, 1, exit('second'), exit('third')], 'and a reply alias goes with its first message alone')
  })
})

t.test('a DOWN and an EXIT message with priority', async t => {
  const { run } = fixture()
  await run(async self => {
    self.trapExit = true
    const [watched, linked, again] = [child(self), child(self), child(self)]
    const ref = self.monitor(watched, { alias: 'explicit_unalias', tag: atom('gone'), priority: true })
    self.link(linked, priority)
    self.link(again, priority)
    self.link(again)
    self.send(self.pid, 1)
    self.send(ref, 2, priority)
    for (const pid of [watched, linked, again]) self.exit(pid, atom('bye'))
    await turn()
    t.strictSame(
      all(self),
      [
        tuple(atom('gone'), ref, atom('process'), watched, atom('bye')),
        tuple(atom('EXIT'), linked, atom('bye')),
        1,
        2,
        tuple(atom('EXIT'), again, atom('bye')),
      ],
      'the last link counts, and the alias of a monitor is an ordinary one',
    )
  })
})

t.test('a selective receive that has seen the others sees what overtakes them', async t => {
  const { run } = fixture()
  await run(async self => {
    const urgent = self.alias(priority)
    for (let n = 0; n < 3; n++) self.send(self.pid, n)
    let looked = 0
    const isAtom = (term: unknown): term is Term => (looked++, term === atom('a'))
    const [first, second] = [self.receive(isAtom), self.receive(isAtom)]
    await turn()
    t.equal(looked, 6)
    self.send(urgent, atom('b'), priority)
    self.send(urgent, atom('a'), priority)
    t.equal(await first, atom('a'))
    self.send(self.pid, atom('a'))
    t.equal(await second, atom('a'))
    t.equal(looked, 10, 'and looks at nothing twice')
    t.strictSame(all(self), [atom('b'), 0, 1, 2])
  })
})

t.test('a receive that waits for a reference sees what overtook after it was made', async t => {
  const { run } = fixture()
  await run(self => {
    const urgent = self.alias(priority)
    self.send(urgent, atom('before'), priority)
    for (let n = 0; n < 100; n++) self.send(self.pid, n)
    const ref = self.makeRef()
    let looked = 0
    const isReply = (term: unknown): term is Term => (looked++, term instanceof Tuple && equals(term.elements[0], ref))
    const pattern = Object.assign(isReply, { reference: ref as Reference })
    t.equal(self.poll(pattern), undefined)
    self.send(urgent, tuple(ref, 1), priority)
    t.ok(equals(self.poll(pattern), tuple(ref, 1)))
    self.send(self.pid, tuple(ref, 2))
    t.ok(equals(self.poll(pattern), tuple(ref, 2)))
    t.equal(looked, 2)
    t.strictSame(all(self).slice(0, 2), [atom('before'), 0])
  })
})

t.test('a lost node: its priority messages overtake, too', async t => {
  const { processes, run } = fixture()
  await run(async self => {
    self.trapExit = true
    const [first, second] = [remotePid(1), remotePid(2)]
    self.link(first)
    self.link(second, priority)
    const ref = self.monitor(first, priority)
    self.send(self.pid, 1)
    await new Promise<void>(done => processes.lost(first.node, done))
    const lost = atom('noconnection')
    t.strictSame(all(self), [
      tuple(atom('EXIT'), second, lost),
      tuple(atom('DOWN'), ref, atom('process'), first, lost),
      1,
      tuple(atom('EXIT'), first, lost),
    ])
  })
})
