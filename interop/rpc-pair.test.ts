/** rpc and erpc of a TypeScript node beside those of a BEAM node: asked the same, they answer the same. */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import {
  atom,
  ErlangError,
  ExitError,
  format,
  type Node,
  type NodeProcess,
  type Pid,
  type RpcError,
  type Term,
  tuple,
} from '../src/index.js'
import type { Beam, Release } from '../src/interop/index.js'
import { eachOtp } from './support/each-otp.js'
import { startNode } from './support/pair.js'

const calc = String.raw`
-module(calc).
-export([add/2, fail/0, leave/1, toss/1, give/1, forever/0, die/0, tell/2, print/0, server/0]).
add(A, B) -> A + B.
fail() -> error(failed).
leave(Reason) -> exit(Reason).
toss(Term) -> throw(Term).
give(Term) -> Term.
forever() -> receive after infinity -> ok end.
die() -> exit(self(), kill), forever().
tell(Pid, What) -> Pid ! What.
print() -> io:format("printed ~p~n", [{a, 1}]), done.
server() -> receive {From, Message} -> From ! {server, node(), {heard, Message}}, server() end.
`

/** How an expression ends, with every stack trace and the node's own name replaced. */
const asker = String.raw`
-module(asker).
-export([ask/1]).

ask(Fun) ->
    Answer = try {value, Fun()} catch Class:Reason -> {Class, Reason} end,
    {plain(Answer), left()}.

%% What is left in the mailbox afterwards
left() -> receive M -> [plain(M) | left()] after 0 -> [] end.

plain([{M, F, A, L} | _]) when is_atom(M), is_atom(F), is_list(L), is_integer(A) -> stack;
plain([{M, F, A, L} | _]) when is_atom(M), is_atom(F), is_list(L), is_list(A) -> {stack, M, F, A};
plain(T) when is_tuple(T) -> list_to_tuple([plain(E) || E <- tuple_to_list(T)]);
plain([H | T]) -> [plain(H) | plain(T)];
plain(R) when is_reference(R) -> ref;
plain(T) -> T.
`

