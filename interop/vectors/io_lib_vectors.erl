%% What io_lib:format/2 prints: one JSON row for each format and its arguments.
-module(io_lib_vectors).
-export([json/0]).

json() ->
    Rows = [row(Format, Args) || {Format, Args} <- cases()],
    unicode:characters_to_binary(["[\n", lists:join(",\n", Rows), "\n]\n"]).

row(Format, Args) ->
    Printed = try unicode:characters_to_binary(io_lib:format(Format, Args)) of
        Text when is_binary(Text) -> quote(Text);
        _ -> "null"
    catch
        error:badarg -> "null"
    end,
    io_lib:format("  { \"format\": ~ts, \"args\": \"~s\", \"printed\": ~ts }",
                  [quote(unicode:characters_to_binary(Format)), base64:encode(term_to_binary(Args, [{minor_version, 2}])), Printed]).

quote(Text) ->
    [$", [escape(C) || <<C/utf8>> <= Text], $"].

escape($") -> "\\\"";
escape($\\) -> "\\\\";
escape(C) when C < 32 -> io_lib:format("\\u~4.16.0b", [C]);
escape(C) when C < 127 -> C;
escape(C) when C > 16#FFFF ->
    <<High:16, Low:16>> = unicode:characters_to_binary([C], utf8, {utf16, big}),
    io_lib:format("\\u~4.16.0b\\u~4.16.0b", [High, Low]);
escape(C) -> io_lib:format("\\u~4.16.0b", [C]).

cases() ->
    [{"plain", []}, {"~~ and ~n", []}, {"~s", ["text"]}, {"~s", [<<"binary">>]}, {"~s", [atom]}, {"~s", [["io", <<"list">>, $!]]},
     {"~ts", [<<"h\303\251llo">>]}, {"~ts", [[104, 233, 8364]]}, {"~ts", ['h\x{e9}']}, {"~10s|", ["right"]}, {"~-10s|", ["left"]},
     {"~3s|", ["too long"]}, {"~.3s|", ["cut short"]}, {"~10.3s|", ["cut short"]}, {"~-10.3s|", ["cut short"]}, {"~10..*s|", ["stars"]},
     {"~*s|", [8, "width"]}, {"~p", [[1, 2, 3]]}, {"~p", ["string"]}, {"~p", [<<"binary">>]}, {"~p", [{ok, [a, 'B c']}]}, {"~p", [1.5]},
     {"~w", ["string"]}, {"~w", [<<"binary">>]}, {"~w", [{ok, [a, 'B c'], #{a => 1}}]}, {"~w", [[]]}, {"~p", [[]]}, {"~p", [#{a => 1}]},
     {"~w", [1.0]}, {"~p", [1.0e22]}, {"~10w|", [abc]}, {"~-10w|", [abc]}, {"~2w|", [abc]}, {"~c", [$a]}, {"~3c|", [$a]}, {"~5.3c|", [$a]},
     {"~tc", [8364]}, {"~b", [255]}, {"~.16b", [255]}, {"~.16B", [255]}, {"~.2b", [-5]}, {"~8b|", [42]}, {"~-8b|", [42]}, {"~4..0b|", [42]},
     {"~8.16.0b|", [3735928559]}, {"~2b|", [12345]}, {"~.16#", [255]}, {"~.16+", [255]}, {"~.10#", [-31]}, {"~.16x", [255, "0x"]},
     {"~.16X", [255, "0x"]}, {"~.10x", [-31, "10#"]}, {"~f", [3.14159]}, {"~.2f", [3.14159]}, {"~10.2f|", [3.14159]}, {"~-10.2f|", [3.14159]},
     {"~.0f", [3.5]}, {"~f", [1]}, {"~.3f", [2]}, {"~f", [1.0e20]}, {"~e", [3.14159]}, {"~.3e", [314.159]}, {"~e", [1.0e-10]}, {"~e", [1.0e100]},
     {"~e", [0.0]}, {"~g", [0.5]}, {"~g", [100.0]}, {"~g", [1.0e10]}, {"~g", [0.01]}, {"~g", [3]}, {"~.3g", [0.5]}, {"~i~s", [skipped, "seen"]},
     {"~W", [[1, 2, 3], 10]}, {"~P", [{a, b}, 10]}, {"~W", [[1, 2, 3, 4, 5, 6], 3]}, {"~P", [[1, 2, 3, 4, 5, 6], 3]}, {"~W", [{a, b, c, d}, 3]},
     {"~lp", ["string"]}, {"~tp", [[104, 233]]}, {"~tp", [<<"h\303\251">>]}, {"~tw", ['h\x{e9}']}, {"~p ~s ~w", [a, "b", "c"]},
     {"~s", [1]}, {"~s", []}, {"~s", ["a", "b"]}, {"~z", [1]}, {"~b", [1.0]}, {"~c", [a]}, {"~f", [a]}, {"~", []}, {"100%~n", []},
     {"~s", [[8364]]}, {"~999999p", [{a, b}]}]
    ++ fields() ++ depths() ++ lines() ++ characters() ++ random().

%% Field width, precision, padding and modifiers of every control.
fields() ->
    Values = [{"s", ["text"]}, {"w", [{ok, 12}]}, {"b", [-255]}, {"B", [255]}, {"x", [-255, "0x"]}, {"X", [255, 'p']}, {"+", [255]}, {"#", [-255]},
              {"f", [3.14159]}, {"e", [-314.159]}, {"g", [0.5]}, {"c", [$z]}, {"n", []}, {"~", []}, {"i", [ignored]}, {"p", [{ok, 12}]},
              {"W", [{a, [b, c]}, 3]}, {"P", [{a, [b, c]}, 3]}, {"ts", [[8364, $a]]}, {"tw", ['\x{20ac}']}],
    Numbers = ["", "12", "-12", "2", "-2", "0", "12.3", "-12.3", "12.16", "3.12", ".2", ".16", ".36", ".37", ".1", ".0", "12.3._", "-12.10.0", "12..x", "..x", "-"],
    [{"~" ++ Number ++ Letter ++ "|", Args} || Number <- Numbers, {Letter, Args} <- Values]
    ++ [{"~*.*.*s|", [10, 4, $_, "stars"]}, {"~-*s|", [10, "left"]}, {"~*s|", [-10, "left"]}, {"~*s", [a, "left"]}, {"~.*b", [2, 5]}, {"~*p", [20, lists:seq(1, 20)]},
        {"~10.3.\x{e9}s|", ["utf"]}, {"~lw", ["string"]}, {"~tlp", ["string"]}, {"~ltp", [{"s", <<"b">>}]}]
    ++ [{Format, [F]} || Format <- ["~f", "~.1f", "~.20f", "~.30f", "~e", "~.2e", "~.21e", "~.30e", "~g", "~.1g", "~.2g", "~.3g", "~.10g", "~15.4f|", "~-15.4e|", "~3f"],
        F <- [0.0, -0.0, 0.1, 0.5, 0.05, 0.049999999, 0.999999999, 9.9999999, 99.95, 999.95, 9999.9999, 12345.678, 1.0e-7, -1.0e-7, 1.0e15, 1.0e22, 123456789.0e100, 2.5, 0.125, 1.0e-300]].

depths() ->
    Terms = [[1, 2, 3, 4, 5, 6], {a, b, c, d}, {a}, {}, [], #{}, #{1 => {a, b}, 2 => [c, d], 3 => #{4 => 5}}, #{1 => 2}, [[[[[a]]]]], {{{{{a}}}}}, [a | b],
             [a, b | c], "a string that is long", [$a, 'B'], <<"a binary that is rather long, longer than a few">>, <<1, 2, 3, 4, 5>>, <<0>>, <<>>, <<1:3>>, <<1, 2, 3:4>>,
             <<"caf\303\251 au lait, s'il vous pla\303\256t">>, <<255, 254>>, <<"abc", 0, "def">>, <<"abcdefgh", 0>>, 42, atom, 1.5, {ok, "text", <<"bin">>, [x, "y"]}],
    [{Format, [Term, Depth]} || Format <- ["~P", "~W", "~tP"], Depth <- [0, 1, 2, 3, 4, 6, 9, -1], Term <- Terms] ++ [{"~P", [a, b]}, {"~W", [a, 1.0]}].

%% Long terms, and where they are broken.
lines() ->
    Terms = [lists:seq(1, 60), list_to_tuple(lists:seq(1, 60)), [atom || _ <- lists:seq(1, 30)], list_to_tuple([tag | lists:seq(100, 140)]),
             {a_rather_long_tag_of_a_tuple, lists:seq(1, 40), another, lists:seq(1, 40)}, {ok, {nested, {deeper, lists:seq(1, 50)}}, done},
             #{1 => lists:seq(1, 40), 2 => {tag, lists:seq(1, 40)}, 3 => short}, #{{key, lists:seq(1, 40)} => value}, maps:from_list([{I, I * I} || I <- lists:seq(1, 30)]),
             #{1 => #{2 => #{3 => #{4 => lists:seq(1000, 1030)}}}}, list_to_binary(lists:seq(0, 120)), <<(list_to_binary(lists:seq(0, 60)))/binary, 5:3>>,
             {bin, list_to_binary(lists:seq(0, 99)), <<"text">>}, [lists:duplicate(50, $a), lists:duplicate(50, $b)], {lists:duplicate(90, $x)},
             [{key, "value of some length"}, {other, <<"binary of some length">>}, {third, [{a, 1}, {b, 2}]}, {fourth, 1.5}], lists:seq(1, 40) ++ improper,
             [lists:seq(1, 20) | lists:seq(1, 20) ++ tail], {error, {{badmatch, {error, enoent}}, [{module_name, function_name, 3, [{file, "module_name.erl"}, {line, 123}]},
              {gen_server, try_handle_call, 4, [{file, "gen_server.erl"}, {line, 1131}]}, {proc_lib, init_p_do_apply, 3, [{file, "proc_lib.erl"}, {line, 241}]}]}},
             lists:foldl(fun(I, T) -> {level, I, T} end, lists:seq(1, 20), lists:seq(1, 30)), lists:foldl(fun(_, T) -> [T, x] end, lists:seq(1, 20), lists:seq(1, 45)),
             [{{state, 1, undefined}, #{1 => {deep, [lists:seq(1, 30)]}}}, {t, <<1, 2, 3>>, [], {}, #{}}], "a string " ++ lists:duplicate(100, $s), [self_evident, [[]], [{}]],
             lists:foldl(fun(_, T) -> {a_tag_of_twenty_char, T} end, lists:seq(1, 30), lists:seq(1, 6)), lists:foldl(fun(_, T) -> #{1 => T} end, lists:seq(1, 30), lists:seq(1, 12))],
    [{Format, [Term]} || Format <- ["~p", "~tp", "before ~p after", "~40p", "~20p", "~120p", "~0p", "~.20p", "~30.10p", "one~n  two ~p", "tab\t~p", "~lp", "~1p"], Term <- Terms]
    ++ [{Format, [Term, Depth]} || Format <- ["~P", "a line: ~40P"], Depth <- [2, 5, 12, 30], Term <- Terms] ++ [{"~p~n~p and ~p", [T, T, T]} || T <- lists:sublist(Terms, 8)].

characters() ->
    Terms = ["", [8364], [$a, 8364], [233], [0], [7], "tab\tnew\nline \\ \" ' \e\d", [127], [128], [160], [16#d7ff], [16#e000], [16#fffe], [16#10000], [16#10ffff],
             <<233>>, <<"\303\251">>, <<226, 130, 172>>, <<226, 130>>, <<"ok", 226, 130, 172>>, <<127>>, <<200, 201>>, <<194, 128>>, '\x{20ac}', 'h\x{e9}', '\x{e9}t', 'With Space', 'it\'s', '',
             'maybe', 'else', 'end', [$a | <<"b">>], {'\x{20ac}', "\x{20ac}", <<"\342\202\254">>}, #{'\x{20ac}' => 1}, "\x{1f600}", [101, 769], 1 bsl 70, -0.0, 1.0e100, fun lists:map/2],
    [{Format, [Term]} || Format <- ["~p", "~tp", "~w", "~tw", "~s", "~ts", "~10ts|", "~.3ts|", "~lp"], Term <- Terms] ++ [{"~c~tc", [C, C]} || C <- [0, 65, 233, 8364, 16#1f600, -1]]
    ++ [{<<"~p ~s">>, [a, "b"]}, {"~", [1]}, {"~q", [1]}, {"~p", []}, {"~p", [1, 2]}, {"~s ~s", ["a"]}, {"~-", []}, {"~10", []}, {"~.", []}].

%% Terms that nobody thought of: the same ones each time.
random() ->
    rand:seed(exsss, {25, 27, 29}),
    [{Format, [term(rand:uniform(6))]} || _ <- lists:seq(1, 80), Format <- ["~p", "~30p", "~tp"]]
    ++ [{Format, [term(rand:uniform(7)), rand:uniform(12)]} || _ <- lists:seq(1, 60), Format <- ["~P", "~W"]].

term(0) ->
    Leaves = [a, some_atom, 'Quoted Atom', 1, -1, 123456789, 1 bsl 40, 1.5, "text", "longer text here", [], {}, #{}, <<>>, <<"binary">>, <<1, 2, 3>>, <<0:5>>, [8364]],
    lists:nth(rand:uniform(length(Leaves)), Leaves);
term(Depth) ->
    Terms = fun(Most) -> [term(rand:uniform(Depth) - 1) || _ <- lists:seq(1, rand:uniform(Most))] end,
    case rand:uniform(7) of
        1 -> term(0);
        2 -> Terms(8);
        3 -> list_to_tuple(Terms(6));
        4 -> list_to_tuple([lists:nth(rand:uniform(3), [ok, a_longer_tag, state]) | Terms(5)]);
        5 -> maps:from_list(lists:zip(lists:seq(1, 4), Terms(1) ++ Terms(1) ++ Terms(1) ++ Terms(1)));
        6 -> Terms(3) ++ term(0);
        7 -> #{term(rand:uniform(Depth) - 1) => term(rand:uniform(Depth) - 1)}
    end.
