/** Process groups between TypeScript nodes, and what a scope says to a peer of either version, message for message. */
import t, { type Test } from 'tap'
import {
  any,
  atom,
  equals,
  format,
  isRef,
  match,
  type Node,
  type NodeProcess,
  type Pid,
  type Sendable,
  type Term,
  tuple,
} from '../../src/index.js'
import { cluster, once } from '../node/support.js'

const member = (node: Node): Pid =>
  node.spawn(async self => {
    await self.receive(match(atom('stop')))
  })

/** Resolves once the group has these members. */
async function until(self: NodeProcess, group: Sendable, pids: readonly Pid[]): Promise<void> {
  const text = (pids: readonly Pid[]): string => pids.map(String).sort().join()
  const [ref] = await self.pg.monitor(group)
  while (text(self.pg.members(group)) !== text(pids)) await self.receive(match([ref, any, any, any]), { timeout: 5000 })
  await self.pg.demonitor(ref)
}

t.test('members of all nodes, on all nodes', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const [one, two] = [await start(), await start()]
  const [first, second] = [member(one), member(two)]
  one.pg.join('x', first)
  await one.connect(two.name)
  two.pg.join('x', [second, second])
  await one.run(self => until(self, 'x', [first, second, second]))
  await two.run(self => until(self, 'x', [first, second, second]))
  t.strictSame(one.pg.localMembers('x'), [first])
  t.strictSame(one.pg.members(atom('x')), [], 'an atom is another group')
  t.strictSame(one.pg.whichGroups(), [Buffer.from('x')])
  t.equal(two.pg.leave('x', second), true)
  one.exit(first, atom('kill'))
  await one.run(self => until(self, 'x', [second]))
  await two.run(self => until(self, 'x', [second]))
  t.strictSame(one.pg.whichLocalGroups(), [])
  const down = once(one, 'nodedown')
  await two.close()
  await down
  await one.run(self => until(self, 'x', []))
  t.equal(one.stats().remoteMonitors, 0)
})

t.test('what cannot be', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const [one, two] = [await start(), await start()]
  t.throws(() => one.pg.join('x', member(two)), { code: 'ERR_NOLOCAL' })
  t.throws(() => one.pg.leave('x', [member(one), member(two)]), { code: 'ERR_NOLOCAL' })
  t.throws(() => one.pg.join((() => {}) as never, member(one)), { code: /^ETF_/ })
  await one.register('taken', member(one))
  t.throws(() => one.pg.scope('taken'), { code: 'ERR_NAME_TAKEN' })
  t.equal(one.pg.leave('x', member(one)), false)
  one.pg.join('x', [])
  t.strictSame(one.pg.whichGroups(), [])
  await one.run(async self => {
    const dead = member(one)
    self.monitor(dead)
    one.exit(dead, atom('kill'))
    await self.receive()
    const [ref] = await self.pg.monitor('x')
    self.pg.join('x', dead)
    t.match(await self.receive(), tuple(ref, atom('join')))
    t.match(await self.receive(), tuple(ref, atom('leave')), 'the dead do not stay')
    t.equal(await self.pg.demonitor(self.makeRef()), false)
  })
})

t.test('a scope that is ended begins anew, without its members', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const [one, two] = [await start(), await start()]
  await one.connect(two.name)
  const [first, second] = [member(one), member(two)]
  one.pg.join('x', first)
  two.pg.join('x', second)
  await two.run(self => until(self, 'x', [first, second]))
  one.exit(one.whereis('pg') as Pid, atom('kill'))
  await two.run(self => until(self, 'x', [second]))
  t.strictSame(one.pg.localMembers('x'), [])
  await one.run(self => until(self, 'x', [second]))
})

interface Talk {
  readonly self: NodeProcess
  readonly node: Node
  readonly scope: Pid
  readonly mine: Pid
  hear(expected: Sendable): Promise<void>
}

/** A process that is the scope `s` of its node: what it says, and what it is told. */
async function peer(t: Test, talk: (talk: Talk) => Promise<void>): Promise<void> {
  const { start, close } = await cluster()
  t.teardown(close)
  const [node, other] = [await start(), await start()]
  node.pg.scope('s')
  const [scope, mine] = [node.whereis('s') as Pid, member(node)]
  await other.run(async self => {
    await self.register('s')
    await other.connect(node.name)
    const hear = async (expected: Sendable): Promise<void> => {
      const heard = await self.receive(undefined, { timeout: 5000 })
      t.ok(equals(heard, expected), `${format(heard)} is ${format(expected)}`)
    }
    await hear(tuple(atom('discover'), scope))
    node.pg.scope('s').join(a, mine)
    await talk({ self, node, scope, mine, hear })
    t.equal(node.whereis('s')?.id, scope.id, 'the scope lives')
  })
}

/** Resolves once the group has so many members. */
const count = (node: Node, group: Term, size: number): Promise<void> =>
  node.run(async self => {
    const pg = self.pg.scope('s')
    const [ref] = await pg.monitor(group)
    while (pg.members(group).length !== size) await self.receive(match([ref, any, any, any]), { timeout: 5000 })
  })

const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(name => atom(name)) as [Term, Term, Term, Term]
const cast = (what: Sendable): Sendable => tuple(atom('$gen_cast'), what)

