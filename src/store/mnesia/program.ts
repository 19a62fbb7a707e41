/**
 * What runs on the BEAM: Erlang as text, which its own `erl_scan` and `erl_parse` read and its `erl_eval` runs. They are of stdlib and always there, so
 * nothing is installed, compiled or loaded, and when its process ends nothing is left of it. docs/adr/010-mnesia.md says why.
 *
 * One process of it, the server, for each store and BEAM node. It hears from the store's session (`Client`), and answers it `{beamlet_mnesia, Id, What}`:
 *
 *     {run, Id, Kind, Ops, Marker, Flush}    a worker does them in one activity   {ended, {ok, Results} | {aborted, Reason} | {failed, Reason} …}
 *     {start, Id, Kind}                      a worker begins a transaction        {begun, Attempt}, again whenever Mnesia starts it anew
 *     {to, Id, {do, Attempt, N, Ops}}        within it                            {did, N, Results}
 *     {to, Id, {nest, Attempt, N}}           a transaction within it              {nested, N}, and {left, N, ok | {aborted, Reason}}
 *     {to, Id, {leave, Attempt, ok | undo}}  its end, or …
 *     {to, Id, {commit, Attempt, Marker, Flush}}   … that of all                  {ended, …}
 *     {to, Id, {more, N}}, {to, Id, close}   the next rows of a range             {page, N, {Rows, More}}
 *     {kill, Id}                             when nobody waits any more
 *
 * A worker sits inside `mnesia:activity`, as any Erlang program does, with Mnesia's own locks, deadlock prevention and recovery. When the client is gone, or
 * silent for `Idle` ms, it aborts. `Marker` is `none` or `{Table, Slot, Sequence}`: see outcomes.ts. `Flush`: the tables whose nodes write their logs to
 * the disk before the answer; those who come together share that.
 */
