/** Remote calls and remote spawns in both directions, with the classes of their errors, and what they do not reach. */
import t, { type Test } from 'tap'
import { atom, ExitError, type NodeProcess, type Pid, type RpcError, type Term, tuple } from '../src/index.js'
import { eachOtp } from './support/each-otp.js'
import { actor, eachWay, next, type Pair } from './support/pair.js'

const erlangCalc = String.raw`
-module(calc).
-export([add/2, fail/0, leave/1, toss/1, forever/1, disconnect/1, die/0]).
add(A, B) -> A + B.
fail() -> error(failed).
leave(Reason) -> exit(Reason).
toss(Term) -> throw(Term).
forever(Caller) -> Caller ! {self(), runs}, receive after infinity -> ok end.
disconnect(Node) -> erlang:disconnect_node(Node), receive after infinity -> ok end.
die() -> exit(self(), kill), receive after infinity -> ok end.
`

/** The same for Erlang to call */
const loadCalc = (pair: Pair): Promise<void> =>
  pair.node.code.load('calc', {
    add: (a: number, b: number) => a + b,
    nothing: () => undefined,
    fail() {
      throw new RangeError('failed')
    },
    leave(this: NodeProcess, reason: Term) {
      throw new ExitError(reason)
    },
    toss(term: Term) {
      throw term // oxlint-disable-line typescript/only-throw-error
    },
    forever(this: NodeProcess, caller: Pid) {
      this.send(caller, tuple(this.pid, atom('runs')))
      return this.receive()
    },
    async disconnect(this: NodeProcess) {
      pair.node.disconnect(pair.beam.name)
      await this.receive()
    },
    tell(this: NodeProcess, caller: Pid, what: Term) {
      this.send(caller, what)
    },
    leader(this: NodeProcess) {
      return this.groupLeader
    },
    leader_of: (pid: Pid) => pair.node.processes.table.find(pid)?.groupLeader,
    async echo(this: NodeProcess, caller: Pid) {
      this.send(caller, tuple(atom('runs'), this.pid))
      const message = await this.receive()
      throw new ExitError(message)
    },
  })

const printed: string[] = []

t.test('rpc', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start({ code: [actor, erlangCalc] })
    beam.expectLog(/^Error in process .* exit value:, {undef,/) // what is spawned from there, and is not here
    await eachWay(t, beam, fromTypeScript, { output: text => printed.push(text) })
    await eachWay(t, beam, fromErlang)
    await eachWay(t, beam, spawned)
  })
})

