/** `global` in clusters of BEAM and TypeScript nodes: names, locks, and what becomes of names that two partitions have both given. */
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import {
  atom,
  equals,
  format,
  isPid,
  match,
  type Node,
  type Pid,
  type ResolveMethod,
  type Sendable,
  type Term,
  type Tuple,
  tuple,
} from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { eachOtp } from './support/each-otp.js'
import { patience, startNode } from './support/pair.js'
import { until } from './support/until.js'

/** Processes on the BEAM that live until they are told, and tell what else they were sent. */
const holder = String.raw`
-module(holder).
-export([start/0, register/2, register/3, told/1, loop/1, keep_theirs/3]).

start() -> spawn(fun() -> loop([]) end).
loop(Told) -> receive stop -> ok; {told, From} -> From ! {told, lists:reverse(Told)}, loop(Told); Other -> loop([Other | Told]) end.
told(Pid) -> Pid ! {told, self()}, receive {told, Told} -> Told after 20000 -> timeout end.
register(Name, default) -> Pid = start(), {global:register_name(Name, Pid), Pid};
register(Name, Method) -> Pid = start(), {global:register_name(Name, Pid, Method), Pid}.
register(Name, Pid, default) -> global:register_name(Name, Pid);
register(Name, Pid, Method) -> global:register_name(Name, Pid, Method).
keep_theirs(_, Pid, _) -> Pid.
`

/** A process that keeps what it is sent. */
function keeper(node: Node): { pid: Pid; told: Term[] } {
  const told: Term[] = []
  const pid = node.spawn(async self => {
    for await (const message of self) told.push(message)
  })
  return { pid, told }
}

const sync = (nodes: readonly (Node | Beam)[]): Promise<unknown> =>
  Promise.all(nodes.map(node => ('eval' in node ? node.eval('global:sync().') : node.global.sync({ timeout: patience }))))

const seen = async (node: Node | Beam): Promise<number> =>
  'eval' in node ? ((await node.eval('length(nodes()).')) as number) : node.nodes().length

/** Everybody is connected with everybody, and in sync. */
async function whole(nodes: readonly (Node | Beam)[]): Promise<void> {
  for (const node of nodes) await until(async () => (await seen(node)) === nodes.length - 1, `${node.name} is connected with all`)
  await sync(nodes)
}

/** What that name is on a node */
const whereis = async (node: Node | Beam, name: Sendable): Promise<Pid | undefined> => {
  if (!('eval' in node)) return node.global.whereis(name)
  const pid = await node.eval('global:whereis_name(Name).', { bindings: { Name: name } })
  return isPid(pid) ? pid : undefined
}

/** On all nodes that name is that process, at once. */
async function isOn(t: Test, nodes: readonly (Node | Beam)[], name: Sendable, pid: Pid | undefined, title: string): Promise<void> {
  for (const node of nodes) {
    const found = await whereis(node, name)
    t.ok(
      found === undefined ? pid === undefined : pid && equals(found, pid),
      `${title}: ${format(name)} on ${node.name} is ${String(found)}`,
    )
  }
}

/** … sooner or later. */
const becomes = async (nodes: readonly (Node | Beam)[], name: Sendable, pid: Pid | undefined): Promise<void> => {
  for (const node of nodes) {
    await until(async () => {
      const found = await whereis(node, name)
      return found === undefined ? pid === undefined : pid !== undefined && equals(found, pid)
    })
  }
}

const registerThere = async (beam: Beam, name: Sendable, method: Sendable = atom('default')): Promise<Pid> => {
  const [answer, pid] = ((await beam.eval('holder:register(Name, Method).', { bindings: { Name: name, Method: method } })) as Tuple)
    .elements
  if (answer !== atom('yes')) throw new Error(`${format(name)} was not registered: ${format(answer)}`)
  return pid as Pid
}

