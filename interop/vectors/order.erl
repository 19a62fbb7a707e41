%% The term order, as a real BEAM sorts: interop/vectors/make-order.ts asks each release and makes spec/vectors/order.json of the answers.
-module(order).
-export([sorted/0]).

%% {Terms, Order, Keys}: terms in the external format; their places (from 0) in the order of lists:sort/1; and in that of the keys of
%% maps. An order is a list of lists: each holds those that compare equal.
sorted() ->
    Terms = shuffle(terms()) ++ records(),
    {[term_to_binary(T, [{minor_version, 2}]) || T <- Terms],
     order(Terms, fun(A, B) -> if A < B -> -1; A == B -> 0; true -> 1 end end),
     order(Terms, fun erts_internal:cmp_term/2)}.

%% A stable sort, so that equals keep the order of their places.
order(Terms, Compare) ->
    [First | Rest] = lists:sort(fun({_, A}, {_, B}) -> Compare(A, B) =< 0 end, lists:enumerate(0, Terms)),
    lists:reverse([lists:reverse(Places) || {_, Places} <- lists:foldl(fun(T, Groups) -> group(T, Groups, Compare) end, [alone(First)], Rest)]).

group({Place, Term}, [{Other, Places} | Groups], Compare) ->
    case Compare(Other, Term) of
        0 -> [{Other, [Place | Places]} | Groups];
        _ -> [alone({Place, Term}), {Other, Places} | Groups]
    end.

alone({Place, Term}) -> {Term, [Place]}.

