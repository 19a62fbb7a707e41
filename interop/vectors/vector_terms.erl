%% Terms of every kind, at every boundary. Each is {Name, Source}; the functions that sources call stand at the end.
-module(vector_terms).
-export([terms/0, encodings/0]).
-export([pid/4, port/3, ref/3, closure/0, closure/1, closure/2, named/0, keyed/1, nest/2, atom/2]).

terms() ->
    integers() ++ floats() ++ atoms() ++ binaries() ++ bit_strings() ++ lists() ++ tuples() ++ maps() ++ identities() ++ funs() ++ mixed().

%% ── numbers ──────────────────────────────────────────────────────────────────

integers() ->
    Small = [0, 1, 2, 10, 127, 128, 254, 255, 256, 257, 65535, 65536, 1 bsl 24],
    Edges = [1 bsl 27, 1 bsl 28, 1 bsl 31, 1 bsl 32, 1 bsl 40, 1 bsl 48, 1 bsl 53, 1 bsl 56, 1 bsl 59, 1 bsl 60, 1 bsl 63, 1 bsl 64, 1 bsl 72,
             1 bsl 128, 1 bsl 512],
    Around = [N || Edge <- Edges, N <- [Edge - 1, Edge, Edge + 1]],
    Positive = Small ++ Around,
    [{"integer " ++ integer_to_list(N), integer_to_list(N)} || N <- lists:usort(Positive ++ [-N || N <- Positive])] ++
        [{"bignum of 255 bytes", "1 bsl (8 * 255) - 1"},
         {"bignum of 256 bytes", "1 bsl (8 * 255)"},
         {"negative bignum of 255 bytes", "-(1 bsl (8 * 255) - 1)"},
         {"negative bignum of 256 bytes", "-(1 bsl (8 * 255))"},
         {"bignum of 257 bytes", "1 bsl (8 * 256) + 255"},
         {"bignum of 4096 bytes", "1 bsl (8 * 4096) - 3"},
         {"factorial of 100", "lists:foldl(fun(N, Product) -> N * Product end, 1, lists:seq(1, 100))"}].

floats() ->
    [{"float " ++ Source, Source} || Source <-
        ["0.0", "-0.0", "1.0", "-1.0", "0.5", "-0.5", "0.1", "-0.1", "1.5", "2.0", "3.141592653589793", "-2.718281828459045", "100.0", "1.0e10",
         "123456789.125", "1.0e15", "1.0e16", "1.0e21", "1.0e22", "1.0e100", "-1.0e100", "9007199254740991.0", "9007199254740992.0",
         "-9007199254740992.0", "4294967296.0", "2147483648.0", "-2147483649.0", "1.7976931348623157e308", "-1.7976931348623157e308",
         "2.2250738585072014e-308", "2.225073858507201e-308", "5.0e-324", "-5.0e-324", "1.0e-10", "1.0e-5", "1.0e-4", "0.001",
         "2.220446049250313e-16", "0.3333333333333333", "1.0000000000000002", "255.0", "256.0"]].

%% ── atoms ────────────────────────────────────────────────────────────────────

atoms() ->
    [{"atom " ++ Source, Source} || Source <-
        ["ok", "true", "false", "nil", "undefined", "error", "''", "' '", "'hello world'", "'Elixir.Enum'", "nonode@nohost", "'it\\'s'", "'\\n'",
         "'\\\\'", "'\\0'", "'\\x{7f}'", "a", "'A'", "'_'", "'end'", "'maybe'", "'0'", "a@b", "'a-b'", "'\"'"]] ++
        [{"atom of Latin-1", "'\\x{e5}\\x{e4}\\x{f6}'"},
         {"atom of Latin-1 with ASCII", "'gr\\x{fc}n'"},
         {"atom of one Latin-1 character", "'\\x{ff}'"},
         {"atom of the first character beyond ASCII", "'\\x{80}'"},
         {"atom of two-byte characters", "'\\x{3b1}\\x{3b2}'"},
         {"atom of three-byte characters", "'\\x{65e5}\\x{672c}'"},
         {"atom of four-byte characters", "'\\x{1f600}'"},
         {"atom of the last code point", "'\\x{10ffff}'"},
         {"atom of 127 characters", "atom(127, $a)"},
         {"atom of 254 characters", "atom(254, $a)"},
         {"atom of 255 characters", "atom(255, $z)"},
         {"atom of 127 two-byte characters, 254 bytes", "atom(127, 16#e9)"},
         {"atom of 128 two-byte characters, 256 bytes", "atom(128, 16#e9)"},
         {"atom of 255 two-byte characters", "atom(255, 16#e9)"},
         {"atom of 255 four-byte characters", "atom(255, 16#1f600)"}].

