/**
 * The BEAM side of the harness: one Erlang module, sent as text and compiled in the node, so that it needs no file there.
 *
 * It speaks over file descriptor 3, which has nothing to do with the distribution: a test can look at a node while the connection
 * under test is broken. Packets have a 4-byte length:
 *
 *     → the agent's source, once
 *     → Id:32 term {eval, Text, Bindings} | {elixir, Text, Bindings} | {load, Source} | cancel | stop
 *     ← Kind:8 Id:32 term     ready: {Release, Node}   value: Value   exception: {Class, Reason, Stack, Text}
 *                             log: {Level, Text, Report, Meta}
 *
 * Each eval has a process of its own. When the harness goes away, fd 3 ends and the node halts: no test leaves a node behind.
 */
export const kinds = { ready: 0, value: 1, exception: 2, log: 3 } as const

/** Given to `erl -eval`. */
export const loader = String.raw`
spawn(fun() ->
  Port = open_port({fd, 3, 3}, [binary, {packet, 4}, eof]),
  Source = receive {Port, {data, Bytes}} -> unicode:characters_to_list(Bytes) end,
  {ok, Tokens, _} = erl_scan:string(Source),
  Forms = fun
    F([], []) -> [];
    F([{dot, _} = Dot | Rest], Form) -> {ok, Parsed} = erl_parse:parse_form(lists:reverse(Form, [Dot])), [Parsed | F(Rest, [])];
    F([Token | Rest], Form) -> F(Rest, [Token | Form])
  end,
  {ok, Module, Beam} = compile:forms(Forms(Tokens, [])),
  {module, Module} = code:load_binary(Module, "beamlet_agent.erl", Beam),
  Module:serve(Port)
end).`
  .trim()
  .replace(/\n\s*/g, ' ')

export const agent = String.raw`
-module(beamlet_agent).
-export([serve/1, log/2]).

serve(Port) ->
    ok = logger:add_handler(beamlet_agent, beamlet_agent, #{level => all, config => #{agent => self()}}),
    Release = list_to_integer(erlang:system_info(otp_release)),
    answer(Port, ${kinds.ready}, 0, {Release, node()}),
    loop(Port, #{}).

loop(Port, Running) ->
    receive
        {Port, {data, <<Id:32, Bytes/binary>>}} ->
            loop(Port, request(binary_to_term(Bytes), Id, Running));
        {Port, eof} ->
            halt(0, [{flush, false}]);
        {done, Pid, Kind, Term} ->
            loop(Port, settle(Port, Pid, Kind, Term, Running));
        {'DOWN', _, process, Pid, Reason} ->
            loop(Port, settle(Port, Pid, ${kinds.exception}, exception(exit, Reason, []), Running));
        {log, Event} ->
            answer(Port, ${kinds.log}, 0, Event),
            loop(Port, Running)
    end.

request(stop, _, Running) ->
    init:stop(),
    Running;
request(cancel, Id, Running) ->
    maps:filter(fun(Pid, Wanted) -> Wanted =/= Id orelse not exit(Pid, kill) end, Running);
request(Request, Id, Running) ->
    Agent = self(),
    {Pid, _} = spawn_monitor(fun() ->
        {Kind, Term} = attempt(Request),
        Agent ! {done, self(), Kind, Term}
    end),
    Running#{Pid => Id}.

settle(Port, Pid, Kind, Term, Running) ->
    case maps:take(Pid, Running) of
        {Id, Rest} -> answer(Port, Kind, Id, Term), Rest;
        error -> Running
    end.

answer(Port, Kind, Id, Term) ->
    port_command(Port, [Kind, <<Id:32>>, term_to_binary(Term)]).

attempt(Request) ->
    try {${kinds.value}, run(Request)}
    catch Class:Reason:Stack -> {${kinds.exception}, exception(Class, Reason, Stack)}
    end.

exception(Class, Reason, Stack) ->
    Ours = fun(Module, _, _) -> lists:member(Module, [beamlet_agent, erl_eval]) end,
    Text = erl_error:format_exception(Class, Reason, Stack, #{stack_trim_fun => Ours}),
    {Class, Reason, Stack, unicode:characters_to_binary(Text)}.

run({eval, Text, Bindings}) ->
    {value, Value, _} = erl_eval:exprs(expressions(Text), orddict:from_list(maps:to_list(Bindings))),
    Value;
run({elixir, Text, Bindings}) ->
    {ok, _} = application:ensure_all_started(elixir),
    {Value, _} = 'Elixir.Code':eval_string(Text, maps:to_list(Bindings)),
    Value;
run({load, Source}) ->
    File = temporary_file(),
    ok = file:write_file(File, Source),
    try compile:file(File, [binary, debug_info, return_errors, no_error_module_mismatch]) of
        {ok, Module, Beam} -> {module, Module} = code:load_binary(Module, File, Beam), Module;
        {error, Errors, _} -> error({compile, [{Line, lists:flatten(Mod:format_error(What))} || {_, List} <- Errors, {Line, Mod, What} <- List]})
    after file:delete(File)
    end.

expressions(Text) ->
    case erl_scan:string(unicode:characters_to_list([Text, " ."])) of
        {ok, Tokens, _} -> sentences(Tokens, []);
        {error, {_, Mod, What}, _} -> error({syntax, lists:flatten(Mod:format_error(What))})
    end.

sentences([], _) -> [];
sentences([{dot, _} | Rest], []) -> sentences(Rest, []);
sentences([{dot, _} = Dot | Rest], Sentence) ->
    case erl_parse:parse_exprs(lists:reverse(Sentence, [Dot])) of
        {ok, Expressions} -> Expressions ++ sentences(Rest, []);
        {error, {_, Mod, What}} -> error({syntax, lists:flatten(Mod:format_error(What))})
    end;
sentences([Token | Rest], Sentence) -> sentences(Rest, [Token | Sentence]).

temporary_file() ->
    Unique = integer_to_list(erlang:unique_integer([positive])),
    filename:join("/tmp", "beamlet_" ++ os:getpid() ++ "_" ++ Unique ++ ".erl").

log(#{level := Level, msg := Message, meta := Meta} = Event, #{config := #{agent := Agent}}) ->
    Text = try unicode:characters_to_binary(logger_formatter:format(Event, #{template => [msg]}))
           catch _:_ -> unicode:characters_to_binary(io_lib:format("~tp", [Message]))
           end,
    Report = case Message of {report, R} -> R; _ -> undefined end,
    Agent ! {log, {Level, Text, Report, Meta}}.
`
