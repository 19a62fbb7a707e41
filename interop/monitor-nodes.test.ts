/** `monitor_nodes` and what else net_kernel tells, beside a BEAM node: the same comings and goings, the same messages. */
import t, { type Test } from 'tap'
import { any, atom, format, match, type MonitorNodesOptions, type Node, type NodeProcess, type Pid, type Term } from 'beamlet'
import { type Beam, startBeam } from 'beamlet/interop'
import { eachOtp } from './support/each-otp.js'
import { evaluator, startNode } from './support/places.js'

/** Milliseconds after which a message that never comes fails the test */
const patience = 30_000

/** The same in Erlang and in TypeScript */
const forms: readonly (readonly [erlang: string, ours: MonitorNodesOptions | undefined])[] = [
  ['[]', undefined],
  ['[nodedown_reason]', { nodedownReason: true, info: 'list' }],
  ['[{node_type, all}]', { nodeType: 'all', info: 'list' }],
  ['[{node_type, visible}, nodedown_reason]', { nodeType: 'visible', nodedownReason: true, info: 'list' }],
  ['[{node_type, hidden}, nodedown_reason]', { nodeType: 'hidden', nodedownReason: true, info: 'list' }],
  ['#{}', {}],
  ['#{node_type => all}', { nodeType: 'all' }],
  ['#{node_type => hidden, nodedown_reason => true}', { nodeType: 'hidden', nodedownReason: true }],
  ['#{node_type => all, nodedown_reason => true}', { nodeType: 'all', nodedownReason: true }],
]

t.test('monitor_nodes', async t => {
  const suite = async (
    t: Test,
    { start }: { readonly start: (options?: { args?: string[]; cookie?: string }) => Promise<Beam> },
  ): Promise<void> => {
    // What comes and goes is what the test connects and disconnects: no node connects others by itself.
    const kernel = { connect_all: false, prevent_overlapping_partitions: false, dist_auto_connect: 'never' }
    const args = Object.entries(kernel).flatMap(([key, value]) => ['-kernel', key, String(value)])
    const beam = await start({ args })
    const { cookie } = beam
    const [visible, hidden] = [await start({ cookie, args }), await start({ cookie, args: [...args, '-hidden'] })]
    await using node = await startNode(beam, {
      hidden: false,
      connectAll: false,
      preventOverlappingPartitions: false,
      distAutoConnect: 'never',
      schedulers: { count: 1, execArgv: [] },
    })
    for (const [what, peer] of [
      ['visible', visible],
      ['hidden', hidden],
    ] as const) {
      await t.test(`a ${what} node comes and goes: the messages of each form are those of a BEAM node`, async t => {
        for (const [erlang, options] of forms) {
          const ours = await told(node, peer, options)
          // All that is told there is heard before the answer.
          const count = ours.split('Peer').length - 1
          t.equal(ours, await toldThere(beam, peer, erlang, count), erlang)
        }
      })
    }
    await t.test('each subscription brings a message, and false ends all of the same options', async t => {
      const seen = await node.run(async self => {
        for (const options of [undefined, undefined, {}, undefined]) self.monitorNodes(true, options)
        self.monitorNodes(false, { nodeType: 'all' })
        await node.connect(visible.name)
        const up = await take(self, 4)
        self.monitorNodes(false)
        node.disconnect(visible.name)
        await visible.waitForNode(node.name, 'down')
        return [...up, ...(await take(self, 1)), self.poll()]
      })
      const name = visible.name
      const plain = `{nodeup,'${name}'}`
      t.strictSame(seen.slice(0, 5).map(message => format(message as Term)).toSorted(), [`{nodedown,'${name}',#{}}`, plain, plain, plain, `{nodeup,'${name}',#{}}`].toSorted()) // prettier-ignore
      t.equal(seen[5], undefined)
    })
    await ordered(t, node, visible)
    await net(t, beam, node, visible)
  }
  await eachOtp<Beam>(t, suite, startBeam)
})

async function take(self: NodeProcess, count: number): Promise<Term[]> {
  const messages: Term[] = []
  while (messages.length < count) messages.push(await self.receive(undefined, { timeout: patience }))
  return messages
}

/** What a process hears when a node is connected and disconnected; a last subscription says when that is all. */
async function told(node: Node, peer: Beam, options: MonitorNodesOptions | undefined): Promise<string> {
  let resolve = (_: Term[]): void => {}
  const promise = new Promise<Term[]>(all => (resolve = all))
  const { name } = peer
  const pid = await new Promise<Pid>(started => {
    node.spawn(async self => {
      self.monitorNodes(true, options)
      started(self.pid)
      const messages: Term[] = []
      for await (const message of self) {
        if (message === atom('enough')) break
        messages.push(message)
      }
      resolve(messages)
    })
  })
  await node.connect(name)
  const down = new Promise<void>(gone => node.once('nodedown', () => gone()))
  node.disconnect(name)
  await down
  // Else it might take the next connection for one that it has.
  await peer.waitForNode(node.name, 'down')
  node.send(pid, atom('enough'))
  return format(await promise).replaceAll(name, 'Peer')
}

