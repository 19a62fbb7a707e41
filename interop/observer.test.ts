/**
 * What Erlang's `observer` does to a node, done by real nodes to a TypeScript node and to one of their own, in the forms in which the sources of
 * OTP 25 to 29 do it. Shapes are compared: names and types, for the numbers differ.
 */
import t, { type Test } from 'tap'
import { atom, format, type Node, type Pid, type Term } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { genServer, genStatem, keep, next, reply, supervisor } from '../src/otp/index.js'
import { eachOtp } from './support/each-otp.js'
import { startNode } from './support/pair.js'

const looker = String.raw`
-module(looker).
-compile([export_all, nowarn_export_all]).

%% Types in place of values; lists of {Key, Value} keep their keys.
shape([{K, _} | _] = L) when is_atom(K) -> [{Key, shape(V)} || {Key, V} <- L];
shape([H | _] = L) -> case io_lib:printable_unicode_list(L) of true -> string; false -> [shape(H)] end;
shape([]) -> [];
shape(T) when is_tuple(T) -> list_to_tuple([case E of A when is_atom(A) -> A; _ -> shape(E) end || E <- tuple_to_list(T)]);
shape(B) when is_boolean(B) -> boolean;
shape(A) when is_atom(A) -> atom;
shape(I) when is_integer(I) -> integer;
shape(P) when is_pid(P) -> pid;
shape(P) when is_port(P) -> port;
shape(B) when is_binary(B) -> binary;
shape(_) -> other.

init(N) -> {ok, N}.

missing(Theirs, Ours) -> [Pair || Pair <- Theirs, not lists:member(Pair, Ours)].

%% observer_perf_wx
stats(Node, Ms) ->
    process_flag(trap_exit, true),
    Pid = spawn_link(Node, observer_backend, fetch_stats, [self(), Ms]),
    Two = [receive {stats, 1, Scheduled, {{input, In}, {output, Out}}, Memory} -> {lists:sort(Scheduled), In, Out, Memory} end || _ <- [1, 2]],
    Pid ! exit,
    Why = receive {'EXIT', Pid, W} -> W end,
    [{S1, In1, Out1, M1}, {S2, In2, Out2, M2}] = Two,
    Rises = lists:all(fun({{I, A1, T1}, {I, A2, T2}}) -> A2 >= A1 andalso T2 > T1 andalso A2 - A1 =< T2 - T1 + 1 end, lists:zip(S1, S2)),
    {Why, Rises, In2 >= In1, Out2 >= Out1, [K || {K, _} <- M1] =:= [K || {K, _} <- M2],
     lists:usort([I || {I, _, _} <- S1]) =:= lists:seq(1, length(S1))}.

%% observer_pro_wx
procs(Node) ->
    process_flag(trap_exit, true),
    Pid = spawn_link(Node, observer_backend, procs_info, [self()]),
    procs(Pid, []).
procs(Pid, Acc) ->
    receive
        {procs_info, Pid, Infos} -> procs(Pid, Acc ++ Infos);
        {'EXIT', Pid, normal} -> Acc
    end.
named(Name, Infos) -> hd([I || I <- Infos, element(5, I) =:= Name]).

%% etop
collect(Node) ->
    process_flag(trap_exit, true),
    Pid = spawn_link(Node, observer_backend, etop_collect, [self()]),
    Info = receive {Pid, I} -> I end,
    receive {'EXIT', Pid, normal} -> Info end.
collected(Info) ->
    {etop_info, Now, Count, _, _, Queue, _, Memory, Processes} = Info,
    {shape(Now), Count =:= length(Processes), shape(Queue), [K || {K, _} <- Memory], lists:usort([element(1, P) || P <- Processes])}.

%% observer_app_wx
applications(Node) ->
    process_flag(trap_exit, true),
    {ok, Pid} = appmon_info:start_link(Node, self(), []),
    appmon_info:app_ctrl(Pid, Node, true, []),
    Apps = receive {delivery, Pid, app_ctrl, _, A} -> A end,
    Trees = [tree(Pid, Name) || {Master, Name, {Name, _, _}} <- Apps, node(Master) =:= Node],
    appmon_info:app_ctrl(Pid, Node, false, []),
    exit(Pid, normal),
    {Apps, Trees}.
tree(Pid, Name) ->
    appmon_info:app(Pid, Name, true, []),
    {Root, Processes, Links, More} = receive {delivery, Pid, app, Name, Data} -> Data end,
    appmon_info:app(Pid, Name, false, []),
    Names = [N || {_, N} <- Processes],
    {Name, {lists:member(Root, Names), length(Names) =:= length(lists:usort(Names)),
     [L || {From, To} = L <- Links, not lists:prefix("port", To), not (lists:member(From, Names) andalso lists:member(To, Names))],
     lists:all(fun({From, To}) -> is_list(From) andalso is_list(To) end, More)}, Links}.

%% observer_procinfo, with the patterns by which it takes what it gets
state(Pid) ->
    case rpc:call(node(Pid), proc_lib, translate_initial_call, [Pid]) of
        {proc_lib, init_p, 5} -> none;
        {M, _, _} ->
            I = rpc:call(node(Pid), M, module_info, [attributes]),
            B = case lists:keyfind(behaviour, 1, I) of false -> undefined; {behaviour, [Of]} -> Of end,
            case rpc:call(node(Pid), sys, get_status, [Pid, 200]) of
                {status, _, {module, _}, [_, _, _, _, [_, {data, _}, {data, _} | _]]} -> {state, B};
                {status, _, {module, _}, [_, _, _, _, [_, {data, _}, _]]} -> {other, B};
                {status, _, {module, _}, [_, _, _, _, _]} ->
                    {formatted, B, is_list(rpc:call(node(Pid), M, module_info, [exports]))};
                {badrpc, {'EXIT', {timeout, _}}} -> {no_answer, B}
            end
    end.
`