await eachOtp(t, async (t, real) => {
  const start = async (options: Parameters<typeof real.start>[0]): Promise<Beam> => {
    const beam = await real.start(options)
    // Where a node leaves, others may tell each other before they have seen it themselves.
    beam.expectLog('in order to prevent overlapping partitions')
    return beam
  }
  await t.test('names are known everywhere, whoever registers, before the nodes meet and after', async t => {
    const one = await start({ code: holder })
    const two = await start({ code: holder, cookie: one.cookie })
    await using ts = await startNode(one, { hidden: false })
    await using other = await startNode(one, { hidden: false })
    const early = keeper(ts)
    t.equal(await ts.global.register('early', early.pid), true)
    const before = await registerThere(one, atom('before'))
    await ts.connect(one.name)
    await whole([ts, one])
    await other.connect(ts.name)
    await whole([ts, one, other])
    const all = [ts, other, one, two]
    t.equal(await two.eval('net_kernel:connect_node(Node).', { bindings: { Node: atom(ts.name) } }), true)
    await whole(all)
    await isOn(t, all, 'early', early.pid, 'before they met')
    await isOn(t, all, atom('before'), before, 'before they met')

    for (const [index, node] of all.entries()) {
      const name = tuple(atom('made'), index)
      const pid = 'eval' in node ? await registerThere(node, name) : keeper(node).pid
      if (!('eval' in node)) t.equal(await node.global.register(name, pid), true)
      await isOn(t, all, name, pid, 'registered')
      const refused =
        'eval' in node
          ? ts.global.register(name, keeper(ts).pid)
          : registerThere(one, name).then(
              () => true,
              () => false,
            )
      t.equal(await refused, false, 'by nobody else')
      t.equal(await ts.global.register('again', pid), false, 'a process has one name')
    }
    const [first, second] = [keeper(ts), keeper(other)]
    await ts.global.register('moved', first.pid)
    await one.eval('global:re_register_name(<<"moved">>, Pid).', { bindings: { Pid: second.pid } })
    await isOn(t, all, 'moved', second.pid, 'registered again')
    await other.global.reRegister('moved', first.pid)
    await isOn(t, all, 'moved', first.pid, 'registered again')
    t.equal(await two.eval('global:send(<<"moved">>, hello).').then(pid => equals(pid, first.pid)), true)
    t.ok(equals(other.global.send('moved', 'world'), first.pid))
    await until(() => first.told.length === 2)
    t.strictSame(first.told.map(term => format(term)).sort(), ['<<"world">>', 'hello'])
    await ts.global.unregister('moved')
    await isOn(t, all, 'moved', undefined, 'unregistered')
    await one.eval('global:unregister_name({made, 0}).')
    await isOn(t, all, tuple(atom('made'), 0), undefined, 'unregistered')
    t.same(
      ts.global
        .registeredNames()
        .map(term => format(term))
        .sort(),
      ((await two.eval('global:registered_names().')) as Term[]).map(term => format(term)).sort(),
    )

    await t.test('whoever ends loses its name', async () => {
      ts.exit(early.pid, atom('kill'))
      await becomes(all, 'early', undefined)
      await one.eval('exit(Pid, kill).', { bindings: { Pid: before } })
      await becomes(all, atom('before'), undefined)
      const left = all.filter(node => node !== two)
      await two.stop()
      await becomes(left, tuple(atom('made'), 3), undefined)
      await other.close()
      await becomes([ts, one], tuple(atom('made'), 1), undefined)
      await isOn(t, [ts, one], tuple(atom('made'), 2), await whereis(one, tuple(atom('made'), 2)), 'what lives stays')
      t.ok(await whereis(ts, tuple(atom('made'), 2)))
    })
  })

  await t.test('locks are one requester’s on all nodes', async t => {
    const one = await start({ code: holder })
    const two = await start({ cookie: one.cookie })
    await using ts = await startNode(one, { hidden: false })
    await ts.connect(one.name)
    await two.eval('net_kernel:connect_node(Node).', { bindings: { Node: atom(one.name) } })
    await whole([one, two, ts])
    const id = tuple(atom('till'), 'ts')
    t.equal(await ts.global.setLock(id), true)
    t.equal(await ts.global.setLock(id), true, 'again by the same')
    const taken = 'global:set_lock({till, beam}, [node() | nodes()], 0).'
    t.equal(await one.eval(taken), false, 'refused to another')
    t.equal(await one.eval('global:trans({till, beam}, fun() -> no end, [node() | nodes()], 0).'), atom('aborted'))
    t.equal(await one.eval('global:set_lock({till, <<"ts">>}, [node() | nodes()], 0).'), true, 'one requester, several processes')
    await ts.global.delLock(id)
    t.equal(await two.eval(taken), true, 'free: who asked from the BEAM has ended')
    await until(() => ts.global.setLock(id, { retries: 0 }), 'the lock ended with its process')
    await ts.global.delLock(id)
    t.equal(await ts.global.trans(id, () => 'done', { retries: 0 }), 'done')
    await t.rejects(
      ts.global.trans(id, () => Promise.reject(new Error('no'))),
      { message: 'no' },
    )
    t.equal(await one.eval(taken), true, 'free after a failure')
    t.equal(await ts.global.setLock(id, { nodes: [two.name] }), true, 'on one node alone')
    t.equal(await one.eval('global:set_lock({till, beam}, [node()], 0).'), true)
    t.equal(await one.eval(taken), false)
    await ts.global.delLock(id, { nodes: [two.name] })

    await t.test('and whoever waits for one gets it, in turn', async t => {
      // A counter that only a lock protects: read here, written there.
      await one.eval('ets:new(counter, [named_table, public, {heir, whereis(init), none}]), ets:insert(counter, {n, 0}).')
      const add = `global:trans({counter, self()}, fun() ->
        [{n, N}] = erpc:call(One, ets, lookup, [counter, n]), timer:sleep(5), erpc:call(One, ets, insert, [counter, {n, N + 1}]) end)`
      const bindings = { One: atom(one.name) }
      const addHere = (): Promise<unknown> =>
        ts.run(async self =>
          self.global.trans(tuple(atom('counter'), self.pid), async () => {
            const [[, n]] = ((await self.rpc.call(one.name, 'ets', 'lookup', [atom('counter'), atom('n')])) as Tuple<[Term, number]>[]).map(
              ({ elements }) => elements,
            ) as [[Term, number]]
            await self.rpc.call(one.name, 'ets', 'insert', [atom('counter'), tuple(atom('n'), n + 1)])
          }),
        )
      const many = [0, 1, 2].flatMap(() => [one.eval(`${add}.`, { bindings }), two.eval(`${add}.`, { bindings }), addHere()])
      await Promise.all(many)
      t.same(await one.eval('[{n, N}] = ets:lookup(counter, n), N.'), 9)
    })

    await t.test('what a process has locked ends with it; an abort ends the attempts', async t => {
      const locked = ts.spawn(async self => {
        await self.global.setLock(tuple(atom('room'), self.pid))
        await self.register('locked')
        await self.receive(match(atom('stop')))
      })
      await until(() => ts.whereis('locked') !== undefined)
      const attempt = 'global:set_lock({room, beam}, [node() | nodes()], 0).'
      t.equal(await two.eval(attempt), false)
      const giveUp = new AbortController()
      const waits = ts.global.setLock(tuple(atom('room'), 'late'), { signal: giveUp.signal })
      giveUp.abort(new Error('enough'))
      await t.rejects(waits, { message: 'enough' })
      ts.exit(locked, atom('kill'))
      t.equal(await two.eval('global:set_lock({room, beam}, [node() | nodes()], 20).'), true)
    })
  })

  await t.test('two partitions that have given one name join', async t => {
    for (const who of ['BEAM nodes', 'TypeScript nodes'] as const) {
      await t.test(`by their ${who}`, async t => {
        const one = await start({ code: holder })
        const two = await start({ code: holder, cookie: one.cookie })
        // Of all names the least, and the greatest: who decides, and who keeps the name, goes by them.
        const least = `a-${process.pid}-${who.length}-${Math.random().toString(36).slice(2)}@127.0.0.1`
        await using a = await startNode(one, { hidden: false, name: least })
        await using b = await startNode(one, { hidden: false })
        await a.connect(one.name)
        await b.connect(two.name)
        await sync([a, b, one, two])
        const conflicts = await give(one, two, a, b)
        if (who === 'BEAM nodes') await two.eval('net_kernel:connect_node(Node).', { bindings: { Node: atom(one.name) } })
        else await b.connect(a.name)
        const all = [a, b, one, two]
        await whole(all)
        for (const conflict of conflicts) await judge(t, all, conflict)
        t.equal(a.globalService.methods.size, 1, 'functions are kept for as long as names have them')
        await a.global.unregister('mine')
        t.equal(a.globalService.methods.size, 0)
      })
    }
  })

  await t.test('a server that Erlang registers in global is called from TypeScript', async t => {
    const one = await start({})
    await using ts = await startNode(one, { hidden: false })
    await ts.connect(one.name)
    await one.load(`
      -module(clerk). -behaviour(gen_server). -export([init/1, handle_call/3, handle_cast/2]).
      init(N) -> {ok, N}.
      handle_call({add, A}, _, N) -> {reply, N + A, N + A}.
      handle_cast(_, N) -> {noreply, N}.`)
    await sync([one, ts])
    await one.eval('{ok, Pid} = gen_server:start({global, clerk}, clerk, 40, []), Pid.')
    t.equal(await ts.call(ts.global.whereis(atom('clerk')) as Pid, tuple(atom('add'), 2)), 42)
    t.equal(await one.eval('gen_server:call({global, clerk}, {add, 1}).'), 43)
  })
})

