/** Process groups: the scopes of BEAM nodes and of TypeScript nodes know the same members, whoever joins, leaves, ends, comes or goes. */
import t, { type Test } from 'tap'
import { any, atom, type Atom, compare, isRef, match, type Node, type NodeProcess, type Pid, type Term, tuple } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { eachOtp } from './support/each-otp.js'
import { eachWay, evaluator, type Pair, patience, startNode } from './support/pair.js'

const groups = String.raw`
-module(groups).
-export([start/1, member/0, until/3, stop/1]).

%% The shell's processes end; a scope must not end with them.
start(Scope) -> {ok, Pid} = pg:start(Scope), Pid.

stop(Scope) -> Ref = monitor(process, Scope), exit(whereis(Scope), kill), receive {'DOWN', Ref, _, _, _} -> ok end.

member() -> spawn(fun() -> receive stop -> ok end end).

%% Returns once these are the members, as this node sees it.
until(Scope, Group, Pids) ->
    {Ref, _} = pg:monitor(Scope, Group),
    until(Scope, Group, lists:sort(Pids), Ref).

until(Scope, Group, Pids, Ref) ->
    case lists:sort(pg:get_members(Scope, Group)) of
        Pids -> pg:demonitor(Scope, Ref), ok;
        _ -> receive {Ref, _, Group, _} -> until(Scope, Group, Pids, Ref) end
    end.
`

/** A process that lives until it is ended. */
const member = (node: Node): Pid =>
  node.spawn(async self => {
    await self.receive(match(atom('stop')))
  })

const sorted = (pids: readonly Pid[]): Pid[] => [...pids].sort(compare)

/** Resolves once these are the members, as the TypeScript node sees it. */
async function until(self: NodeProcess, scope: string, group: Term, pids: readonly Pid[]): Promise<void> {
  const pg = self.pg.scope(scope)
  const [ref] = await pg.monitor(group)
  const same = (): boolean => compare(sorted(pg.members(group)), sorted(pids)) === 0
  while (!same()) await self.receive(match([ref, any, any, any]), { timeout: patience })
  await pg.demonitor(ref)
}

t.test('pg', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start({ code: groups })
    const scope = (await beam.eval('groups:start(shop).')) as Pid
    await eachWay(t, beam, membership)
    await eachWay(t, beam, membership, { hidden: false })
    await late(t, beam)
    await monitors(t, beam)
    t.equal(await beam.eval('whereis(shop) =:= Scope.', { bindings: { Scope: scope } }), true, 'its scope has not crashed')
  })
})