%% ── binaries ─────────────────────────────────────────────────────────────────

binaries() ->
    [{"binary " ++ Source, Source} || Source <-
        ["<<>>", "<<0>>", "<<255>>", "<<\"a\">>", "<<\"hello\">>", "<<\"with \\\"quotes\\\"\">>", "<<\"line\\nbreak\">>", "<<1, 2, 3>>",
         "<<0, 255, 0>>", "<<131, 97, 1>>", "<<\"gr\\x{fc}n\"/utf8>>", "<<\"\\x{65e5}\\x{672c}\"/utf8>>", "<<\"\\x{1f600}\"/utf8>>",
         "<<16#ed, 16#a0, 16#80>>", "<<16#c3>>"]] ++
        [{"binary of " ++ integer_to_list(Size) ++ " bytes", "binary:copy(<<\"x\">>, " ++ integer_to_list(Size) ++ ")"} ||
            Size <- [31, 32, 33, 63, 64, 65, 255, 256, 4095, 4096, 4097, 65536]] ++
        [{"binary within a binary", "binary:part(<<0:800>>, 3, 10)"}].

bit_strings() ->
    [{lists:concat(["bit string ", Value, ":", Bits]), lists:concat(["<<", Value, ":", Bits, ">>"])} ||
        {Value, Bits} <- [{0, 1}, {1, 1}, {1, 2}, {3, 2}, {5, 3}, {9, 4}, {21, 5}, {42, 6}, {85, 7}, {127, 7}, {257, 9}, {1000, 10}, {2047, 11},
                          {4095, 12}, {5000, 13}, {10000, 14}, {32767, 15}, {65537, 17}, {1, 100}, {1, 1001}]] ++
        [{"bit string that begins within a byte", "begin <<_:3, Rest:13/bitstring, _/bitstring>> = <<16#abcdef:24>>, Rest end"},
         {"binary that begins within a byte", "begin <<_:3, Rest:16/bitstring, _/bitstring>> = <<16#abcdef:24>>, Rest end"}].

%% ── lists ────────────────────────────────────────────────────────────────────

lists() ->
    [{"list " ++ Source, Source} || Source <-
        ["[]", "[[]]", "[[], []]", "[0]", "[255]", "[256]", "[-1]", "[0, 255]", "[0, 256]", "\"hello\"", "\"gr\\x{fc}n\"", "\"\\x{65e5}\"",
         "[a]", "[a, b, c]", "[1.0]", "[1, 2, 3, a]", "[1, [2, [3, [4]]]]", "[[1], [2]]", "[\"abc\", \"def\"]", "[{a, 1}, {b, 2}]",
         "[<<\"a\">>, \"b\", $c]", "[1000, 2000]", "[true, false, nil, undefined]", "[1 bsl 64]", "[[] | []]"]] ++
        [{"improper list " ++ Source, Source} || Source <-
            ["[a | b]", "[1 | 2]", "[1, 2, 3 | 4]", "[[] | a]", "[a, b | c]", "[a | <<\"b\">>]", "[<<\"a\">> | <<\"b\">>]", "[a | {b, c}]",
             "[a | #{}]", "[[a | b] | c]", "[a, [b | c] | d]", "[1 | 1.0]", "[a | 256]", "[alias | make_ref()]"]] ++
        [{"list of 65535 bytes", "lists:duplicate(65535, $b)"},
         {"list of 65536 bytes", "lists:duplicate(65536, $c)"},
         {"list of 255 small integers", "lists:seq(1, 255)"},
         {"list of 256 small integers", "lists:seq(1, 256)"},
         {"list of 1000 integers", "lists:seq(1, 1000)"},
         {"list of 300 atoms", "lists:duplicate(300, a)"},
         {"list of bytes and a last atom", "lists:duplicate(300, 1) ++ [a]"},
         {"bytes before an improper tail", "[1, 2, 3 | a]"},
         {"list nested 100 levels", "nest(list, 100)"},
         {"list nested 1000 levels", "nest(list, 1000)"},
         {"list nested 9000 levels", "nest(list, 9000)"}].

%% ── tuples ───────────────────────────────────────────────────────────────────

