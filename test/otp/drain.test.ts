/** `node.drain` between TypeScript nodes: what runs, what is waited for, and in which order a node ends. */
import t, { type Test } from 'tap'
import { type Atom, atom, equals, ExitError, type Node, type Pid, tuple } from '../../src/index.js'
import { application, genServer, genStatem, keep, next, noreply, reply, supervisor } from '../../src/otp.js'
import type { From } from '../../src/otp/gen/server-types.js'
import { cluster, type Cluster } from '../node/support.js'
import { ManualClock } from '../process/support.js'

const long = { timeout: 60_000 }

async function nodes(t: Test): Promise<Cluster> {
  const made = await cluster()
  t.teardown(made.close)
  return made
}

/** A door that is opened once. */
function door(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {}
  const opened = new Promise<void>(resolve => (open = resolve))
  return { opened, open }
}

const member = (node: Node): Pid =>
  node.spawn(async self => {
    for await (const _ of self);
  })

t.test('all that runs is let run to its end', async t => {
  const { start } = await nodes(t)
  const [two, one] = [await start(), await start()]
  const opens = door()
  const kept: From<string>[] = []
  const server = genServer({
    init: (done: number) => done,
    call: {
      slow: async n => {
        await opens.opened
        return reply('slow', n + 1)
      },
      later(n) {
        kept.push(this.from<string>())
        return noreply(n, kept.at(-1) as From<string>)
      },
      count: n => reply(n, n),
    },
    cast: { add: n => n + 1 },
  })
  const gate = genStatem({
    init: () => next('closed', 0),
    states: {
      closed: { call: { enter: n => keep(n, { postpone: true }) }, cast: { open: n => next('open', n) } },
      open: { call: { enter: n => reply('in', keep(n)) } },
    },
  })
  await one.start(server, { args: [0], name: 'server' })
  await one.start(server, { args: [0], name: 'keeper' })
  const statem = await one.start(gate, { name: 'gate' })
  await one.code.load('work', { wait: () => opens.opened.then(() => 'worked') })
  const at = (name: string) => two.ref<typeof server>({ name, node: one.name }).with(long)

  const order: string[] = []
  const called = (name: string, call: Promise<unknown>): Promise<void> => call.then(value => void order.push(`${name} ${String(value)}`))
  const first = called('first', at('server').call('slow'))
  const queued = called('queued', at('server').call('count'))
  const later = called('later', at('keeper').call('later'))
  const postponed = called('postponed', two.call({ name: 'gate', node: one.name }, atom('enter'), long))
  const worked = called('erpc', two.rpc.call(one.name, 'work', 'wait', [], long))
  const rex = called(
    'rex',
    two.call({ name: 'rex', node: one.name }, tuple(atom('call'), atom('work'), atom('wait'), [], atom('user')), long),
  )
  await at('keeper').call('count') // all before it has been taken
  await two.call({ name: 'gate', node: one.name }, atom('enter'), { timeout: 1 }).catch(() => {}) // given up: nobody waits for it

  let over = false
  const drained = one.drain({ ...long, quiet: 0 }).then(result => ((over = true), result))
  t.same(await at('keeper').call('count'), 0, 'who knows it may call it still')
  t.notOk(over)
  opens.open()
  await Promise.all([first, queued, worked, rex])
  t.same(await at('keeper').call('count'), 0)
  t.notOk(over, 'two are not answered yet')
  kept[0]?.reply('kept')
  await later
  t.same(await at('keeper').call('count'), 0)
  t.notOk(over, 'one is not answered yet')
  statem.cast('open')
  await postponed
  t.same(await drained, { ended: 0 })
  t.same(order.sort(), ['erpc worked', 'first slow', 'later kept', 'postponed in', 'queued 1', 'rex worked'])
  await t.rejects(at('server').call('count'), ExitError, 'the node is closed')
})

