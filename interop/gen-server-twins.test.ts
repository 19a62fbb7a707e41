/** A genServer beside a gen_server of the same handlers, used in all the ways in which one should not be used. */
import t from 'tap'
import { atom, ErlangError, ExitError, type Node, type NodeProcess, type Pid, ProcessError, type Term, Tuple, tuple } from '../src/index.js'
import { genServer, ignore, noreply, reply, stop } from '../src/otp/index.js'
import { eachOtp } from './support/each-otp.js'
import { startNode } from './support/pair.js'
import { alike, askerModule } from './support/twin.js'

const erlang = String.raw`
-module(odd).
-behaviour(gen_server).
-compile([export_all, nowarn_export_all]).

start(Arg) -> gen_server:start(?MODULE, Arg, []).
start(Name, Arg) -> gen_server:start({local, Name}, ?MODULE, Arg, []).

init({stop, Why}) -> {stop, Why};
init({exit, Why}) -> exit(Why);
init({error, Why}) -> error(Why);
init(ignore) -> ignore;
init({timeout, Ms}) -> {ok, [], Ms};
init({continue, What}) -> {ok, [], {continue, What}};
init(trap) -> process_flag(trap_exit, true), {ok, []};
init({tell, Pid}) -> process_flag(trap_exit, true), {ok, {tell, Pid}};
init(S) -> {ok, S}.

handle_call(get, _, S) -> {reply, S, S};
handle_call({put, S}, _, Old) -> {reply, Old, S};
handle_call(twice, From, S) -> gen_server:reply(From, one), {reply, two, S};
handle_call(other, From, S) -> spawn(fun() -> gen_server:reply(From, other) end), {noreply, S};
handle_call(keep, From, S) -> {noreply, [From | S]};
handle_call(answer, _, S) -> {reply, [gen_server:reply(From, late) || From <- S], []};
handle_call({stop, Why}, _, S) -> {stop, Why, S};
handle_call({stop, Why, Reply}, _, S) -> {stop, Why, Reply, S};
handle_call({exit, Why}, _, _) -> exit(Why);
handle_call({error, Why}, _, _) -> error(Why);
handle_call({signal, Why}, _, S) -> exit(self(), Why), {reply, ok, S};
handle_call({next, Ms}, _, S) -> {reply, ok, S, Ms};
handle_call({continue, What}, _, S) -> {reply, ok, S, {continue, What}};
handle_call(hibernate, _, S) -> {reply, ok, S, hibernate};
handle_call(odd, _, _) -> odd;
handle_call({child, To}, _, S) -> {reply, spawn_link(fun() -> child(To) end), S};
handle_call({link, Pid}, _, S) -> link(Pid), {reply, ok, S};
handle_call({trap, On}, _, S) -> process_flag(trap_exit, On), {reply, ok, S}.
handle_cast({stop, Why}, S) -> {stop, Why, S};
handle_cast({exit, Why}, _) -> exit(Why);
handle_cast({put, S}, _) -> {noreply, S}.
handle_info({stop, Why}, S) -> {stop, Why, S};
handle_info({error, Why}, _) -> error(Why);
handle_info(Message, S) -> {noreply, [Message | S]}.
handle_continue({stop, Why}, S) -> {stop, Why, S};
handle_continue(What, S) -> {noreply, [What | S]}.
terminate(Why, {tell, Pid}) -> Pid ! {terminated, Why};
terminate(_, {exits, Why}) -> exit(Why);
terminate(_, slow) -> receive after infinity -> ok end;
terminate(_, _) -> ok.

child(To) -> process_flag(trap_exit, true), To ! {child, self()}, child1(To).
child1(To) -> receive {'EXIT', _, Why} -> To ! {child_exit, Why}; {exit, Why} -> exit(Why) end.
`

const children = (to: Pid) => async (self: NodeProcess) => {
  self.trapExit = true
  self.send(to, tuple(atom('child'), self.pid))
  const message = (await self.receive()) as Tuple<[Term, Term, Term]>
  if (message.tag === 'exit') throw new ExitError(message.elements[1])
  self.send(to, tuple(atom('child_exit'), message.elements[2]))
}

const tag = (term: Term): string | undefined => (term instanceof Tuple ? term.tag : undefined)
const second = (term: Term): Term => (term as Tuple<[Term, Term]>).elements[1]