t.test('a peer of version 0', t =>
  peer(t, async ({ self, node, scope, mine, hear }) => {
    const [to, pg, { pid }] = [{ name: 's', node: node.name }, node.pg.scope('s'), self]
    self.send(to, tuple(atom('join'), pid, a, pid))
    self.send(to, tuple(atom('discover'), pid))
    await hear(cast(tuple(atom('sync'), scope, [tuple(a, [mine])])))
    await hear(tuple(atom('discover'), scope))
    t.equal(pg.members(a).length, 1, 'who has not been met says nothing')
    self.send(to, cast(tuple(atom('sync'), pid, [tuple(a, [pid, pid]), tuple(b, [pid])])))
    self.send(to, tuple(atom('join'), pid, c, pid))
    self.send(to, tuple(atom('leave'), pid, [pid], [a, b]))
    self.send(to, tuple(atom('join'), pid, d, [pid, pid]))
    await count(node, d, 2)
    t.strictSame(
      ['a', 'b', 'c'].map(name => pg.members(atom(name)).length),
      [2, 0, 1],
    )
    pg.join(d, mine)
    await hear(tuple(atom('join'), scope, d, [mine]))
    pg.leave(d, mine)
    await hear(tuple(atom('leave'), scope, [mine], [d]))
    node.exit(mine, atom('kill'))
    await hear(tuple(atom('leave'), scope, [mine], [a]))
    self.send(to, cast(tuple(atom('sync'), pid, [tuple(a, [pid])])))
    await count(node, d, 0)
    t.strictSame(pg.whichGroups(), [a], 'a sync replaces what was known')
  }),
)

t.test('a peer of version 1', t =>
  peer(t, async ({ self, node, scope, mine, hear }) => {
    const [to, pg, { pid }] = [{ name: 's', node: node.name }, node.pg.scope('s'), self]
    self.send(to, tuple(atom('discover'), pid, 1))
    await hear(cast(tuple(atom('local_data'), scope, 1, new Map([[a, [mine]]]))))
    await hear(tuple(atom('discover'), scope, 1))
    self.send(to, cast(tuple(atom('local_data'), pid, 1, new Map([[a, [pid]]]))))
    self.send(to, tuple(atom('update'), pid, [tuple(b, [pid, pid], []), tuple(a, [], [pid])]))
    await count(node, b, 2)
    t.strictSame(pg.members(a), [mine])
    pg.join(d, mine)
    await hear(tuple(atom('update'), scope, [tuple(d, [mine], [])]))
    pg.leave(d, mine)
    await hear(tuple(atom('update'), scope, [tuple(d, [], [mine])]))
    node.exit(mine, atom('kill'))
    await hear(tuple(atom('update'), scope, [tuple(a, [], [mine])]))
  }),
)

t.test('what is no message of a scope is dropped', t =>
  peer(t, async ({ self, node }) => {
    const [to, { pid }] = [{ name: 's', node: node.name }, self]
    const strange: Sendable[] = [
      1,
      tuple(),
      tuple(atom('discover')),
      tuple(atom('discover'), a),
      tuple(atom('join'), pid, a, a),
      tuple(atom('leave'), pid, pid, a),
      tuple(atom('leave'), pid, [a], [a]),
      tuple(atom('update'), pid, a),
      tuple(atom('update'), pid, [a]),
      tuple(atom('update'), pid, [tuple(a, [a], [])]),
      cast(tuple(atom('sync'), pid, a)),
      cast(tuple(atom('sync'), pid, [tuple(a, a)])),
      cast(tuple(atom('local_data'), pid, 1, new Map([[a, 1]]))),
      tuple(atom('nodeup'), a),
    ]
    for (const message of strange) self.send(to, message)
    self.send(to, tuple(atom('discover'), pid))
    await self.receive()
    await self.receive()
    for (const message of strange) self.send(to, message)
    const refused = tuple(atom('error'), atom('badarg'))
    for (const request of [a, tuple(a, b), tuple(atom('join_local'), a, pid), tuple(atom('leave_local'), a, [1])])
      t.strictSame(await self.call(to, request), refused)
    t.strictSame(node.pg.scope('s').whichGroups(), [a])
    t.equal(node.pg.scope('s').members(a).length, 1)
  }),
)

t.test('monitors', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const node = await start()
  await node.run(async self => {
    const { pg } = self
    const [ref, members] = await pg.monitor('x')
    t.strictSame(members, [])
    const [all, groups] = await pg.monitorScope()
    t.strictSame(groups, new Map())
    pg.join('x', [self.pid, self.pid])
    pg.join('y', self.pid)
    const told = async (): Promise<Term> => self.receive(match([isRef, any, any, any]))
    t.strictSame(await told(), tuple(all, atom('join'), Buffer.from('x'), [self.pid, self.pid]))
    t.strictSame(await told(), tuple(ref, atom('join'), Buffer.from('x'), [self.pid, self.pid]))
    t.strictSame(await told(), tuple(all, atom('join'), Buffer.from('y'), [self.pid]))
    t.equal(pg.leave('x', self.pid), true)
    t.equal(await pg.demonitor(all), true)
    t.strictSame(await told(), tuple(ref, atom('leave'), Buffer.from('x'), [self.pid]), 'those that waited are gone with the monitor')
    t.equal(self.poll(), undefined)
    t.equal(await pg.scope('other').demonitor(ref), false)
  })
  await node.run(self => until(self, 'x', []))
  await node.run(self => until(self, 'y', []))
  t.strictSame(node.pg.whichGroups(), [], 'a member that ended')
})
