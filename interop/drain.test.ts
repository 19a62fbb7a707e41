/**
 * Rolling restarts: two TypeScript nodes, one after the other drained, closed and started again, while processes of a BEAM call the servers that they find
 * there by group and by global name, and functions by rpc. Every call is answered, once, by the node that did it, once.
 */
import t from 'tap'
import { atom, type Node, Node as TsNode, type Pid, type Sendable, type Term, type Tuple, tuple } from '../src/index.js'
import { genServer, noreply, reply } from '../src/otp.js'
import { eachOtp } from './support/each-otp.js'
import { until } from './support/until.js'

/**
 * Each caller looks for a server, calls it, and looks again, until it is told to stop; then it tells how many calls it made, and what went wrong. Its calls
 * are numbered, and have no time-out.
 */
const callers = String.raw`
-module(callers).
-export([start/2, stop/1, by_group/0, by_name/0, by_rpc/0]).

start(Kind, Id) -> spawn(fun() -> loop(Kind, Id, 0, []) end).
stop(Pid) -> Ref = monitor(process, Pid), Pid ! {stop, self()},
    receive {stopped, Pid, Made, Wrong} -> demonitor(Ref, [flush]), {Made, Wrong}; {'DOWN', Ref, _, _, Why} -> {0, [Why]} end.

loop(Kind, Id, N, Wrong) ->
    receive {stop, From} -> From ! {stopped, self(), N, Wrong}
    after 0 ->
        Call = {Id, N},
        case catch ?MODULE:Kind() of
            {Where, How} ->
                case catch How(Call) of
                    {Call, Where} -> loop(Kind, Id, N + 1, Wrong);
                    Other -> loop(Kind, Id, N + 1, [{Call, Where, Other} | lists:sublist(Wrong, 20)])
                end;
            Nobody -> loop(Kind, Id, N, [{nobody, Nobody} | lists:sublist(Wrong, 20)])
        end
    end.

any_member() -> Pids = pg:get_members(<<"service">>), lists:nth(rand:uniform(length(Pids)), Pids).

by_group() -> Pid = any_member(), {node(Pid), fun(Call) -> gen_server:call(Pid, {do, Call}, infinity) end}.
by_name() -> Pid = global:whereis_name(<<"service">>), {node(Pid), fun(Call) -> gen_server:call(Pid, {do_later, Call}, infinity) end}.
by_rpc() -> Node = node(any_member()), {Node, fun(Call) -> erpc:call(Node, service, do, [Call], infinity) end}.
`

t.test('no call is lost when nodes are restarted one after the other', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start({ code: callers })
    await beam.eval('{ok, _} = pg:start(pg), ok.')
    // Whoever sees first that a node goes tells the others, and these ask it to disconnect: so it is among BEAMs, too.
    beam.expectLog(/in order to prevent overlapping partitions/)
    /** What was done, by whatever life of whatever node */
    const done: string[] = []
    const names = [0, 1].map(n => `drain-${process.pid}-${beam.otp}-${n}@127.0.0.1`) as [string, string]

    const service = genServer({
      init: (node: string) => node,
      call: {
        do: async (node, call: Term) => {
          await new Promise(resolve => setImmediate(resolve))
          return reply(answer(call, node), node)
        },
        do_later(node, call: Term) {
          const from = this.from<Sendable>()
          setImmediate(() => from.reply(answer(call, node)))
          return noreply(node, from)
        },
      },
    })
    const answer = (call: Term, node: Sendable): Sendable => {
      done.push((call as Tuple<[Term, Term]>).elements.join('/'))
      return tuple(call, atom(String(node)))
    }

    interface Life {
      readonly node: Node
      readonly member: Pid
      readonly named: Pid
    }

    const live = async (name: string): Promise<Life> => {
      const node = await TsNode.start({ name, cookie: beam.cookie })
      node.on('error', error => t.fail(error.message))
      await node.code.load('service', {
        do: (call: Term) => new Promise<Sendable>(resolve => setImmediate(() => resolve(answer(call, name)))),
      })
      const [member, named] = [await node.start(service, { args: [name] }), await node.start(service, { args: [name] })]
      await node.connect(beam.name)
      await node.global.sync()
      node.pg.join('service', member.pid)
      const bindings = { Pid: member.pid }
      await until(
        async () => (await beam.eval('lists:member(Pid, pg:get_members(<<"service">>)).', { bindings })) === true,
        'the BEAM knows it',
      )
      return { node, member: member.pid, named: named.pid }
    }

    let lives: [Life, Life] = [await live(names[0]), await live(names[1])]
    t.equal(await lives[0].node.global.register('service', lives[0].named), true)
    const pids = (await beam.eval(
      '[callers:start(Kind, Id) || {Kind, Id} <- [{by_group, a}, {by_group, b}, {by_name, c}, {by_name, d}, {by_rpc, e}]].',
    )) as Pid[]
    const rounds = 6
    for (let round = 0; round < rounds; round++) {
      const [old, other] = lives
      const before = done.length
      await until(() => done.length > before + 100, 'calls are answered')
      t.same(
        await old.node.drain({ timeout: 120_000, quiet: 2000, successor: () => other.named }),
        { ended: 0 },
        `round ${round}: all had ended`,
      )
      lives = [other, await live(old.node.name)]
    }
    const results = (await beam.eval('[callers:stop(Pid) || Pid <- Pids].', { bindings: { Pids: pids }, timeout: 100_000 })) as Tuple<
      [number, Term[]]
    >[]
    for (const { elements } of results) t.strictSame(elements[1], [], 'nothing went wrong')
    const made = results.reduce((sum, { elements }) => sum + elements[0], 0)
    t.equal(done.length, made, 'each call was done')
    t.equal(new Set(done).size, made, 'and none twice')
    for (const { elements } of results) t.ok(elements[0] > rounds * 10, `a caller made ${elements[0]} calls`)
    for (const { node } of lives) await node.close()
  })
})