/** `N` is the node that is asked, X one that is not there. */
const questions: readonly string[] = [
  'rpc:call(N, calc, add, [1, 2])',
  'rpc:call(N, calc, add, [1, 2], 60000)',
  'rpc:call(N, calc, fail, [])',
  'rpc:call(N, calc, leave, [{bye, 1}])',
  'rpc:call(N, calc, leave, [normal])',
  'rpc:call(N, calc, toss, [ball])',
  "rpc:call(N, calc, toss, [{'EXIT', ball}])",
  "rpc:call(N, calc, give, [{'EXIT', ball}])",
  'rpc:call(N, calc, none, [1])',
  'rpc:call(N, none, none, [])',
  'rpc:call(N, calc, die, [])',
  'rpc:call(N, calc, forever, [], 20)',
  'rpc:call(X, calc, add, [1, 2])',
  'rpc:block_call(N, calc, add, [1, 2])',
  'rpc:block_call(N, calc, add, [1, 2], 60000)',
  'rpc:block_call(N, calc, fail, [])',
  'rpc:block_call(N, calc, leave, [{bye, 1}])',
  'rpc:block_call(N, calc, toss, [ball])',
  'rpc:block_call(N, calc, none, [])',
  'rpc:block_call(X, calc, add, [1, 2])',
  'rpc:yield(rpc:async_call(N, calc, add, [1, 2]))',
  'rpc:yield(rpc:async_call(N, calc, fail, []))',
  'rpc:nb_yield(rpc:async_call(N, calc, give, [a]), 60000)',
  'rpc:multicall([N, X, N], calc, give, [a])',
  'rpc:multicall([N, X, N], calc, fail, [])',
  'rpc:multicall([N, X], calc, toss, [a], 60000)',
  'rpc:multicall([N], calc, forever, [], 20)',
  'rpc:multi_server_call([N, X], server, hello)',
  'rpc:server_call(N, server, server, hello)',
  'rpc:server_call(N, nobody, server, hello)',
  'rpc:sbcast([N, X], named, {self(), heard})',
  'rpc:sbcast([N, X], nobody, heard)',
  'rpc:eval_everywhere([N], calc, tell, [self(), heard]), receive heard -> heard end',
  'rpc:abcast([N], server, {self(), hello}), receive M -> M end',
  'rpc:cast(N, calc, tell, [self(), heard]), receive heard -> heard end',
  'rpc:pmap({calc, give}, [], [])',
  'erpc:call(N, calc, add, [1, 2])',
  'erpc:call(N, calc, fail, [])',
  'erpc:call(N, calc, leave, [bye])',
  'erpc:call(N, calc, toss, [ball])',
  'erpc:call(N, calc, die, [])',
  'erpc:call(N, calc, none, [1])',
  'erpc:call(N, calc, forever, [], 20)',
  'erpc:call(X, calc, add, [1, 2])',
  'erpc:call(N, calc, add, no_list)',
  'erpc:call(N, calc, add, [1 | 2])',
  'erpc:call(N, "calc", add, [1, 2])',
  'erpc:call("node", calc, add, [1, 2])',
  'erpc:call(N, calc, give, [1], -1)',
  'erpc:call(N, calc, give, [1], infinity)',
  'erpc:call(N, calc, give, [1], x)',
  'erpc:call(N, calc, forever, [], 0)',
  'erpc:call(N, calc, leave, [kill])',
  'erpc:call(N, calc, leave, [{shutdown, x}])',
  'erpc:call(N, calc, leave, [normal])',
  'erpc:cast(N, calc, tell, no_list)',
  'erpc:cast(X, calc, tell, [self(), heard])',
  'erpc:multicall([N, no_node, X], calc, give, [a])',
  'erpc:multicall([N], calc, leave, [kill])',
  'erpc:multicall(no_list, calc, give, [a])',
  'erpc:receive_response(erpc:send_request(N, calc, give, [a]), -1)',
  'erpc:receive_response(not_a_request)',
  'R = erpc:send_request(N, calc, give, [a]), A = erpc:receive_response(R, 60000), {A, catch erpc:receive_response(R, 20)}',
  'R = erpc:send_request(N, calc, give, [a]), receive M -> {erpc:check_response(other, R), erpc:check_response(M, R)} end',
  'R = erpc:send_request(X, calc, give, [a]), erpc:receive_response(R, 60000)',
  'erpc:wait_response(erpc:send_request(N, calc, forever, []), 0)',
  'erpc:receive_response(erpc:reqids_new(), 10, true)',
  'erpc:wait_response(erpc:reqids_add(erpc:send_request(N, calc, give, [a]), l, erpc:reqids_new()), 60000, false), ok',
  "process_flag(trap_exit, true), P = spawn_link(N, calc, leave, [why]), receive {'EXIT', P, Why} -> Why end",
  'is_tuple(catch spawn_opt(N, calc, give, [a], [monitor, {priority, strange}]))',
  'rpc:call(N, calc, add, [1 | 2])',
  'rpc:call(N, calc, add, no_list)',
  'rpc:call(N, calc, forever, [], 0)',
  'rpc:call(N, calc, give, [a], x)',
  'rpc:call(N, calc, leave, [kill])',
  'rpc:call(N, calc, leave, [{shutdown, x}])',
  'rpc:call(N, calc, give, [{badrpc, mine}])',
  'rpc:block_call(N, calc, add, no_list)',
  'rpc:block_call(N, calc, leave, [normal])',
  'rpc:multicall([N], calc, add, no_list)',
  'rpc:yield(rpc:async_call(X, calc, give, [a]))',
  'rpc:yield(rpc:async_call(N, calc, leave, [why]))',
  'gen_server:call({rex, N}, {call, calc, add, no_list, group_leader()})',
  'gen_server:call({rex, N}, {call, calc, add, [1 | 2], group_leader()})',
  'gen_server:call({rex, N}, {call, "calc", add, [], group_leader()})',
  'gen_server:call({rex, N}, {call, calc, toss, [ball], group_leader()})',
  'gen_server:call({rex, N}, {call, calc, leave, [why], group_leader()})',
  'erpc:call(N, calc, give, [1], {abs, erlang:monotonic_time(millisecond) + 60000})',
  'erpc:multicall([N, X, N], calc, give, [a])',
  'erpc:multicall([N, X], calc, fail, [])',
  'erpc:multicall([N], calc, die, [])',
  'erpc:multicall([N], calc, forever, [], 20)',
  'erpc:multicast([N, N], calc, tell, [self(), heard]), receive heard -> receive heard -> both end end',
  'erpc:cast(N, calc, tell, [self(), heard]), receive heard -> heard end',
  'erpc:receive_response(erpc:send_request(N, calc, leave, [bye]), 60000)',
  'erpc:receive_response(erpc:send_request(N, calc, forever, []), 20)',
  'erpc:wait_response(erpc:send_request(N, calc, give, [a]), 60000)',
  'erpc:wait_response(erpc:send_request(N, calc, toss, [a]), 60000)',
  'R = erpc:send_request(N, calc, give, [a]), receive M -> erpc:check_response(M, R) end',
  'R = erpc:send_request(N, calc, fail, []), receive M -> erpc:check_response(M, R) end',
  'C = erpc:send_request(N, calc, give, [a], label, erpc:reqids_new()), {V, L, D} = erpc:receive_response(C, 60000, true), {V, L, erpc:reqids_size(D)}',
  'gen_server:call({rex, N}, {call, calc, add, [1, 2], group_leader()})',
  'gen_server:call({rex, N}, {call, calc, fail, [], group_leader()})',
  'gen_server:call({rex, N}, {call, calc, none, [], user})',
  'gen_server:call({rex, N}, strange, 20)',
  'gen_server:cast({rex, N}, {cast, calc, tell, [self(), heard], group_leader()}), receive heard -> heard end',
  '{rex, N} ! {self(), {call, calc, add, [1, 2], user}}, receive M -> M end',
  '{rex, N} ! {self(), {call, calc, fail, [], user}}, receive M -> M end',
  '{rex, N} ! {self(), {call, calc, print, [], send_stdout_to_caller}}, receive A -> receive B -> [A, B] end end',
  '{rex, N} ! {self(), {send, nobody, hello}}, receive M -> setelement(2, M, node) end',
  '{rex, N} ! {self(), {send, server, hello}}, receive M -> setelement(2, M, node) end',
  '{rex, N} ! strange, rpc:call(N, calc, give, [alive])',
]