export const program = String.raw`
Say = fun(Id, What) -> Client ! {beamlet_mnesia, Id, What}, ok end,

Value = fun(Record, false) -> element(3, Record);
           (Record, true) -> list_to_tuple(tl(tl(tuple_to_list(Record))))
        end,
Row = fun(Record, Wide) -> {term_to_binary(element(2, Record)), term_to_binary(Value(Record, Wide))} end,

Cut = fun Next([], _Count, _Size, Page) -> {lists:reverse(Page), []};
          Next(Rows, Count, Size, Page) when Count =:= 0; Size > 262144 -> {lists:reverse(Page), Rows};
          Next([{Key, Bytes} = Row | Rows], Count, Size, Page) ->
            Next(Rows, Count - 1, Size + byte_size(Key) + byte_size(Bytes), [Row | Page])
      end,
Page = fun(N, Rows) ->
  {Now, Later} = Cut(Rows, 500, 0, []),
  case Later of [] -> erase({cursor, N}); _ -> put({cursor, N}, Later) end,
  {Now, Later =/= []}
end,

Passes = fun(_Key, none) -> true;
            (Key, {'<', Bound}) -> Key < Bound;
            (Key, {'=<', Bound}) -> Key =< Bound;
            (Key, {'>', Bound}) -> Key > Bound;
            (Key, {'>=', Bound}) -> Key >= Bound
         end,
Guard = fun(none) -> []; ({Compare, Bound}) -> [{Compare, '$1', {const, Bound}}] end,
Select = fun(Tab, Name, Arity, Bounds) ->
  Head = list_to_tuple([Name, '$1' | lists:duplicate(Arity - 2, '_')]),
  mnesia:select(Tab, [{Head, lists:append([Guard(Bound) || Bound <- Bounds]), ['$_']}], read)
end,
First = fun(Tab, none, false) -> mnesia:first(Tab);
           (Tab, none, true) -> mnesia:last(Tab);
           (Tab, {Compare, Bound}, Reverse) ->
             case Compare =:= '>=' orelse Compare =:= '=<' of
               true ->
                 case mnesia:read(Tab, Bound) of
                   [Record] -> element(2, Record);
                   [] when Reverse -> mnesia:prev(Tab, Bound);
                   [] -> mnesia:next(Tab, Bound)
                 end;
               false when Reverse -> mnesia:prev(Tab, Bound);
               false -> mnesia:next(Tab, Bound)
             end
        end,
Walk = fun Next(_Tab, '$end_of_table', _Until, _Reverse, _Left, Records) -> {done, Records};
           Next(_Tab, _Key, _Until, _Reverse, 0, Records) -> {more, Records};
           Next(Tab, Key, Until, Reverse, Left, Records) ->
             case Passes(Key, Until) of
               false -> {done, Records};
               true ->
                 After = case Reverse of true -> mnesia:prev(Tab, Key); false -> mnesia:next(Tab, Key) end,
                 Next(Tab, After, Until, Reverse, Left - 1, mnesia:read(Tab, Key) ++ Records)
             end
       end,
Least = fun(infinity, Most) -> Most; (Limit, Most) -> min(Limit, Most) end,
Some = fun(infinity, Records) -> Records; (Limit, Records) -> lists:sublist(Records, Limit) end,
InOrder = fun(Tab, Name, Arity, true, Low, High, Reverse, Limit) ->
               {From, Until} = case Reverse of true -> {High, Low}; false -> {Low, High} end,
               case Walk(Tab, First(Tab, From, Reverse), Until, Reverse, Least(Limit, 200), []) of
                 {more, [Last | _] = Walked} when Limit =:= infinity; Limit > 200 ->
                   Rest = case Reverse of
                     true -> lists:reverse(Select(Tab, Name, Arity, [{'<', element(2, Last)}, Low]));
                     false -> Select(Tab, Name, Arity, [{'>', element(2, Last)}, High])
                   end,
                   Some(Limit, lists:reverse(Walked, Rest));
                 {_, Walked} -> lists:reverse(Walked)
               end;
             (Tab, Name, Arity, false, Low, High, Reverse, Limit) ->
               Sorted = lists:keysort(2, Select(Tab, Name, Arity, [Low, High])),
               Some(Limit, case Reverse of true -> lists:reverse(Sorted); false -> Sorted end)
          end,
Bound = fun(none) -> none; ({Compare, Key}) -> {Compare, binary_to_term(Key)} end,

Do = fun({get, Tab, Key, Lock, Wide}) ->
          [term_to_binary(Value(Record, Wide)) || Record <- mnesia:read(Tab, binary_to_term(Key), Lock)];
        ({put, Tab, Name, Key, Bytes, false}) ->
          mnesia:write(Tab, {Name, binary_to_term(Key), binary_to_term(Bytes)}, write);
        ({put, Tab, Name, Key, Bytes, true}) ->
          mnesia:write(Tab, list_to_tuple([Name, binary_to_term(Key) | tuple_to_list(binary_to_term(Bytes))]), write);
        ({delete, Tab, Key}) ->
          mnesia:delete(Tab, binary_to_term(Key), write);
        ({range, N, Tab, Name, Arity, Ordered, Low, High, Reverse, Limit}) ->
          Records = InOrder(Tab, Name, Arity, Ordered, Bound(Low), Bound(High), Reverse, Limit),
          Page(N, [Row(Record, Arity > 3) || Record <- Records]);
        ({index, N, Index, Tab, Wide, Low, High, Reverse, Limit}) ->
          Entries = InOrder(Index, Index, 3, true, {'>', Low}, {'<', High}, Reverse, Limit),
          Page(N, [Row(Record, Wide) || Entry <- Entries, Record <- mnesia:read(Tab, element(3, Entry))]);
        ({fence, Tab, Slot, Sequence}) ->
          case mnesia:read(Tab, Slot, write) of
            [{_, _, {Sequence, What, _}}] -> What;
            _ -> mnesia:write(Tab, {Tab, Slot, {Sequence, aborted, erlang:system_time(second)}}, write), aborted
          end;
        ({sweep, Tab, Before}) ->
          Old = mnesia:select(Tab, [{{Tab, '$1', {'_', '_', '$2'}}, [{'<', '$2', Before}], ['$1']}], write),
          lists:foreach(fun(Slot) -> mnesia:delete(Tab, Slot, write) end, Old)
     end,
Mark = fun(none) -> ok;
          ({Tab, Slot, Sequence}) ->
            case mnesia:read(Tab, Slot, write) of
              [{_, _, {Known, _, _}}] when Known >= Sequence -> mnesia:abort(beamlet_fenced);
              _ -> mnesia:write(Tab, {Tab, Slot, {Sequence, committed, erlang:system_time(second)}}, write)
            end
       end,

Running = fun(Nodes) -> try [Node || Node <- Nodes, lists:member(Node, mnesia:system_info(running_db_nodes))] catch exit:_ -> [] end end,
Together = fun Next(Asked) -> receive {flush, Worker, Tabs} -> Next([{Worker, Tabs} | Asked]) after 0 -> Asked end end,
Flushing = fun Next(Watch) ->
  receive
    {'DOWN', Watch, process, _, _} -> ok;
    {flush, Worker, Tabs} ->
      Asked = Together([{Worker, Tabs}]),
      Disc = fun(Tab) ->
        try mnesia:table_info(Tab, disc_copies) ++ mnesia:table_info(Tab, disc_only_copies) catch exit:_ -> [] end
      end,
      Nodes = lists:usort([Node || Tab <- lists:usort(lists:append([These || {_, These} <- Asked])), Node <- Disc(Tab)]),
      {Results, Silent} = rpc:multicall(Running(Nodes), mnesia, sync_log, [], Timeout * 3 div 4),
      Wrong = [Reason || {error, Reason} <- Results] ++ [{no_answer, Node} || Node <- Running(Silent)],
      [Each ! {flushed, Wrong} || {Each, _} <- Asked],
      Next(Watch)
  end
end,
Flusher = spawn(fun() -> Flushing(erlang:monitor(process, Client)) end),
Flush = fun(Ended, []) -> Ended;
           ({ok, _} = Ended, Tabs) ->
             Flusher ! {flush, self(), Tabs},
             receive {flushed, []} -> Ended; {flushed, [Reason | _]} -> {unflushed, Reason} after 2 * Timeout -> {unflushed, timeout} end;
           (Ended, _Tabs) -> Ended
        end,

Activity = fun(Kind, Fun) ->
  try {ok, mnesia:activity(Kind, Fun)}
  catch exit:{aborted, Reason} -> {aborted, Reason};
        _:Reason -> {failed, Reason}
  end
end,

Pages = fun Next(Id, Watch) ->
  case [N || {{cursor, N}, _} <- get()] of
    [] -> ok;
    _ ->
      receive
        {more, N} -> Say(Id, {page, N, Page(N, get({cursor, N}))}), Next(Id, Watch);
        close -> ok;
        {'DOWN', Watch, process, _, _} -> ok
      after Idle -> ok
      end
  end
end,
Run = fun(Id, Kind, Ops, Marker, Tabs) ->
  Ended = Activity(Kind, fun() -> Results = [Do(Op) || Op <- Ops], Mark(Marker), Results end),
  Say(Id, {ended, Flush(Ended, Tabs)}),
  Pages(Id, erlang:monitor(process, Client))
end,

Within = fun Next(Id, Attempt, Watch) ->
  receive
    {do, Attempt, N, Ops} -> Say(Id, {did, N, [Do(Op) || Op <- Ops]}), Next(Id, Attempt, Watch);
    {more, N} -> Say(Id, {page, N, Page(N, get({cursor, N}))}), Next(Id, Attempt, Watch);
    {nest, Attempt, N} ->
      case mnesia:transaction(fun() -> Say(Id, {nested, N}), Next(Id, Attempt, Watch) end) of
        {atomic, _} -> Say(Id, {left, N, ok}), Next(Id, Attempt, Watch);
        {aborted, Gone} when Gone =:= beamlet_gone; Gone =:= beamlet_idle -> mnesia:abort(Gone);
        {aborted, Reason} -> Say(Id, {left, N, {aborted, Reason}}), Next(Id, Attempt, Watch)
      end;
    {leave, Attempt, ok} -> ok;
    {leave, Attempt, undo} -> mnesia:abort(beamlet_undo);
    {commit, Attempt, Marker, Tabs} -> Mark(Marker), put(tabs, Tabs), ok;
    {'DOWN', Watch, process, _, _} -> mnesia:abort(beamlet_gone);
    Late when is_tuple(Late), element(1, Late) =/= mnesia_down, is_integer(element(2, Late)), element(2, Late) < Attempt -> Next(Id, Attempt, Watch)
  after Idle -> mnesia:abort(beamlet_idle)
  end
end,
Begin = fun(Id, Kind) ->
  Watch = erlang:monitor(process, Client),
  Body = fun() ->
    Attempt = case get(attempt) of undefined -> 1; Before -> Before + 1 end,
    put(attempt, Attempt),
    [erase(Cursor) || {{cursor, _} = Cursor, _} <- get()],
    Say(Id, {begun, Attempt}),
    Within(Id, Attempt, Watch)
  end,
  Ended = Activity(Kind, Body),
  Say(Id, {ended, Flush(Ended, case get(tabs) of undefined -> []; Tabs -> Tabs end)})
end,

Tell = fun(Tab, What, Record, Olds, Act) ->
  Old = case Olds of [Was | _] when is_tuple(Was) -> [term_to_binary(Value(Was, tuple_size(Was) > 3))]; _ -> [] end,
  Which = case Act of {tid, Count, _} -> Count; _ -> dirty end,
  case What of
    write -> Say(0, {event, Tab, Row(Record, tuple_size(Record) > 3), Old, Which});
    delete -> Say(0, {event, Tab, {term_to_binary(element(2, Record)), none}, Old, Which})
  end
end,
Relaying = fun Next(Watch) ->
  receive
    {subscribe, Tab} -> Say(0, {subscribed, Tab, mnesia:subscribe({table, Tab, detailed})}), Next(Watch);
    {unsubscribe, Tab} -> mnesia:unsubscribe({table, Tab, detailed}), Next(Watch);
    {mnesia_table_event, {write, Tab, Record, Olds, Act}} when Tab =/= schema -> Tell(Tab, write, Record, Olds, Act), Next(Watch);
    {mnesia_table_event, {delete, Tab, Record, Olds, Act}} when Tab =/= schema -> Tell(Tab, delete, Record, Olds, Act), Next(Watch);
    {mnesia_table_event, _} -> Next(Watch);
    {'DOWN', Watch, process, _, _} -> ok
  end
end,

Serve = fun Next(Watch, Workers, Relay) ->
  receive
    {run, Id, Kind, Ops, Marker, Tabs} ->
      {Pid, _} = spawn_monitor(fun() -> Run(Id, Kind, Ops, Marker, Tabs) end),
      Next(Watch, Workers#{Id => Pid, Pid => Id}, Relay);
    {start, Id, Kind} ->
      {Pid, _} = spawn_monitor(fun() -> Begin(Id, Kind) end),
      Next(Watch, Workers#{Id => Pid, Pid => Id}, Relay);
    {to, Id, Message} ->
      case Workers of
        #{Id := Pid} -> Pid ! Message;
        _ -> Say(Id, {died, noproc})
      end,
      Next(Watch, Workers, Relay);
    {kill, Id} ->
      case Workers of
        #{Id := Pid} -> exit(Pid, kill);
        _ -> ok
      end,
      Next(Watch, Workers, Relay);
    {relay, Message} when Relay =:= none ->
      {Pid, _} = spawn_monitor(fun() -> Relaying(erlang:monitor(process, Client)) end),
      Pid ! Message,
      Next(Watch, Workers, Pid);
    {relay, Message} -> Relay ! Message, Next(Watch, Workers, Relay);
    {'DOWN', Watch, process, _, _} -> ok;
    {'DOWN', _, process, Relay, _} -> Say(0, unsubscribed), Next(Watch, Workers, none);
    {'DOWN', _, process, Pid, Reason} ->
      Id = maps:get(Pid, Workers),
      case Reason of normal -> ok; _ -> Say(Id, {died, Reason}) end,
      Next(Watch, maps:without([Pid, Id], Workers), Relay);
    close -> ok
  end
end,
Serve(erlang:monitor(process, Client), #{}, none).
`
