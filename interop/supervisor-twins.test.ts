/** A supervisor beside one of OTP, used in odd and wrong ways: one Erlang program against both. */
import t from 'tap'
import { atom, ExitError, type Node, type Term, tuple } from '../src/index.js'
import { eachOtp } from './support/each-otp.js'
import { startNode } from './support/pair.js'
import { sup, worker, workerModule } from './support/tree.js'
import { alike, askerModule } from './support/twin.js'

const tree = String.raw`
-module(tree).
-behaviour(supervisor).
-export([start/2, init/1]).
start(Flags, Specs) ->
    process_flag(trap_exit, true),
    case supervisor:start_link(?MODULE, {Flags, Specs}) of
        {ok, Pid} -> unlink(Pid), {ok, Pid};
        Other -> Other
    end.
init(Arg) -> {ok, Arg}.
`

/** `supervisor:start_link/2`, as it answers */
async function start(node: Node, flags: Term, specs: Term): Promise<Term> {
  try {
    return tuple(atom('ok'), (await node.start(sup, { args: [flags, specs as readonly Term[]] })).pid)
  } catch (error) {
    if (error instanceof ExitError) return tuple(atom('error'), error.reason)
    throw error
  }
}

/** `Settle` waits until the supervisor knows of an end, too: who is told first is not said. */
const prelude = `
  Start = fun(Flags, Specs) -> rpc:call(N, tree, start, [Flags, Specs]) end,
  New = fun(Flags, Specs) -> {ok, P} = Start(Flags, Specs), P end,
  Child = fun(Id, Arg) -> #{id => Id, start => {worker, start_link, [Arg]}} end,
  Kids = fun(S) -> supervisor:which_children(S) end,
  Who = fun(S, Id) -> element(2, lists:keyfind(Id, 1, Kids(S))) end,
  Shape = fun(S) -> [{I, if is_pid(P) -> pid; true -> P end, T, M} || {I, P, T, M} <- Kids(S)] end,
  Settle = fun F(S, P) -> case catch lists:keymember(P, 2, Kids(S)) of true -> F(S, P); _ -> ok end end,
  End = fun(S, P, Do) -> R = monitor(process, P), Do(P), W = Down(R), Settle(S, P), W end,
  Record = fun({error, {What, C}}) when element(1, C) =:= child -> {error, {What, setelement(2, C, x)}}; (V) -> V end,
  _ = {Start, New, Child, Kids, Who, Shape, Settle, End, Record},`