const odd = genServer<[Term], Term, any, any>({
  module: 'file:///odd.ts',
  init(arg: Term) {
    if (tag(arg) === 'stop') return stop(second(arg))
    if (tag(arg) === 'exit') throw new ExitError(second(arg))
    if (tag(arg) === 'error') throw new ErlangError(second(arg))
    if (arg === atom('ignore')) return ignore
    if (tag(arg) === 'timeout') return noreply([] as Term, { timeout: second(arg) as number })
    if (tag(arg) === 'continue') return noreply([] as Term, { continue: second(arg) })
    if (arg === atom('trap') || tag(arg) === 'tell') this.trapExit = true
    return arg === atom('trap') ? ([] as Term) : arg
  },
  call: {
    get: (s: Term) => reply(s, s),
    put: (old: Term, s: Term) => reply(old, s),
    twice(s: Term) {
      this.from().reply(atom('one'))
      return reply(atom('two'), s)
    },
    other(s: Term) {
      const from = this.from()
      this.spawn(() => from.reply(atom('other')))
      return noreply(s, from)
    },
    keep(s: Term) {
      kept.push(this.from())
      return noreply(s, kept.at(-1))
    },
    answer: (s: Term) => {
      const all = kept.splice(0)
      for (const from of all) from.reply(atom('late'))
      return reply(all.map(() => atom('ok')) as Term, s)
    },
    stop: (s: Term, why: Term, ...answer: Term[]) => (answer.length > 0 ? stop(why, s, answer[0]) : stop(why, s)),
    exit(_s: Term, why: Term): never {
      throw new ExitError(why)
    },
    error(_s: Term, why: Term): never {
      throw new ErlangError(why)
    },
    signal(s: Term, why: Term) {
      this.exit(this.pid, why)
      return reply(atom('ok'), s)
    },
    next: (s: Term, ms: number) => reply(atom('ok'), s, { timeout: ms }),
    continue: (s: Term, what: Term) => reply(atom('ok'), s, { continue: what }),
    hibernate: (s: Term) => reply(atom('ok'), s, { hibernate: true }),
    odd: () => atom('odd') as never,
    child(s: Term, to: Pid) {
      return reply(this.spawnLink(children(to) as never), s)
    },
    link(s: Term, pid: Pid) {
      this.link(pid)
      return reply(atom('ok'), s)
    },
    trap(s: Term, on: boolean) {
      this.trapExit = on
      return reply(atom('ok'), s)
    },
  },
  cast: {
    stop: (s: Term, why: Term) => stop(why, s),
    exit(_s: Term, why: Term): never {
      throw new ExitError(why)
    },
    put: (_: Term, s: Term) => s,
  },
  handleInfo: (message, s) => {
    if (tag(message) === 'stop') return stop(second(message), s)
    if (tag(message) === 'error') throw new ErlangError(second(message))
    return [message, ...(s as Term[])]
  },
  handleContinue: (what, s) => (tag(what) === 'stop' ? stop(second(what), s) : ([what, ...(s as Term[])] as Term)),
  terminate(why, s) {
    if (tag(s) === 'tell') this.send(second(s) as Pid, tuple(atom('terminated'), why))
    if (tag(s) === 'exits') throw new ExitError(second(s))
    return s === atom('slow') ? new Promise(() => {}) : undefined
  },
})

/** Callers who wait. A state is a term, and they are none. */
const kept: { reply(value: Term): void }[] = []

/** `gen_server:start/3` and /4, as they answer */
async function start(node: Node, arg: Term, name?: string): Promise<Term> {
  try {
    return tuple(atom('ok'), (await node.start(odd, { args: [arg], name })).pid)
  } catch (error) {
    if (error instanceof ExitError) return tuple(atom('error'), error.reason)
    if (!(error instanceof ProcessError)) throw error
    if (error.code === 'ERR_IGNORE') return atom('ignore')
    return tuple(atom('error'), tuple(atom('already_started'), node.whereis(name as string) as Pid))
  }
}

const prelude = `
  New = fun(Arg) -> {ok, P} = rpc:call(N, odd, start, [Arg]), P end,
  Ends = fun(P, Do) -> M = monitor(process, P), R = Try(fun() -> Do(P) end), {R, Down(M)} end,
  Reasons = [normal, shutdown, {shutdown, x}, why, {a, "b"}],
  % What the end of who is linked does: to whom it does nothing, it may not have come yet.
  Told = fun F(P) -> case gen_server:call(P, get) of [] -> F(P); S -> S end end,
  Hit = fun(P, _, trap, _) -> Told(P); (P, _, [], normal) -> gen_server:call(P, get); (_, M, [], _) -> Down(M) end,
  _ = {New, Ends, Reasons, Hit},`

