/** `node.global` between TypeScript nodes, and what cannot be. */
import t from 'tap'
import { atom, equals, ExportFun, type Node, type Pid, type Term, tuple } from '../../src/index.js'
import { bossOf, longestSleep } from '../../src/otp/global/lock-calls.js'
import { cluster, once } from '../node/support.js'

const member = (node: Node): Pid =>
  node.spawn(async self => {
    for await (const _ of self);
  })

const connected = (node: Node): string[] => node.nodes().sort()

t.test('a hidden node has names and locks of its own', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const [one, two] = [await start({ hidden: true }), await start({ hidden: true })]
  await one.connect(two.name)
  const [first, second] = [member(one), member(two)]
  t.equal(await one.global.register('n', first), true)
  t.equal(await two.global.register('n', second), true)
  await one.global.sync()
  t.equal(one.global.whereis('n'), first)
  t.ok(equals(two.global.whereis('n') as Pid, second))
  t.equal(one.global.whereis(atom('n')), undefined, 'an atom is another name')
  t.equal(await one.global.setLock(tuple('l', 1)), true)
  t.equal(await two.global.setLock(tuple('l', 2), { retries: 0 }), true)
  t.equal(await two.global.setLock(tuple('l', 2), { nodes: [one.name], retries: 0 }), false, 'but whoever names it asks it')
})

t.test('a name is gone with its process, at once on its own node', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const node = await start()
  const pid = member(node)
  t.equal(await node.global.register('n', pid), true)
  node.exit(pid, atom('kill'))
  t.equal(node.global.whereis('n'), undefined)
  t.equal(await node.global.register('n', member(node)), true, 'and free')
  t.throws(() => node.global.send('m', 'hello'), { code: 'ERR_NOT_REGISTERED' })
  t.same(await node.rpc.call(node.name, 'global', 'registered_names'), [Buffer.from('n')])
  t.equal(await node.rpc.call(node.name, 'global', 'whereis_name', ['m']), atom('undefined'))
})

t.test('what cannot be', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const node = await start()
  const pid = member(node)
  await t.rejects(node.global.register('n', 'pid' as never), { code: 'ERR_BADARG' })
  await t.rejects(node.global.register('n', pid, { resolve: 'noSuchMethod' as never }), { code: 'ERR_BADARG' })
  await t.rejects(node.global.register((() => {}) as never, pid), { code: /^ETF_/ })
  t.throws(() => node.global.whereis((() => {}) as never), { code: /^ETF_/ })
  await t.rejects(node.global.setLock('l' as never), { code: 'ERR_BADARG' })
  await t.rejects(node.global.delLock(tuple('l') as never), { code: 'ERR_BADARG' })
  await t.rejects(node.global.sync({ signal: AbortSignal.abort(new Error('no')) }), { message: 'no' })
  t.equal(await node.global.setLock(tuple('l', 1), { nodes: [] }), true, 'nobody is asked')
  await node.global.setLock(tuple('l', 1))
  t.equal(await node.global.trans(tuple('l', 2), () => 'never', { retries: 1 }), atom('aborted'))
  t.equal(node.globalService.methods.size, 0)
})

t.test('a process has locks of its own', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const node = await start()
  await node.run(async self => {
    t.equal(await self.global.setLock(tuple('l', self.pid)), true)
    t.equal(await self.global.trans(tuple('l', self.pid), async () => self.global.whereis('x') ?? 'nobody'), 'nobody')
    t.equal(await node.global.setLock(tuple('l', 'node'), { retries: 0 }), true, 'trans has deleted it')
  })
  await node.global.delLock(tuple('l', 'node'))
  await node.run(async self => {
    t.equal(await self.global.setLock(tuple('l', self.pid)), true)
  })
  t.equal(await node.global.setLock(tuple('l', 'node')), true, 'it ended with its process')
})

