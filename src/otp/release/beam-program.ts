/**
 * What installs a release on a BEAM: Erlang as text, which its own `erl_scan` and `erl_parse` read and its `erl_eval` runs, so that nothing has to be there
 * (docs/adr/010-mnesia.md). It does what release_handler does, and keeps what takes it back. When whoever conducts it is gone, it takes all back by itself.
 *
 * One process, registered as `beamlet_release`. `Client` says, and it answers `{beamlet_release, Self, What}`:
 *
 *     (at its start)     prepared, or {refused, N, Code, Server, Reason}: then it ends, and nothing has changed
 *     {step, N}          {done, N, [Pid]}, or {failed, N, Code, Server, Reason, [{N, Server, Reason}]}: that one has been taken back but for …
 *     undo               {undone, N, [{N, Server, Reason}]} for each that was done, the last one first; then back, and it ends
 *     commit             committed, and it ends
 *
 * `Steps` is a tuple of {load, M, New, Old}, {update, M, soft | supervisor | {advanced, Extra}, New, Old}, {add, M, New}, {delete, M, Old} and
 * {apply, {M, F, A}, Undo}; New and Old are none, {binary, Bytes} or {file, Path}, and Undo none, nothing or {M, F, A}.
 *
 * Source: release_handler_1.erl, systools_rc.erl (the order of suspend, load and code_change, up and down).
 */