t.test('groups are left first, and every node knows before anything ends', async t => {
  const { start } = await nodes(t)
  const [two, one] = [await start(), await start()]
  await one.connect(two.name)
  const server = genServer({ init: () => 0, call: { hello: n => reply('hello', n) } })
  const ref = await one.start(server)
  const group = async (there: boolean): Promise<void> => {
    const has = (): boolean => two.pg.scope('s').members('g').length > 0
    await two.run(async self => {
      await self.pg.scope('s').monitor('g')
      while (has() !== there) await self.receive(undefined, long)
    })
  }
  two.pg.scope('s')
  one.pg.scope('s').join('g', [ref.pid, ref.pid])
  await group(true)

  const hold = door()
  const begun = new Promise<void>(resolve => {
    one.once('draining', ({ waitUntil, timeout, signal }) => {
      t.equal(timeout, 60_000)
      t.notOk(signal.aborted)
      waitUntil(hold.opened)
      resolve()
    })
  })
  const drained = one.drain({ ...long, quiet: 1 })
  await begun
  await group(false)
  t.strictSame(one.pg.scope('s').localMembers('g'), [])
  one.pg.scope('s').join('g', ref.pid)
  one.pg.scope('new').join('g', ref.pid)
  t.strictSame(one.pg.scope('s').localMembers('g'), [], 'nobody joins any more')
  t.strictSame(one.pg.scope('new').localMembers('g'), [])
  t.equal(String(await two.ref<typeof server>(ref.pid).call('hello')), 'hello')
  hold.open()
  t.same(await drained, { ended: 0 })
})

t.test('a call that comes in the quiet time is answered, and begins it anew', async t => {
  const { start } = await nodes(t)
  const clock = new ManualClock()
  const [two, one] = [await start(), await start({ clock })]
  await one.connect(two.name)
  const server = genServer({ init: () => 0, call: { hello: n => reply(n + 1, n + 1) } })
  const ref = await one.start(server)
  one.pg.join('g', ref.pid)
  const far = two.ref<typeof server>(ref.pid)
  const drained = one.drain({ timeout: Infinity, quiet: 1000 })
  const isOver = (): Promise<boolean> =>
    Promise.race([drained.then(() => true), new Promise<false>(resolve => setImmediate(resolve, false))])
  for (let n = 1; n < 50; n++) {
    t.equal(await far.call('hello'), n)
    clock.advance(999)
  }
  t.notOk(await isOver())
  while (!(await isOver())) clock.advance(1000)
})

t.test('global names change hands, and are never free', async t => {
  const { start } = await nodes(t)
  const [two, one] = [await start({ hidden: false }), await start({ hidden: false })]
  await one.connect(two.name)
  await two.global.sync()
  const [first, second, third, fourth] = [member(one), member(one), member(one), member(one)]
  const [heir, taker] = [member(two), member(two)]
  for (const [name, pid] of [['heir', first], ['free', second], ['taken', third], ['odd', fourth]] as const) t.equal(await one.global.register(name, pid, { resolve: name === 'heir' ? () => null : undefined }), true) // prettier-ignore
  await two.global.register('theirs', member(two))
  const errors: string[] = []
  one.on('error', ({ code, message }) => errors.push(`${code} ${message}`))
  one.on('draining', ({ waitUntil }) => {
    t.ok(equals(two.global.whereis('taken') as Pid, third), 'it has its names still')
    waitUntil(two.global.reRegister('taken', taker))
    waitUntil(Promise.reject(new Error('could not')))
  })
  const asked: string[] = []
  const drained = one.drain({
    ...long,
    quiet: 0,
    successor: (name, pid) => {
      asked.push(String(name))
      t.equal(pid.node.name, one.name)
      if (String(name) === 'odd') throw new Error('who knows')
      return String(name) === 'heir' ? heir : null
    },
    handOver: () => {
      t.ok(equals(two.global.whereis('heir') as Pid, heir))
      t.ok(equals(two.global.whereis('taken') as Pid, taker))
      t.equal(two.global.whereis('free'), undefined)
      t.equal(two.global.whereis('odd'), undefined)
      t.strictSame(one.nodes(), [two.name], 'the connections are up')
      throw new Error('nor that')
    },
  })
  t.same(await drained, { ended: 0 })
  t.strictSame(asked.sort(), ['free', 'heir', 'odd'])
  t.ok(equals(two.global.whereis('heir') as Pid, heir), 'the end of the node changes nothing')
  t.ok(two.global.whereis('theirs'))
  t.equal(errors.length, 3)
  for (const error of errors) t.match(error, /^ERR_HAND_OVER .*(could not|who knows|nor that)/)
})