interface Conflict {
  readonly name: Sendable
  /** In the first partition and the second */
  readonly pids: readonly [Pid, Pid]
  /** Who has the name afterwards */
  readonly kept: Pid | undefined
  /** Who ends */
  readonly killed?: Pid | undefined
  readonly told: (pid: Pid) => Promise<readonly Term[]>
  /** What each is told */
  readonly tells: readonly (readonly [Pid, Sendable])[]
}

/** Gives names in both partitions, to processes of both kinds, with every method. */
async function give(one: Beam, two: Beam, a: Node, b: Node): Promise<Conflict[]> {
  const conflicts: Conflict[] = []
  const keepers = new Map<string, Term[]>()
  const told = async (pid: Pid): Promise<readonly Term[]> => {
    const kept = keepers.get(inspect(pid))
    if (kept) return kept
    const beam = pid.node.name === one.name ? one : two
    return (await beam.eval('holder:told(Pid).', { bindings: { Pid: pid } })) as Term[]
  }
  const here = async (node: Node, name: Sendable, resolve?: ResolveMethod): Promise<Pid> => {
    const { pid, told } = keeper(node)
    keepers.set(inspect(pid), told)
    if (!(await node.global.register(name, pid, { resolve }))) throw new Error(`${format(name)} was not registered`)
    return pid
  }
  const methods = [
    ['default', undefined],
    ['random_notify_name', 'randomNotifyName'],
    ['notify_all_name', 'notifyAllName'],
  ] as const
  for (const [method, resolve] of methods) {
    const fun = method === 'default' ? atom('default') : await one.eval(`fun global:${method}/3.`)
    for (const [left, right] of [
      ['ts', 'ts'],
      ['ts', 'beam'],
      ['beam', 'ts'],
      ['beam', 'beam'],
    ] as const) {
      // prettier-ignore
      const name = tuple(atom(method), atom(left), atom(right))
      const pids = [
        left === 'ts' ? await here(a, name, resolve) : await registerThere(one, name, fun),
        right === 'ts' ? await here(b, name, resolve) : await registerThere(two, name, fun),
      ] as const
      // Of the first partition, whose nodes have the lesser names
      const [kept, lost] = pids
      if (method === 'default') conflicts.push({ name, pids, kept, killed: lost, told, tells: [] })
      else if (method === 'random_notify_name')
        conflicts.push({ name, pids, kept, told, tells: [[lost, tuple(atom('global_name_conflict'), name)]] })
      else {
        const tells = [[kept, tuple(atom('global_name_conflict'), name, lost)], [lost, tuple(atom('global_name_conflict'), name, kept)]] as const // prettier-ignore
        conflicts.push({ name, pids, kept: undefined, told, tells })
      }
    }
  }
  const add = async (name: Sendable, first: Pid, kept: 'first' | 'second' | 'nobody'): Promise<void> => {
    const second = await registerThere(two, name)
    const winner = kept === 'first' ? first : kept === 'second' ? second : undefined
    conflicts.push({ name, pids: [first, second], kept: winner, told, tells: [], killed: undefined })
  }
  // The function of the first partition decides, on the node of its process.
  await add('mine', await here(a, 'mine', (_, __, pid) => pid), 'first')
  await add('theirs', await here(a, 'theirs', async (_, pid) => pid), 'second')
  await add('nobody', await here(a, 'nobody', () => null), 'nobody')
  await add('throws', await here(a, 'throws', () => { throw new Error('no') }), 'second') // prettier-ignore
  await add('fun', await registerThere(one, 'fun', await one.eval('fun holder:keep_theirs/3.')), 'second')
  const guest = keeper(a)
  keepers.set(inspect(guest.pid), guest.told)
  await one.eval('yes = holder:register(<<"guest">>, Pid, fun(_, Pid1, _) -> Pid1 end).', { bindings: { Pid: guest.pid } })
  await add('guest', guest.pid, 'second')
  const stranger = (await one.eval('holder:start().')) as Pid
  if (!(await a.global.register('stranger', stranger, { resolve: (_, __, pid) => pid }))) throw new Error('stranger')
  // Nobody but the node that has the function can call it: that is a crash.
  await add('stranger', stranger, 'second')
  return conflicts
}

async function judge(t: Test, all: readonly (Node | Beam)[], { name, pids, kept, killed, told, tells }: Conflict): Promise<void> {
  await isOn(t, all, name, kept, 'joined')
  for (const pid of pids) {
    const node = all.find(({ name }) => name === pid.node.name) as Node | Beam
    const isAlive = async (): Promise<boolean> =>
      'eval' in node ? (await node.eval('is_process_alive(Pid).', { bindings: { Pid: pid } })) === true : node.isAlive(pid)
    if (pid === killed) await until(async () => !(await isAlive()), `${format(name)}: the other is killed`)
    else t.equal(await isAlive(), true, `${format(name)}: lives`)
  }
  for (const [pid, message] of tells) await until(async () => (await told(pid)).some(heard => equals(heard, message)), format(message))
  const heard = await Promise.all(pids.filter(pid => pid !== killed).map(told))
  t.equal(heard.flat().length, tells.length, `${format(name)}: nothing else is told`)
}