async function fromTypeScript(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  const call = (fun: string, ...args: Term[]): Promise<Term> => node.rpc.call(beam.name, 'calc', fun, args)

  await t.test('node.rpc.call returns the value, or throws the class and the reason', async t => {
    t.equal(await call('add', 40, 2), 42)
    t.strictSame(await node.rpc.call(beam.name, 'lists', 'reverse', [[1, 2, 3]]), [3, 2, 1])
    const large = (await node.rpc.call(beam.name, 'binary', 'copy', ['ab', 500_000])) as Buffer
    t.ok(large.equals(Buffer.from('ab'.repeat(500_000))))
    await t.rejects(call('fail'), { name: 'RpcError', code: 'ERR_RPC_ERROR', class: 'error', reason: atom('failed') })
    const failed = (await call('fail').catch((error: unknown) => error)) as RpcError
    t.match(failed.stacktrace, [tuple(atom('calc'), atom('fail'), 0)])
    await t.rejects(call('add', atom('a'), 1), { code: 'ERR_RPC_ERROR', reason: atom('badarith') })
    await t.rejects(call('nothing'), { code: 'ERR_RPC_ERROR', reason: atom('undef') })
    await t.rejects(call('leave', tuple(atom('bye'), 1)), { code: 'ERR_RPC_EXIT', class: 'exit', reason: tuple(atom('bye'), 1) })
    await t.rejects(call('leave', atom('normal')), { code: 'ERR_RPC_EXIT', reason: atom('normal') })
    await t.rejects(call('toss', [1]), { code: 'ERR_RPC_THROW', class: 'throw', reason: [1] })
    await t.rejects(call('die'), { code: 'ERR_RPC_EXIT', reason: atom('killed') })
    await t.rejects(node.rpc.call('nobody@127.0.0.1', 'calc', 'fail'), {
      code: 'ERR_RPC_ERPC',
      class: 'erpc',
      reason: atom('noconnection'),
    })
    await t.rejects(call('disconnect', atom(node.name)), { code: 'ERR_RPC_ERPC', reason: atom('noconnection') })
  })

  await t.test('a call that takes too long', async t => {
    await node.run(async self => {
      await t.rejects(self.rpc.call(beam.name, 'calc', 'forever', [self.pid], { timeout: 50 }), { code: 'ERR_TIMEOUT' })
      const signal = AbortSignal.abort(new Error('enough'))
      await t.rejects(self.rpc.call(beam.name, 'calc', 'forever', [self.pid], { signal }), /enough/)
      const [pid] = ((await next(self)) as ReturnType<typeof tuple>).elements
      self.exit(pid as Pid, atom('end'))
      t.equal(await self.rpc.call(beam.name, 'calc', 'add', [1, 2]), 3)
      t.equal(self.poll(), undefined, 'its end is not heard')
      t.equal(node.stats().spawnRequests, 0)
      t.equal(node.stats().remoteMonitors, 0)
    })
  })

  await t.test('node.rpc.cast, and isAlive of a process there', async t => {
    await node.run(async self => {
      await self.rpc.cast(beam.name, 'erlang', 'send', [self.pid, atom('cast')])
      t.equal(await next(self), atom('cast'))
      const pid = (await evaluate('actor:start().')) as Pid
      t.equal(await node.isAlive(pid), true)
      self.monitor(pid)
      self.exit(pid, atom('kill'))
      await next(self)
      t.equal(await node.isAlive(pid), false)
    })
  })

  await t.test('what a process there prints is printed here', async t => {
    printed.length = 0
    t.equal(await node.rpc.call(beam.name, 'io', 'format', [[...Buffer.from('hello ~p ~ts~n')], [tuple(atom('a'), 1), 'grün']]), atom('ok'))
    t.equal(await node.rpc.call(beam.name, 'io', 'put_chars', ['plain\n']), atom('ok'))
    t.equal(printed.join(''), 'hello {a,1} grün\nplain\n')
    t.equal(await node.rpc.call(beam.name, 'io', 'get_line', ['prompt>']), atom('eof'))
    t.strictSame(await node.rpc.call(beam.name, 'io', 'columns'), tuple(atom('error'), atom('enotsup')))
  })
}

