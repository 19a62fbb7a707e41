/** What a TypeScript node tells of itself by rpc, beside what a BEAM node tells: the same questions, the same answers. */
import t from 'tap'
import { atom, format, match, type Node, type Pid } from '../src/index.js'
import { eachOtp } from './support/each-otp.js'
import { startNode } from './support/pair.js'
import { plainModule } from './support/plain.js'

/** The processes that are asked about: `held` traps exits, watches and is linked to `friend`, and has a message; `gone` has ended. */
const actors = String.raw`
-module(actors).
-export([start/0, held/1, wait/0]).
start() ->
    Friend = spawn(?MODULE, wait, []),
    Held = spawn(?MODULE, held, [Friend]),
    Me = self(), Held ! {ready, Me}, receive ready -> ok end, Held ! waiting,
    {Gone, Ref} = spawn_monitor(fun() -> ok end), receive {'DOWN', Ref, _, _, _} -> ok end,
    {Held, Friend, Gone}.
held(Friend) ->
    process_flag(trap_exit, true), register(held, self()), link(Friend), monitor(process, Friend),
    receive {ready, To} -> To ! ready end, wait().
wait() -> receive stop -> ok end.
`

const questions: readonly string[] = [
  'erpc:call(N, erlang, node, []) =:= N',
  'erpc:call(N, erlang, node, [Held]) =:= N',
  'erpc:call(N, erlang, is_alive, [])',
  'node(erpc:call(N, erlang, self, [])) =:= N',
  'erpc:call(N, erlang, group_leader, []) =:= group_leader()',
  'lists:member(node(), erpc:call(N, erlang, nodes, []) ++ erpc:call(N, erlang, nodes, [hidden]))',
  'lists:member(node(), erpc:call(N, erlang, nodes, [connected]))',
  'erpc:call(N, erlang, nodes, [this]) =:= [N]',
  'length(erpc:call(N, erlang, nodes, [[this, connected]])) >= 2',
  'erpc:call(N, erlang, nodes, [strange])',
  '[rpc:call(N, erlang, is_process_alive, [P]) || P <- [Held, Friend, Gone]]',
  'rpc:call(N, erlang, is_process_alive, [self()])',
  'rpc:call(N, erlang, is_process_alive, [x])',
  'rpc:call(N, erlang, is_process_alive, [])',
  '[lists:member(P, rpc:call(N, erlang, processes, [])) || P <- [Held, Friend, Gone]]',
  '[lists:member(Name, rpc:call(N, erlang, registered, [])) || Name <- [held, rex, net_kernel, user, nobody]]',
  'rpc:call(N, erlang, whereis, [held]) =:= Held',
  'rpc:call(N, erlang, whereis, [nobody])',
  'rpc:call(N, erlang, whereis, ["held"])',
  '[Item || {Item, _} <- rpc:call(N, erlang, process_info, [Held])]',
  '[Item || {Item, _} <- rpc:call(N, erlang, process_info, [Friend])]',
  'rpc:call(N, erlang, process_info, [Gone])',
  'rpc:call(N, erlang, process_info, [self()])',
  'rpc:call(N, erlang, process_info, [x])',
  'rpc:call(N, erlang, process_info, [Held, [registered_name, status, message_queue_len, dictionary, trap_exit, error_handler, priority]])',
  'rpc:call(N, erlang, process_info, [Held, registered_name])',
  'rpc:call(N, erlang, process_info, [Friend, registered_name])',
  'rpc:call(N, erlang, process_info, [Friend, [registered_name]])',
  'rpc:call(N, erlang, process_info, [Held, []])',
  'rpc:call(N, erlang, process_info, [Held, strange])',
  'rpc:call(N, erlang, process_info, [Held, [links, strange]])',
  'rpc:call(N, erlang, process_info, [Gone, links])',
  'rpc:call(N, erlang, process_info, [Held, links]) =:= {links, [Friend]}',
  'rpc:call(N, erlang, process_info, [Friend, links]) =:= {links, [Held]}',
  'rpc:call(N, erlang, process_info, [Held, monitors]) =:= {monitors, [{process, Friend}]}',
  'rpc:call(N, erlang, process_info, [Friend, monitored_by]) =:= {monitored_by, [Held]}',
  'element(1, rpc:call(N, erlang, process_info, [Held, group_leader]))',
  'is_integer(element(2, rpc:call(N, erlang, process_info, [Held, memory])))',
  'rpc:pinfo(Held, registered_name)',
  'rpc:call(N, net_kernel, get_net_ticktime, [])',
  '{ok, Names} = rpc:call(N, net_adm, names, []), lists:keymember(hd(string:split(atom_to_list(N), "@")), 1, Names)',
  'rpc:call(N, net_kernel, strange, [])',
  'pg:join(shop, self()), receive after 0 -> ok end, rpc:call(N, pg, get_local_members, [shop])',
  'rpc:call(N, pg, get_members, [nowhere, shop])',
  'rpc:call(N, erlang, strange, [1])',
]

/** The same processes in TypeScript */
async function start(node: Node): Promise<readonly [held: Pid, friend: Pid, gone: Pid]> {
  const stop = match(atom('stop'))
  const friend = node.spawn(async self => {
    await self.receive(stop)
  })
  const held = await new Promise<Pid>(resolve => {
    node.spawn(
      async self => {
        self.trapExit = true
        self.link(friend)
        self.monitor(friend)
        self.send(self.pid, atom('waiting'))
        resolve(self.pid)
        await self.receive(stop)
      },
      { name: 'held' },
    )
  })
  const gone = await node.run(async self => self.pid)
  return [held, friend, gone]
}

t.test('what a node tells of itself', async t => {
  await eachOtp(t, async (t, { start: startBeam }) => {
    const beam = await startBeam({ code: [actors, plainModule] })
    const other = await startBeam({ code: [actors, plainModule], cookie: beam.cookie })
    await beam.eval('pg:start(pg), ok.')
    await other.eval('pg:start(pg), ok.')
    await using node = await startNode(beam)
    await node.connect(beam.name)
    const [held, friend, gone] = await start(node)
    const [theirHeld, theirFriend, theirGone] = ((await other.eval('actors:start().')) as { elements: readonly Pid[] }).elements
    const answer = async (question: string, name: string, pids: readonly (Pid | undefined)[]): Promise<string> => {
      const [Held, Friend, Gone] = pids as readonly [Pid, Pid, Pid]
      const bindings = { N: atom(name), Held, Friend, Gone }
      const told = format(await beam.eval(`plain:ask(fun() -> ${question} end).`, { bindings }))
      return told.replaceAll(name, 'N')
    }
    await t.test('is what a BEAM node tells', async t => {
      for (const question of questions) {
        const theirs = await answer(question, other.name, [theirHeld, theirFriend, theirGone])
        t.equal(await answer(question, node.name, [held, friend, gone]), theirs, question)
      }
    })
  })
})