/** A second answer that came before the alias had ended stays in the mailbox, there as here: who is quicker is not said. */
const early = `receive {[alias | _], two} -> ok after 0 -> ok end`

const programs: Readonly<Record<string, string>> = {
  'init of each kind': `[rpc:call(N, odd, start, [A]) || A <- [{stop, why}, {stop, normal}, {stop, {shutdown, x}}, {exit, why}, {exit, normal}, {exit, {shutdown, x}}, {error, why}, ignore, {timeout, -1}, {timeout, x}]]`,
  'a name that is taken': `{ok, P} = rpc:call(N, odd, start, [odd_taken, []]), R = rpc:call(N, odd, start, [odd_taken, {stop, why}]), gen_server:stop(P), {R, rpc:call(N, odd, start, [odd_taken, {stop, why}]), rpc:call(N, erlang, whereis, [odd_taken])}`,
  'a name is free when init fails or ignores': `[begin rpc:call(N, odd, start, [odd_free, A]), rpc:call(N, erlang, whereis, [odd_free]) end || A <- [ignore, {stop, why}, {exit, why}, {error, why}]]`,
  'init with a timeout of 0, and one that continues': `P = New({timeout, 0}), Q = New({continue, first}), {gen_server:call(P, get), gen_server:call(Q, get)}`,
  'init that continues with the end': `P = New({continue, {stop, why}}), Ends(P, fun(_) -> ok end) =/= {x, alive}`,
  'a call that is answered twice': `P = New([]), A = gen_server:call(P, twice), B = gen_server:call(P, get), ${early}, {A, B}`,
  'the old tag, answered twice': `P = New([]), P ! {'$gen_call', {self(), tag}, twice}, [Next(), Next()]`,
  'an answer by another process': `gen_server:call(New([]), other)`,
  'an answer that is late': `P = New([]), R = Try(fun() -> gen_server:call(P, keep, 30) end), {R, length(gen_server:call(P, answer)), gen_server:call(P, get)}`,
  'no time at all': `P = New([]), {Try(fun() -> gen_server:call(P, get, 0) end), gen_server:call(P, get)}`,
  'times that are none': `P = New([]), [Try(fun() -> gen_server:call(P, get, T) end) || T <- [-1, x, 1.5]]`,
  'a call to a dead one': `P = New([]), ok = gen_server:stop(P), [Try(fun() -> gen_server:call(T, get) end) || T <- [P, {odd_nobody, N}]]`,
  'casts to who is not there, and garbage for a name': `P = New([]), ok = gen_server:stop(P), [gen_server:cast(T, x) || T <- [P, {odd_nobody, N}]]`,
  'stop, in every way': `[{Ends(New([]), fun(P) -> gen_server:call(P, {stop, R}) end), Ends(New([]), fun(P) -> gen_server:call(P, {stop, R, bye}) end),
    Ends(New([]), fun(P) -> gen_server:cast(P, {stop, R}) end), Ends(New([]), fun(P) -> P ! {stop, R}, ok end), Ends(New([]), fun(P) -> gen_server:call(P, {continue, {stop, R}}) end)} || R <- Reasons]`,
  'exits of its own code': `[{Ends(New([]), fun(P) -> gen_server:call(P, {exit, R}) end), Ends(New([]), fun(P) -> gen_server:cast(P, {exit, R}) end)} || R <- [kill | Reasons]]`,
  'errors of its own code': `{Ends(New([]), fun(P) -> gen_server:call(P, {error, why}) end), Ends(New([]), fun(P) -> P ! {error, why}, ok end)}`,
  'returns that are none': `{Ends(New([]), fun(P) -> gen_server:call(P, odd) end), Ends(New([]), fun(P) -> gen_server:call(P, {next, -1}) end), Ends(New([]), fun(P) -> gen_server:call(P, {next, x}) end)}`,
  'requests that no handler takes': `[Ends(New([]), Do) || Do <- [fun(P) -> gen_server:call(P, nonsense) end, fun(P) -> gen_server:call(P, "text") end, fun(P) -> gen_server:call(P, put) end,
    fun(P) -> gen_server:cast(P, nonsense) end, fun(P) -> gen_server:cast(P, []) end]]`,
  'messages that are nearly requests': `P = New([]), [P ! M || M <- [{'$gen_call', x}, {'$gen_cast', x, y}, {system, x}, {'EXIT', x}, {'EXIT', self(), bye}]], gen_server:call(P, get)`,
  'exit signals to one that does not trap': `[begin P = New([]), M = monitor(process, P), exit(P, R), case Try(fun() -> gen_server:call(P, get) end) of {value, V} -> {alive, V}; _ -> Down(M) end end || R <- [kill | Reasons]]`,
  'exit signals to one that traps': `[begin P = New(trap), M = monitor(process, P), exit(P, R), case Try(fun() -> gen_server:call(P, get) end) of {value, V} -> {alive, V}; _ -> Down(M) end end || R <- [kill | Reasons]]`,
  'signals to itself: one that was started without a link is its own parent': `[element(2, Ends(New(A), fun(P) -> gen_server:call(P, {signal, R}) end)) || {A, R} <- [{trap, normal}, {trap, why}, {[], why}, {trap, kill}]]`,
  'terminate is told why': `[begin P = New({tell, self()}), Ends(P, fun(_) -> gen_server:stop(P, R, 60000) end), Next() end || R <- Reasons] ++ [begin P = New({tell, self()}), Ends(P, fun(_) -> gen_server:call(P, {exit, R}) end), Next() end || R <- Reasons]
    ++ [begin P = New({tell, self()}), Ends(P, fun(_) -> gen_server:call(P, nonsense) end), Next() end]`,
  'terminate that exits': `[Ends(New({exits, R}), fun(P) -> gen_server:call(P, {stop, enough, bye}) end) || R <- Reasons]`,
  'gen_server:stop': `[Ends(New([]), fun(P) -> gen_server:stop(P, R, 60000) end) || R <- Reasons] ++ [Ends(New({exits, other}), fun(P) -> gen_server:stop(P, R, 60000) end) || R <- [normal, why]]`,
  'gen_server:stop of one that takes too long, is dead, is nobody': `P = New(slow), A = Try(fun() -> gen_server:stop(P, normal, 30) end), exit(P, kill), [A, Try(fun() -> gen_server:stop(P) end), Try(fun() -> gen_server:stop({odd_nobody, N}) end), Try(fun() -> gen_server:stop(P, normal, 0) end)]`,
  'proc_lib:stop': `[Ends(New([]), fun(P) -> proc_lib:stop(P, R, 60000) end) || R <- Reasons]`,
  'children of one that stops': `[begin P = New([]), C = gen_server:call(P, {child, self()}), {child, C} = Next(), E = Ends(P, fun(_) -> gen_server:call(P, {stop, R, bye}) end), {E, Next()} end || R <- Reasons]`,
  'children of one that is killed': `P = New([]), C = gen_server:call(P, {child, self()}), {child, C} = Next(), exit(P, kill), Next()`,
  'children that end': `[begin P = New(A), C = gen_server:call(P, {child, self()}), {child, C} = Next(), M = monitor(process, P), C ! {exit, R}, Hit(P, M, A, R) end || A <- [[], trap], R <- [normal, shutdown, why]]`,
  'linked to who is not there': `D = spawn(fun() -> ok end), MD = monitor(process, D), Down(MD), P = New(trap), gen_server:call(P, {link, D}), (fun F() -> case gen_server:call(P, get) of [] -> F(); S -> S end end)()`,
  'the end of who is linked, remote': `[begin P = New(A), L = spawn(fun() -> receive {exit, R} -> exit(R) end end), gen_server:call(P, {link, L}), M = monitor(process, P), L ! {exit, Why}, Hit(P, M, A, Why) end || A <- [[], trap], Why <- [normal, shutdown, why]]`,
  'a timeout of 0': `P = New([]), ok = gen_server:call(P, {next, 0}), {gen_server:call(P, get), gen_server:call(P, get)}`,
  'hibernate': `P = New([]), ok = gen_server:call(P, hibernate), P ! hello, {gen_server:call(P, get), gen_server:call(P, get)}`,
  'suspended': `P = New([]), ok = sys:suspend(P), ok = sys:suspend(P), A = Try(fun() -> gen_server:call(P, get, 30) end), P ! one, gen_server:cast(P, {put, [two]}), P ! three, S = sys:get_state(P), ok = sys:resume(P), ok = sys:resume(P), {A, S, gen_server:call(P, get)}`,
  'suspended, then told to end': `[begin P = New({tell, self()}), ok = sys:suspend(P), {Ends(P, fun(_) -> sys:terminate(P, R) end), Next()} end || R <- [normal, why]]`,
  'suspended, then killed': `P = New([]), ok = sys:suspend(P), Ends(P, fun(_) -> exit(P, why) end)`,
  'sys to who is dead, suspended or nobody': `P = New([]), ok = gen_server:stop(P), [Try(fun() -> sys:F(T) end) || F <- [get_state, get_status, suspend], T <- [P, {odd_nobody, N}]]`,
  'get_status': `P = New([a]), {status, P, M, [D | More]} = sys:get_status(P), {M, lists:sort(D), More}`,
  'get_status while something is noted down': `P = New([a]), ok = sys:trace(P, false), ok = sys:log(P, true), ok = sys:statistics(P, true), gen_server:call(P, get), gen_server:cast(P, {put, [b]}), P ! c,
    {status, P, _, [_, S, _, Debug, Misc]} = sys:get_status(P),
    {S, [case O of {statistics, {{{_, _, _}, {_, _, _}}, {reductions, R}, I, Out}} when is_integer(R) -> {statistics, I, Out}; _ -> O end || O <- lists:sort(Debug)], lists:sublist(Misc, 2)}`,
  'get_status of a name': `{ok, P} = rpc:call(N, odd, start, [odd_named, []]), {status, _, _, [_, _, _, _, [H | _]]} = sys:get_status(P), gen_server:stop(P), H`,
  'replace_state': `P = New([a]), {sys:replace_state(P, fun(S) -> [b | S] end), Try(fun() -> sys:replace_state(P, fun(_) -> error(no) end) end), Try(fun() -> sys:replace_state(P, fun(_) -> throw(no) end) end), Try(fun() -> sys:replace_state(P, fun(_) -> exit(no) end) end), gen_server:call(P, get)}`,
  'requests and responses': `P = New([]), R1 = gen_server:send_request(P, get), A1 = gen_server:receive_response(R1, 60000), R2 = gen_server:send_request(P, keep), A2 = gen_server:wait_response(R2, 0), gen_server:call(P, answer), A3 = gen_server:wait_response(R2, 60000),
    R4 = gen_server:send_request(P, keep), A4 = gen_server:receive_response(R4, 20), gen_server:call(P, answer), R5 = gen_server:send_request(P, get), M5 = Next(), A5 = [gen_server:check_response(other, R5), gen_server:check_response(M5, R5)], [A1, A2, A3, A4, A5]`,
  'responses of one that ends': `[begin P = New([]), R = gen_server:send_request(P, Q), gen_server:receive_response(R, 60000) end || Q <- [{stop, why}, {exit, why}, {stop, normal, bye}, nonsense, {error, why}]] ++ [gen_server:receive_response(gen_server:send_request({odd_nobody, N}, get), 60000)]`,
  'collections of requests': `P = New([]), C0 = gen_server:reqids_new(), C1 = gen_server:send_request(P, keep, kept, C0), C2 = gen_server:send_request(P, hibernate, got, C1), C3 = gen_server:send_request({odd_nobody, N}, get, nobody, C2),
    T = fun F(C, Acc) -> case gen_server:receive_response(C, 60000, true) of no_request -> lists:sort(Acc); {A, L, D} -> case L of got -> gen_server:call(P, answer); _ -> ok end, F(D, [{L, A} | Acc]) end end, {gen_server:reqids_size(C3), T(C3, [])}`,
  'many nodes': `{ok, P} = rpc:call(N, odd, start, [odd_many, []]), A = [gen_server:multi_call([N, X], odd_many, get), gen_server:multi_call([N], odd_nobody, get, 60000), gen_server:multi_call([N], odd_many, keep, 30)], gen_server:call(P, answer),
    abcast = gen_server:abcast([N, X], odd_many, {put, [cast]}), S = gen_server:call(P, get), gen_server:stop(P), [A, S]`,
  'who ends while many are called': `{ok, _} = rpc:call(N, odd, start, [odd_ends, []]), gen_server:multi_call([N], odd_ends, {exit, why}, 60000)`,
} // prettier-ignore

t.test('a genServer that is used wrongly does what a gen_server does', async t => {
  await eachOtp(t, async (t, { start: startBeam }) => {
    const beam = await startBeam({ code: askerModule })
    const twin = await startBeam({ cookie: beam.cookie, code: erlang })
    for (const each of [beam, twin]) each.expectLog(/odd|Generic server|Error in process/)
    await using node = await startNode(beam)
    node.on('crash', () => {})
    await node.code.load('odd', {
      start: (first: Term, ...more: Term[]) =>
        more.length === 0 ? start(node, first) : start(node, more[0] as Term, (first as { name: string }).name),
    } as never)
    await alike(t, beam, [twin, node], programs, prelude)
  })
})