async function fromErlang(t: Test, pair: Pair): Promise<void> {
  const { node, evaluate } = pair
  const crashes: unknown[] = []
  node.on('crash', (_, { error }) => crashes.push(error))
  await loadCalc(pair)
  /** How an expression ends: {value, Value} or {Class, Reason} */
  const ending = (expression: string): Promise<Term> => evaluate(`try {value, ${expression}} catch Class:Reason -> {Class, Reason} end.`)
  /** Does the expression's value match the pattern? */
  const matches = async (expression: string, pattern: string): Promise<void> => {
    t.equal(await evaluate(`case ${expression} of ${pattern} -> true; Other -> {unlike, Other} end.`), true, `${expression} is ${pattern}`)
  }

  await t.test('rpc:call', async () => {
    await matches('rpc:call(Ts, calc, add, [40, 2])', '42')
    await matches('rpc:call(Ts, calc, add, [40, 2], 5000)', '42')
    await matches('rpc:block_call(Ts, calc, add, [40, 2])', '42')
    await matches('rpc:yield(rpc:async_call(Ts, calc, add, [40, 2]))', '42')
    await matches('rpc:call(Ts, calc, nothing, [])', 'ok')
    await matches(
      'rpc:call(Ts, calc, fail, [])',
      `{badrpc, {'EXIT', {{'RangeError', <<"failed">>}, [{_, _, _, [{file, _}, {line, _}]} | _]}}}`,
    )
    await matches('rpc:call(Ts, calc, leave, [{bye, 1}])', "{badrpc, {'EXIT', {bye, 1}}}")
    await matches('rpc:call(Ts, calc, toss, [{a, 1}])', '{a, 1}')
    await matches('rpc:call(Ts, calc, none, [1])', "{badrpc, {'EXIT', {undef, [{calc, none, [1], []} | _]}}}")
    await matches('rpc:call(Ts, none, none, [])', "{badrpc, {'EXIT', {undef, [{none, none, [], []} | _]}}}")
    await matches('rpc:call(Ts, calc, forever, [self()], 50)', '{badrpc, timeout}')
    await matches('rpc:call(Ts, calc, disconnect, [])', '{badrpc, nodedown}')
    await matches('rpc:multicall([Ts, nobody@nowhere], calc, add, [1, 2])', '{[3], [nobody@nowhere]}')
    await matches('rpc:block_call(Ts, calc, fail, [])', `{badrpc, {'EXIT', {{'RangeError', <<"failed">>}, _}}}`)
  })

  await t.test('erpc:call', async t => {
    const exception = (kind: string, reason: Term): Term => tuple(atom(kind), reason)
    t.strictSame(await ending('erpc:call(Ts, calc, add, [40, 2])'), exception('value', 42))
    await matches('catch erpc:call(Ts, calc, fail, [])', `{'EXIT', {{exception, {'RangeError', <<"failed">>}, [{_, _, _, _} | _]}, _}}`)
    t.strictSame(await ending('erpc:call(Ts, calc, leave, [{bye, 1}])'), exception('exit', tuple(atom('exception'), tuple(atom('bye'), 1))))
    t.strictSame(await ending('erpc:call(Ts, calc, toss, [{a, 1}])'), exception('throw', tuple(atom('a'), 1)))
    await matches('catch erpc:call(Ts, calc, none, [1])', "{'EXIT', {{exception, undef, [{calc, none, [1], []} | _]}, _}}")
    t.strictSame(await ending('erpc:call(Ts, calc, forever, [self()], 50)'), exception('error', tuple(atom('erpc'), atom('timeout'))))
    t.strictSame(await ending('erpc:call(Ts, calc, disconnect, [])'), exception('error', tuple(atom('erpc'), atom('noconnection'))))
    await matches('erpc:receive_response(erpc:send_request(Ts, calc, add, [1, 2]), 5000)', '3')
    await matches('erpc:multicall([Ts, Ts], calc, add, [1, 2])', '[{ok, 3}, {ok, 3}]')
  })

  await t.test('casts', async t => {
    const heard = (cast: string): Promise<Term> => evaluate(`${cast}, receive {heard, What} -> What end.`)
    t.equal(await heard('true = rpc:cast(Ts, calc, tell, [self(), {heard, 1}])'), 1)
    t.equal(await heard('ok = erpc:cast(Ts, calc, tell, [self(), {heard, 2}])'), 2)
    t.equal(await heard('ok = erpc:multicast([Ts], calc, tell, [self(), {heard, 3}])'), 3)
    t.equal(await heard('abcast = rpc:eval_everywhere([Ts], calc, tell, [self(), {heard, 4}])'), 4)
    await node.run(async self => {
      await self.register('named')
      await matches('rpc:sbcast([Ts], named, hello)', '{[Ts], []}')
      t.equal(await next(self), atom('hello'))
      await matches('rpc:sbcast([Ts], nobody, hello)', '{[], [Ts]}')
    })
  })

  await t.test('nothing else is reached', async t => {
    await matches('rpc:call(Ts, os, cmd, ["id"])', '{badrpc, {\'EXIT\', {undef, [{os, cmd, ["id"], []} | _]}}}')
    for (const what of [
      'erlang, halt, []',
      'init, stop, []',
      'erlang, send, [self(), hello]',
      'code, get_path, []',
      'erlang, apply, [fun() -> ok end, []]',
    ]) {
      await matches(`rpc:call(Ts, ${what})`, "{badrpc, {'EXIT', {undef, _}}}")
      await matches(`gen_server:call({rex, Ts}, {call, ${what}, group_leader()})`, "{badrpc, {'EXIT', {undef, _}}}")
    }
    await matches('catch erpc:call(Ts, fun() -> ok end)', "{'EXIT', {{exception, undef, _}, _}}")
    t.equal(await evaluate('net_adm:ping(Ts).'), atom('pong'))
  })

  t.strictSame(crashes, [], 'an exception of a call is an answer, not a crash')
}