export const program = String.raw`
Say = fun(What) -> Client ! {beamlet_release, self(), What}, ok end,
Fail = fun(Code, Server, Why) -> throw({failed, Code, Server, Why}) end,
Attempt = fun(Fun) ->
  try {ok, Fun()}
  catch throw:{failed, Code, Server, Why} -> {failed, Code, Server, Why, []};
        throw:{failed, Code, Server, Why, Left} -> {failed, Code, Server, Why, Left};
        Class:Why -> {failed, load, none, {Class, Why}, []}
  end
end,

Checked = fun(M, Bin, File, Code) ->
  case beam_lib:info(Bin) of
    {error, beam_lib, Why} -> Fail(Code, none, Why);
    Info -> case lists:keyfind(module, 1, Info) of {module, M} -> {Bin, File}; {module, Other} -> Fail(Code, none, {module, Other}) end
  end
end,
Given = fun(M, {binary, Bin}, Code) -> Checked(M, Bin, atom_to_list(M) ++ ".beam", Code);
           (M, {file, Path}, Code) ->
             case file:read_file(Path) of {ok, Bin} -> Checked(M, Bin, Path, Code); {error, Why} -> Fail(Code, none, {Why, Path}) end;
           (_M, {url, _}, Code) -> Fail(Code, none, url)
        end,
New = fun(M, none) ->
           case code:where_is_file(atom_to_list(M) ++ ".beam") of
             non_existing -> Fail(code, none, non_existing);
             Path -> Given(M, {file, Path}, code)
           end;
         (M, Which) -> Given(M, Which, code)
      end,
Running = fun(M, {Bin, _File} = Object) ->
  case code:module_md5(Bin) =:= M:module_info(md5) of true -> Object; false -> Fail(old_code, none, other_version) end
end,
Old = fun(M, Which) ->
  case {get({now, M}), Which} of
    {deleted, _} -> Fail(old_code, none, not_loaded);
    {{_, _} = Object, _} -> Object;
    {undefined, none} ->
      code:ensure_loaded(M) =:= {module, M} orelse Fail(old_code, none, not_loaded),
      From = case code:which(M) of Path when is_list(Path) -> file:read_file(Path); Which0 -> {error, Which0} end,
      case {From, code:get_object_code(M)} of
        {{ok, Bin}, {M, Bin, File}} -> Running(M, {Bin, File});
        {{ok, Bin}, Other} ->
          case {code:module_md5(Bin) =:= M:module_info(md5), Other} of
            {false, {M, Bin1, File}} -> Running(M, {Bin1, File});
            _ -> Running(M, {Bin, code:which(M)})
          end;
        {_, {M, Bin, File}} -> Running(M, {Bin, File});
        {_, error} -> Fail(old_code, none, no_object_code)
      end;
    {undefined, _} ->
      code:ensure_loaded(M) =:= {module, M} orelse Fail(old_code, none, not_loaded),
      Running(M, Given(M, Which, old_code))
  end
end,
Users = fun(M) -> [P || erlang:check_old_code(M), P <- processes(), erlang:check_process_code(P, M) =:= true] end,
Free = fun(M) when Purge =:= soft -> case Users(M) of [] -> ok; [P | _] -> Fail(in_use, P, M) end;
          (_M) -> ok
       end,
Becomes = fun(M, Object) -> put({now, M}, Object) end,
Prepare = fun({load, M, N, O}) -> Free(M), Was = Old(M, O), Is = New(M, N), Becomes(M, Is), {load, M, Is, Was};
             ({update, M, Change, N, O}) -> Free(M), Was = Old(M, O), Is = New(M, N), Becomes(M, Is), {update, M, Change, Is, Was};
             ({add, M, N}) ->
               case get({now, M}) of
                 undefined -> code:is_loaded(M) =:= false orelse Fail(instruction, none, already_loaded);
                 deleted -> ok;
                 _ -> Fail(instruction, none, already_loaded)
               end,
               Is = New(M, N), Becomes(M, Is), {add, M, Is};
             ({delete, M, O}) -> Free(M), Was = Old(M, O), Becomes(M, deleted), {delete, M, Was};
             ({apply, _, _} = Apply) -> Apply
          end,

Vsn = fun({Bin, _File}) ->
  case beam_lib:version(Bin) of
    {ok, {_, [One]}} when not is_integer(One); One < $\s; One > 255 -> One;
    {ok, {_, Vsn0}} -> Vsn0;
    _ -> undefined
  end
end,

Room = fun Wait(M, Left) ->
  case code:soft_purge(M) of
    true -> ok;
    false when Purge =:= kill -> code:purge(M), ok;
    false when Left =< 0 -> Fail(in_use, hd(Users(M) ++ [none]), M);
    false -> receive after 50 -> ok end, Wait(M, Left - 50)
  end
end,
Load = fun(M, {Bin, File}) ->
  case code:load_binary(M, File, Bin) of {module, M} -> ok; {error, Why} -> Fail(load, none, Why) end
end,

Modules = fun(Pid, supervisor, dynamic) -> [supervisor:get_callback_module(Pid)];
             (Pid, worker, dynamic) -> {ok, Names} = gen:call(Pid, self(), get_modules, Timeout), Names;
             (_Pid, _Type, Names) -> Names
          end,
Asked = fun(Pid, Fun) ->
  try Fun() catch _:Why -> case is_process_alive(Pid) of false -> []; true -> Fail(tree, Pid, Why) end end
end,
Below = fun Walk(Sup) ->
  Children = Asked(Sup, fun() -> gen_server:call(Sup, which_children, Timeout) end),
  lists:append([
    [{Pid, Asked(Pid, fun() -> Modules(Pid, Type, Names) end)} | case Type of supervisor -> Walk(Pid); worker -> [] end]
    || {_, Pid, Type, Names} <- Children, is_pid(Pid), node(Pid) =:= node()
  ])
end,
Supervised = fun(M) ->
  Roots = [Root || {App, _, _} <- application:which_applications(),
    Master <- [application_controller:get_master(App)], is_pid(Master),
    {Root, _} <- [application_master:get_child(Master)], is_pid(Root)],
  All = lists:append([[{Root, Asked(Root, fun() -> [supervisor:get_callback_module(Root)] end)} | Below(Root)] || Root <- Roots]),
  [Pid || {Pid, Names} <- All, is_list(Names), lists:member(M, Names)]
end,

Hold = fun Next([], _Window, Held) -> {held, lists:reverse(Held)};
           Next([P | Ps], Window, Held) ->
             case catch sys:suspend(P, Window) of
               ok -> Next(Ps, Window, [P | Held]);
               {'EXIT', {timeout, _}} -> {stuck, P, Held};
               _ -> Next(Ps, Window, Held)
             end
       end,
Resume = fun(Ps) -> [catch sys:resume(P, Timeout) || P <- Ps], ok end,
Suspend = fun Again(First, Ps, Window, Left) ->
  case Hold(First ++ (Ps -- First), Window, []) of
    {held, Held} -> Held;
    {stuck, P, Held} ->
      catch sys:resume(P, 0),
      Resume(Held),
      case Left - Window of
        Rest when Rest =< 0 -> Fail(suspend, P, timeout);
        Rest -> Again([P | First -- [P]], Ps, min(Window * 2, Rest), Rest)
      end
  end
end,
Held = fun(M) -> Suspend([], Supervised(M), min(100, Timeout), Timeout) end,
Change = fun(P, M, From, Extra) ->
  try sys:change_code(P, M, From, Extra, Timeout)
  catch exit:Why -> case is_process_alive(P) of false -> ok; true -> {error, Why} end
  end
end,
Up = fun Next(_M, _From, _Extra, [], Changed) -> {ok, Changed};
         Next(M, From, Extra, [P | Ps], Changed) ->
           case Change(P, M, From, Extra) of ok -> Next(M, From, Extra, Ps, [P | Changed]); {error, Why} -> {refused, P, Why, Changed} end
     end,
Down = fun(M, To, Extra, Ps) ->
  lists:append([case Change(P, M, To, Extra) of ok -> []; {error, Why} -> [{P, Why}] end || P <- Ps])
end,
End = fun(Refused) -> [catch sys:terminate(P, {code_change, Why}, Timeout) || {P, Why} <- Refused], Refused end,
Downgrade = fun(M, supervisor, Was, Ps) -> Load(M, Was), End(Down(M, {down, Vsn(Was)}, [], Ps));
               (M, soft, Was, _Ps) -> Load(M, Was), [];
               (M, {advanced, Extra}, Was, Ps) ->
                 Refused = Down(M, {down, Vsn(Was)}, Extra, Ps),
                 Load(M, Was),
                 End(Refused)
            end,

Call = fun({M, F, A}) ->
  try erpc:call(node(), M, F, A, Timeout) of _ -> ok
  catch _:{exception, Why, _} -> Fail(apply, none, Why);
        _:{exception, Why} -> Fail(apply, none, Why);
        _:Why -> Fail(apply, none, Why)
  end
end,
Do = fun({load, M, Is, _Was}) -> Room(M, Timeout), Load(M, Is), [];
        ({add, M, Is}) -> Room(M, Timeout), Load(M, Is), [];
        ({delete, M, _Was}) -> Room(M, Timeout), true = code:delete(M), [];
        ({apply, Function, _Undo}) -> Call(Function), [];
        ({update, M, How, Is, Was}) ->
          Room(M, Timeout),
          Ps = Held(M),
          try
            Load(M, Is),
            Extra = case How of {advanced, Given0} -> Given0; _ -> [] end,
            case How =:= soft orelse Up(M, Vsn(Was), Extra, Ps, []) of
              true -> ok;
              {ok, _} -> ok;
              {refused, P, Why, Changed} ->
                Left = case Attempt(fun() -> Room(M, Timeout), Downgrade(M, How, Was, Changed) end) of
                  {ok, Refused} -> Refused;
                  {failed, _, Server, Because, _} -> [{Server, Because}]
                end,
                throw({failed, change, P, Why, Left})
            end
          after Resume(Ps)
          end,
          Ps
     end,
Undo = fun({load, M, _Is, Was}) -> Room(M, Timeout), Load(M, Was), [];
          ({add, M, _Is}) -> Room(M, Timeout), code:delete(M), case code:soft_purge(M) of true -> []; false -> [{hd(Users(M) ++ [none]), M}] end;
          ({delete, M, Was}) -> Room(M, Timeout), Load(M, Was), [];
          ({apply, _Function, none}) -> [{none, no_undo}];
          ({apply, _Function, nothing}) -> [];
          ({apply, _Function, Function}) -> Call(Function), [];
          ({update, M, How, _Is, Was}) ->
            Room(M, Timeout),
            Ps = Held(M),
            try Downgrade(M, How, Was, Ps) after Resume(Ps) end
       end,
Back = fun Next(_Ready, []) -> [];
           Next(Ready, [N | Ns]) ->
             Left = case Attempt(fun() -> Undo(element(N, Ready)) end) of
               {ok, Refused} -> [{N, Server, Why} || {Server, Why} <- Refused];
               {failed, _, Server, Why, _} -> [{N, Server, Why}]
             end,
             Say({undone, N, Left}),
             Left ++ Next(Ready, Ns)
       end,

Watch = erlang:monitor(process, Client),
Serve = fun Next(Ready, Done) ->
  receive
    {step, N} ->
      case Attempt(fun() -> Do(element(N, Ready)) end) of
        {ok, Pids} -> Say({done, N, Pids}), Next(Ready, [N | Done]);
        {failed, Code, Server, Why, Left} -> Say({failed, N, Code, Server, Why, [{N, P, R} || {P, R} <- Left]}), Next(Ready, Done)
      end;
    undo -> Back(Ready, Done), Say(back);
    commit -> Say(committed);
    {'DOWN', Watch, process, _, Reason} ->
      Left = Back(Ready, Done),
      error_logger:warning_msg("beamlet_release: ~p, which installed a release here, is gone (~p): it was taken back.~nNot taken back: ~p~n",
        [Client, Reason, Left])
  end
end,
Check = fun Next(N, Ready) when N > tuple_size(Steps) -> {ok, list_to_tuple(lists:reverse(Ready))};
            Next(N, Ready) ->
              case Attempt(fun() -> Prepare(element(N, Steps)) end) of
                {ok, Step} -> Next(N + 1, [Step | Ready]);
                {failed, Code, Server, Why, _} -> {refused, N, Code, Server, Why}
              end
        end,
case catch register(beamlet_release, self()) of
  true -> case Check(1, []) of {ok, Ready} -> Say(prepared), Serve(Ready, []); Refused -> Say(Refused) end;
  _ -> Say({refused, 0, busy, whereis(beamlet_release), already_started})
end.
`
