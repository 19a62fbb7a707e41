%% Golden vectors: terms as a real BEAM writes them, and bytes as it reads or refuses them. make.ts runs this on each release and keeps
%% what it prints in spec/vectors/.
%%
%% A line per vector, its fields parted by tabs:
%%
%%   term     Name  Source  Text  Hex             what term_to_binary(Source, [{minor_version, 2}]) gives, as the distribution sends it
%%   encoded  Name  Source  Text  Hex  Canonical  another encoding of the term; Canonical is the one above
%%   local    Name  Source  Text  Hex  Canonical  the local encoding of OTP 26 and later, which only the node that wrote it can read
%%   refused  Name  Source        Hex             bytes that binary_to_term refuses
%%
%% Source is an expression; a function that it calls without a module is one of vector_terms.
-module(vectors).
-export([main/0]).

main() ->
    ok = io:setopts(standard_io, [{encoding, unicode}]),
    line([release, erlang:system_info(otp_release), erlang:system_info(version)]),
    [term(Name, Source) || {Name, Source} <- vector_terms:terms() ++ vector_records:terms()],
    [encoded(Name, Source, Options) || {Name, Source, Options} <- vector_terms:encodings()],
    [bytes(Name, Source) || {Name, Source} <- vector_bytes:all()],
    halt().

term(Name, Source) ->
    Term = value(Source),
    line([term, Name, Source, text(Term), hex(canonical(Term))]).

encoded(Name, Source, Options) ->
    Term = value(Source),
    Bytes = term_to_binary(Term, Options),
    true = Term =:= binary_to_term(Bytes),
    Kind = case lists:member(local, Options) of
               true -> local;
               false -> encoded
           end,
    Text = io_lib:format("term_to_binary(~ts, ~0p)", [Source, Options]),
    line([Kind, Name, Text, text(Term), hex(Bytes), hex(canonical(Term))]).

%% Bytes that no BEAM of today writes. Whether it reads them is for it to say.
bytes(Name, Source) ->
    Bytes = value(Source),
    try binary_to_term(Bytes) of
        Term -> line([encoded, Name, ["binary_to_term(", Source, ")"], text(Term), hex(Bytes), hex(canonical(Term))])
    catch
        error:badarg -> line([refused, Name, Source, hex(Bytes)])
    end.

value(Source) ->
    {ok, Tokens, _} = erl_scan:string(Source ++ "."),
    {ok, Expressions} = erl_parse:parse_exprs(Tokens),
    Local = {value, fun(Name, Arguments) -> apply(vector_terms, Name, Arguments) end},
    {value, Value, _} = erl_eval:exprs(Expressions, [], Local),
    Value.

canonical(Term) -> term_to_binary(Term, [{minor_version, 2}]).

text(Term) -> io_lib:format("~0tp", [Term]).

hex(Bytes) -> string:lowercase(binary:encode_hex(Bytes)).

line(Fields) ->
    io:put_chars([lists:join($\t, [field(Field) || Field <- Fields]), $\n]).

field(Field) when is_atom(Field) -> atom_to_list(Field);
field(Field) -> Field.
