%% What io_lib:format/2 prints: one JSON row for each format and its arguments.
-module(io_lib_vectors).
-export([json/0]).

json() ->
    Rows = [row(Format, Args) || {Format, Args} <- cases()],
    unicode:characters_to_binary(["[\n", lists:join(",\n", Rows), "\n]\n"]).

row(Format, Args) ->
    Printed = try unicode:characters_to_binary(io_lib:format(Format, Args)) of
        Text when is_binary(Text) -> quote(Text)
    catch
        error:badarg -> "null"
    end,
    io_lib:format("  { \"format\": ~ts, \"args\": \"~s\", \"printed\": ~ts }",
                  [quote(unicode:characters_to_binary(Format)), base64:encode(term_to_binary(Args)), Printed]).

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
     {"~s", [[8364]]}, {"~999999p", [{a, b}]}].