t.test('a method may be a function of a loaded module, on every node that has it', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const [one, two] = [await start({ hidden: false }), await start({ hidden: false })]
  const asked: Term[] = []
  const choose = (name: Term, _: Pid, pid2: Pid): Term => {
    asked.push(name)
    return pid2
  }
  for (const node of [one, two]) await node.code.load('conflicts', { choose })
  const resolve = new ExportFun(atom('conflicts'), atom('choose'), 3)
  for (const node of [one, two]) t.equal(await node.global.register('n', member(node), { resolve }), true)
  const less = one.name < two.name ? one : two
  const kept = less.global.whereis('n') as Pid
  await one.connect(two.name)
  await one.global.sync()
  await two.global.sync()
  for (const node of [one, two]) t.ok(equals(node.global.whereis('n') as Pid, kept))
  t.same(asked, [Buffer.from('n')], 'asked once, on the node of the lesser name')
})

t.test('a visible node connects to all that the other knows, unless connectAll or distAutoConnect says otherwise', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const [one, two] = [await start({ hidden: false }), await start({ hidden: false })]
  await one.connect(two.name)
  await one.global.sync()
  await two.global.sync()
  const three = await start({ hidden: false })
  // Either end has its own moment at which it sees the other.
  const met = new Promise<void>(resolve => three.on('nodeup', name => name === one.name && resolve()))
  await three.connect(two.name)
  await met
  await three.global.sync()
  t.strictSame(connected(three), [one.name, two.name].sort())

  const apart = await start({ hidden: false, connectAll: false })
  await apart.connect(one.name)
  // Its peers wait for an exchange that it does not take part in.
  t.equal(apart.connectAll, false)
  t.strictSame(await apart.call('global_name_server', atom('get_known')), [])
  t.strictSame(connected(apart), [one.name])
  await apart.close()

  const shy = await start({ hidden: false, distAutoConnect: 'never' })
  const warned = new Promise<Term>(resolve => shy.on('logger', ({ level, report }) => level === 'warning' && resolve(report)))
  await shy.connect(one.name)
  t.match(String(((await warned) as ReadonlyMap<Term, Term>).get(atom('reason'))), /distAutoConnect/, 'it says whom it has not met')
})

t.test('if its name server is ended, it begins anew, and its peers with it', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const [one, two] = [await start({ hidden: false }), await start({ hidden: false })]
  await one.connect(two.name)
  t.equal(await two.global.register('n', member(two)), true)
  const [down, old] = [once(two, 'nodedown'), one.whereis('global_name_server') as Pid]
  one.exit(old, atom('kill'))
  await down
  t.not(one.whereis('global_name_server'), old)
  t.equal(one.global.whereis('n'), undefined)
  await one.connect(two.name)
  await one.global.sync()
  t.ok(equals(one.global.whereis('n') as Pid, two.global.whereis('n') as Pid))
  t.equal(await one.global.register('m', member(one)), true)
  t.ok(two.global.whereis('m'))
})

t.test('with a node, what it held is gone', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const [one, two] = [await start({ hidden: false }), await start({ hidden: false })]
  await one.connect(two.name)
  await one.global.sync()
  await two.global.sync()
  t.equal(await two.global.register('n', member(two)), true)
  t.equal(await two.global.setLock(tuple('l', 2)), true)
  const before = one.stats()
  const down = once(one, 'nodedown')
  await two.close()
  await down
  t.equal(await one.global.register('n', member(one)), true)
  t.equal(await one.global.setLock(tuple('l', 1)), true)
  t.equal(one.stats().remoteMonitors, 0)
  t.ok(before.remoteMonitors > 0)
})

t.test('who is the boss, and how long one sleeps', async t => {
  t.equal(bossOf(['b@h', 'c@h', 'a@h'].map(name => atom(name)) as never), atom('c@h'))
  t.strictSame([0, 1, 5, 6, 100].map(longestSleep), [125, 250, 4000, 8000, 8000])
})
