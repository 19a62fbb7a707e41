%% Native records, which begin with OTP 29.
-module(vector_records).
-export([terms/0, point/2, empty/0, hidden/1]).

-if(?OTP_RELEASE >= 29).
-export_record([point, empty]).
-record #point{x = 0, y = 0}.
-record #empty{}.
-record #hidden{secret}.

point(X, Y) -> #point{x = X, y = Y}.
empty() -> #empty{}.
hidden(Secret) -> #hidden{secret = Secret}.

terms() ->
    [{"native record " ++ Source, Source} || Source <-
        ["vector_records:point(1, 2)", "vector_records:point(1.0, -0.0)", "vector_records:point([a], #{b => c})", "vector_records:empty()",
         "vector_records:hidden(42)", "vector_records:hidden(vector_records:point(1, vector_records:empty()))",
         "[vector_records:point(1, 2), vector_records:point(3, 4)]",
         "#{vector_records:point(1, 2) => a, vector_records:point(1.0, 2) => b}",
         "{ok, vector_records:point(vector_records:point(1, 2), vector_records:hidden(a))}"]].
-else.
point(_, _) -> error(notsup).
empty() -> error(notsup).
hidden(_) -> error(notsup).

terms() -> [].
-endif.