t.test('what has no end is ended when the time is over, and counted', async t => {
  const { start } = await nodes(t)
  const clock = new ManualClock()
  const [two, one] = [await start(), await start({ clock })]
  const server = genServer({ init: () => 0, call: { never: () => new Promise<never>(() => {}), nothing: n => noreply(n) } })
  const ref = await one.start(server, { name: 'server' })
  const quick = await one.start(server, { name: 'quick' })
  const lost = [
    two.ref<typeof server>(ref.pid).with(long).call('never'),
    two.ref<typeof server>(ref.pid).with(long).call('nothing'),
    two.ref<typeof server>(quick.pid).with(long).call('nothing'),
  ].map(call => call.then(String, (error: ExitError) => String(error.reason)))
  await t.rejects(two.ref<typeof server>(ref.pid).with({ timeout: 1 }).call('nothing'), { code: 'ERR_TIMEOUT' })
  await two.rpc.call(one.name, 'erlang', 'node', [], long) // all that was said has arrived
  one.on('draining', ({ waitUntil, signal }) => waitUntil(new Promise(resolve => signal.addEventListener('abort', resolve))))
  // Two that wait, one that is handled, what the listener waits for; and the first server, which does not end.
  const drained = one.drain({ timeout: 400, handOver: () => new Promise(() => {}) })
  clock.advance(300)
  t.equal(await lost[2], 'shutdown')
  clock.advance(100)
  t.same(await drained, { ended: 6 })
  t.strictSame(await Promise.all(lost), ['killed', 'killed', 'shutdown'])
})

t.test('applications end, the latest first; then supervisors, the latest first; then servers', async t => {
  const { start } = await nodes(t)
  const node = await start()
  const ends: string[] = []
  const worker = genServer({
    init(name: Atom) {
      this.trapExit = true
      return name
    },
    call: { name: name => reply(name, name) },
    terminate: (_, name) => void ends.push(name.name),
  })
  const tree = (...names: string[]) =>
    supervisor({ children: names.map(name => ({ id: name, start: worker, args: [atom(name)] as [Atom] })) })
  const app = (name: string) => application({ name, start: tree(`${name} worker`), stop: () => void ends.push(name) })
  await node.start(worker, { args: [atom('server') as Atom] })
  await node.start(tree('one', 'two'))
  await node.applications.ensureAllStarted([app('first'), app('second')])
  const stopped = await node.start(tree('stopped'))
  await node.start(tree('three'))
  node.exit(stopped.pid, atom('kill'))
  await node.start(tree('four'))
  ends.length = 0
  await node.drain({ ...long, handOver: () => void ends.push('hand over') })
  t.strictSame(ends, ['second worker', 'second', 'first worker', 'first', 'four', 'three', 'two', 'one', 'server', 'hand over'])
})

t.test('what cannot be; twice is once; a node that is closed meanwhile', async t => {
  const { start } = await nodes(t)
  const [two, one] = [await start(), await start()]
  t.throws(() => one.drain({ timeout: -1 }), { code: 'ERR_BADARG' })
  t.throws(() => one.drain({ quiet: 'long' as never }), { code: 'ERR_BADARG' })
  t.throws(() => one.drain({ handOver: 1 as never }), { code: 'ERR_BADARG' })
  t.throws(() => one.drain({ successor: member(two) as never }), { code: 'ERR_BADARG' })
  one.on('draining', ({ waitUntil }) => waitUntil(new Promise(() => {})))
  const drained = one.drain(long)
  t.equal(one.drain(long), drained)
  await one.close()
  t.same(await drained, { ended: 0 })
  await two.close()
  t.same(await two.drain(), { ended: 0 })
})