async function toldThere(beam: Beam, peer: Beam, options: string, count: number): Promise<string> {
  const { name } = peer
  const source = `ok = net_kernel:monitor_nodes(true, #{node_type => all, connection_id => true}),
    Me = self(), Heard = spawn_link(fun() -> ok = net_kernel:monitor_nodes(true, ${options}), Me ! ready, (fun
      L(Acc) when length(Acc) < Count -> receive M when element(1, M) =/= stop -> L([M | Acc]) end;
      L(Acc) -> receive {stop, From} -> From ! {heard, lists:reverse(Acc)}; M -> L([M | Acc]) end end)([]) end),
    receive ready -> ok end,
    true = net_kernel:connect_node(N), receive {nodeup, N, _} -> ok end,
    true = net_kernel:disconnect(N), receive {nodedown, N, _} -> ok end,
    net_kernel:monitor_nodes(false, #{node_type => all, connection_id => true}),
    Heard ! {stop, self()}, receive {heard, All} -> All end.`
  const heard = await beam.eval(source, { bindings: { N: atom(name), Count: count } })
  await peer.waitForNode(beam.name, 'down')
  return format(heard).replaceAll(name, 'Peer')
}

async function ordered(t: Test, node: Node, peer: Beam): Promise<void> {
  for (const on of ['main', 'pool', 'isolated'] as const) {
    await t.test(`in the place '${on}' nodeup comes before, and nodedown after, all that comes over the connection`, async t => {
      const heard = await node.run(async self => {
        node.spawn({ module: 'work', fun: 'comings', args: [self.pid] }, { on, name: `heard_${on}` })
        await self.receive(match(atom('ready')), { timeout: patience })
        // Large messages go in fragments, which small ones overtake.
        const source = `true = net_kernel:connect_node(Ts), erlang:monitor_node(Ts, true), To = {Name, Ts}, Linked = spawn(fun() -> receive after infinity -> ok end end),
          To ! {link, Linked}, [To ! {N, binary:copy(<<N>>, case N rem 10 of 0 -> 300000; _ -> 1 end)} || N <- lists:seq(1, 50)],
          To ! {last, self()}, receive heard -> ok end, erlang:disconnect_node(Ts), receive {nodedown, Ts} -> ok end, exit(Linked, kill), ok.`
        await evaluator(peer, node)(source, { Name: atom(`heard_${on}`) })
        const [all] = (await self.receive(match([any]), { timeout: patience })).elements
        return all as unknown as Term[]
      })
      const words = heard.map(message => format(message))
      const name = `'${peer.name}'`
      t.equal(words[0], `{nodeup,${name},#{node_type => visible}}`)
      t.strictSame(
        words.slice(1, 51),
        Array.from({ length: 50 }, (_, index) => String(index + 1)),
      )
      t.strictSame(words.slice(51), [`{'DOWN',noconnection}`, `{nodedown,${name},#{node_type => visible}}`])
    })
  }
}

async function net(t: Test, beam: Beam, node: Node, peer: Beam): Promise<void> {
  await t.test('net_kernel and net_adm tell by rpc what a BEAM node tells', async t => {
    await node.connect(beam.name)
    await node.connect(peer.name)
    await beam.eval('true = net_kernel:connect_node(N), ok.', { bindings: { N: atom(peer.name) } })
    const ask = async (source: string, of: string): Promise<string> => {
      const value = await beam.eval(`Of = fun(M, F, A) -> rpc:call(N, M, F, A) end, Value = begin ${source} end, _ = Of, Value.`, {
        bindings: { N: atom(of), Other: atom(peer.name) },
      })
      return format(value).replaceAll(of, 'N')
    }
    const questions = [
      'maps:to_list(Of(net_kernel, get_state, [])) -- [{name, N}]',
      '{ok, All} = Of(net_kernel, nodes_info, []), {_, I} = lists:keyfind(Other, 1, All), [K || {K, _} <- I]',
      '{ok, I} = Of(net_kernel, node_info, [Other]), [is_pid(proplists:get_value(owner, I)), proplists:get_value(state, I), proplists:get_value(type, I)]',
      '{ok, {net_address, {Ip, Port}, Host, P, F}} = Of(net_kernel, node_info, [Other, address]), {Ip, is_integer(Port), Host, P, F}',
      'Of(net_kernel, node_info, [Other, state])',
      'Of(net_kernel, node_info, [nobody@nowhere])',
      'Of(net_kernel, allowed, [])',
      'Of(net_kernel, get_net_ticktime, [])',
      'Of(net_adm, host_file, [])',
      'Of(net_adm, localhost, [])',
      'Of(net_adm, ping, [Other])',
      'Of(net_adm, ping, [node()])',
      '{ok, Names} = Of(net_adm, names, ["127.0.0.1"]), lists:keymember(hd(string:split(atom_to_list(N), "@")), 1, Names)',
    ]
    for (const question of questions)
      t.equal(await ask(question, node.name), await ask(question, peer.name === node.name ? '' : beam.name), question)
    t.equal(await ask('Of(net_adm, ping, [nobody@nowhere])', node.name), 'pang')
  })
}