tuples() ->
    [{"tuple " ++ Source, Source} || Source <-
        ["{}", "{{}}", "{a}", "{1}", "{1.0}", "{ok, 1}", "{ok, <<\"text\">>}", "{error, {not_found, [a, b]}}", "{'DOWN', a, process, b, normal}",
         "{true, false, nil}", "{[], {}, #{}, <<>>}", "{\"string\", <<\"binary\">>}", "{{a, {b, {c, {d}}}}}"]] ++
        [{lists:concat(["tuple of ", Size, " elements"]), lists:concat(["erlang:make_tuple(", Size, ", a)"])} ||
            Size <- [10, 127, 128, 254, 255, 256, 257, 1000]] ++
        [{"tuple nested 1000 levels", "nest(tuple, 1000)"},
         {"tuple nested 9000 levels", "nest(tuple, 9000)"}].

%% ── maps ─────────────────────────────────────────────────────────────────────

maps() ->
    [{"map " ++ Source, Source} || Source <-
        ["#{}", "#{a => 1}", "#{a => 1, b => 2}", "#{1 => a}", "#{1 => integer, 1.0 => float}", "#{2.0 => a}", "#{-1.5 => a, 1.5 => b}",
         "#{1.0e300 => a}", "#{{1} => integer, {1.0} => float}", "#{[1] => integer, [1.0] => float}", "#{{a, 1} => x, {a, 2} => y}",
         "#{<<\"a\">> => 1}", "#{<<\"a\">> => 1, a => 2, \"a\" => 3}", "#{[] => a, {} => b, #{} => c, <<>> => d}", "#{[] => [], {} => {}}",
         "#{\"key\" => value}", "#{true => 1, false => 0, nil => undefined}", "#{#{} => #{}}", "#{#{a => 1} => 1, #{a => 2} => 2}",
         "#{#{a => 1, b => 2} => x, #{a => 1.0, b => 2} => y}", "#{a => #{b => #{c => #{}}}}", "#{a => [#{b => {#{c => 1}}}]}",
         "#{[a | b] => improper, [a, b] => proper}", "#{<<1:1>> => bits, <<1>> => byte}", "#{<<1:3>> => a, <<1:4>> => b}",
         "#{1 bsl 64 => big, (1 bsl 64) * 1.0 => float}", "#{9007199254740993 => a, 9007199254740992.0 => b}",
         "#{pid(node@host, 1, 2, 3) => a, pid(node@host, 1, 2, 4) => b}", "#{fun lists:map/2 => a, fun lists:map/3 => b}",
         "#{'' => empty, ' ' => space}", "#{{<<\"a\">>, \"b\"} => 1, {<<\"a\">>, <<\"b\">>} => 2}",
         "#{#{#{1 => 2} => 3} => 4, #{#{1.0 => 2} => 3} => 5}", "#{{#{a => 1}} => 1, {#{a => 1.0}} => 2}"]] ++
        [{lists:concat(["map of ", Size, " integer keys"]), lists:concat(["keyed(", Size, ")"])} || Size <- [3, 31, 32, 33, 34, 64, 100, 1000]] ++
        [{"map of 33 atom keys", "maps:from_list([{list_to_atom(\"key\" ++ integer_to_list(N)), N} || N <- lists:seq(1, 33)])"},
         {"map of 40 binary keys", "maps:from_list([{integer_to_binary(N), N} || N <- lists:seq(1, 40)])"},
         {"map of 40 tuple keys", "maps:from_list([{{N rem 7, N}, N} || N <- lists:seq(1, 40)])"},
         {"map of 40 pairs of integer and float", "maps:from_list([{N, i} || N <- lists:seq(1, 40)] ++ [{float(N), f} || N <- lists:seq(1, 40)])"},
         {"map of 33 maps", "maps:from_list([{#{N => N}, #{N => N}} || N <- lists:seq(1, 33)])"},
         {"map nested 1000 levels in values", "nest(map, 1000)"},
         {"map nested 500 levels in keys", "nest(key, 500)"}].

%% ── pids, ports and references ───────────────────────────────────────────────