async function membership(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  await node.run(async self => {
    const pg = node.pg.scope('shop')
    const group = atom('till') as Atom
    const theirs = async (): Promise<Pid> => (await evaluate('groups:member().')) as Pid
    const seen = async (...pids: Pid[]): Promise<void> => {
      t.equal(await evaluate('groups:until(shop, till, Pids).', { Pids: pids }), atom('ok'))
      await until(self, 'shop', group, pids)
    }

    await t.test('join, leave and the end of members, on either side', async t => {
      const [one, two] = [await theirs(), await theirs()]
      const [three, four] = [member(node), member(node)]
      await evaluate('ok = pg:join(shop, till, [One, Two, Two]).', { One: one, Two: two })
      pg.join(group, three)
      pg.join(group, [four, four])
      await seen(one, two, two, three, four, four)
      t.strictSame(sorted(pg.localMembers(group)), sorted([three, four, four]))
      t.strictSame(pg.whichGroups(), [group])
      t.equal(pg.leave(group, four), true)
      await evaluate('ok = pg:leave(shop, till, Two).', { Two: two })
      await seen(one, two, three, four)
      t.equal(pg.leave(group, member(node)), false)
      node.exit(three, atom('kill'))
      await evaluate('exit(One, kill).', { One: one })
      await seen(two, four)
      t.equal(pg.leave(group, four), true)
      await evaluate('ok = pg:leave(shop, till, Two).', { Two: two })
      await seen()
      t.strictSame(pg.whichGroups(), [])
      node.exit(four, atom('kill'))
      await evaluate('exit(Two, kill).', { Two: two })
    })

    await t.test('groups are any terms, and scopes do not mix', async t => {
      const [mine, his] = [member(node), await theirs()]
      const names: Term[] = [1, Buffer.from('x'), tuple(atom('a'), [1.5]), new Map<Term, Term>([[atom('k'), tuple(1, 2)], [2, 1]])] // prettier-ignore
      for (const name of names) {
        pg.join(name, mine)
        await evaluate('ok = pg:join(shop, Name, Pid).', { Name: name, Pid: his })
        t.equal(await evaluate('groups:until(shop, Name, Pids).', { Name: name, Pids: [mine, his] }), atom('ok'))
        await until(self, 'shop', name, [mine, his])
      }
      t.strictSame(node.pg.members(1), [], 'another scope has other groups')
      node.exit(mine, atom('kill'))
      for (const name of names) await evaluate('groups:until(shop, Name, [Pid]).', { Name: name, Pid: his })
      await evaluate('exit(Pid, kill).', { Pid: his })
      for (const name of names) await until(self, 'shop', name, [])
    })

    await t.test('what was joined before the nodes met is known after it', async t => {
      const [mine, his] = [member(node), await theirs()]
      pg.join(group, mine)
      await evaluate('ok = pg:join(shop, till, Pid).', { Pid: his })
      await seen(mine, his)
      const gone = new Promise<void>(resolve => node.once('nodedown', () => resolve()))
      node.disconnect(beam.name)
      await gone
      await until(self, 'shop', group, [mine])
      await beam.waitForNode(node.name, 'down')
      t.equal(await evaluate('groups:until(shop, till, [Pid]).', { Pid: his }), atom('ok'))
      await node.connect(beam.name)
      await seen(mine, his)
      node.exit(mine, atom('kill'))
      await evaluate('exit(Pid, kill).', { Pid: his })
      await seen()
    })
  })
}

async function late(t: Test, beam: Beam): Promise<void> {
  await t.test('a scope that begins later finds a visible node, and is found by one that begins', async t => {
    await using node = await startNode(beam, { hidden: false })
    const evaluate = evaluator(beam, node)
    await node.connect(beam.name)
    await beam.waitForNode(node.name, 'up')
    const mine = member(node)
    node.pg.scope('later').join('x', mine)
    await node.run(async self => {
      await evaluate('groups:start(later).')
      t.equal(await evaluate('groups:until(later, <<"x">>, [Pid]).', { Pid: mine }), atom('ok'))
      const his = (await evaluate('Pid = groups:member(), ok = pg:join(later, <<"x">>, Pid), Pid.')) as Pid
      await until(self, 'later', Buffer.from('x'), [mine, his])
      const other = member(node)
      node.pg.scope('later').join('x', other)
      t.equal(await evaluate('groups:until(later, <<"x">>, Pids).', { Pids: [mine, other, his] }), atom('ok'))
      await evaluate('exit(Pid, kill).', { Pid: his })
      await until(self, 'later', Buffer.from('x'), [mine, other])
      await evaluate('ok = pg:join(later, <<"x">>, groups:member()), groups:stop(later).')
      await until(self, 'later', Buffer.from('x'), [mine, other])
    })
  })
}