/** The same as calc, and the processes that the questions ask for */
async function prepare(node: Node): Promise<void> {
  await node.code.load('calc', {
    add: (a: number, b: number) => a + b,
    fail() {
      throw new ErlangError(atom('failed'))
    },
    leave(reason: Term) {
      throw new ExitError(reason)
    },
    toss(term: Term) {
      throw term // oxlint-disable-line typescript/only-throw-error
    },
    give: (term: Term) => term,
    forever(this: NodeProcess) {
      return this.receive()
    },
    die(this: NodeProcess) {
      this.exit(this.pid, atom('kill'))
      return this.receive()
    },
    tell(this: NodeProcess, pid: Pid, what: Term) {
      this.send(pid, what)
    },
    async print(this: NodeProcess) {
      const ref = this.makeRef()
      const format = tuple(atom('put_chars'), atom('unicode'), atom('io_lib'), atom('format'), ['printed ~p~n', [tuple(atom('a'), 1)]])
      this.send(this.groupLeader, tuple(atom('io_request'), this.pid, ref, format))
      await this.receive()
      return atom('done')
    },
  })
  node.spawn(
    async self => {
      for await (const message of self) {
        const [from, what] = (message as ReturnType<typeof tuple>).elements
        self.send(from as Pid, tuple(atom('server'), atom(node.name), tuple(atom('heard'), what as Term)))
      }
    },
    { name: 'server' },
  )
  node.spawn(
    async self => {
      for await (const message of self) if (message === atom('end')) return
    },
    { name: 'named' },
  )
}

t.test('rpc', async t => {
  await eachOtp(t, async (t, { start, otp }) => {
    const beam = await start({ code: [calc, asker] })
    const other = await start({ code: [calc, asker], cookie: beam.cookie })
    await other.eval('register(server, spawn(calc, server, [])), register(named, spawn(calc, forever, [])), ok.')
    await using node = await startNode(beam)
    await prepare(node)
    const crashes: unknown[] = []
    node.on('crash', (_, { error }) => crashes.push(error))
    await node.connect(beam.name)
    await asked(t, beam, other, node)
    t.strictSame(crashes, [])
    await fromTypeScript(t, beam, node)
    await erlCall(t, otp, node, other)
  })
})