const programs: Readonly<Record<string, string>> = {
  'flags that are none': `[Start(F, []) || F <- [#{strategy => some}, #{intensity => -1}, #{intensity => 1.5}, #{period => 0}, #{period => -1}, #{auto_shutdown => some}, #{strategy => one_for_all, auto_shutdown => sometimes}]]`,
  'children that are none': `[Start(#{}, [Child(a, a), maps:merge(Child(b, b), M)]) || M <- [#{restart => often}, #{shutdown => -1}, #{shutdown => 1.5}, #{type => thing}, #{significant => true}, #{significant => 5}]]`,
  'two of one name': `Start(#{}, [Child(a, a), Child(b, b), Child(a, c)])`,
  'children that do not start': `[Start(#{}, [Child(first, first), Child(C, C), Child(last, last)]) || C <- [fail, odd, crash]]`,
  'a child that ignores': `{ok, S} = Start(#{}, [Child(first, first), Child(ignore, ignore), maps:put(restart, temporary, Child(gone, ignore)), maps:put(restart, transient, Child(kept, ignore))]), {Shape(S), supervisor:count_children(S)}`,
  'simple_one_for_one wants one': `[element(1, element(2, Start(#{strategy => simple_one_for_one}, C))) || C <- [[], [Child(a, a), Child(b, b)]]]`,
  'children of a failed start have ended': `Me = self(), {error, _} = Start(#{}, [Child(first, first), Child(fail, fail)]), {rpc:call(N, worker, free, [x]), Me =:= self()}`,
  'requests that are none': `[begin S = New(#{}, [Child(a, a)]), M = monitor(process, S), C = monitor(process, Who(S, a)), R = Try(fun() -> Do(S) end), {case R of {exit, {{What, _}, _}} -> What; V -> V end, case Down(M) of {W, {stack, Mod, F, _}} -> {W, Mod, F}; {W, [{Mod, F, _, _} | _]} -> {W, Mod, F} end, Down(C)} end
    || Do <- [fun(S) -> gen_server:call(S, nonsense) end, fun(S) -> gen_server:call(S, {nonsense, a}) end, fun(S) -> gen_server:cast(S, nonsense) end]]`,
  'messages that are none, and exit signals of strangers': `S = New(#{}, [Child(a, a)]), A = Who(S, a), S ! nonsense, S ! {'EXIT', self(), why}, [exit(S, R) || R <- [normal, shutdown, {shutdown, x}, why]], {Shape(S), Who(S, a) =:= A}`,
  'killed': `S = New(#{}, [Child(a, a), Child(b, stubborn)]), M = [monitor(process, Who(S, I)) || I <- [a]], B = Who(S, b), exit(S, kill), R = [Down(X) || X <- M], exit(B, kill), R`,
  'stopped, in every way': `[begin S = New(#{}, [Child(a, a)]), C = monitor(process, Who(S, a)), M = monitor(process, S), X = Try(fun() -> gen_server:stop(S, R, 60000) end), {X, Down(M), Down(C)} end || R <- [normal, shutdown, {shutdown, x}, why]]`,
  'children of every kind that end with every reason': `[begin S = New(#{intensity => 100}, []), {ok, P} = supervisor:start_child(S, maps:put(restart, Kind, Child(a, a))), W = End(S, P, Do), {Kind, W, Shape(S)} end
    || Kind <- [permanent, transient, temporary], Do <- [fun(P) -> P ! {exit, R} end || R <- [normal, shutdown, {shutdown, x}, why, {a, "b"}]] ++ [fun(P) -> exit(P, kill) end, fun(P) -> exit(P, shutdown) end]]`,
  'a child that does not start again': `S = New(#{intensity => 100000000, period => 1}, [Child(s, {stuck, {stuck, node(), N}}), Child(b, b)]), P = Who(S, s), P ! {exit, why},
    Wait = fun F() -> case Who(S, s) of restarting -> ok; _ -> F() end end, Wait(),
    A = [Shape(S), supervisor:count_children(S), supervisor:restart_child(S, s), supervisor:delete_child(S, s), supervisor:start_child(S, Child(s, s)), supervisor:terminate_child(S, s), Shape(S), supervisor:restart_child(S, s), Shape(S), rpc:call(N, worker, free, [{stuck, node(), N}])],
    {ok, Q} = supervisor:restart_child(S, s), {A, is_pid(Q), Shape(S), gen_server:stop(S)}`,
  'one for all, one of which does not start again': `K = {all, node(), N}, S = New(#{intensity => 100000000, period => 1, strategy => one_for_all}, [Child(a, a), Child(s, {stuck, K}), Child(b, b)]), A = Who(S, a), A ! {exit, why},
    Wait = fun F(W) -> case W(Who(S, s)) of true -> ok; _ -> F(W) end end, Wait(fun(W) -> W =:= restarting end), R1 = [{I, P} || {I, P, _, _} <- Shape(S)], ok = rpc:call(N, worker, free, [K]), Wait(fun is_pid/1), {R1, [{I, P} || {I, P, _, _} <- Shape(S)], gen_server:stop(S)}`,
  'rest for one, one of which does not start again': `K = {rest, node(), N}, S = New(#{intensity => 100000000, period => 1, strategy => rest_for_one}, [Child(a, a), Child(s, {stuck, K}), Child(b, b)]), A = Who(S, s), A ! {exit, why},
    Wait = fun F(W) -> case W(Who(S, s)) of true -> ok; _ -> F(W) end end, Wait(fun(W) -> W =:= restarting end), R1 = [{I, P} || {I, P, _, _} <- Shape(S)], ok = rpc:call(N, worker, free, [K]), Wait(fun is_pid/1), {R1, [{I, P} || {I, P, _, _} <- Shape(S)], gen_server:stop(S)}`,
  'simple_one_for_one, one of which does not start again': `K = {simple, node(), N}, S = New(#{intensity => 100000000, period => 1, strategy => simple_one_for_one}, [#{id => w, start => {worker, start_link, []}}]), {ok, P} = supervisor:start_child(S, [{stuck, K}]), {ok, Q} = supervisor:start_child(S, [q]), P ! {exit, why},
    Wait = fun F(W) -> case W([X || {_, X, _, _} <- Kids(S), X =/= Q]) of true -> ok; _ -> F(W) end end, Wait(fun(W) -> W =:= [restarting] end), A = [lists:sort(Shape(S)), supervisor:count_children(S), supervisor:terminate_child(S, P), Shape(S)], {A, gen_server:stop(S)}`,
  'simple_one_for_one: arguments that are too many, and who is no child': `S = New(#{strategy => simple_one_for_one}, [#{id => w, start => {worker, start_link, []}}]),
    {[element(1, supervisor:start_child(S, A)) || A <- [[a], [{with, info}], [ignore], [fail], [odd], [crash]]], supervisor:terminate_child(S, S), supervisor:get_childspec(S, S), supervisor:delete_child(S, S), supervisor:restart_child(S, S), Shape(S)}`,
  'too many restarts, of several': `S = New(#{intensity => 2, period => 3600}, [Child(a, a), Child(b, b)]), M = monitor(process, S), C = monitor(process, Who(S, b)), [End(S, Who(S, a), fun(P) -> P ! {exit, why} end) || _ <- [1, 2]], Before = Shape(S), A = Who(S, a), A ! {exit, normal}, {Before, Down(M), Down(C)}`,
  'the last one restarts, too, when all are significant': `[begin S = New(#{auto_shutdown => H}, [maps:merge(Child(I, I), #{restart => R, significant => true}) || {I, R} <- [{a, transient}, {b, temporary}]]), M = monitor(process, S), End(S, Who(S, b), fun(P) -> P ! {exit, W} end), X = case H of all_significant -> Y = Shape(S), End(S, Who(S, a), fun(P) -> P ! {exit, shutdown} end), Y; _ -> x end, {H, W, X, Down(M)} end
    || H <- [any_significant, all_significant], W <- [normal, why]]`,
  'a significant child that is terminated by request does not end it': `S = New(#{auto_shutdown => any_significant}, [maps:merge(Child(a, a), #{restart => transient, significant => true}), Child(b, b)]), ok = supervisor:terminate_child(S, a), {Shape(S), supervisor:delete_child(S, a), Shape(S)}`,
  'suspended: children that end are seen to when it goes on': `S = New(#{}, [Child(a, a)]), A = Who(S, a), ok = sys:suspend(S), M = monitor(process, A), A ! {exit, why}, Down(M), T = Try(fun() -> gen_server:call(S, which_children, 30) end), ok = sys:resume(S), {T, Shape(S), Who(S, a) =/= A}`,
  'get_status': `S = New(#{}, [Child(a, a)]), {status, S, M, [D, State, _, Debug, [H, _ | More]]} = sys:get_status(S), {M, [case E of {'$initial_call', {supervisor, Mod, 1}} -> is_atom(Mod); _ -> E end || E <- lists:sort(D)], State, Debug, H, [element(1, X) || X <- lists:sublist(More, 1)]}`,
  'which_child': `S = New(#{}, [Child(a, a)]), case erlang:function_exported(supervisor, which_child, 2) of true -> [supervisor:which_child(S, I) || I <- [a, b]]; false -> [] end`,
} // prettier-ignore

t.test('a supervisor that is used wrongly does what one of OTP does', async t => {
  await eachOtp(t, async (t, { start: startBeam }) => {
    const beam = await startBeam({ code: askerModule })
    const twin = await startBeam({ cookie: beam.cookie, code: [tree, workerModule] })
    for (const each of [beam, twin]) each.expectLog(/tree|[Ss]upervisor|worker|Error in process|SUPERVISOR/)
    await using node = await startNode(beam)
    node.on('crash', () => {})
    await node.code.load('worker', worker)
    await node.code.load('tree', { start: (flags: Term, specs: Term) => start(node, flags, specs) } as never)
    await alike(t, beam, [twin, node], programs, prelude)
  })
})