t.test('observer', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start({ code: looker })
    beam.expectLog(/^Error in process .* exit value:, {badarg,\[{observer_backend,/) // what is asked wrongly
    const other = await start({ code: looker, cookie: beam.cookie })
    await using node = await startNode(beam)
    await node.connect(beam.name)
    const told = await processes(node)
    const ask = async (source: string, name = node.name, bindings: Readonly<Record<string, Term>> = {}): Promise<string> =>
      format(await beam.eval(source, { bindings: { N: atom(name), ...bindings } }))
    await system(t, ask, other)
    await tabs(t, ask, other)
    await t.test('Applications: the trees', async t => {
      const check = `{Apps, Trees} = looker:applications(N), {[shape_of(A) || A <- Apps], [{element(1, T), element(2, T)} || T <- Trees]}.`
      t.match(await ask(check.replace('shape_of(A)', 'looker:shape(A)')), /^\{\[\{pid,kernel,\{kernel,string,string|\[\]\}\}/)
      const links = `{_, Trees} = looker:applications(N), lists:append([Links || {_, {true, true, [], true}, Links} <- Trees]).`
      const all = await ask(links)
      t.match(all, /\{"shop_sup","counted"\}/, all)
      const sound = `{Apps, Trees} = looker:applications(N), length(Apps) =:= length(Trees) andalso [T || {_, Sound, _} = T <- Trees, Sound =/= {true, true, [], true}].`
      t.equal(await ask(sound), '[]')
      t.equal(await ask(sound, other.name), '[]')
    })
    await t.test('text is a list of code points', async t => {
      const name = atom('grün') as Term
      await node.start(genServer({ init: () => 0 }), { name: 'grün' })
      const header =
        '{status, _, _, [_, _, _, _, Misc]} = sys:get_status({Name, N}), hd([V || {header, V} <- Misc]) =:= "Status for generic server " ++ atom_to_list(Name).'
      t.equal(await ask(header, node.name, { Name: name }), 'true')
      t.equal(
        await ask(`{ok, _} = rpc:call(N, gen_server, start, [{local, Name}, looker, 0, []]), ${header}`, other.name, { Name: name }),
        'true',
      )
      const label =
        '{_, Trees} = looker:applications(N), lists:any(fun({_, _, Links}) -> lists:any(fun({_, To}) -> To =:= atom_to_list(Name) end, Links) end, Trees).'
      t.equal(await ask(label, node.name, { Name: name }), 'true')
    })
    await t.test('a window of a process: its state by the way that observer goes', async t => {
      t.equal(await ask('looker:state(P).', node.name, { P: told.server }), '{state,gen_server}')
      t.equal(await ask('looker:state(P).', node.name, { P: told.statem }), '{state,gen_statem}')
      t.equal(await ask('looker:state(P).', node.name, { P: told.sup }), '{state,gen_server}')
      t.equal(await ask('looker:state(P).', node.name, { P: told.closure }), 'none')
      t.equal(await ask('P = rpc:call(N, erlang, whereis, [rex]), looker:state(P).'), 'none')
    })
  })
})

async function processes(node: Node): Promise<{ server: Pid; statem: Pid; sup: Pid; closure: Pid }> {
  const counter = genServer({ init: (n: number) => n, call: { get: n => reply(n, n) } })
  const statem = genStatem({ init: () => next('idle', 0), states: { idle: { cast: { stay: data => keep(data) } } } })
  const sup = supervisor({ strategy: 'oneForOne', children: [{ id: 'counter', start: counter, args: [10] as [number], name: 'counted' }] })
  const ref = await node.start(sup, { name: 'shop_sup' })
  const machine = await node.start(statem)
  const closure = node.spawn(async self => void (await self.receive((_: unknown): _ is never => false)))
  return { server: node.whereis('counted') as Pid, statem: machine.pid, sup: ref.pid, closure }
}

type Ask = (source: string, name?: string, bindings?: Readonly<Record<string, Term>>) => Promise<string>

async function system(t: Test, ask: Ask, other: Beam): Promise<void> {
  await t.test('System, Memory Allocators: sys_info has all that a BEAM node tells, in its types', async t => {
    // There is no limit of ports and tables.
    const told = `Told = fun(Node) -> [{K, looker:shape(V)} || {K, V} <- rpc:call(Node, observer_backend, sys_info, []),
      not lists:member(K, [port_limit, ets_limit, alloc_info])] end, looker:missing(Told(Other), Told(N)).`
    t.equal(await ask(told, undefined, { Other: atom(other.name) as Term }), '[]')
    const sums = `Info = rpc:call(N, observer_backend, sys_info, []), V = fun(K) -> proplists:get_value(K, Info) end,
      [{_, [{_, 0, [{_, [{blocks, [{_, [{size, Used, _, _}]}]}, {carriers_size, Size, _, _}]}]}]} | _] = V(alloc_info),
      {V(total) =:= V(processes) + V(system), V(total) > 1000000, Used =< Size, V(process_count) >= 5, V(port_count), V(schedulers) >= 2}.`
    t.match(await ask(sums), /^\{true,true,true,true,[12],true\}$/)
    const same = `Of = fun(Node, F, A) -> case rpc:call(Node, erlang, F, A) of {badrpc, {'EXIT', {Why, _}}} -> Why; V -> looker:shape(V) end end,
      [{F, A} || {F, A} <- [{memory, []}, {memory, [total]}, {memory, [[total, binary]]}, {statistics, [wall_clock]}, {statistics, [runtime]}, {statistics, [io]},
        {statistics, [run_queue]}, {statistics, [strange]}, {statistics, ["x"]}, {system_info, [otp_release]}, {system_info, [version]}, {system_info, [wordsize]},
        {system_info, [{wordsize, internal}]}, {system_info, [process_limit]}, {system_info, [strange]}, {system_info, [dirty_cpu_schedulers]},
        {memory, [strange]}, {system_info, [creation]}, {system_info, [logical_processors]}, {system_info, [system_version]}],
        Of(N, F, A) =/= Of(Other, F, A)].`
    t.equal(await ask(same, undefined, { Other: atom(other.name) as Term }), '[]')
  })

  await t.test('Load Charts: fetch_stats', async t => {
    t.equal(await ask('looker:stats(N, 20).'), '{normal,true,true,true,true,true}')
    t.equal(await ask('looker:stats(N, 20).', other.name), '{normal,true,true,true,true,true}')
    t.match(
      await ask(
        "process_flag(trap_exit, true), P = spawn_link(N, observer_backend, fetch_stats, [self(), x]), receive {'EXIT', P, W} -> W end.",
      ),
      /^\{badarg,/,
    )
  })
}

async function tabs(t: Test, ask: Ask, other: Beam): Promise<void> {
  await t.test('Processes: procs_info and etop_collect', async t => {
    const shapes = `Infos = looker:procs(N), lists:usort([looker:shape(setelement(7, setelement(5, I, x), f)) || I <- Infos]).`
    t.equal(await ask(shapes), await ask(shapes, other.name))
    t.match(await ask('looker:named(counted, looker:procs(N)).'), /^\{etop_proc_info,<[\d.]+>,0,\d+,counted,0,\{gen_server,loop,5\},0\}$/)
    t.equal(await ask('looker:collected(looker:collect(N)).'), await ask('looker:collected(looker:collect(N)).', other.name))
    t.equal(await ask('tuple_size(looker:collect(N)) =:= tuple_size(looker:collect(node())).'), 'true')
    t.match(
      await ask("process_flag(trap_exit, true), P = spawn_link(N, observer_backend, procs_info, [x]), receive {'EXIT', P, W} -> W end."),
      /^\{badarg,/,
    )
  })

  await t.test('Ports: each connection is one', async t => {
    const port = `[Port | _] = rpc:call(N, observer_backend, get_port_list, []), V = fun(K) -> proplists:get_value(K, Port) end,
      Links = V(links), {is_list(erlang:port_to_list(V(port_id))), Links =:= [V(connected)], V(connected) =:= rpc:call(N, erlang, whereis, [net_kernel]), V(name),
       V(input) > 0, V(output) > 0, is_integer(V(id)), is_list(V(inet)), rpc:call(N, erlang, port_info, [V(port_id), name]), lists:member(V(port_id), rpc:call(N, erlang, ports, [])),
       [K || {K, _} <- rpc:call(N, erlang, port_info, [V(port_id)])]}.`
    const keys = '[name,links,id,connected,input,output,os_pid]'
    t.equal(await ask(port), `{true,true,true,"tcp_inet",true,true,true,true,{name,"tcp_inet"},true,${keys}}`)
    t.equal(await ask('rpc:call(N, erlang, port_info, [hd(erlang:ports())]).').then(told => /badarg/.test(told)), true)
  })

  await t.test('Table Viewer, Sockets, Trace Overview: there are none, and that is an answer', async t => {
    t.equal(await ask('rpc:call(N, observer_backend, get_table_list, [ets, [{sys_hidden,true},{unread_hidden,true}]]).'), '[]')
    const mnesia = 'rpc:call(N, observer_backend, get_table_list, [mnesia, []]).'
    t.match(await ask(mnesia), /^\{error,"Mnesia is not running on: ts-/)
    t.match(await ask(mnesia, other.name), /^\{error,"Mnesia is not running on: beam-/)
    const table = `process_flag(trap_exit, true), P = rpc:call(N, observer_backend, get_table, [self(), t, ets]), receive {P, E} -> E end.`
    t.equal(await ask(table), await ask(table, other.name))
    t.equal(
      await ask('{rpc:call(N, observer_backend, get_socket_list, []), is_list(rpc:call(N, observer_backend, socket_info, []))}.'),
      '{[],true}',
    )
    t.equal(await ask('{ok, [_ | _]} = rpc:call(N, observer_backend, vsn, []), ok.'), 'ok')
    const exported = `[rpc:call(N, code, ensure_loaded, [observer_backend]) | [rpc:call(N, erlang, function_exported, [observer_backend, F, A]) ||
      {F, A} <- [{procs_info, 1}, {get_port_list, 0}, {get_socket_list, 0}, {strange, 0}]]].`
    t.equal(await ask(exported), '[{module,observer_backend},true,true,true,false]')
    t.equal(
      await ask('lists:all(fun({M, _}) -> is_list(rpc:call(N, M, module_info, [functions])) end, rpc:call(N, code, all_loaded, [])).'),
      'true',
    )
    t.match(await ask('rpc:call(N, nowhere, module_info, [functions]).'), /undef/)
  })
}