identities() ->
    [{"pid of this node", "self()"},
     {"pid of a new process", "spawn(fun() -> ok end)"},
     {"pid of init", "whereis(init)"},
     {"port of this node", "hd(erlang:ports())"},
     {"reference of this node", "make_ref()"},
     {"reference to an ets table", "ets:new(table, [])"},
     {"reference to a persistent counter", "atomics:new(1, [])"},
     {"alias of this process", "alias()"},
     {"alias of a monitor", "monitor(process, self(), [{alias, explicit_unalias}])"}] ++
        [{"pid " ++ Source, "pid(" ++ Source ++ ")"} || Source <-
            ["node@host, 0, 0, 1", "node@host, 1, 0, 0", "node@host, 42, 7, 3", "node@host, 16#7fff, 16#1fff, 3", "node@host, 16#fffffff, 0, 1",
             "node@host, 16#ffffffff, 16#ffffffff, 16#ffffffff", "node@host, 1, 2, 16#80000000", "'n\\x{f6}d@host', 1, 2, 3",
             "'\\x{65e5}@host', 1, 2, 3", "true, 1, 2, 3", "nil, 1, 2, 3", "'', 1, 2, 3"]] ++
        [{"port " ++ Source, "port(" ++ Source ++ ")"} || Source <-
            ["node@host, 0, 1", "node@host, 5, 3", "node@host, 16#fffffff, 4", "node@host, 1 bsl 32, 4", "node@host, 1 bsl 63, 4",
             "node@host, (1 bsl 64) - 1, 16#ffffffff", "'n\\x{f6}d@host', 7, 9"]] ++
        [{"reference " ++ Source, "ref(" ++ Source ++ ")"} || Source <-
            ["node@host, 1, [1]", "node@host, 1, [1, 2]", "node@host, 1, [1, 2, 3]", "node@host, 1, [1, 2, 3, 4]", "node@host, 1, [1, 2, 3, 4, 5]",
             "node@host, 0, [0, 0, 0]", "node@host, 16#ffffffff, [16#3ffff, 16#ffffffff, 16#ffffffff]",
             "node@host, 7, [16#ffffffff, 16#ffffffff, 16#ffffffff, 16#ffffffff, 16#ffffffff]", "'n\\x{f6}d@host', 5, [3, 2, 1]"]].

%% ── funs ─────────────────────────────────────────────────────────────────────

funs() ->
    [{"export fun " ++ Source, Source} || Source <-
        ["fun lists:map/2", "fun lists:reverse/1", "fun erlang:self/0", "fun m:f/255", "fun true:false/0", "fun nil:nil/0",
         "fun 'Elixir.Enum':map/2", "fun '\\x{65e5}':'\\x{672c}'/1"]] ++
        [{"closure over nothing", "closure()"},
         {"closure over an integer", "closure(1)"},
         {"closure over a float", "closure(1.0)"},
         {"closure over a tuple and a map", "closure({a, [b]}, #{c => 1.0})"},
         {"closure over a closure", "closure(closure(2), closure())"},
         {"closure over a bit string and an export fun", "closure(<<1:3>>, fun lists:map/2)"},
         {"closure over a pid and a reference", "closure(self(), make_ref())"},
         {"closure over a long list", "closure(lists:seq(1, 1000))"},
         {"fun of a named function", "named()"},
         {"fun of the evaluator", "fun(X) -> X + 1 end"},
         {"list of two closures", "[closure(a), closure(b)]"},
         {"closure as a map key", "#{closure(1) => a, closure(1.0) => b, closure(2) => c}"},
         {"closures nested 300 levels", "nest(closure, 300)"}].

%% ── mixtures, as real programs send them ─────────────────────────────────────

mixed() ->
    [{"gen call", "{'$gen_call', {self(), [alias | make_ref()]}, {add, 5}}"},
     {"gen cast", "{'$gen_cast', {init_connect, {8, 1}, node@host, {locker, no_longer_a_pid, [], self()}}}"},
     {"exit reason with a stack trace", "{{badmatch, 1}, [{m, f, 2, [{file, \"m.erl\"}, {line, 10}]}]}"},
     {"down message", "{'DOWN', make_ref(), process, self(), noconnection}"},
     {"io request", "{io_request, self(), make_ref(), {put_chars, unicode, io_lib, format, [\"~p~n\", [a]]}}"},
     {"log event", "#{level => error, msg => {report, #{label => {gen_server, terminate}}}, meta => #{pid => self(), time => 1700000000000000}}"},
     {"property list", "[{name, <<\"joe\">>}, {age, 68}, verbose, {scores, [1.5, 2.0, 3]}]"},
     {"JSON as jsx reads it", "#{<<\"users\">> => [#{<<\"id\">> => 1, <<\"ok\">> => true}, #{<<\"id\">> => 2, <<\"ok\">> => null}]}"},
     {"Elixir struct", "#{'__struct__' => 'Elixir.Date', calendar => 'Elixir.Calendar.ISO', year => 2024, month => 2, day => 29}"},
     {"Elixir range", "#{'__struct__' => 'Elixir.Range', first => 1, last => 10, step => -1}"},
     {"queue", "queue:from_list([a, b, c])"},
     {"dictionary", "dict:from_list([{a, 1}, {b, 2}])"},
     {"general balanced tree", "gb_trees:from_orddict([{N, N} || N <- lists:seq(1, 20)])"},
     {"iolist", "[<<\"a\">>, [\"b\", $c | <<\"d\">>], [[[]]]]"},
     {"digraph of floats", "[{X / 7, X * 1.0, X} || X <- lists:seq(-10, 10)]"},
     {"long improper list", "lists:seq(1, 300) ++ tail"},
     {"every kind in one tuple",
      "{1, -1, 1 bsl 70, 1.5, a, <<\"b\">>, <<1:1>>, \"c\", [d | e], {}, #{f => g}, self(), make_ref(), hd(erlang:ports()), fun m:f/1, closure(1)}"}].