async function monitors(t: Test, beam: Beam): Promise<void> {
  await t.test('monitor and monitorScope tell what the BEAM does', async t => {
    await using node = await startNode(beam)
    const evaluate = evaluator(beam, node)
    await node.connect(beam.name)
    await node.run(async self => {
      const pg = self.pg.scope('shop')
      const his = (await evaluate('Pid = groups:member(), ok = pg:join(shop, till, Pid), Pid.')) as Pid
      await until(self, 'shop', atom('till'), [his])
      const [ref, members] = await pg.monitor(atom('till'))
      t.strictSame(members, [his])
      const [all, known] = await pg.monitorScope()
      t.strictSame(known, new Map([[atom('till'), [his]]]))
      const said = async (): Promise<Term[]> => {
        const [one, two] = [await self.receive(match([isRef, any, any, any])), await self.receive(match([isRef, any, any, any]))]
        const [first] = one.elements
        return compare(first, all) === 0 ? [one, two] : [two, one]
      }
      const mine = member(node)
      pg.join(atom('till'), mine)
      t.strictSame(
        await said(),
        [all, ref].map(ref => tuple(ref, atom('join'), atom('till'), [mine])),
      )
      await evaluate('exit(Pid, kill).', { Pid: his })
      t.strictSame(
        await said(),
        [all, ref].map(ref => tuple(ref, atom('leave'), atom('till'), [his])),
      )
      pg.leave(atom('till'), mine)
      t.equal(await pg.demonitor(ref), true)
      t.equal(await pg.demonitor(ref), false)
      t.equal(await pg.demonitor(all), true)
      t.equal(self.poll(), undefined)
    })
  })
}

t.test('Phoenix.PubSub', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start({ elixir: true })
    await beam.elixir(String.raw`
      defmodule Adapter do
        # What Phoenix.PubSub.PG2Worker does: a member of the group that is named as the adapter, and registered by that name.
        use GenServer
        def init(to) do
          :ok = :pg.join(Phoenix.PubSub, MyApp.PubSub.Adapter, self())
          {:ok, to}
        end
        def handle_info({:forward_to_local, topic, message, dispatcher}, to) do
          send(to, {:heard, topic, message, dispatcher})
          {:noreply, to}
        end
        def handle_cast({:broadcast, topic, message}, to) do
          for pid <- :pg.get_members(Phoenix.PubSub, MyApp.PubSub.Adapter), node(pid) != node(),
            do: send(pid, {:forward_to_local, topic, message, Phoenix.PubSub})
          {:noreply, to}
        end
      end
      {:ok, _} = :pg.start(Phoenix.PubSub)
      :ok`)
    await using node = await startNode(beam, { hidden: false })
    await node.connect(beam.name)
    await beam.waitForNode(node.name, 'up')
    const [scope, adapter] = ['Elixir.Phoenix.PubSub', 'Elixir.MyApp.PubSub.Adapter']
    const [forward, dispatcher] = [atom('forward_to_local'), atom(scope)]

    await t.test('a TypeScript process is an adapter among those of Elixir', async t => {
      await node.run(async self => {
        await self.register(adapter)
        self.pg.scope(scope).join(atom(adapter), self.pid)
        await beam.elixir('{:ok, _} = GenServer.start(Adapter, ts, name: MyApp.PubSub.Adapter)', { bindings: { ts: self.pid } })
        const elixir = await beam.elixir('Process.whereis(MyApp.PubSub.Adapter)')
        await until(self, scope, atom(adapter), [self.pid, elixir as Pid])
        const said = tuple(forward, Buffer.from('room:1'), new Map([[atom('body'), Buffer.from('hi')]]), dispatcher)
        await beam.elixir('GenServer.cast(MyApp.PubSub.Adapter, {:broadcast, "room:1", %{body: "hi"}})')
        t.strictSame(await self.receive(undefined, { timeout: patience }), said, 'a broadcast from Elixir')
        await beam.elixir(`send({MyApp.PubSub.Adapter, ts}, {:forward_to_local, "room:1", %{body: "hi"}, Phoenix.PubSub})`, {
          bindings: { ts: atom(node.name) },
        })
        t.strictSame(await self.receive(undefined, { timeout: patience }), said, 'a broadcast to this node alone')
        for (const pid of self.pg.scope(scope).members(atom(adapter))) if (pid.node !== self.pid.node) self.send(pid, said)
        t.strictSame(
          await self.receive(undefined, { timeout: patience }),
          tuple(atom('heard'), ...said.elements.slice(1)),
          'a broadcast to Elixir',
        )
      })
    })
  })
})