async function asked(t: Test, beam: Beam, other: Beam, node: Node): Promise<void> {
  await t.test('a TypeScript node answers as a BEAM node does', async t => {
    /** With the asked node's name written as N */
    const answer = async (question: string, name: string): Promise<string> => {
      const bindings = { N: atom(name), X: atom('nobody@127.0.0.1') }
      return format(await beam.eval(`asker:ask(fun() -> ${question} end).`, { bindings })).replaceAll(name, 'N')
    }
    for (const question of questions) t.equal(await answer(question, node.name), await answer(question, other.name), question)
    t.equal(node.stats().remoteMonitors, 0)
  })
}

async function fromTypeScript(t: Test, beam: Beam, node: Node): Promise<void> {
  const nodes = [beam.name, 'nobody@127.0.0.1', beam.name]
  const told = ({ status, ...result }: PromiseSettledResult<Term>): string => {
    if ('value' in result) return format(result.value)
    const error = result.reason as RpcError
    return `${error.class} ${format(error.reason)}${error.signal ? ' signal' : ''}`
  }
  const tried = async (call: Promise<Term>): Promise<string> => told((await Promise.allSettled([call]))[0])

  await t.test('multicall, multicast, blockCall, evalEverywhere, parallelEval', async t => {
    t.strictSame((await node.rpc.multicall(nodes, 'calc', 'give', [1])).map(told), ['1', 'erpc noconnection', '1'])
    t.strictSame((await node.rpc.multicall([beam.name], 'calc', 'leave', [atom('bye')])).map(told), ['exit bye'])
    t.strictSame((await node.rpc.multicall([beam.name], 'calc', 'die')).map(told), ['exit killed signal'])
    const [late] = await node.rpc.multicall([beam.name], 'calc', 'forever', [], { timeout: 20 })
    t.match(late, { status: 'rejected', reason: { code: 'ERR_TIMEOUT' } })
    t.equal(await tried(node.rpc.blockCall(beam.name, 'calc', 'give', [1])), '1')
    t.match(await tried(node.rpc.blockCall(beam.name, 'calc', 'fail')), /^exit \{failed,\[/)
    t.equal(await tried(node.rpc.blockCall('nobody@127.0.0.1', 'calc', 'fail')), 'erpc noconnection')
    await t.rejects(node.rpc.blockCall(beam.name, 'timer', 'sleep', [100], { timeout: 5 }), { code: 'ERR_TIMEOUT' })
    const own = node.rpc.parallelEval([['calc', 'give', [1]], ['calc', 'fail', []]]) // prettier-ignore
    t.strictSame((await own).map(told), ['1', 'error failed'], 'on this node and all that are visible')
    await node.run(async self => {
      await node.rpc.multicast([beam.name, beam.name], 'calc', 'tell', [self.pid, 1])
      t.strictSame([await self.receive(), await self.receive()], [1, 1])
      await node.rpc.evalEverywhere('calc', 'tell', [self.pid, 2], nodes)
      t.strictSame([await self.receive(), await self.receive()], [2, 2])
    })
  })

  await t.test('sendRequest and its responses', async t => {
    await node.run(async self => {
      const { rpc } = self
      const [one, two, three] = [1, 2, 3].map(n => rpc.sendRequest(beam.name, 'calc', 'give', [n])) as [
        RpcRequestOf,
        RpcRequestOf,
        RpcRequestOf,
      ]
      t.equal(await rpc.receiveResponse(two), 2)
      t.strictSame(await rpc.waitResponse(one, { timeout: 20_000 }), { response: 1 })
      const message = await self.receive()
      t.equal(rpc.checkResponse(message, one), undefined)
      t.strictSame(rpc.checkResponse(message, three), { response: 3 })
      const failing = rpc.sendRequest(beam.name, 'calc', 'toss', [atom('ball')])
      await t.rejects(rpc.receiveResponse(failing), { code: 'ERR_RPC_THROW' })
      const late = rpc.sendRequest(beam.name, 'calc', 'forever')
      t.equal(await rpc.waitResponse(late), undefined)
      t.equal(await rpc.waitResponse(late, { timeout: 5 }), undefined, 'it may still come')
      await t.rejects(rpc.receiveResponse(late, { timeout: 5 }), { code: 'ERR_TIMEOUT' })
      t.equal(self.poll(), undefined)
    })
  })

  await t.test('an aborted call leaves nothing behind', async t => {
    await node.run(async self => {
      for (const how of ['call', 'blockCall'] as const) {
        const abort = new AbortController()
        const call = self.rpc[how](beam.name, 'timer', 'sleep', [50], { signal: abort.signal })
        abort.abort(new Error('enough'))
        await t.rejects(call, /enough/)
      }
      // Which comes first is not known: nothing may be left of either.
      for (let round = 0; round < 50; round++) {
        const abort = new AbortController()
        const call = self.rpc.call(beam.name, 'erlang', 'node', [], { signal: abort.signal }).catch(() => {})
        setTimeout(() => abort.abort(), Math.random())
        await call
      }
      await self.rpc.call(beam.name, 'timer', 'sleep', [60])
      await self.rpc.blockCall(beam.name, 'erlang', 'node')
      t.equal(self.poll(), undefined)
      t.equal(node.stats().spawnRequests, 0)
      t.equal(node.stats().remoteMonitors, 0)
    })
  })

  await t.test('abcast, sbcast and multiServerCall', async t => {
    const begin =
      'case whereis(server) of undefined -> true; Old -> unregister(server), exit(Old, kill) end, register(server, spawn(calc, server, [])).'
    await beam.eval(begin)
    const nobody = 'nobody@127.0.0.1'
    t.strictSame(await node.rpc.multiServerCall('server', 'hi', [beam.name, nobody]), [[tuple(atom('heard'), Buffer.from('hi'))], [nobody]])
    await node.run(async self => {
      await node.rpc.abcast('server', tuple(self.pid, 1), [beam.name, node.name])
      const heard = [await self.receive(), await self.receive()] as ReturnType<typeof tuple>[]
      t.strictSame(heard.map(message => String(message.elements[1])).sort(), [beam.name, node.name])
    })
    t.strictSame(await node.rpc.sbcast('server', tuple(node.whereis('named') as Pid, 1), [nobody, beam.name]), [[beam.name], [nobody]])
    t.strictSame(await node.rpc.sbcast('nowhere', 1, [beam.name, node.name]), [[], [beam.name, node.name]])
    await beam.eval('register(deaf, spawn(calc, forever, [])).')
    await t.rejects(node.rpc.multiServerCall('deaf', 1, [beam.name], { timeout: 5 }), { code: 'ERR_TIMEOUT' })
  })
}

type RpcRequestOf = ReturnType<NodeProcess['rpc']['sendRequest']>

const run = promisify(execFile)

/** In a root of its own it would look for /etc/hosts there, and crash of not finding it: so it runs outside, with the libraries of its root. */
function erlCallOf(otp: Release): [command: string, ...args: string[]] {
  const root = `.otp/${otp}/root`
  if (!existsSync(root)) return [`.otp/${otp}/bin/erl_call`]
  const under = (folder: string, name: RegExp): string[] =>
    existsSync(folder) ? readdirSync(folder).flatMap(file => (name.test(file) ? `${folder}/${file}` : [])) : []
  const [loader = ''] = [...under(`${root}/lib64`, /^ld-linux/), ...under(`${root}/lib`, /^ld-linux/)]
  const [libraries = ''] = under(`${root}/usr/lib`, /-linux-gnu$/)
  const [erts = ''] = under(`${root}/usr/lib/erlang`, /^erts-/)
  return [loader, '--library-path', libraries, `${erts}/bin/erl_call`]
}

async function erlCall(t: Test, otp: Release, node: Node, other: Beam): Promise<void> {
  await t.test('erl_call', async t => {
    const [command, ...before] = erlCallOf(otp)
    const call = async (name: string, ...args: string[]): Promise<string> => {
      const { stdout } = await run(command, [...before, '-r', '-c', other.cookie, '-name', name, ...args], { timeout: 60_000 })
      return stdout.replaceAll(/\[\{file.*?\}\]/g, 'where')
    }
    for (const args of [
      ['-a', 'calc add [40,2]'],
      ['-a', 'calc give [[{a,"text",[1,2.5]}]]'],
      ['-a', 'calc leave [bye]'],
      ['-a', 'calc toss [ball]'],
      ['-a', 'calc none [1]'],
      ['-fetch_stdout', '-a', 'calc print []'],
      ['-no_result_term', '-a', 'calc add [1,2]'],
    ]) {
      t.equal(await call(node.name, ...args), await call(other.name, ...args), args.join(' '))
    }
    t.match(await call(node.name, '-a', 'os cmd ["id"]'), /badrpc.*undef/s, 'and reaches nothing else')
  })
}
