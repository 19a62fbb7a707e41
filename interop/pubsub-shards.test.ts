/**
 * Phoenix.PubSub with `pool_size: 3`: its PG adapter has three groups, `Adapter`, `Adapter_2` and `Adapter_3`, and a process that is registered by that name in
 * each. Who broadcasts takes the group of number `phash2(self(), 3)`, so what one process says stays in order.
 */
import t, { type Test } from 'tap'
import { any, atom, type Atom, match, type Node, type NodeProcess, type Pid, type Term, type Tuple, tuple } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { eachOtp } from './support/each-otp.js'
import { patience, startNode } from './support/pair.js'

const pool = 3
const scope = 'Elixir.Phoenix.PubSub'
const shards = ['Elixir.MyApp.PubSub.Adapter', 'Elixir.MyApp.PubSub.Adapter_2', 'Elixir.MyApp.PubSub.Adapter_3'].map(
  name => atom(name) as Atom,
)
const [forward, dispatcher] = [atom('forward_to_local'), atom(scope)]

/** What the adapter does, and no more; `to` hears what the subscribers of a topic would. */
const elixir = String.raw`
  defmodule Shards do
    use GenServer
    def groups, do: {:"Elixir.MyApp.PubSub.Adapter", :"Elixir.MyApp.PubSub.Adapter_2", :"Elixir.MyApp.PubSub.Adapter_3"}
    def mine, do: elem(groups(), :erlang.phash2(self(), 3))
    def start(to), do: for(group <- Tuple.to_list(groups()), do: {:ok, _} = GenServer.start(__MODULE__, {group, to}, name: group))
    def init({group, to}) do
      :ok = :pg.join(Phoenix.PubSub, group, self())
      {:ok, {group, to}}
    end
    def handle_info({:forward_to_local, topic, message, Phoenix.PubSub}, {group, to}) do
      send(to, {:heard, group, topic, message})
      {:noreply, {group, to}}
    end
    def broadcast(topic, message) do
      for pid <- :pg.get_members(Phoenix.PubSub, mine()), node(pid) != node(), do: send(pid, {:forward_to_local, topic, message, Phoenix.PubSub})
      :ok
    end
    def direct_broadcast(node, topic, message) do
      send({mine(), node}, {:forward_to_local, topic, message, Phoenix.PubSub})
      :ok
    end
    # Until every shard has so many members, on all nodes
    def wait(count), do: Enum.each(Tuple.to_list(groups()), &wait(&1, count))
    defp wait(group, count) do
      {ref, members} = :pg.monitor(Phoenix.PubSub, group)
      more(ref, length(members), count)
      :pg.demonitor(Phoenix.PubSub, ref)
    end
    defp more(_, have, count) when have >= count, do: :ok
    defp more(ref, have, count), do: receive(do: ({^ref, :join, _, pids} -> more(ref, have + length(pids), count)))
    # Each process says three things, in order; told is the shard of each.
    def many(count, ts) do
      for n <- 1..count do
        {pid, ref} = spawn_monitor(fn ->
          for part <- 1..2, do: broadcast("room:1", {n, part, mine()})
          direct_broadcast(ts, "room:1", {n, 3, mine()})
        end)
        receive do {:DOWN, ^ref, _, ^pid, :normal} -> :ok end
      end
      :ok
    end
  end
  {:ok, _} = :pg.start(Phoenix.PubSub)
  :ok`

t.test('Phoenix.PubSub with several shards', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start({ elixir: true })
    await beam.elixir(elixir)
    await using node = await startNode(beam, { hidden: false })
    await node.connect(beam.name)
    await beam.waitForNode(node.name, 'up')
    await node.run(async self => {
      for (const shard of shards) listen(node, shard, self.pid)
      await beam.elixir('Shards.start(ts)', { bindings: { ts: self.pid } })
      await beam.elixir('Shards.wait(2)')
      await members(self, 2)
      await hears(t, self, beam, node)
      await says(t, self, node)
    })
  })
})

/** One for each shard: a process has one name. It tells what it hears, and where. */
function listen(node: Node, shard: Atom, to: Pid): void {
  const pid = node.spawn(
    async self => {
      for (;;) {
        const [, topic, message] = (await self.receive(match([forward, any, any, any]))).elements
        self.send(to, tuple(atom('heard'), shard, topic, message))
      }
    },
    { name: shard },
  )
  node.pg.scope(scope).join(shard, pid)
}

type Heard = Tuple<[Atom, Atom, Buffer, Tuple<[number, number, Atom]>]>

/** Three of each process */
function inOrder(t: Test, heard: readonly Heard[], count: number): void {
  for (let number = 1; number <= count; number++) {
    const parts = heard.flatMap(({ elements: [, , , { elements: [from, part] }] }) => (from === number ? [part] : [])) // prettier-ignore
    t.strictSame(parts, [1, 2, 3], `process ${number}`)
  }
}

/** Resolves once every shard has so many members, as it is known here. */
async function members(self: NodeProcess, count: number): Promise<void> {
  const groups = self.pg.scope(scope)
  for (const shard of shards) {
    const [ref] = await groups.monitor(shard)
    while (groups.members(shard).length < count) await self.receive(match([ref, any, any, any]), { timeout: patience })
    await groups.demonitor(ref)
  }
}

async function take(self: NodeProcess, count: number): Promise<Heard[]> {
  const heard = []
  while (heard.length < count) heard.push(await self.receive(match([atom('heard'), any, any, any]), { timeout: patience }))
  return heard as never
}

async function hears(t: Test, self: NodeProcess, beam: Beam, node: Node): Promise<void> {
  await t.test('what any process of Elixir broadcasts is heard once, on the shard that it takes, in order', async t => {
    const count = 40
    await beam.elixir('Shards.many(count, ts)', { bindings: { count, ts: atom(node.name) } })
    const heard = await take(self, 3 * count)
    t.ok(heard.every(({ elements: [, shard, topic, { elements: said }] }) => shard === said[2] && String(topic) === 'room:1'))
    inOrder(t, heard, count)
    t.equal(new Set(heard.map(({ elements: [, shard] }) => shard)).size, pool, 'all shards were used')
    t.equal(self.poll(match([atom('heard'), any, any, any])), undefined)
  })
}

async function says(t: Test, self: NodeProcess, node: Node): Promise<void> {
  await t.test('what TypeScript broadcasts on any shard is heard once by Elixir, in order', async t => {
    const count = 12
    const broadcast = (from: NodeProcess, message: Term): void => {
      // Any shard will do, as long as a process keeps to one.
      const shard = shards[from.pid.id % pool] as Atom
      for (const pid of node.pg.scope(scope).members(shard))
        if (pid.node.name !== node.name) from.send(pid, tuple(forward, 'room:2', message, dispatcher))
    }
    for (let number = 1; number <= count; number++) {
      node.spawn(from => {
        for (const part of [1, 2, 3]) broadcast(from, tuple(number, part, shards[from.pid.id % pool] as Atom))
      })
    }
    const heard = await take(self, 3 * count)
    t.ok(heard.every(({ elements: [, shard, topic, { elements: said }] }) => shard === said[2] && String(topic) === 'room:2'))
    inOrder(t, heard, count)
    t.equal(new Set(heard.map(({ elements: [, shard] }) => shard)).size, pool, 'all shards were used')
    t.equal(self.poll(match([atom('heard'), any, any, any])), undefined)
  })
}