%% Always the same shuffle: sorted input would test little.
shuffle(Terms) ->
    {Keyed, _} = lists:mapfoldl(fun(T, N) -> {{N, T}, (N * 1103515245 + 12345) band 16#7fffffff} end, 1, Terms),
    [T || {_, T} <- lists:keysort(1, Keyed)].

terms() ->
    Scalars = numbers() ++ atoms() ++ references() ++ funs() ++ ports() ++ pids() ++ bits(),
    Scalars ++ lists:append([containers(T) || T <- [0, 1, 1.0, 0.0, -0.0, a, 'é', {}, [], <<>>, <<5:3>>, #{}, 1 bsl 53]])
        ++ tuples() ++ lists() ++ maps().

numbers() ->
    Edges = [0, 1, 2, 255, 1 bsl 31, 1 bsl 53, 1 bsl 58, 1 bsl 59, 1 bsl 60, 1 bsl 63, 1 bsl 64, 1 bsl 100, 1 bsl 1023],
    Integers = lists:usort([S * (E + D) || E <- Edges, D <- [-2, -1, 0, 1, 2], S <- [1, -1]]) ++ [1 bsl 1024, -(1 bsl 1024), 10 bsl 4000],
    Floats = [float(E) || E <- Edges, E > 0] ++ [0.5, 1.5, 0.1, 1.0e22, 1.0e-7, 5.0e-324, 2.2250738585072014e-308, 1.7976931348623157e308,
              9007199254740993.0, 9007199254740995.0, 576460752303423487.0, 1152921504606846977.0, 18446744073709551615.0],
    Integers ++ [0.0, -0.0] ++ Floats ++ [-F || F <- Floats].

atoms() ->
    ['', a, aa, aaaa, aaaaa, b, ab, z, 'A', 'Z', '0', '_', '@', ' ', 'a b', '\0', 'a\0', 'é', 'ÿ', true, false, nil, undefined, abcd, abce, abc]
        ++ [list_to_atom(Cs) || Cs <- [[16#100], [16#7ff], [16#800], [16#d7ff], [16#e000], [16#fffd], [16#ffff], [16#10000], [16#10ffff],
                                       "a" ++ [16#10000], "a" ++ [16#e000]]].

%% Identities of other nodes; their own would differ from run to run.
nodes_() -> [{N, C} || N <- ['a@x', 'b@x', 'a@xx', 'é@x'], C <- [1, 2, 16#ffffffff]].

atom(A) -> Utf8 = atom_to_binary(A), <<119, (byte_size(Utf8)), Utf8/binary>>.
term(Bytes) -> binary_to_term(<<131, Bytes/binary>>).

references() ->
    Words = [[1], [2], [0], [1, 0, 0], [1, 2, 3], [3, 2, 1], [2, 2, 2], [1, 2, 3, 0, 0], [1, 2, 3, 4, 5], [1, 2, 3, 4, 0], [0, 0, 0, 0, 1],
             [16#ffff, 16#ffffffff, 16#ffffffff], [16#ffff, 0, 16#ffffffff], [5, 16#80000000, 0], [5, 1, 0]],
    [term(<<90, (length(Ws)):16, (atom(N))/binary, C:32, << <<W:32>> || W <- Ws >>/binary>>) || {N, C} <- nodes_(), Ws <- Words].

pids() ->
    [term(<<88, (atom(N))/binary, Id:32, Serial:32, C:32>>) ||
        {N, C} <- nodes_(), {Id, Serial} <- [{1, 0}, {2, 0}, {0, 1}, {32767, 8191}, {16#fffffff, 0}, {1, 1}, {2, 16#ffffffff}]].

ports() ->
    [term(<<120, (atom(N))/binary, Id:64, C:32>>) || {N, C} <- nodes_(), Id <- [0, 1, 2, 16#fffffff, 1 bsl 32, 1 bsl 63, (1 bsl 64) - 1]].

funs() ->
    Exports = [fun a:a/0, fun a:a/1, fun a:a/255, fun a:b/0, fun b:a/0, fun 'é':a/0, fun lists:map/2],
    Parts = [{a, 0, 1, 1}, {a, 0, 2, 1}, {a, 1, 1, 1}, {b, 0, 1, 1}, {b, 0, 134217727, 1}, {'é', 0, 1, 1}],
    Exports ++ [closure(P, Free) || P <- Parts, Free <- [[], [1], [2], [1.0], [1, 2], [{}], [#{1 => 2}]]].

closure({Module, Index, OldUniq, Arity}, Free) ->
    Pid = term(<<88, (atom('a@x'))/binary, 1:32, 0:32, 1:32>>),
    Terms = << <<(external(T))/binary>> || T <- [Module, Index, OldUniq, Pid | Free] >>,
    %% a module's MD5 tells one version of it from another; old and new numbers agree on that
    Rest = <<Arity, OldUniq:128, Index:32, (length(Free)):32, Terms/binary>>,
    term(<<112, (byte_size(Rest) + 4):32, Rest/binary>>).

external(T) -> <<131, Bytes/binary>> = term_to_binary(T, [{minor_version, 2}]), Bytes.

bits() ->
    [<<>>, <<0>>, <<0, 0>>, <<1>>, <<127>>, <<128>>, <<255>>, <<255, 0>>, <<"abc">>, <<"abd">>, <<"ab">>, <<"é"/utf8>>, <<0:1>>, <<1:1>>, <<0:7>>,
     <<1:7>>, <<127:7>>, <<5:3>>, <<6:3>>, <<5:4>>, <<10:4>>, <<255, 5:3>>, <<255, 160>>, <<255, 161>>, <<255, 80:7>>, <<"abc", 0:1>>, <<0:64>>].

containers(T) -> [{T}, {T, T}, {{T}}, [T], [T, T], [[T]], [T | T], [T | a], [1, T | 2], #{T => 1}, #{1 => T}, #{T => T}, #{a => T, b => 1}].

tuples() -> [{a, b, c}, {b}, {a, 1}, {a, 1.0}, {a, 2}, {a, {b, 1}}, {a, {b, 1.0}}, {9, 9, 9, 9}, list_to_tuple(lists:seq(1, 300))].

lists() ->
    ["abc", "abd", "ab", "abcd", [a], [a, b], [b], [a | b], [a, b | c], [a, b | d], [a | <<>>], [a | 1], [a | 1.0], [a | {}], [a | #{}], [1 | 2], [1.0 | 2],
     [1, 2], [1.0, 2], [1, 2.0], [1, 2 | 3], [[]], [[], []], [[] | a], lists:seq(1, 300), lists:seq(1, 299) ++ [300.0], lists:seq(1, 299) ++ [301]].

maps() ->
    Numbered = fun(N) -> maps:from_list([{I, I} || I <- lists:seq(1, N)]) end,
    [#{a => 1}, #{a => 1.0}, #{a => 2}, #{b => 1}, #{b => 0}, #{1 => a}, #{1.0 => a}, #{2 => a}, #{1 => a, 1.0 => b}, #{1 => a, 2.0 => b},
     #{1.0 => a, 2 => b}, #{1 => b, 2 => a}, #{2 => a, 3.0 => b}, #{{1} => a}, #{{1.0} => a}, #{[1] => a}, #{[1.0] => a}, #{#{1 => a} => b},
     #{#{1.0 => a} => b}, #{a => #{1 => 2}}, #{a => #{1.0 => 2}}, #{a => 1, b => 2}, #{a => 2, b => 1}, #{a => 1, c => 0}, #{b => 1, c => 0},
     #{true => 1, z => 2}, #{false => 9, z => 2}, #{'A' => 1, a => 1}, #{<<"a">> => 1, <<"b">> => 2}, #{<<"a">> => 2, <<"b">> => 1},
     #{a => 1, 1 => 2, {} => 3, [] => 4, <<>> => 5}, #{a => 1, 1 => 2, {} => 3, [] => 4, <<0>> => 5}, #{a => 1, 2 => 2, {} => 3, [] => 4, <<>> => 0},
     #{1 bsl 64 => a}, #{float(1 bsl 64) => a}, #{-1 => a}, #{-1.0 => a},
     Numbered(31), Numbered(32), Numbered(33), Numbered(34), Numbered(100), (Numbered(33))#{1 := 0}, (Numbered(33))#{33 := 0}, (Numbered(33))#{33 := 33.0},
     maps:remove(1, Numbered(34)), maps:remove(34, (Numbered(34))#{1.0 => 1}), maps:remove(1, (Numbered(33))#{1.0 => 1}), maps:remove(33, (Numbered(33))#{a => 0}),
     maps:remove(1, (Numbered(33))#{a => 0}), (Numbered(32))#{{1} => 1}, (Numbered(32))#{{1.0} => 1}, (Numbered(32))#{{2} => 0}].

%% Only OTP 29 has them.
records() ->
    Records = [record(F, M, N, Fs) || {F, M, N} <- [{0, m, n}, {1, m, n}, {0, m, o}, {0, l, o}, {0, 'é', a}],
                                      Fs <- [[], [{a, 1}], [{a, 1.0}], [{a, 2}], [{b, 1}], [{a, 1}, {b, 2}], [{a, 1}, {b, 1}]]],
    try [term(R) || R <- Records] catch error:badarg -> [] end.

record(Flags, Module, Name, Fields) ->
    Names = << <<(atom(F))/binary>> || {F, _} <- Fields >>,
    Values = << <<(external(V))/binary>> || {_, V} <- Fields >>,
    <<67, (length(Fields)):32, Flags, (atom(Module))/binary, (atom(Name))/binary, Names/binary, Values/binary>>.