%% ── other encodings ──────────────────────────────────────────────────────────

encodings() ->
    Sources = ["1.5", "-0.0", "1.0e100", "ok", "'gr\\x{fc}n'", "'\\x{65e5}'", "atom(128, 16#e9)", "{ok, [1.0, a], #{k => 2.5}}",
               "pid('n\\x{f6}d@host', 1, 2, 3)", "#{c => 3, a => 1, b => 2}"],
    Options = [[{minor_version, 0}], [{minor_version, 1}]] ++ deterministic() ++ local(),
    Compressed = ["lists:duplicate(1000, a)", "binary:copy(<<0>>, 10000)", "lists:seq(1, 3000)", "#{a => binary:copy(<<\"x\">>, 500)}", "a"],
    [{lists:flatten(io_lib:format("~ts, ~0p", [Source, Option])), Source, Option} || Option <- Options, Source <- Sources] ++
        [{lists:flatten(io_lib:format("~ts, compressed ~w", [Source, Level])), Source, [{minor_version, 2}, {compressed, Level}]} ||
            Source <- Compressed, Level <- [1, 6, 9]] ++
        [{"keyed(50), deterministic", "keyed(50)", Option} || Option <- deterministic()] ++
        [{"fun lists:map/2, [{minor_version,1}]", "fun lists:map/2", [{minor_version, 1}]}] ++
        %% No funs: OTP 27 and 29 abort when they encode an export fun locally, and cannot read their closures.
        [{Source ++ ", local", Source, Option} || Option <- local(), Source <- ["self()", "make_ref()", "{self(), [make_ref()]}"]].

-if(?OTP_RELEASE >= 27).
deterministic() -> [[deterministic, {minor_version, 2}]].
-else.
deterministic() -> [].
-endif.

-if(?OTP_RELEASE >= 26).
local() -> [[local]].
-else.
local() -> [].
-endif.

%% ── what sources call ────────────────────────────────────────────────────────

pid(Node, Id, Serial, Creation) -> binary_to_term(<<131, 88, (utf8(Node))/binary, Id:32, Serial:32, Creation:32>>).

port(Node, Id, Creation) -> binary_to_term(<<131, 120, (utf8(Node))/binary, Id:64, Creation:32>>).

ref(Node, Creation, Words) ->
    Bytes = << <<Word:32>> || Word <- Words >>,
    binary_to_term(<<131, 90, (length(Words)):16, (utf8(Node))/binary, Creation:32, Bytes/binary>>).

utf8(Atom) ->
    <<131, Bytes/binary>> = term_to_binary(Atom, [{minor_version, 2}]),
    Bytes.

atom(Size, Character) -> list_to_atom(lists:duplicate(Size, Character)).

closure() -> fun() -> ok end.
closure(A) -> fun() -> A end.
closure(A, B) -> fun(X) -> {A, B, X} end.
named() -> fun closure/2.

keyed(Size) -> maps:from_list([{N, integer_to_binary(N)} || N <- lists:seq(1, Size)]).

nest(Kind, Levels) -> lists:foldl(fun(_, Inner) -> wrap(Kind, Inner) end, a, lists:seq(1, Levels)).

wrap(list, Inner) -> [Inner];
wrap(tuple, Inner) -> {Inner};
wrap(map, Inner) -> #{a => Inner};
wrap(key, Inner) -> #{Inner => a, {b} => c};
wrap(closure, Inner) -> closure(Inner).