async function spawned(t: Test, pair: Pair): Promise<void> {
  const { node, evaluate } = pair
  const crashes: unknown[] = []
  node.on('crash', (_, { error }) => crashes.push(error))
  await loadCalc(pair)

  await t.test('erlang:spawn and its kin run a loaded function', async t => {
    const runs = 'receive {runs, Pid} -> ok end'
    t.equal(await evaluate(`Pid = spawn(Ts, calc, echo, [self()]), ${runs}, node(Pid) =:= Ts.`), true)
    const linked = `process_flag(trap_exit, true), Pid = spawn_link(Ts, calc, echo, [self()]), ${runs},
      {links, [Pid]} = process_info(self(), links), Pid ! bye, receive {'EXIT', Pid, Reason} -> Reason end.`
    t.equal(await evaluate(linked), atom('bye'))
    const monitored = `{Pid, Ref} = spawn_monitor(Ts, calc, echo, [self()]), ${runs},
      {monitors, [{process, Pid}]} = process_info(self(), monitors), Pid ! bye, receive {'DOWN', Ref, process, Pid, Reason} -> Reason end.`
    t.equal(await evaluate(monitored), atom('bye'))
    const requested = `process_flag(trap_exit, true), Req = spawn_request(Ts, calc, echo, [self()], [monitor, link, {reply_tag, reply}]),
      Next = fun() -> receive Message -> Message end end,
      {reply, Req, ok, Pid} = Next(), {runs, Pid} = Next(), Pid ! bye,
      [{'EXIT', Pid, bye}, {'DOWN', Req, process, Pid, bye}] = [Next(), Next()], ok.`
    t.equal(await evaluate(requested), atom('ok'))
    const optional = `{Pid, Ref} = spawn_opt(Ts, calc, nothing, [], [monitor]), receive {'DOWN', Ref, process, Pid, Reason} -> Reason end.`
    t.equal(await evaluate(optional), atom('normal'))
    const killed = `process_flag(trap_exit, true), Pid = spawn_link(Ts, calc, echo, [self()]), ${runs}, exit(Pid, kill),
      receive {'EXIT', Pid, Reason} -> Reason end.`
    t.equal(await evaluate(killed), atom('killed'))
    t.equal(await evaluate('erpc:call(Ts, calc, leader, []) =:= group_leader().'), true, 'with the group leader of its parent')
    const led = `Pid = spawn(Ts, calc, echo, [self()]), ${runs}, group_leader(self(), Pid), erpc:call(Ts, calc, leader_of, [Pid]) =:= self().`
    t.equal(await evaluate(led), true, 'or the one that it is given')
    t.equal(node.stats().remoteLinks + node.stats().remoteMonitors, 0)
  })

  await t.test('an undefined function is the exit of the process', async t => {
    const reasonOf = (args: string): string =>
      `{Pid, Ref} = spawn_monitor(Ts, ${args}), receive {'DOWN', Ref, process, Pid, Reason} -> Reason end.`
    t.strictSame(await evaluate(reasonOf('none, f, [1]')), tuple(atom('undef'), [tuple(atom('none'), atom('f'), [1], [])]))
    t.match(await evaluate(reasonOf('os, cmd, ["id"]')), tuple(atom('undef')))
    t.match(await evaluate(reasonOf('fun() -> ok end')), tuple(atom('undef')))
    t.strictSame(
      await evaluate("process_flag(trap_exit, true), Pid = spawn_link(Ts, none, f, []), receive {'EXIT', Pid, Reason} -> Reason end."),
      tuple(atom('undef'), [tuple(atom('none'), atom('f'), [], [])]),
    )
    t.equal(crashes.length, 4)
  })
}
